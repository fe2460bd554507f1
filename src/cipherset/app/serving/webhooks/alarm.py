"""Calls as they wait and are sent: in files, so that a restart loses none; bounded, and recorded.

A call is signed as Standard Webhooks 1.0.0 says: HMAC-SHA256 with the rule's secret over id, time
and body. It is sent to the rule's own address, follows no redirect and no proxy, and is tried again
later and later. What is given up, or finds no place, is in the ledger.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from cipherset.app.serving.webhooks.rules import Rule
from cipherset.core import canonical
from cipherset.core.errors import BackendError, CiphersetError, IntegrityError
from cipherset.core.files import disk_errors, write_atomic
from cipherset.custody.ledger import Ledger, Outcome

WEBHOOK: Final = "webhook"
SPOOL: Final = "webhooks"
MOST_WAITING: Final = 1000
MOST_TRIES: Final = 12
_ACTOR: Final = "cipherset"
_CALL: Final = frozenset({"rule", "body", "tries", "not_before"})
_FIRST_PAUSE_S: Final = 5.0
_LONGEST_PAUSE_S: Final = 3600.0
_LONGEST_FAILED_S: Final = 60.0
_TIMEOUT_S: Final = 10.0
_ID_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class Alarms:
    """Calls of one workspace; ``start`` sends them until ``close``."""

    rules: tuple[Rule, ...]
    sender: "Sender"

    def of(self, model: str) -> tuple[Rule, ...]:
        """The rules about a model."""
        return tuple(rule for rule in self.rules if rule.model == model)


class Sender:
    """Sends what is in the spool, in a thread of its own."""

    def __init__(
        self,
        folder: Path,
        rules: Sequence[Rule],
        ledger: Ledger,
        *,
        clock: Callable[[], float] = time.time,
        first_pause_s: float = _FIRST_PAUSE_S,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        """Take up what an earlier process left."""
        with disk_errors(folder):
            folder.mkdir(mode=0o700, exist_ok=True)
        self._folder = folder
        self._rules = {rule.id: rule for rule in rules}
        self._ledger = ledger
        self._clock = clock
        self._first_pause_s = first_pause_s
        self._most_waiting = most_waiting
        self._is_open, self._is_new = True, False
        self._n_failed = 0
        self._changed = threading.Condition()
        self._client = httpx.Client(trust_env=False, follow_redirects=False, timeout=_TIMEOUT_S)
        self._thread = threading.Thread(target=self._work, name="webhooks", daemon=True)
        self._thread.start()

    def put(self, rule: Rule, told: Mapping[str, Any]) -> None:
        """Call ``rule``'s address with ``told``, as soon as it can be.

        Raises:
            BackendError: the spool or the ledger cannot be written.
        """
        call_id = f"msg_{secrets.token_hex(_ID_BYTES)}"
        if len(self.waiting()) >= self._most_waiting:
            self._record(rule.id, call_id, Outcome.FAILED, {"because": "too many calls wait"})
            return
        body = canonical.encode({"type": "prediction.threshold", "data": dict(told)}).decode()
        self._write(call_id, {"rule": rule.id, "body": body, "tries": 0, "not_before": 0.0})
        with self._changed:
            self._is_new = True
            self._changed.notify()

    def waiting(self) -> list[str]:
        """The ids of the calls that are not answered yet, the oldest first."""
        return [path.stem for path in sorted(self._folder.glob("msg_*.json"))]

    def check(self) -> None:
        """Nothing, while calls are sent.

        Raises:
            BackendError: ``webhooks``: the thread is gone, or its last round failed.
        """
        if self._n_failed or not self._thread.is_alive():
            raise BackendError(
                "calls of webhooks wait: the spool or the ledger cannot be used",
                code="webhooks",
                hint="make room or bring the ledger back; what waits is sent then",
            )

    def close(self) -> None:
        """Stop; what waits is sent by the next process."""
        with self._changed:
            self._is_open = False
            self._changed.notify()
        self._thread.join()
        self._client.close()

    def _work(self) -> None:
        while self._is_open:
            self._is_new = False  # before the look, so that what comes during it is not missed
            pause = self._tried()
            with self._changed:
                self._changed.wait_for(lambda: self._is_new or not self._is_open, pause)

    def _tried(self) -> float:
        """A round; one that fails is begun again, later and later, and loses no call."""
        try:
            pause = self._round()
        except (CiphersetError, OSError):
            self._n_failed += 1
            return min(self._first_pause_s * 2.0 ** min(self._n_failed - 1, 16), _LONGEST_FAILED_S)
        self._n_failed = 0
        return pause

    def _round(self) -> float:
        """Send what is due; after how many seconds to look again."""
        pause = _LONGEST_PAUSE_S
        for call_id in self.waiting():
            if not self._is_open:
                return 0.0
            pause = min(pause, self._one(call_id))
        return max(pause, 0.01)

    def _one(self, call_id: str) -> float:
        """Send one call if it is due; in how many seconds it is due again."""
        call = self._read(call_id)
        rule = self._rules.get(call["rule"]) if call else None
        if call is None or rule is None:
            self._end(call_id, "", Outcome.FAILED, {"because": "there is no such rule any more"})
            return _LONGEST_PAUSE_S
        left = float(call["not_before"]) - self._clock()
        if left > 0:
            return min(left, 1.0)
        status = self._sent(rule, call_id, call["body"])
        tries = int(call["tries"]) + 1
        if 200 <= status < 300:
            self._end(call_id, rule.id, Outcome.DONE, {"tries": tries, "status": status})
            return _LONGEST_PAUSE_S
        if tries >= MOST_TRIES:
            self._end(call_id, rule.id, Outcome.FAILED, {"tries": tries, "status": status})
            return _LONGEST_PAUSE_S
        pause = min(self._first_pause_s * 2.0 ** (tries - 1), _LONGEST_PAUSE_S)
        later = {"tries": tries, "not_before": self._clock() + pause}
        self._write(call_id, {**call, **later})
        return min(pause, 1.0)

    def _sent(self, rule: Rule, call_id: str, body: str) -> int:
        """The status of the response; 0 where there is none."""
        at = int(self._clock())
        headers = {
            "content-type": "application/json",
            "webhook-id": call_id,
            "webhook-timestamp": str(at),
            "webhook-signature": signature(rule.secret, call_id, at, body),
        }
        try:
            # The body of the response, which may have no end, is not waited for.
            with self._client.stream(
                "POST", rule.url, content=body.encode(), headers=headers
            ) as response:
                return response.status_code
        except httpx.HTTPError:
            return 0

    def _path(self, call_id: str) -> Path:
        return self._folder / f"{call_id}.json"

    def _write(self, call_id: str, call: Mapping[str, Any]) -> None:
        write_atomic(self._path(call_id), json.dumps(dict(call)).encode())

    def _read(self, call_id: str) -> dict[str, Any] | None:
        try:
            found = json.loads(self._path(call_id).read_bytes())
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) and found.keys() >= _CALL else None

    def _end(self, call_id: str, rule: str, outcome: Outcome, body: Mapping[str, Any]) -> None:
        """Write down how it ended, then forget it: a crash between sends it twice, never not."""
        self._record(rule, call_id, outcome, body)
        with suppress(FileNotFoundError):
            self._path(call_id).unlink()

    def _record(self, rule: str, call_id: str, outcome: Outcome, body: Mapping[str, Any]) -> None:
        self._ledger.append(
            actor=_ACTOR,
            action=WEBHOOK,
            subject=call_id,
            outcome=outcome,
            body={"rule": rule, **body},
        )


def signature(secret: bytes, call_id: str, at: int, body: str) -> str:
    """The value of ``webhook-signature``: version 1, base64."""
    mac = hmac.digest(secret, f"{call_id}.{at}.{body}".encode(), hashlib.sha256)
    return "v1," + base64.b64encode(mac).decode()


def verify_call(secret: bytes, headers: Mapping[str, str], body: bytes) -> None:
    """What a receiver does with a call, but for the look at the clock.

    Raises:
        IntegrityError: ``webhook_signature``.
    """
    at = headers.get("webhook-timestamp", "")
    expected = signature(
        secret, headers.get("webhook-id", ""), int(at) if at.isdecimal() else 0, body.decode()
    )
    given = headers.get("webhook-signature", "").split(" ")
    if not any(hmac.compare_digest(expected, each) for each in given):
        raise IntegrityError(
            "the call is not signed with this secret",
            code="webhook_signature",
            hint="compare the secrets, and drop the call",
        )

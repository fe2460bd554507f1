"""The ledger, called from Python, for auditors."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter

from cipherset.interfaces.client.connection import Connection


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One event; ``body`` holds facts, never content."""

    seq: int
    time: str
    actor: str
    action: str
    subject: str
    outcome: str
    body: Any
    hash: str


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Events, the oldest first; ``next`` is where the next page begins, None at the end."""

    events: list[AuditEvent]
    next: int | None


@dataclass(frozen=True, slots=True)
class AuditVerified:
    """Whether the chain holds; ``first_bad`` is the number of the first event that is wrong."""

    valid: bool
    events: int
    first_bad: int | None
    because: str


@dataclass(frozen=True, slots=True)
class AuditCheckpoint:
    """What the ledger is now; ``checkpoint`` is signed: keep it where the ledger is not."""

    size: int
    root: str
    time: str
    signer: str
    checkpoint: str


_PAGE: Final = TypeAdapter(AuditPage)
_VERIFIED: Final = TypeAdapter(AuditVerified)
_CHECKPOINT: Final = TypeAdapter(AuditCheckpoint)
_PROOF: Final = TypeAdapter(dict[str, Any])


class AuditCalls:
    """``/v1/audit``."""

    _connection: Connection

    def events(
        self,
        *,
        action: str | None = None,
        actor: str | None = None,
        since: str | None = None,
        after: int = 0,
    ) -> Iterator[AuditEvent]:
        """The events that are wanted, the oldest first; asked for page by page."""
        start: int | None = after
        while start is not None:
            query = {"action": action, "actor": actor, "since": since, "after": start}
            answer = self._connection.ask("GET", "/v1/audit/events", query=query)
            page = self._connection.told(_PAGE, answer)
            yield from page.events
            start = page.next

    def verify_audit(
        self, checkpoint: str | None = None, *, signer: str | None = None
    ) -> AuditVerified:
        """Whether every event is where and what it was, also against a checkpoint kept elsewhere.

        Raises:
            IntegrityError: the checkpoint is not what was signed, or not by ``signer``.
        """
        body = {"checkpoint": checkpoint, "signer": signer}
        answer = self._connection.ask("POST", "/v1/audit/verify", body=body)
        return self._connection.told(_VERIFIED, answer)

    def checkpoint(self) -> AuditCheckpoint:
        """What the ledger is now, signed."""
        answer = self._connection.ask("POST", "/v1/audit/checkpoint")
        return self._connection.told(_CHECKPOINT, answer)

    def prove(self, checkpoint: str, *, seq: int | None = None, since: str | None = None) -> str:
        """The proof that event ``seq`` is in ``checkpoint``, or that it goes on ``since``.

        Raises:
            UsageError: ``proof_of``, ``event_unknown``, ``event_later``, ``checkpoint_order``.
            IntegrityError: ``checkpoint_mismatch``.
        """
        body = {"checkpoint": checkpoint, "seq": seq, "since": since}
        answer = self._connection.ask("POST", "/v1/audit/prove", body=body)
        return str(self._connection.told(_PROOF, answer)["proof"])

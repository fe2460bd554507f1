"""How a report gets to a gateway: to one whose certificate holds, with proof of who sends it."""

import http.client
import json
import re
import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import urlsplit

from cipherset.core.errors import BackendError, InputError

_TIMEOUT_S: Final = 600  # a first report of a large host is a long transaction of the ledger
_ACCEPTED: Final = range(200, 300)
_MOST_ANSWER: Final = 10_000
_CODE: Final = re.compile(r"[a-z0-9_]{1,60}")


@dataclass(frozen=True, slots=True)
class Proof:
    """Files: the certificates to trust (the system's where it is None), and who this host is.

    ``key`` is None where it lies in the file of ``cert``.
    """

    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where reports go: over TLS, or to this very machine."""

    host: str
    port: int | None
    way: str
    is_tls: bool
    proof: Proof


def receiver(address: str, proof: Proof) -> Receiver:
    """The receiver at ``address``.

    Raises:
        InputError: ``discover_address``: it is none, or one that plain HTTP would go out to.
    """
    try:
        found = urlsplit(address)
        host, port = found.hostname or "", found.port
    except ValueError:
        _refuse()
    is_tls = found.scheme == "https"
    if not host or not (is_tls or (found.scheme == "http" and _is_here(host))):
        _refuse()
    way = (found.path or "/") + (f"?{found.query}" if found.query else "")
    return Receiver(host, port, way, is_tls, proof)


def send(raw: bytes, to: Receiver) -> None:
    """POST the report; no redirection is followed, and no proxy asked.

    Raises:
        BackendError: ``discover_unsent``, whatever the reason: it may be taken later.
    """
    try:
        headers = {"Content-Type": "application/json", **_authorization(to.proof)}
        connection = _connection(to)
        try:
            connection.request("POST", to.way, raw, headers)
            answer = connection.getresponse()
            refusal = None if answer.status in _ACCEPTED else _told(answer)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _unsent(to.host, type(error).__name__) from None
    if refusal is not None:
        raise _unsent(to.host, f"it answered {refusal}")


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _authorization(proof: Proof) -> dict[str, str]:
    if proof.token is None:
        return {}
    return {"Authorization": f"Bearer {Path(proof.token).read_text(encoding='ascii').strip()}"}


def _connection(to: Receiver) -> http.client.HTTPConnection:
    if not to.is_tls:
        return http.client.HTTPConnection(to.host, to.port, timeout=_TIMEOUT_S)
    context = ssl.create_default_context(cafile=to.proof.ca)
    if to.proof.cert is not None:
        # Nobody is there to type the password of a key that has one: it is refused.
        context.load_cert_chain(to.proof.cert, to.proof.key, password="")
    return http.client.HTTPSConnection(to.host, to.port, timeout=_TIMEOUT_S, context=context)


def _told(answer: http.client.HTTPResponse) -> str:
    """The status, and the code of the gateway's refusal: no other words of whoever answers."""
    raw = answer.read(_MOST_ANSWER)
    try:
        code = json.loads(raw)["error"]["code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        code = None
    is_code = isinstance(code, str) and _CODE.fullmatch(code)
    return f"{answer.status} {code}" if is_code else str(answer.status)


def _refuse() -> NoReturn:
    raise InputError(
        "a report is sent over https only; over http only to this machine",
        code="discover_address",
        hint="name an address that begins with https://, or a file",
    )


def _unsent(host: str, reason: str) -> BackendError:
    return BackendError(
        f"the report could not be sent to {host}: {reason}",
        code="discover_unsent",
        hint="check the address, --ca, --cert and --key; or write it with --to FILE",
    )

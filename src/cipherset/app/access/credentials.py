"""From what a caller was verified to be, or shows, to a principal; read anew for every request.

A verified connection or token has an identity, which is a URI; the principal is the one that it is
registered for, or the one that it names: ``cipherset:principal:NAME``. A token of ours is looked up
by its id, and its secret compared. Either way the principal must be there, and not have left.
"""

import re
import secrets
from dataclasses import asdict, dataclass, field, replace
from typing import Final

from cipherset.app.access.binding import base64url
from cipherset.app.gate.facts import ACTIVE
from cipherset.app.workspace import Session, open_workspace
from cipherset.core import canonical
from cipherset.core.errors import InputError, UsageError
from cipherset.custody.keys.identity import CredentialMac
from cipherset.custody.ledger import Ledger, Outcome, Transaction
from cipherset.custody.ledger.access import (
    StoredCredential,
    add_credential,
    credentials_of,
    drop_credential,
    find_credential,
    find_principal,
)
from cipherset.custody.ledger.records import acts_on
from cipherset.custody.policy import Action

NAMED: Final = "cipherset:principal:"
IDENTITY: Final = "identity:"
TOKEN: Final = "token-"  # noqa: S105 -- how the id of one begins
_ID_BYTES: Final = 8
_SECRET_BYTES: Final = 32
_URI: Final = re.compile(r"[a-z][a-z0-9+.-]*:[!-~]{1,500}")
_SHOWN: Final = re.compile(r"cst_(?P<id>[0-9a-f]{16})_(?P<secret>[A-Za-z0-9_-]{43})")
# What an unknown token is compared with, so that it takes no less work than a known one.
_NOBODY: Final = StoredCredential(TOKEN, "", None, "", "", "", "")


@dataclass(frozen=True, slots=True)
class Shown:
    """A token of ours that holds: whose it is, and which key its bearer must hold."""

    principal: str
    binding: str


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token as it is told once, and what is kept of it."""

    stored: StoredCredential
    text: str = field(repr=False)


class Credentials:
    """Who may be whom, in one ledger; for any number of threads."""

    def __init__(self, ledger: Ledger, mac: CredentialMac) -> None:
        """Over a ledger that is held open."""
        self._ledger = ledger
        self._mac = mac

    def principal_of(self, identity: str) -> str | None:
        """The principal with this verified identity; None where there is none.

        Raises:
            BackendError: the ledger cannot be read.
        """
        return self._ledger.look(lambda transaction: self._identified(transaction, identity))

    def shown(self, text: str) -> Shown | None:
        """What a token of ours stands for; None where it does not hold.

        An unknown one, a wrong, an expired and a revoked one take the same work.

        Raises:
            BackendError: the ledger cannot be read.
        """
        match = _SHOWN.fullmatch(text)
        if match is None:
            return None
        return self._ledger.look(
            lambda transaction: self._token(transaction, match["id"], match["secret"])
        )

    def _identified(self, transaction: Transaction, identity: str) -> str | None:
        registered = find_credential(transaction.connection, f"{IDENTITY}{identity}")
        holds = sealed(self._mac, registered or _NOBODY)
        name = registered.principal if registered is not None and holds else ""
        if identity.startswith(NAMED):
            name = identity.removeprefix(NAMED)
        return name if _is_there(transaction, name) else None

    def _token(self, transaction: Transaction, token_id: str, secret: str) -> Shown | None:
        found = find_credential(transaction.connection, f"{TOKEN}{token_id}") or _NOBODY
        holds = (
            sealed(self._mac, found),
            self._mac.matches(_secret(found.id, secret), found.secret or ""),
            not is_over(transaction, found),
            _is_there(transaction, found.principal),
        )
        if not all(holds) or found.binding is None:
            return None
        return Shown(found.principal, found.binding)

    def __repr__(self) -> str:
        return "Credentials(...)"


def open_credentials(session: Session) -> Credentials:
    """Those of the ledger that the session holds open.

    Raises:
        UsageError: ``session_not_held``.
        IntegrityError, BackendError: as ``open_workspace``.
    """
    if session.held is None:
        raise UsageError(
            "callers are told apart over a ledger that is held open",
            code="session_not_held",
            hint="with hold(session) as held: open_credentials(held)",
        )
    with open_workspace(session) as workspace:
        return Credentials(session.held.ledger, CredentialMac(workspace.ring.signer()))


def check_identity(identity: str) -> None:
    """Nothing, where it can be registered.

    Raises:
        InputError: ``identity``.
    """
    if not _URI.fullmatch(identity) or identity.startswith("cipherset:"):
        raise InputError(
            f"{identity!r} is no identity that can be registered",
            code="identity",
            hint="give the URI of the client's certificate, such as spiffe://example.org/router, "
            "or ISSUER#SUBJECT of its tokens; cipherset:principal:NAME needs no registering",
        )


def identities_of(transaction: Transaction, name: str) -> list[str]:
    """The identities that are registered for a principal, sorted."""
    found = credentials_of(transaction.connection, name)
    return [each.id.removeprefix(IDENTITY) for each in found if each.id.startswith(IDENTITY)]


def register(
    transaction: Transaction, mac: CredentialMac, name: str, identities: tuple[str, ...]
) -> None:
    """Let these and no other identities be the principal's.

    Raises:
        UsageError: ``identity_taken``.
    """
    for gone in identities_of(transaction, name):
        drop_credential(transaction.connection, f"{IDENTITY}{gone}")
    for identity in sorted(set(identities)):
        draft = _draft(transaction, f"{IDENTITY}{identity}", name)
        if find_credential(transaction.connection, draft.id) is not None:
            raise UsageError(
                f"{identity} is another principal's",
                code="identity_taken",
                hint="see whose: cipherset principal list",
            )
        add_credential(transaction.connection, _under_seal(mac, draft))


def new_token(
    transaction: Transaction, mac: CredentialMac, name: str, *, binding: str, expires: str
) -> NewToken:
    """A token for the principal, kept without its secret."""
    token_id, secret = secrets.token_hex(_ID_BYTES), base64url(secrets.token_bytes(_SECRET_BYTES))
    draft = replace(
        _draft(transaction, f"{TOKEN}{token_id}", name), binding=binding, expires=expires
    )
    draft = replace(draft, secret=mac.of(_secret(draft.id, secret)))
    stored = _under_seal(mac, draft)
    add_credential(transaction.connection, stored)
    return NewToken(stored, f"cst_{token_id}_{secret}")


def sealed(mac: CredentialMac, credential: StoredCredential) -> bool:
    """Whether it is as it was written: whoever changed the ledger alone could not seal it."""
    return mac.matches(_told(credential), credential.mac)


def is_over(transaction: Transaction, credential: StoredCredential) -> bool:
    """Whether it expired, or the events say that it was revoked, whatever became of the row."""
    now = transaction.now.isoformat(timespec="microseconds")
    acts = acts_on(transaction.connection, credential.id)
    done = {action for action, _, outcome in acts if outcome == Outcome.DONE}
    return Action.PRINCIPAL_REVOKE in done or (credential.expires or "") <= now


def _is_there(transaction: Transaction, name: str) -> bool:
    found = find_principal(transaction.connection, name)
    return found is not None and found.status == ACTIVE


def _draft(transaction: Transaction, credential_id: str, name: str) -> StoredCredential:
    now = transaction.now.isoformat(timespec="microseconds")
    return StoredCredential(credential_id, name, None, None, None, now, "")


def _under_seal(mac: CredentialMac, draft: StoredCredential) -> StoredCredential:
    return replace(draft, mac=mac.of(_told(draft)))


def _told(credential: StoredCredential) -> bytes:
    told = asdict(credential)
    del told["mac"]
    return canonical.encode(told)


def _secret(credential_id: str, secret: str) -> bytes:
    return canonical.encode({"id": credential_id, "secret": secret})

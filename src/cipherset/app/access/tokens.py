"""Tokens for principals that call from outside: made for one key of the client's, told once.

Who steals one cannot use it without that key, so it is never good by itself. What is kept is a
keyed hash; it ends at a date, when it is revoked, or when its principal leaves.
"""

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, TypedDict

from cipherset.app.access.binding import BINDING
from cipherset.app.access.credentials import TOKEN, NewToken, is_over, new_token
from cipherset.app.access.principals import PRINCIPAL
from cipherset.app.gate import WORKSPACE, About, Action, Fact
from cipherset.app.gate.about import Moment
from cipherset.app.gate.facts import ACTIVE
from cipherset.app.workspace import Session, open_workspace
from cipherset.core import canonical
from cipherset.core.errors import InputError, UsageError
from cipherset.custody.keys.identity import CredentialMac
from cipherset.custody.ledger import Transaction
from cipherset.custody.ledger.access import (
    StoredCredential,
    credentials_of,
    find_credential,
    find_principal,
    principals,
)

MOST_DAYS: Final = 366
USUAL_DAYS: Final = 90
ASKED: Final = "token:"
_DAYS: Final = re.compile("[0-9]{1,4}")


class TokenFacts(TypedDict):
    """What is known of a token; not the token."""

    id: str
    principal: str
    binding: str
    expires: str
    status: str


class IssuedToken(TokenFacts):
    """The same, with the token itself: told this once."""

    token: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A token that is to be: whose, for which key, for how many days."""

    name: str
    binding: str
    days: int = USUAL_DAYS

    def __post_init__(self) -> None:
        """Refuse what no token can be.

        Raises:
            InputError: ``token_binding``.
            UsageError: ``token_days``.
        """
        if not BINDING.fullmatch(self.binding):
            raise InputError(
                "a token is bound to the thumbprint of a key or of a certificate",
                code="token_binding",
                hint="cipherset principal token NAME --client-key FILE, or --client-cert FILE",
            )
        if not 1 <= self.days <= MOST_DAYS:
            raise UsageError(
                f"a token is for 1 to {MOST_DAYS} days, not {self.days}",
                code="token_days",
                hint=f"for example --days {USUAL_DAYS}",
            )

    def about(self) -> About:
        """Exactly this token, so that a grant for it is for no other."""
        told = {"days": self.days, "token": self.binding}
        asked = f"{PRINCIPAL}{self.name}={ASKED}{self.binding}:{self.days}"
        return replace(WORKSPACE, also={asked: canonical.digest(told)})


def asked_token(text: str) -> Wanted | None:
    """What ``NAME=token:BINDING`` or ``NAME=token:BINDING:DAYS`` asks for; None for anything else.

    Raises:
        InputError: ``token_binding``.
        UsageError: ``token_days``.
    """
    name, _, wanted = text.partition("=")
    if not wanted.startswith(ASKED):
        return None
    kind, _, rest = wanted.removeprefix(ASKED).partition(":")
    thumbprint, _, days = rest.partition(":")
    if days and not _DAYS.fullmatch(days):
        return Wanted(name, "")
    return Wanted(name, f"{kind}:{thumbprint}", int(days or USUAL_DAYS))


def issue(session: Session, wanted: Wanted) -> IssuedToken:
    """A new token for a principal.

    Raises:
        UsageError: ``principal_unknown``.
        PolicyError: ``not_allowed``.
    """
    facts: dict[str, Fact] = {"binding": wanted.binding, "days": wanted.days}
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.PRINCIPAL_TOKEN, wanted.name, facts, about=wanted.about()) as act,
    ):
        mac = CredentialMac(workspace.ring.signer())
        made = workspace.gate.ledger.transact(lambda work: _issued(work, mac, wanted))
        act.facts["token"] = made.stored.id
    return IssuedToken(**_facts(made.stored, is_live=True), token=made.text)


def revoke(session: Session, token_id: str) -> TokenFacts:
    """The token, which from now on nobody can use.

    Raises:
        UsageError: ``token_unknown``.
        PolicyError: ``not_allowed``.
    """
    with open_workspace(session) as workspace:
        found = workspace.gate.ledger.look(
            lambda work: (
                find_credential(work.connection, token_id) if token_id.startswith(TOKEN) else None
            )
        )
        holder = None if found is None else found.principal
        with workspace.gate.act(
            Action.PRINCIPAL_REVOKE, token_id, {"holder": holder}, moment=Moment(beneficiary=holder)
        ):
            if found is None:
                raise UsageError(
                    "there is no token of that id",
                    code="token_unknown",
                    hint="see which there are: cipherset principal tokens",
                )
    return _facts(found, is_live=False)


def list_tokens(session: Session) -> list[TokenFacts]:
    """Every token there was, by principal; none of their secrets."""

    def work(transaction: Transaction) -> list[TokenFacts]:
        return [
            _facts(each, is_live=not is_over(transaction, each))
            for one in principals(transaction.connection)
            for each in credentials_of(transaction.connection, one.name)
            if each.id.startswith(TOKEN)
        ]

    with open_workspace(session) as workspace:
        return workspace.gate.ledger.look(work)


def _issued(transaction: Transaction, mac: CredentialMac, wanted: Wanted) -> NewToken:
    holder = find_principal(transaction.connection, wanted.name)
    if holder is None or holder.status != ACTIVE:
        raise UsageError(
            f"there is no principal {wanted.name}",
            code="principal_unknown",
            hint="see who there is: cipherset principal list",
        )
    expires = (transaction.now + timedelta(days=wanted.days)).isoformat(timespec="microseconds")
    return new_token(transaction, mac, wanted.name, binding=wanted.binding, expires=expires)


def _facts(stored: StoredCredential, *, is_live: bool) -> TokenFacts:
    return TokenFacts(
        id=stored.id,
        principal=stored.principal,
        binding=stored.binding or "",
        expires=stored.expires or "",
        status="live" if is_live else "over",
    )

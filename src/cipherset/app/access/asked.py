"""What a request for a grant names, and whether the one whom it is for could ever use it."""

from collections.abc import Sequence

from cipherset.app.access.principals import PRINCIPAL, about_change, asked_change
from cipherset.app.access.tokens import asked_token
from cipherset.app.gate import Gate
from cipherset.app.gate.about import WORKSPACE, About
from cipherset.app.gate.facts import principal_now, principal_of, resource_of
from cipherset.app.gate.subjects import named
from cipherset.app.workspace import Workspace
from cipherset.core.errors import CiphersetError
from cipherset.custody.ledger import Transaction
from cipherset.custody.policy import APPLIES_TO, Context, GrantRequest, Request


def all_named(
    workspace: Workspace, assets: Sequence[str]
) -> tuple[list[About], CiphersetError | None]:
    """The assets, or the workspace for those that are not there, and the first refusal of one.

    Who may not ask at all is told so, and not whether they are there.
    """
    abouts, absent = [], None
    for asset in assets:
        try:
            abouts.append(_named(workspace, asset))
        except CiphersetError as error:
            absent = absent or error
    return abouts or [WORKSPACE], absent


def _named(workspace: Workspace, text: str) -> About:
    """An asset, a change of a principal, or a token for one."""
    if text.startswith(PRINCIPAL):
        asked = text.removeprefix(PRINCIPAL)
        token = asked_token(asked)
        return about_change(asked_change(asked)) if token is None else token.about()
    return named(workspace, text)


def unusable(
    transaction: Transaction, gate: Gate, asked: GrantRequest, abouts: Sequence[About]
) -> str | None:
    """That whom a grant is for could not use it, whatever else they had, and who could; or None.

    Said only where others could: then it is for who they are, or had a part in it.
    """
    policies = gate.policies(transaction)
    kinds = APPLIES_TO[asked.action]
    about = next((each for each in (*abouts, WORKSPACE) if each.kind in kinds), None)
    if about is None:
        return None
    name, now = asked.beneficiary, transaction.now
    principal = principal_of(name, principal_now(transaction, name), policies)
    context = Context(
        hour_utc=now.hour,
        weekday=now.weekday(),
        purpose=asked.purpose,
        environment=gate.environment.host,
        code=gate.environment.package,
        region=gate.environment.region,
        under_key=True,  # of whose home nothing is known yet
    )
    roles = policies.could(
        Request(principal, asked.action, resource_of(transaction, about), context)
    )
    if roles is None:
        return None
    other = "else " if principal.roles & set(roles) else ""
    return (
        f"{name} could not use this grant: by the policies, {asked.action} is for someone {other}"
        f"who is {' or '.join(sorted(roles))}; ask for one of them: --to PRINCIPAL (cipherset "
        "principal list)"
    )

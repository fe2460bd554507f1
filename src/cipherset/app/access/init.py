"""``init``: a workspace with its key ring, its ledger and its policies."""

from typing import Final, TypedDict

from cipherset.app.access.activation import hold
from cipherset.app.gate.facts import ACTIVE, policy_lost
from cipherset.app.workspace import Session, Workspace, mark_parted, open_workspace
from cipherset.core.errors import PolicyError
from cipherset.custody.ledger import Outcome, Transaction
from cipherset.custody.ledger.access import StoredPrincipal, active_policies, put_principal
from cipherset.custody.policy import Action, BuiltIn, Role, builtin

INIT: Final = "init"


class InitResult(TypedDict):
    """The workspace, the policies that hold in it, and who may add principals."""

    home: str
    policy: str
    administrator: str | None


def init(session: Session, policy: BuiltIn) -> InitResult:
    """Make the session's workspace with a built-in set of policies; again is once.

    Under ``team`` whoever makes it becomes its administrator, who adds the others and may do
    nothing else.

    Raises:
        PolicyError: ``policy_set``: another set holds in it, which only a grant changes.
        IntegrityError: ``policy_lost``: a set that parts duties held in it, and is gone.
    """
    with open_workspace(session) as workspace:
        administrator = workspace.gate.ledger.transact(
            lambda transaction: _init(transaction, workspace, policy)
        )
        if policy is BuiltIn.TEAM:
            mark_parted(workspace.home)
    return InitResult(home=str(session.home), policy=policy.value, administrator=administrator)


def _init(transaction: Transaction, workspace: Workspace, policy: BuiltIn) -> str | None:
    policies = builtin.load(policy)
    stored = active_policies(transaction.connection)
    actor = workspace.gate.actor
    if stored is not None:
        if stored.digest != policies.digest:
            raise PolicyError(
                "this workspace is under other policies; they change by a grant",
                code="policy_set",
                hint=f"ask for it: cipherset grant request policy.activate policies:{policy} "
                f"--for WHY, then cipherset policy activate {policy}",
            )
        return None
    if workspace.gate.kept.parted:
        raise policy_lost()
    hold(transaction, policies, author=actor)
    if policy is BuiltIn.TEAM:
        now = transaction.now.isoformat(timespec="microseconds")
        roles = (Role.ADMINISTRATOR.value,)
        first = StoredPrincipal(actor, roles, {}, None, ACTIVE, now)
        put_principal(transaction, first, actor=actor)
    transaction.append(
        actor=actor,
        action=Action.POLICY_ACTIVATE,
        subject=policy.value,
        outcome=Outcome.DONE,
        body={"policy": INIT, "set": policy.value},
    )
    return actor if policy is BuiltIn.TEAM else None

"""Which set of policies holds; another one comes to hold under a grant over exactly that set."""

from typing import TypedDict

from cipherset.app.gate import Action, Gate
from cipherset.app.gate.subjects import about_policies
from cipherset.app.policies.sets import read_set
from cipherset.app.workspace import Session, mark_parted, open_workspace
from cipherset.custody.ledger import Transaction
from cipherset.custody.ledger.access import StoredPolicies, activate
from cipherset.custody.policy import Policies


class ActivateResult(TypedDict):
    """The set that holds, and the one that held before."""

    digest: str
    before: str


def activate_set(session: Session, source: str) -> ActivateResult:
    """Let the set in ``source`` (solo, team or a folder) hold from now on.

    Raises:
        InputError: the set is not fit; see ``Policies.load``.
        PolicyError: ``not_allowed``: it takes a grant over exactly this set.
    """
    policies = read_set(source)
    with open_workspace(session) as workspace:
        gate = workspace.gate
        about = about_policies(policies, source)
        with gate.act(
            Action.POLICY_ACTIVATE, policies.digest, {"set": policies.digest}, about=about
        ) as act:
            before = gate.ledger.transact(lambda transaction: _hold(transaction, gate, policies))
            act.facts["before"] = before
        if not policies.limits.grants.self_approval:
            mark_parted(workspace.home)
    return ActivateResult(digest=policies.digest, before=before)


def _hold(transaction: Transaction, gate: Gate, policies: Policies) -> str:
    before = gate.policies(transaction).digest
    hold(transaction, policies, author=gate.actor)
    return before


def hold(transaction: Transaction, policies: Policies, *, author: str) -> None:
    """Write down that a set holds from now on."""
    now = transaction.now.isoformat(timespec="microseconds")
    stored = StoredPolicies(policies.digest, policies.source, author, now, now)
    activate(transaction, stored)

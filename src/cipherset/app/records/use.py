"""The log of a system's use: when, against which reference data, on how many inputs, by whom.

Source: Regulation (EU) 2024/1689 (AI Act), article 12(3)(a) to (d), which asks it of remote
biometric identification; what stands in for (c) here is how many inputs were answered.
"""

from typing import Any, Final

from cipherset.app.gate import Action
from cipherset.app.records.uses import Use, uses
from cipherset.app.workspace import Workspace
from cipherset.custody.ledger import Outcome, Run, Transaction
from cipherset.custody.ledger.access import votes_on
from cipherset.custody.policy import VoteKind
from cipherset.evidence.views.lineage import upstream

# What uses a system: asks it, trains it or puts it where it is asked.
USES: Final = frozenset(
    {
        Action.PREDICT,
        Action.PREDICT_SCORES,
        Action.EVALUATE,
        Action.QUERY,
        Action.DEPLOY,
        Action.TRAIN_AT_GATE,
        Action.TRAIN_TOGETHER,
    }
)


def log_of_use(workspace: Workspace) -> dict[str, Any]:
    """The log as JSON, the oldest use first."""
    ledger = workspace.gate.ledger
    acts, runs = uses(ledger.events()), ledger.runs()
    reviewed = {
        act.facts["event"]: act.actor
        for act in acts
        if act.action == Action.REVIEW and act.outcome == Outcome.DONE and "event" in act.facts
    }
    return {
        "log": "AI Act article 12",
        "uses": [
            _use(workspace, act, runs, reviewed.get(act.seq)) for act in acts if act.action in USES
        ],
    }


def _use(
    workspace: Workspace, act: Use, runs: tuple[Run, ...], reviewer: str | None
) -> dict[str, Any]:
    system = act.facts.get("asset")
    grant = act.facts.get("grant")
    return {
        "event": act.seq,
        "use": act.action,
        "system": system,
        "period": {"began": act.began, "ended": act.ended},
        "outcome": act.outcome,
        "reference_data": [] if system is None else sorted(upstream([system], runs)),
        "inputs_answered": act.facts.get("rows"),
        "by": act.actor,
        "verified_by": sorted(_approvers(workspace, grant) | ({reviewer} - {None})),
    }


def _approvers(workspace: Workspace, grant: str | None) -> set[str | None]:
    if grant is None:
        return set()

    def work(transaction: Transaction) -> set[str | None]:
        votes = votes_on(transaction.connection, grant)
        return {vote.principal for vote in votes if vote.kind == VoteKind.APPROVE}

    return workspace.gate.ledger.transact(work)

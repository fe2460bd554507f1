"""How assets were reviewed, by the grants and runs of the ledger; computed at every look."""

from collections.abc import Collection, Iterable

from cipherset.app.access.grants import Grant, grants_in
from cipherset.app.workspace import Workspace
from cipherset.custody.ledger import Transaction
from cipherset.custody.ledger.records import all_runs
from cipherset.custody.policy import Action
from cipherset.evidence.views.inventory.status import (
    NOTHING_SAID,
    Asked,
    Reviewed,
    all_stands,
    reviewed,
)


def reviews(workspace: Workspace, assets: Collection[str]) -> dict[str, Reviewed]:
    """The review of each of ``assets``, by its id.

    Raises:
        BackendError: the ledger cannot be read.
    """

    def work(transaction: Transaction) -> dict[str, Reviewed]:
        said = all_stands(all_runs(transaction.connection))
        asked = _asked(grants_in(transaction, workspace))
        return {
            asset: reviewed(said.get(asset, NOTHING_SAID), asked.get(asset, ())) for asset in assets
        }

    return workspace.gate.ledger.look(work)


def _asked(grants: Iterable[Grant]) -> dict[str, list[Asked]]:
    """What was ever asked for over each asset that was to be approved, by its id."""
    found: dict[str, list[Asked]] = {}
    for each in grants:
        if each.request.action is not Action.APPROVE:
            continue
        created = each.request.created.isoformat(timespec="microseconds")
        asked = Asked(each.request.id, created, each.status.state.value)
        for digest in set(each.request.bound.values()):
            found.setdefault(digest, []).append(asked)
    return found

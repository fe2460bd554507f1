"""How assets were reviewed, by the grants and runs of the ledger; computed at every look."""

from collections.abc import Collection

from cipherset.app.access.grants import Grant, all_grants
from cipherset.app.workspace import Workspace
from cipherset.custody.policy import Action
from cipherset.evidence.views.inventory.status import (
    NOTHING_SAID,
    Asked,
    Reviewed,
    reviewed,
    standings,
)


def reviews(workspace: Workspace, assets: Collection[str]) -> dict[str, Reviewed]:
    """The review of each of ``assets``, by its id.

    Raises:
        BackendError: the ledger cannot be read.
    """
    said = standings(workspace.gate.ledger.runs())
    asked = requests_for_approval(all_grants(workspace))
    return {
        asset: reviewed(said.get(asset, NOTHING_SAID), asked.get(asset, ())) for asset in assets
    }


def requests_for_approval(grants: Collection[Grant]) -> dict[str, list[Asked]]:
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

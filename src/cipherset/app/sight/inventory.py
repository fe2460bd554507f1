"""``view inventory`` and ``view bom``: the ledger's assets for people, and for other tools."""

from cipherset.app.sight.gather import picture
from cipherset.app.sight.look import looked
from cipherset.app.workspace import Session
from cipherset.evidence.views.inventory.rows import EVERYTHING, Row, Wanted, inventory


def see_inventory(session: Session, wanted: Wanted = EVERYTHING) -> tuple[Row, ...]:
    """The rows of the inventory that are wanted.

    Raises:
        PolicyError: ``not_allowed``.
        BackendError: the look cannot be written down, or the ledger not read.
        IntegrityError: ``ledger_corrupt``.
    """
    with looked(session, "inventory") as (workspace, act):
        rows = inventory(picture(workspace), wanted)
        act.facts["assets"] = len(rows)
    return rows

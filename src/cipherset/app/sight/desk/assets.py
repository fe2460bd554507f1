"""Assets, looked through, and one of them looked at."""

from cipherset.app.sight.gather import picture
from cipherset.app.sight.look import looked
from cipherset.app.workspace import Session
from cipherset.core.errors import UsageError
from cipherset.evidence.views.desk.listing import Detail, Listing, Sought, detail, listing


def list_assets(session: Session, sought: Sought, *, page: int, most: int) -> Listing:
    """Page number ``page``, from 1, of at most ``most`` assets.

    Raises:
        PolicyError: ``not_allowed``.
        BackendError: the ledger cannot be read, or written: to look is an act too.
    """
    with looked(session, "assets") as (workspace, act):
        found = listing(picture(workspace), sought, page, most)
        act.facts["assets"] = len(found.things)
    return found


def show_asset(session: Session, asset_id: str) -> Detail:
    """One asset, what made it, and what was made of it.

    Raises:
        PolicyError: ``not_allowed``.
        UsageError: ``asset_unknown``.
        BackendError: as ``list_assets``.
    """
    with looked(session, "asset") as (workspace, _):
        found = detail(picture(workspace), asset_id)
        if found is None:
            raise asset_unknown()
    return found


def asset_unknown() -> UsageError:
    """The refusal of an id that the ledger does not have."""
    return UsageError(
        "the ledger has no such asset",
        code="asset_unknown",
        hint="see which there are: cipherset asset list",
    )

"""Reviews of what was found: each is a request to approve it, which grants decide."""

from collections.abc import Mapping
from typing import Final

from cipherset.app.access.grants import Wish, request
from cipherset.app.discovery.status import reviews
from cipherset.app.workspace import Session, hold, open_workspace
from cipherset.custody.policy import Action
from cipherset.evidence.views.inventory.status import Review, Reviewed

PURPOSE: Final = "use of what was discovered"


def ask_for_reviews(
    session: Session, assets: Mapping[str, str], *, approver: str | None = None
) -> dict[str, Reviewed]:
    """The reviews of ``assets`` (id to what it is), once those nobody reviewed are asked for.

    ``approver`` is who is to approve what those who vote have granted; the one who asks if None.

    Raises:
        PolicyError: ``not_allowed``: the one who asks may not.
        UsageError: ``principal_unknown``: there is no such approver.
        BackendError: the ledger cannot be written.
    """
    with hold(session) as held:
        found = _reviews(held, assets)
        for asset, what in assets.items():
            if found[asset].status is Review.UNREVIEWED:
                wish = Wish(Action.APPROVE, (asset,), PURPOSE, approver, note=what)
                request(held, wish)
        return _reviews(held, assets)


def _reviews(session: Session, assets: Mapping[str, str]) -> dict[str, Reviewed]:
    with open_workspace(session) as workspace:
        return reviews(workspace, assets.keys())

"""Reviews of what was found: each is a request to approve it, which grants decide."""

from collections.abc import Mapping
from typing import Final

from cipherset.app.access.grants import Wish, request
from cipherset.app.discovery.status import reviews
from cipherset.app.gate.about import Moment
from cipherset.app.workspace import Session, hold, open_workspace
from cipherset.core.errors import UsageError
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
                # Unreviewed is what no live grant covers: one look at all of them is enough.
                wish = Wish(Action.APPROVE, (asset,), PURPOSE, approver, note=what, is_first=True)
                request(held, wish)
        return _reviews(held, assets)


def ask_for_review(session: Session, asset: str, what: str, *, approver: str | None) -> Reviewed:
    """The review of one asset, once it is asked for; who may not ask is not told how it stands.

    Raises:
        UsageError: ``review_known``: it is approved, unapproved or in review already; and as
            ``ask_for_reviews``.
        PolicyError, BackendError: as ``ask_for_reviews``.
    """
    with hold(session) as held:
        found = _reviews(held, {asset: what})[asset]
        if found.status is Review.UNREVIEWED:
            return ask_for_reviews(held, {asset: what}, approver=approver)[asset]
        facts = {"asked": Action.APPROVE.value, "purpose": PURPOSE}
        moment = Moment(asked=Action.APPROVE, requester=held.actor)
        with (
            open_workspace(held) as workspace,
            workspace.gate.act(Action.GRANT_REQUEST, asset, facts, moment=moment),
        ):
            raise UsageError(
                f"it is {found.status} already: {found.because}",
                code="review_known",
                hint="see its request, or ask for another grant: cipherset grant request --help",
            )


def _reviews(session: Session, assets: Mapping[str, str]) -> dict[str, Reviewed]:
    with open_workspace(session) as workspace:
        return reviews(workspace, assets.keys())

"""A report as one page for people, which prints."""

from typing import Final

from cipherset.app import page
from cipherset.app.reports.content import Report, linked
from cipherset.app.reports.material import minute

ROOM: Final = "cipherset.app.reports"


def html(report: Report) -> str:
    """The page: without scripts or addresses, each figure with links to its events below."""
    values = {
        "actor": report.actor,
        "checkpoint": report.checkpoint,
        "created": report.created,
        "events": report.events,
        "linked": linked,
        "minute": minute,
        "n_events": report.n_events,
        "period": report.period,
        "sections": report.sections,
        "signer": report.checkpoint["signer"],
    }
    return page.render(ROOM, "report.html.j2", values)

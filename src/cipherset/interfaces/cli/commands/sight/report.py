"""``cipherset report``."""

from pathlib import Path

import click

from cipherset.app.reports.run import ReportRequest, report
from cipherset.interfaces.cli import options
from cipherset.interfaces.cli.command import Command, Context

EXAMPLE = "cipherset report --since 2026-07-01 --until 2026-10-01 --to third-quarter"


@click.command(name="report", cls=Command, epilog=f"Example:  {EXAMPLE}")
@click.option("--since", required=True, metavar="TIME", help="From this date or time on (UTC).")
@click.option("--until", metavar="TIME", help="Before this date or time (default: now).")
@options.target("The folder for the page, the PDF, the JSON and what signs them.")
@options.force("a report that is")
@click.pass_obj
def command(
    context: Context,
    since: str,
    until: str | None,
    target: Path,
    force: bool,  # noqa: FBT001 -- click's
) -> None:
    """Write what an auditor asks for: processing, inventory, access, evidence, exceptions.

    Each figure names the events that it comes from. A checkpoint of the ledger is signed with it.
    """
    found = report(context.session(), ReportRequest(target, since, until, force))
    rows = [("period", f"{found.period.since[:16]} to {found.period.until[:16]} UTC")]
    rows += [("events", f"{found.events:,}")]
    rows += [
        (section.title, "; ".join(f"{each.name}: {each.value}" for each in section.figures))
        for section in found.sections
    ]
    rows += [("signed by", found.checkpoint["signer"])]
    context.show(found.as_json(), f"the report is in {target}", rows)

"""Commands of ``cipherset audit`` that look for what went wrong, and say what follows from it."""

import sys
from pathlib import Path
from typing import Final

import click

from cipherset.app.breach import run as breaching
from cipherset.app.retention import due
from cipherset.app.watching import watch as watching
from cipherset.app.watching.watch import Told
from cipherset.interfaces.cli import options
from cipherset.interfaces.cli.command import Command, Context

_REFUSED: Final = 3
_FILE: Final = click.Path(path_type=Path, dir_okay=False)


@click.command(cls=Command, epilog="Example:  cipherset audit watch --since 2026-11-01 --fail")
@click.option("--since", metavar="TIME", help="Only what lasted until after this date or time.")
@click.option("--fail", is_flag=True, help="Exit with 3 where something is new.")
@click.pass_obj
def watch(context: Context, since: str | None, fail: bool) -> None:  # noqa: FBT001 -- click's
    """Look for what is unusual of anybody, against their own past, and write it down once.

    Bursts, slow drips, probing, hours off, assets used for the first time. What an alert stops,
    grants or assets, stands in the limits ([alerts] suspend).
    """
    found = watching.watch(context.session(), since)
    new = [each for each in found if each.is_new]
    rows = [(f"{each.kind} {each.principal}", _line(each)) for each in found]
    shown = {"alerts": [each.as_json() for each in found], "new": len(new)}
    context.show(shown, "alerts", rows or [("none", "")])
    if fail and new:
        sys.exit(_REFUSED)


def _line(told: Told) -> str:
    what = told.action or "all acts"
    hours = f"{told.since[:16]} to {told.until[:16]}"
    stopped = f"; stopped {', '.join(told.stopped)}" if told.stopped else ""
    new = "NEW  " if told.is_new else ""
    return f"{new}{what}: {told.found:g}, usually up to {told.usual:g}, {hours}{stopped}"


@click.command(cls=Command, epilog="Example:  cipherset audit breach key:support --to draft.md")
@click.argument("asset")
@click.option("--tenant", metavar="COL", help="The column that names the tenant.")
@click.option("--to", "target", type=_FILE, metavar="FILE", help="Write the draft here (Markdown).")
@options.force("a file that is")
@click.pass_obj
def breach(
    context: Context,
    asset: str,
    tenant: str | None,
    target: Path | None,
    force: bool,  # noqa: FBT001 -- click's
) -> None:
    """Say what follows where ASSET was stolen, and draft the notification.

    ASSET is key:NAME, a cipherset, a model, a source, or an id of the ledger. Counted are rows,
    persons (by the column given as --group) and tenants; what a thief can get is by the latest
    findings.
    """
    found = breaching.breach(
        context.session(), breaching.BreachRequest(asset, tenant, target, force)
    )
    if context.as_json or target is not None:
        facts = found.facts
        counts = ("rows", "records", "people", "tenants")
        rows = [(name, _or_unknown(facts[name])) for name in counts]
        rows += [("exports", ", ".join(each[:12] for each in facts["exports"]) or "none")]
        rows += [("do", each) for each in facts["measures"]]
        context.show(facts | {"draft": found.markdown}, "breach", rows)
    else:
        click.echo(found.markdown)


def _or_unknown(n: int | None) -> str:
    return "not known" if n is None else str(n)


@click.command(cls=Command, epilog="Example:  cipherset audit retention --as eve")
@click.option("--apply", is_flag=True, help="Remove what is listed: there is no way back.")
@click.pass_obj
def retention(context: Context, apply: bool) -> None:  # noqa: FBT001 -- click's
    """List what is kept for longer than the limits say ([retention]), or remove it.

    Sealed rows of exports and deployed models go; events stay for ever, and what has left must be
    called back.
    """
    found = due.retention(context.session(), apply=apply)
    done = "removed" if found.is_applied else "due"
    rows = [
        (f"{each.asset.kind} {each.asset.id[7:19]}", f"{done} since {each.since:%Y-%m-%d}")
        for each in found.due
    ]
    reach = f"reach back {found.events_days} days; at least {found.events_days_at_least} are kept"
    context.show(found.as_json(), "retention", [*rows, ("events", reach)])


COMMANDS: Final = (watch, breach, retention)

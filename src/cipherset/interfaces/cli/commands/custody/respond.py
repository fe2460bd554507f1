"""Commands of ``cipherset audit`` that look for what went wrong, and say what follows from it."""

import sys
from typing import Final

import click

from cipherset.app.watching import watch as watching
from cipherset.app.watching.watch import Told
from cipherset.interfaces.cli.command import Command, Context

_REFUSED: Final = 3


@click.command(cls=Command, epilog="Example:  cipherset audit watch --since 2026-11-01 --fail")
@click.option("--since", metavar="TIME", help="Only what lasted until after this date or time.")
@click.option("--fail", is_flag=True, help="End with 3 where something is new.")
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


COMMANDS: Final = (watch,)

"""``cipherset doctor``."""

import click

from cipherset.app.doctor.check import Check, examine
from cipherset.interfaces.cli.command import Command, Context


@click.command(name="doctor", cls=Command, epilog="Example:  cipherset doctor")
@click.pass_obj
def command(context: Context) -> None:
    """Say what is installed, reachable and well kept here, and what to do where it is not."""
    found = examine(context.session())
    wrong = [check for check in found if check.is_needed and not check.ok]
    title = f"{len(wrong)} to mend" if wrong else "nothing to mend"
    rows = [(_mark(check), f"{check.name}: {check.hint}") for check in found]
    context.show({"checks": [check.as_json() for check in found]}, title, rows)


def _mark(check: Check) -> str:
    if check.ok:
        return "ok"
    return "MEND" if check.is_needed else "note"

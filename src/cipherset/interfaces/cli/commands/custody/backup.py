"""``cipherset backup``."""

from pathlib import Path

import click

from cipherset.app.backup.run import back_up
from cipherset.interfaces.cli.command import Command, Context


@click.command(name="backup", cls=Command, epilog="Example:  cipherset backup --to /mnt/monday")
@click.option(
    "--to",
    "target",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the copy is to be; it is a workspace itself.",
)
@click.pass_obj
def command(context: Context, target: Path) -> None:
    """Copy the workspace as of one moment; others may go on working in it.

    To restore it, put the copy where the workspace was. It is as secret as the workspace.
    """
    done = back_up(context.session(), target)
    rows = [
        ("files", f"{done.files:,}, {done.size_bytes:,} bytes"),
        ("ledger", f"{done.events:,} events, and its chain holds"),
        ("to see it", f"cipherset audit verify --home {target}"),
    ]
    context.show(done.as_json(), f"backed up: {target}", rows)

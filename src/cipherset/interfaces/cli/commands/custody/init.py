"""``cipherset init``."""

import click

from cipherset.app.access.init import init
from cipherset.custody.policy import BuiltIn
from cipherset.interfaces.cli.command import Command, Context


@click.command(name="init", cls=Command, epilog="Example:  cipherset init --policy team")
@click.option(
    "--policy",
    type=click.Choice([each.value for each in BuiltIn]),
    default=BuiltIn.SOLO.value,
    show_default=True,
    help="solo: one person may do all, and each act says so. team: duties are parted.",
)
@click.pass_obj
def command(context: Context, policy: str) -> None:
    """Make a workspace: key ring, ledger, policies.

    Under team you become its administrator, who adds the others. Policies hold for whoever comes
    through the gate; whoever holds the workspace's files and its keys is beyond it.
    """
    result = init(context.session(), BuiltIn(policy))
    rows = [("home", result["home"]), ("policy", result["policy"])]
    if result["administrator"] is not None:
        rows.append(("administrator", result["administrator"]))
    context.show(result, "workspace", rows)

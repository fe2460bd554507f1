"""``cipherset review``: replies of models that wait for a person."""

from typing import Final

import click

from cipherset.app.serving.outputs.review import Settled, open_reply, settle, waiting
from cipherset.interfaces.cli.command import Command, Context
from cipherset.interfaces.cli.group import Group

LIST: Final = "cipherset review list"
SHOW: Final = "cipherset review show 1f0c…"
SETTLE: Final = "cipherset review settle 1f0c… harmless"


@click.group(name="review", cls=Group)
def command() -> None:
    """Look at replies of models that were held back, and settle them."""


@command.command(name="list", cls=Command, epilog=f"Example:  {LIST}")
@click.pass_obj
def list_(context: Context) -> None:
    """List the replies that wait."""
    found = list(waiting(context.session()))
    rows = [(each, "") for each in found] or [("none", "")]
    context.show({"reviews": found}, "wait for a reviewer", rows)


@command.command(name="show", cls=Command, epilog=f"Example:  {SHOW}")
@click.argument("review", metavar="ID")
@click.pass_obj
def show(context: Context, review: str) -> None:
    """Show the reply ID in the clear, and what was found in it."""
    held = open_reply(context.session(), review)
    found = [{"start": start, "end": end, "name": name} for start, end, name in held.found]
    rows = [(name, held.text[start:end]) for start, end, name in held.found]
    result = {"review": held.id, "text": held.text, "found": found}
    context.show(result, f"reply {held.id}", [("reply", held.text), *rows])


@command.command(name="settle", cls=Command, epilog=f"Example:  {SETTLE}")
@click.argument("review", metavar="ID")
@click.argument(
    "settled", metavar="harmless|harmful", type=click.Choice([each.value for each in Settled])
)
@click.pass_obj
def settle_(context: Context, review: str, settled: str) -> None:
    """Say what the reply ID was, and remove it."""
    settle(context.session(), review, Settled(settled))
    context.show({"review": review, "settled": settled}, "settled", [(review, settled)])

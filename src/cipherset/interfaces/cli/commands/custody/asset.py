"""``cipherset asset``: what there is, and where it stands."""

import click

from cipherset.app.assets import standing
from cipherset.app.assets.standing import Stands
from cipherset.interfaces.cli.command import Command, Context
from cipherset.interfaces.cli.group import Group


@click.group(name="asset", cls=Group)
def command() -> None:
    """Datasets, keys, models and services: approved, suspended, listed."""


@command.command(cls=Command, epilog="Example:  cipherset asset approve router.bundle --as ada")
@click.argument("asset")
@click.pass_obj
def approve(context: Context, asset: str) -> None:
    """Approve ASSET (key:NAME, a path or an id); it takes a grant for approve over its digest."""
    _show(context, standing.approve(context.session(), asset))


@command.command(cls=Command, epilog="Example:  cipherset asset suspend key:support --as kim")
@click.argument("asset")
@click.pass_obj
def suspend(context: Context, asset: str) -> None:
    """Stop every use of ASSET at once, until it is approved again."""
    _show(context, standing.suspend(context.session(), asset))


@command.command(name="list", cls=Command, epilog="Example:  cipherset asset list")
@click.pass_obj
def list_(context: Context) -> None:
    """List every asset that the ledger knows."""
    found = standing.list_assets(context.session())
    rows = [(each.id[:23], _told(each)) for each in found]
    context.show({"assets": [each.as_json() for each in found]}, "assets", rows or [("none", "")])


def _show(context: Context, stands: Stands) -> None:
    rows = [("asset", stands.id), ("name", stands.name), ("label", stands.label)]
    context.show(stands.as_json(), "asset", [*rows, ("status", stands.status)])


def _told(stands: Stands) -> str:
    stale = "; to be made again: rows of it were forgotten" if stands.is_stale else ""
    return f"{stands.kind} {stands.name}: {stands.label}, {stands.status}{stale}"

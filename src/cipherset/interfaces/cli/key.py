"""``cipherset key``: create, list and show keys."""

import click

from cipherset.app import keys
from cipherset.interfaces.cli.command import Command, Context


@click.group(name="key")
def command() -> None:
    """Keys: one secret per purpose."""


@command.command(cls=Command, epilog="Example:  cipherset key create support --purpose routing")
@click.argument("name")
@click.option("--provider", metavar="URI", help="Where it is wrapped (default: file:).")
@click.option("--purpose", default="", help="What the key is for, in a few words.")
@click.pass_obj
def create(context: Context, name: str, provider: str | None, purpose: str) -> None:
    """Create a key named NAME."""
    info = keys.create(context.session(), name, purpose=purpose, provider=provider)
    context.show(info, "key created", _rows(info))


@command.command(name="list", cls=Command, epilog="Example:  cipherset key list --json")
@click.pass_obj
def list_(context: Context) -> None:
    """List the keys of the workspace."""
    found = keys.list_keys(context.session())
    rows = [
        (info["name"], f"{info['key_id']} v{info['version']} {info['status']}") for info in found
    ]
    context.show({"keys": found}, "keys", rows)


@command.command(cls=Command, epilog="Example:  cipherset key show support")
@click.argument("name")
@click.pass_obj
def show(context: Context, name: str) -> None:
    """Show the key NAME (never its secret)."""
    info = keys.show(context.session(), name)
    context.show(info, "key", _rows(info))


def _rows(info: keys.KeyResult) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in info.items()]

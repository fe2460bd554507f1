"""``cipherset encoder``: list and fetch encoders."""

import click

from cipherset.app.encoders import EncoderInfo, catalog, get
from cipherset.interfaces.cli.command import Command, Context
from cipherset.interfaces.cli.group import Group


@click.group(name="encoder", cls=Group)
def command() -> None:
    """Encoders: which there are, and their weights, pinned by digest."""


@command.command(name="list", cls=Command, epilog="Example:  cipherset encoder list")
@click.pass_obj
def list_(context: Context) -> None:
    """List the encoders and whether their weights are here."""
    found = catalog(context.cache)
    rows = [
        (info.name, f"{info.digest}, {'here' if info.cached else 'not here'}") for info in found
    ]
    context.show({"encoders": [_result(info) for info in found]}, "encoders", rows)


@command.command(name="get", cls=Command, epilog="Example:  cipherset encoder get minilm-l6-v2")
@click.argument("name")
@click.pass_obj
def get_(context: Context, name: str) -> None:
    """Fetch the weights of NAME into the cache and verify them."""
    info = get(name, context.cache, context.progress())
    rows = [("digest", info.digest), ("path", str(info.path))]
    context.show(_result(info), f"encoder {info.name} is here", rows)


def _result(info: EncoderInfo) -> dict[str, str | bool]:
    return {
        "encoder": info.name,
        "digest": info.digest,
        "path": str(info.path),
        "cached": info.cached,
    }

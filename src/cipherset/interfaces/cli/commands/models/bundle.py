"""``cipherset bundle``."""

from pathlib import Path

import click

from cipherset.app.assets.bring import BringRequest, bring
from cipherset.interfaces.cli import options
from cipherset.interfaces.cli.command import Command, Context
from cipherset.interfaces.cli.commands.models.written import as_json, as_rows, measured_on

EXAMPLE = "cipherset bundle router.onnx --cipherset tickets.cipherset --to router.bundle"


@click.command(name="bundle", cls=Command, epilog=f"Example:  {EXAMPLE}")
@click.argument("model", type=click.Path(path_type=Path), metavar="MODEL.onnx")
@click.option(
    "--cipherset",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="What the model was trained on.",
)
@click.option(
    "--to",
    "target",
    required=True,
    type=click.Path(path_type=Path),
    metavar="BUNDLE",
    help="The bundle to write.",
)
@options.force("a bundle that is")
@click.pass_obj
def command(
    context: Context,
    model: Path,
    cipherset: Path,
    target: Path,
    force: bool,  # noqa: FBT001 -- click hands it over by name
) -> None:
    """Bind a model that you trained on DIR with any library to DIR's key; needs no key."""
    bundle = bring(BringRequest(model, cipherset, target, overwrite=force))
    rows = as_rows(bundle, [measured_on(cipherset)])
    context.show(as_json(bundle, target), f"bundle written: {target}", rows)

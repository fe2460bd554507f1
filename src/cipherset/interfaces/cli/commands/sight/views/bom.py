"""``cipherset view bom``: the bill of materials of the AI here."""

from pathlib import Path

import click

from cipherset.app.sight.inventory import Form, see_bom, write_bom
from cipherset.interfaces.cli import options, output
from cipherset.interfaces.cli.command import Command, Context


@click.command(name="bom", cls=Command, epilog="Example:  cipherset view bom --to bom.json")
@click.argument("asset", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice([form.value for form in Form]),
    default=Form.CYCLONEDX.value,
    show_default=True,
    help="CycloneDX 1.6, or SPDX 3.0 with its AI profile.",
)
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The file to write (default: stdout).",
)
@options.force("the file")
@click.pass_obj
def command(
    context: Context, asset: str | None, form: str, target: Path | None, *, force: bool
) -> None:
    """Write a bill of all AI assets, or of ASSET and what it was made of, to stdout or a file."""
    if target is None:
        output.show_json(see_bom(context.session(), asset, Form(form)))
        return
    write_bom(context.session(), asset, Form(form), target, overwrite=force)
    context.show({"bom": str(target), "format": form}, "written", [("bill", str(target))])

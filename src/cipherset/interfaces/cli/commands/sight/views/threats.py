"""``cipherset view threats``."""

from pathlib import Path

import click

from cipherset.app.sight.threats import threats
from cipherset.app.sight.threats_written import FORMATS, write
from cipherset.interfaces.cli import options
from cipherset.interfaces.cli.command import Command, Context

EXAMPLE = "cipherset view threats --format markdown --to threats.md"


@click.command(name="threats", cls=Command, epilog=f"Example:  {EXAMPLE}")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), help="Write it in this form.")
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to (default: stdout).",
)
@options.force("a file that is")
@click.pass_obj
def command(
    context: Context,
    form: str | None,
    target: Path | None,
    force: bool,  # noqa: FBT001 -- click's
) -> None:
    """Show who could come to what, through what there is now, and what is known of it.

    Each path is measured by a run, mitigated by a policy, budget or filter, or not measured; with
    the ids of MITRE ATLAS and OWASP. Open is what may be above its limit, or is neither measured
    nor mitigated.
    """
    found = threats(context.session())
    if form is not None and target is None and not context.as_json:
        click.echo(FORMATS[form](found), nl=False)
        return
    if target is not None:
        write(found, form or "markdown", target, overwrite=force)
    rows = [
        (
            f"{'OPEN  ' if each.is_open else ''}{each.principal or each.attacker.who}",
            f"{each.attacker.goal}: {each.asset.kind} {each.asset.name}; {each.says}",
        )
        for each in sorted(found.paths, key=lambda path: not path.is_open)
    ]
    title = f"{len(found.paths)} paths, {sum(each.is_open for each in found.paths)} open"
    context.show(found.as_json(), title, rows or [("none", "there is nothing to come to")])

"""``cipherset evaluate``."""

from dataclasses import asdict
from pathlib import Path

import click

from cipherset.app.models import evaluate
from cipherset.interfaces.cli.command import Command, Context

EXAMPLE = "cipherset evaluate router.bundle tickets.cipherset"


@click.command(name="evaluate", cls=Command, epilog=f"Example:  {EXAMPLE}")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("rows", metavar="SOURCE_OR_DIR")
@click.pass_obj
def command(context: Context, bundle: Path, rows: str) -> None:
    """Score BUNDLE where the key is: on DIR's sealed test split, or on a SOURCE with labels."""
    scores = asdict(evaluate(context.session(), bundle, rows))
    shown = [
        (name, f"{value:.4f}" if name != "n" else str(value)) for name, value in scores.items()
    ]
    context.show(scores, f"evaluated: {bundle}", shown)

"""``cipherset evaluate``."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

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
    context.show(scores, f"evaluated: {bundle}", list(_shown(scores)))


def _shown(scores: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each score in a line, and each label's own."""
    for name, value in scores.items():
        if isinstance(value, Mapping):
            told = {key: "too few rows" if f1 is None else f"{f1:.4f}" for key, f1 in value.items()}
            yield from ((f"  F1 of {key}", text) for key, text in told.items())
        else:
            yield name, f"{value:.4f}" if isinstance(value, float) else str(value)

"""``cipherset predict``."""

from dataclasses import asdict
from pathlib import Path

import click

from cipherset.app.models import predict, predict_value
from cipherset.core.errors import UsageError
from cipherset.interfaces.cli.command import Command, Context

EXAMPLE = 'cipherset predict router.bundle --value "where is my parcel?"'


@click.command(name="predict", cls=Command, epilog=f"Example:  {EXAMPLE}")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("source", required=False)
@click.option(
    "--value",
    metavar="TEXT",
    help="One text, or the path of one image, instead of a SOURCE; JSON if there are --columns.",
)
@click.pass_obj
def command(context: Context, bundle: Path, source: str | None, value: str | None) -> None:
    """Predict with BUNDLE where the key is; labels only."""
    if source is not None and value is None:
        found = predict(context.session(), bundle, source)
    elif value is not None and source is None:
        found = predict_value(context.session(), bundle, value)
    else:
        raise UsageError(
            "give either a SOURCE or --value", code="usage", hint="see: cipherset predict --help"
        )
    rows = [(str(answer.row), _shown(answer.label)) for answer in found]
    context.show(
        {"predictions": [asdict(answer) for answer in found]}, "row (counted from 0), label", rows
    )


def _shown(label: str | float | tuple[str, ...]) -> str:
    return ", ".join(label) or "none" if isinstance(label, tuple) else str(label)

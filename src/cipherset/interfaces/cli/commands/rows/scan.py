"""``cipherset scan``."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import wrap
from typing import Final

import click

from cipherset.app.engine.engine import Engine
from cipherset.app.fields.choose import FieldsResult, Loss, Verdict
from cipherset.app.scanning.request import SAMPLE, ScanRequest, ScanResult
from cipherset.app.scanning.run import scan
from cipherset.core.labels import Label, Trust
from cipherset.interfaces.cli import options
from cipherset.interfaces.cli.command import Command, Context
from cipherset.pipeline.sanitize.label import ColumnLabel

# What a loss says of the column that was left out, and of the part that was kept.
COLUMN: Final = {verdict: verdict.value for verdict in Verdict}
PART: Final = {
    Verdict.NEEDED: "too little",
    Verdict.UNNEEDED: "enough",
    Verdict.UNDECIDED: "undecided",
}
WIDTH: Final = 72  # of 100 columns, beside the names of columns
EXAMPLE = "cipherset scan tickets.csv --trust customer --html tickets.html"


@click.command(name="scan", cls=Command, epilog=f"Example:  {EXAMPLE}")
@click.argument("source")
@click.option("--text", multiple=True, metavar="COL", help="Look at this column only.")
@click.option(
    "--fields",
    is_flag=True,
    help="Measure which --text columns, how much text and how many rows --label needs.",
)
@click.option(
    "--suspects",
    is_flag=True,
    help="Find rows that stand out by their --text, or whose --label disagrees with it.",
)
@options.label("With --fields or --suspects: what a model is to predict.")
@click.option("--all-rows", is_flag=True, help="Look at every row, not at a sample.")
@click.option(
    "--sample",
    default=SAMPLE,
    show_default=True,
    type=click.IntRange(min=1),
    metavar="N",
    help="How many rows to look at, spread over the source.",
)
@click.option(
    "--trust",
    type=click.Choice([trust.value for trust in Trust]),
    help="Who answers for its rows; written down with its label.",
)
@click.option("--purpose", metavar="PURPOSE", help="What its rows were collected for.")
@options.home
@click.option(
    "--html",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a page, with masked examples.",
)
@options.seed("the sample")
@options.encoder
@options.force("a page that is")
@click.pass_obj
@options.engine
def command(  # noqa: PLR0913 -- one parameter per option
    context: Context,
    source: str,
    text: tuple[str, ...],
    fields: bool,  # noqa: FBT001 -- click hands it over by name
    suspects: bool,  # noqa: FBT001 -- click hands it over by name
    label: str | None,
    all_rows: bool,  # noqa: FBT001 -- click hands it over by name
    sample: int,
    trust: str | None,
    purpose: str | None,
    tenant: str | None,
    region: str | None,
    html: Path | None,
    seed: int,
    encoder: str,
    engine: Engine,
    force: bool,  # noqa: FBT001 -- click hands it over by name
) -> None:
    """Find and label what is sensitive in SOURCE, column by column."""
    request = ScanRequest(
        source=source,
        columns=text,
        all_rows=all_rows,
        sample=sample,
        trust=None if trust is None else Trust(trust),
        purpose=purpose,
        home=options.said_of_home(tenant, region),
        seed=seed,
        html=html,
        overwrite=force,
        fields=fields,
        suspects=suspects,
        label=label,
        encoder=encoder,
        engine=engine,
    )
    result = scan(context.session(), request)
    context.show(result.as_json(), f"scanned: {source}", _rows(result, html))


def _rows(result: ScanResult, html: Path | None) -> list[tuple[str, str]]:
    rows = [("label", _label(result.label)), ("trust", result.trust or "not said: --trust")]
    rows += [(f"  {name}", _column(column)) for name, column in result.columns.items()]
    rows += _folded("how sure", result.confidence["statement"])
    rows += _folded("none found", *result.none_found.split("; "))  # a line per recall
    rows += [("note", note) for note in result.notes]
    if result.fields is not None:
        rows += _fields(result.fields)
    if result.suspects is not None:
        rows += result.suspects.in_words
    return rows if html is None else [*rows, ("page", str(html))]


def _folded(name: str, *parts: str) -> list[tuple[str, str]]:
    """A row with a line or more for each part."""
    lines = [line for part in parts for line in wrap(part, WIDTH)]
    return [("" if number else name, line) for number, line in enumerate(lines)]


def _fields(fields: FieldsResult) -> list[tuple[str, str]]:
    chosen, needed = fields.chosen, fields.rows_needed
    enough = "all: more rows still teach" if needed is None else f"{needed} of {fields.n_rows}"
    return [
        ("to predict", f"{fields.label}: {chosen.utility:.3f} with every text column"),
        *((f"  without {name}", _loss(loss, COLUMN)) for name, loss in chosen.without.items()),
        ("columns needed", ", ".join(chosen.kept)),
        *((f"  first {n} characters", _loss(loss, PART)) for n, loss in fields.lengths.items()),
        ("characters needed", str(fields.characters or "all")),
        *((f"  {n} rows", _loss(loss, PART)) for n, loss in fields.curve.items()),
        ("rows needed", enough),
    ]


def _loss(loss: Loss, words: Mapping[Verdict, str]) -> str:
    measured = loss.loss
    spread = f"{measured.low:+.3f} to {measured.high:+.3f}"
    return f"{loss.utility:.3f}, loss {measured.value:+.3f} ({spread}): {words[loss.verdict]}"


def _label(label: Label) -> str:
    return " ".join([label.level.value, *label.tags])


def _column(column: ColumnLabel) -> str:
    return f"{_label(column.label)}: {'; '.join(column.because) or 'no value in any row'}"

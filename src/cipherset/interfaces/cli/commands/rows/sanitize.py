"""``cipherset sanitize``."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

import click

from cipherset.app.engine.engine import Engine
from cipherset.app.sanitizing.request import (
    FILTERS,
    LARGEST_ROW,
    SanitizeRequest,
    SanitizeResult,
)
from cipherset.app.sanitizing.run import sanitize_file
from cipherset.app.sanitizing.writing import REPEATS
from cipherset.core.objects import ObjectPath
from cipherset.interfaces.cli import options
from cipherset.interfaces.cli.command import Command, Context

EXAMPLE = "cipherset sanitize tickets.csv --text body --to tickets-clean.jsonl"
NONE = "none"
_FILE = click.Path(path_type=Path)


class _Sanitize(Command):
    """Has too many options for one list."""

    PARTS: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "Which columns": ("--text", "--label", "--drop", "--keep"),
        "Which rows": (
            *("--filter", "--largest-row", "--keep-duplicates", "--quarantine", "--test"),
            "--encoder",
        ),
        "What is taken out, and how": ("--rules", "--key", "--accept-risk"),
        "To find copies later": ("--canaries", "--index", "--dataset"),
        "On many machines": ("--engine", "--address", "--answers"),
    }


@click.command(name="sanitize", cls=_Sanitize, epilog=f"Example:  {EXAMPLE}")
@click.argument("source")
@click.option(
    "--text", multiple=True, required=True, metavar="COL", help="A column to be sanitized."
)
@click.option(
    "--to",
    "target",
    required=True,
    type=options.FILE_PLACE,
    metavar="FILE",
    help="The file to write: .csv, .tsv, .jsonl or .parquet, also with .gz; or s3://….parquet.",
)
@options.rules
@click.option(
    "--key", metavar="NAME", help="The key of tokens and surrogates, if rules ask for it."
)
@options.label("A column that is written as it is, in any case.")
@click.option("--drop", multiple=True, metavar="COL", help="Leave this column out.")
@click.option(
    "--keep",
    multiple=True,
    metavar="COL",
    help="Write this column, and no others that are not named.",
)
@click.option(
    "--quarantine",
    type=_FILE,
    metavar="FILE",
    help="Write the rows that could not be sanitized here, as they are: for you alone.",
)
@click.option(
    "--largest-row",
    default=LARGEST_ROW,
    show_default=True,
    type=click.IntRange(min=1),
    metavar="N",
    help="Rows of more characters than that are quarantined.",
)
@click.option(
    "--filter",
    "filters",
    default=",".join(FILTERS),
    show_default=True,
    metavar="NAMES",
    help="Which rows are quarantined for what they hold, or none (suspects: that stand out).",
)
@click.option("--keep-duplicates", is_flag=True, help="Write copies and near copies of rows too.")
@click.option(
    "--test", metavar="FILE", help="Refuse where a row is in FILE, with which you will test."
)
@click.option(
    "--canaries",
    default=0,
    type=click.IntRange(min=0),
    metavar="N",
    help=f"Plant N made-up secrets, {REPEATS} rows of each, kept sealed under --key.",
)
@click.option("--index", is_flag=True, help="Keep which phrases the rows have, under --key.")
@click.option(
    "--dataset", metavar="NAME", help="What canaries and index are kept as (default: of --to)."
)
@options.encoder
@click.option("--accept-risk", metavar="REASON", help="Why restricted rows may be written.")
@options.force("files that are")
@click.pass_obj
@options.engine
def command(  # noqa: PLR0913 -- one parameter per option
    context: Context,
    source: str,
    text: tuple[str, ...],
    target: Path | ObjectPath,
    rules: Path | None,
    key: str | None,
    label: str | None,
    drop: tuple[str, ...],
    keep: tuple[str, ...],
    quarantine: Path | None,
    largest_row: int,
    filters: str,
    keep_duplicates: bool,  # noqa: FBT001 -- click hands it over by name
    test: str | None,
    canaries: int,
    index: bool,  # noqa: FBT001 -- click hands it over by name
    dataset: str | None,
    encoder: str,
    accept_risk: str | None,
    engine: Engine,
    force: bool,  # noqa: FBT001 -- click hands it over by name
) -> None:
    """Write the rows of SOURCE to a file, with what must not leave taken out of their texts."""
    of_rows = partial(SanitizeRequest, source, text, target, rules, key, label, drop, keep)
    request = of_rows(
        quarantine=quarantine,
        largest_row=largest_row,
        filters=() if filters == NONE else tuple(filters.split(",")),
        keep_duplicates=keep_duplicates,
        test=test,
        canaries=canaries,
        index=index,
        dataset=dataset,
        encoder=encoder,
        accept_risk=accept_risk,
        overwrite=force,
        engine=engine,
    )
    result = sanitize_file(context.session(), request)
    context.show(result.as_json(), f"sanitized: {target}", _rows(result))


def _rows(result: SanitizeResult) -> list[tuple[str, str]]:
    shown = result.as_json()
    rows = [("rows", str(shown["rows"])), ("quarantined", str(shown["quarantined"]))]
    rows += [(f"  {reason}", str(count)) for reason, count in shown["reasons"].items()]
    if shown["quarantine"]:
        rows.append(("  listed in", shown["quarantine"]))
    rows += [(entity, str(count)) for entity, count in shown["entities"].items()]
    rows.append(("label", shown["label"] or "not known: no scan looked at all columns"))
    if shown["canaries"]:
        rows.append(("canaries", f"{shown['canaries']}, in {shown['canary_rows']} more rows"))
    if shown["dataset"]:
        rows.append(("kept as", shown["dataset"]))
    rows.append(("not looked at", ", ".join(shown["not_looked_at"]) or "no column"))
    if shown["languages_not_covered"]:
        languages = ", ".join(shown["languages_not_covered"])
        rows.append(("names and topics", f"not looked for in {languages}"))
    rows.append(("rules", shown["rules"]))
    return rows

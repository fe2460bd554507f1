"""``cipherset copies``: an index of training rows, and what a text has of them."""

from pathlib import Path

import click

from cipherset.app.training.run import find_copies, index_rows
from cipherset.core.errors import InputError, UsageError
from cipherset.core.files import disk_errors
from cipherset.interfaces.cli.command import Command, Context
from cipherset.interfaces.cli.group import Group

INDEX = "cipherset copies index tickets-2026 tickets.csv --text body --key tickets"
FIND = "cipherset copies find tickets-2026 answer.txt --key tickets"


@click.group(name="copies", cls=Group)
def command() -> None:
    """Find what was copied from training rows in what a model writes."""


@command.command(name="index", cls=Command, epilog=f"Example:  {INDEX}")
@click.argument("dataset", metavar="NAME")
@click.argument("source")
@click.option(
    "--text", multiple=True, required=True, metavar="COL", help="Text column; several are joined."
)
@click.option("--key", required=True, metavar="KEY", help="The key that it is kept under.")
@click.pass_obj
def index_(context: Context, dataset: str, source: str, text: tuple[str, ...], key: str) -> None:
    """Keep an index of the rows of SOURCE, as keyed hashes, under NAME."""
    n_ngrams = index_rows(context.session(), dataset, key, source, text)
    result = {"dataset": dataset, "ngrams": n_ngrams}
    context.show(result, f"indexed: {source}", [("n-grams", str(n_ngrams))])


@command.command(name="find", cls=Command, epilog=f"Example:  {FIND}")
@click.argument("dataset", metavar="NAME")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--value", metavar="TEXT", help="The text itself, instead of a file of it.")
@click.option("--key", required=True, metavar="KEY", help="The key that the index is kept under.")
@click.option(
    "--words",
    default=8,
    show_default=True,
    type=click.IntRange(min=6),
    metavar="N",
    help="The fewest words of a copy.",
)
@click.pass_obj
def find_(
    context: Context, dataset: str, file: Path | None, value: str | None, key: str, words: int
) -> None:
    """Tell what FILE, a text, has of the rows that are indexed under NAME."""
    if (file is None) == (value is None):
        raise UsageError(
            "give either a FILE or --value", code="usage", hint="see: cipherset copies find --help"
        )
    text = value if file is None else _read(file)
    copied = find_copies(context.session(), dataset, key, text or "", least_words=words)
    shown = [
        ("longest run", f"{copied.longest} words"),
        ("rows copied from", f"at least {copied.rows}"),
    ]
    shown += [
        (
            f"characters {match.start} to {match.end}",
            f"{match.n_words} words, {match.exact_words} in a row as they are; "
            f"in {match.shared_by} row{'s' * (match.shared_by > 1)}",
        )
        for match in copied.matches
    ]
    context.show(copied.as_json(), f"copies: {len(copied.matches)}", shown)


def _read(file: Path) -> str:
    with disk_errors(file):
        raw = file.read_bytes()
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise InputError(
            f"{file}: not valid UTF-8", code="source_encoding", hint="give a text file"
        ) from None

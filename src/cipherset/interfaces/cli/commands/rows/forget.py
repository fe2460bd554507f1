"""``cipherset forget``: a person's rows leave what is sealed, and what held them is named."""

import sys

import click

from cipherset.app.erasure import forget as erasure
from cipherset.app.erasure.forget import Forgotten
from cipherset.app.erasure.subject import Subject
from cipherset.interfaces.cli.command import Command, Context


@click.command(cls=Command, epilog="Example:  cipherset forget c-1042 --column customer_id")
@click.argument("subject")
@click.option("--column", metavar="COL", help="What names the person (default: --group's).")
@click.option("--source", metavar="FILE", help="A source that still has the rows, to know them by.")
@click.option("--foresee", is_flag=True, help="Take nothing out; say what it would come to.")
@click.pass_obj
def command(
    context: Context, subject: str, column: str | None, source: str | None, *, foresee: bool
) -> None:
    """Forget SUBJECT: take the rows out of every sealed export, and mark what came of them.

    SUBJECT is the value in the column that names a person; - reads it from standard input, so that
    no list of commands keeps it. Where no such column was sealed (--group, --keep), give a --source
    that still has the rows: they are found by what they hold.
    """
    value = sys.stdin.readline().rstrip("\n") if subject == "-" else subject
    person = Subject(value, column, source)
    if foresee:
        found = erasure.foresee(context.session(), person)
        title, what = "to be forgotten", "would be taken out"
    else:
        found = erasure.forget(context.session(), person)
        title, what = "forgotten", "taken out"
    # Who reads "forgotten" where no row was found would take the request for done.
    title = title if found.exports else "no row found"
    context.show(found.as_json(), f"{title}: {found.subject[:23]}", _rows(found, what))


def _rows(found: Forgotten, what: str) -> list[tuple[str, str]]:
    rows = [
        (
            f"export {each.cipherset_id[:12]}",
            f"{each.rows} rows {what}, {each.left} left; make it again, from a source without "
            f"them, under another version of key {each.key_id}; call back what is at "
            f"{', '.join([each.target, *each.copies])}",
        )
        for each in found.exports
    ]
    rows += [(f"model {each.id[7:19]}", "train it again") for each in found.models]
    rows += [(f"deployed {name}", "deploy the new one instead") for name in found.deployed]
    rows += [("source", f"take them out of {each.name} too") for each in found.sources]
    more = "" if found.exports else "; give a --source that still has them, and its --column"
    told = f"no column of it names a person: only rows equal to some found elsewhere are seen{more}"
    rows += [(f"export {each[:12]}", told) for each in found.by_rows_only]
    rows += [("NOT SEARCHED", f"{each}: its key is not here") for each in found.unreadable]
    rows = rows or [("exports", "none has a row of this person")]
    told = "is not there, and may have answers of a run on Ray; mount it and run this again, or, if"
    return rows + [
        ("NOT EMPTIED", f"{each.folder} {told} it was removed, remove {each.note}")
        for each in found.unreached
    ]

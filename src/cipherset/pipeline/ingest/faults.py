"""What is wrong with a source: errors that name file, row and column, and never a value.

Rows are counted from 1, the first row of data being row 1: a header or a blank line is none.
(The ``row`` column of a batch counts from 0, as every array does.)
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import pyarrow as pa

from cipherset.core.errors import InputError
from cipherset.core.objects import ObjectPath

# Without a header the first row of data is taken for one: what does not read like a name may be
# a whole record. Names have no digits in a row (numbers, dates, ids) and at most three words.
_NAME: Final = re.compile(r"(?!.*\d{3})[^\W\d]\w{0,30}([ ._-]\w{1,20}){0,2}")
_FILL_IN: Final = "fill in the value, or take the row out"


def at(name: str, *, row: int | None = None, column: str | None = None) -> str:
    """``name, row 7, column 'text'``; ``row`` counts from 1."""
    place = name
    if row is not None:
        place += f", row {row}"
    if column is not None:
        place += f", column {column!r}"
    return place


def corrupt(name: str, found: str, *, row: int | None = None, hint: str = "") -> InputError:
    """The file breaks the rules of its own format."""
    return InputError(
        f"{at(name, row=row)}: {found}",
        code="source_corrupt",
        hint=hint or "mend the file or get a fresh copy",
    )


def not_utf8(name: str, where: str) -> InputError:
    """Text that is not UTF-8; ``where`` says the row and the byte."""
    return InputError(
        f"{name}, {where}: not valid UTF-8",
        code="source_encoding",
        hint="convert the file to UTF-8 first, for example with: iconv -f LATIN1 -t UTF-8",
    )


def empty(name: str) -> InputError:
    """There is a file, perhaps a header, but no row."""
    return InputError(
        f"{name}: 0 rows", code="source_empty", hint="expected at least one row of data"
    )


def column_type(name: str, column: str, expected: str, *, row: int | None = None) -> InputError:
    """A column, or one value of it, of a kind its part does not allow."""
    return InputError(
        f"{at(name, row=row, column=column)}: expected {expected}",
        code="column_type",
        hint="choose another column, or convert this one in the source",
    )


def missing_text(name: str, column: str, row: int) -> InputError:
    """A row without a text to protect."""
    return InputError(_nothing(name, column, row), code="text_missing", hint=_FILL_IN)


def missing_vector(name: str, column: str, row: int) -> InputError:
    """A row without a vector."""
    return InputError(_nothing(name, column, row), code="vector_missing", hint=_FILL_IN)


def missing_image(name: str, column: str, row: int) -> InputError:
    """A row without an image."""
    return InputError(_nothing(name, column, row), code="image_missing", hint=_FILL_IN)


def no_images(name: str, column: str) -> InputError:
    """A column of a format that holds no bytes."""
    found = "images: a folder of them, or a Parquet file with the bytes of each"
    return column_type(name, column, found)


def missing_label(name: str, column: str, row: int) -> InputError:
    """A row without a label, or with a number for one that is not finite."""
    return InputError(_nothing(name, column, row), code="label_missing", hint=_FILL_IN)


def missing_group(name: str, column: str, row: int) -> InputError:
    """A row without a group."""
    return InputError(_nothing(name, column, row), code="group_missing", hint=_FILL_IN)


def missing_pool(name: str, column: str, row: int) -> InputError:
    """A row that says not what it is pooled with."""
    return InputError(_nothing(name, column, row), code="pool_missing", hint=_FILL_IN)


def _nothing(name: str, column: str, row: int) -> str:
    place = at(name, row=row, column=column)
    return f"{place}: expected a value, found none (null, empty, blank or not a number)"


def missing_column(name: str, column: str, there: Sequence[str]) -> InputError:
    """``column`` is not one of the columns that are ``there``.

    The names are listed only where every one of them reads like a name: a file without a header
    shows its first record there, and a record is not for a message.
    """
    if not all(_NAME.fullmatch(each) for each in there):
        return InputError(
            f"{name}: no column {column!r}; its {len(there)} columns are not listed, for they do "
            "not all read like names",
            code="column_missing",
            hint="check that the first line holds the names of the columns",
        )
    close = get_close_matches(column, there, n=1)
    return InputError(
        f"{name}: no column {column!r}; there are: {', '.join(map(repr, there)) or 'none'}",
        code="column_missing",
        hint=f"did you mean {close[0]!r}?" if close else "name one of the columns listed",
    )


def duplicate_column(name: str, column: str) -> InputError:
    """Two columns of one name: which is meant cannot be known."""
    return InputError(
        f"{name}: more than one column {column!r}",
        code="column_duplicate",
        hint="give each column its own name",
    )


@contextmanager
def reading(path: Path | ObjectPath) -> Iterator[None]:
    """Turn what the system and the parsers raise while ``path`` is read into an InputError.

    The cause is dropped: a parser quotes the bytes it stumbled over.
    """
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such file", code="source_missing", hint="check the path of the source"
        ) from None
    except (EOFError, pa.ArrowInvalid, pa.ArrowSerializationError, UnicodeDecodeError):
        raise corrupt(path.name, "cut off, or not the format its name says") from None
    except OSError as error:
        if isinstance(path, ObjectPath):  # where the store was lost in the middle
            raise path.lost() from None
        if error.errno is None:  # gzip, bz2 and Arrow: the bytes; otherwise the system speaks
            raise corrupt(path.name, "cut off, or not the format its name says") from None
        raise InputError(
            f"{path}: cannot be read ({error.strerror})",
            code="source_unreadable",
            hint="check owner and permissions of the file and its folders",
        ) from None

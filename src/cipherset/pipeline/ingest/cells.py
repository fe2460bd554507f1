"""Any value as a text to look at: what a person would see in the cell."""

import json
from typing import Final

BINARY: Final = "<binary>"
NESTED: Final = "<nested too deep>"
MOST_ITEMS: Final = 16  # of a vector: enough to see that it is one
_EXACT: Final = 1 << 53
_SEPARATORS: Final = (", ", ": ")


def as_text(value: object) -> str | None:
    """``value`` as a string: JSON for what holds others, None for null.

    >>> as_text([0.5] * 384) == as_text([0.5] * 16), as_text({"a": None}), as_text(True)
    (True, '{"a": null}', 'true')
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return _decoded(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list) and value and isinstance(value[0], int | float):
        value = value[:MOST_ITEMS]
    if isinstance(value, bool | int | list | dict):
        return _as_json(value)
    return str(value)


def _as_json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, separators=_SEPARATORS, default=_other)
    except RecursionError:  # read at a depth at which it cannot be written
        return NESTED


def _number(value: float) -> str | None:
    """Whole numbers without a point: a column with gaps holds its card numbers as floats."""
    if value != value:  # NaN, which is how such a gap is written
        return None
    is_whole = value.is_integer() and abs(value) < _EXACT
    return str(int(value)) if is_whole else repr(value)


def _other(value: object) -> str:
    return _decoded(value) if isinstance(value, bytes) else str(value)


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return BINARY

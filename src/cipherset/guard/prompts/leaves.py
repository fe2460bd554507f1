"""The strings and long numbers of a JSON text, and the same JSON with others in their place."""

import json
import re
from collections.abc import Sequence
from typing import Final

_LEAF: Final = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*', re.DOTALL)
_LEAST_NUMBER: Final = 5  # characters; fewer are no telephone and no account


def leaves(text: str) -> list[str] | None:
    """The strings (names of members too) and long numbers of ``text``; None if it is no JSON."""
    try:
        json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    return [_value(match[0]) for match in _LEAF.finditer(text) if _is_leaf(match[0])]


def with_leaves(text: str, values: Sequence[str]) -> str:
    """``text`` with ``values`` in place of its ``leaves``; what did not change stays as written.

    A number that changed becomes a string.
    """
    waiting = iter(values)

    def one(match: re.Match[str]) -> str:
        if not _is_leaf(match[0]):
            return match[0]
        value = next(waiting)
        return match[0] if value == _value(match[0]) else json.dumps(value)

    return _LEAF.sub(one, text)


def _is_leaf(written: str) -> bool:
    return written.startswith('"') or len(written) >= _LEAST_NUMBER


def _value(written: str) -> str:
    if not written.startswith('"'):
        return written
    value: str = json.loads(written)
    return value

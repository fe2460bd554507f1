"""JSON: one object per line, or the entries of a document: proxies, Zeek, browser exports.

Nested names are joined by dots (``url.domain``). Cloud flow logs have modules of their own.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from cipherset.evidence.discover.egress.call import How, Seen
from cipherset.evidence.discover.egress.formats.roles import calls_in, columns_of

_DEEPEST: Final = 6
_MOST_LEAVES: Final = 400
_BROWSER: Final = frozenset({"url", "title"})


def json_objects(given: Mapping[str, str], of_nobody: str) -> Callable[[str], Sequence[Seen]]:
    """A reader of JSON texts, each an object with a host or an address in it."""

    def read(text: str) -> Sequence[Seen]:
        if not text.strip():
            return ()
        row = dict(leaves_of(object_of(text)))
        names = list(row)
        columns = columns_of(names, {role: name for role, name in given.items() if name in row})
        is_visit = row.keys() >= _BROWSER and not columns["principal"]
        return calls_in(row, columns, How.VISIT if is_visit else How.REQUEST, of_nobody)

    return read


def object_of(text: str) -> dict[str, Any]:
    """The JSON object of a text.

    Raises:
        ValueError: it is none.
    """
    try:
        found = json.loads(text)
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(found, dict):
        raise ValueError("no JSON object")
    return found


def leaves_of(
    value: Mapping[str, Any], before: str = "", depth: int = 0
) -> Iterator[tuple[str, str]]:
    """Each value within by its joined name; lists are joined by commas.

    Raises:
        ValueError: more than six deep, or more than 400 names in one object.
    """
    if depth > _DEEPEST or len(value) > _MOST_LEAVES:
        raise ValueError("too deep or too wide")
    for name, each in value.items():
        joined = f"{before}.{name}" if before else name
        if isinstance(each, dict):
            yield from leaves_of(each, joined, depth + 1)
        elif isinstance(each, list):
            yield joined, ",".join(str(one) for one in each if isinstance(one, str | int | float))
        elif each is not None and not isinstance(each, bool):
            yield joined, str(each)

"""The navigation: one entry per page, in groups; the same for everybody, it tells of no asset."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Final

# The folders of ``pages``, in order, and what people call them.
GROUPS: Final = {
    "now": "Now",
    "assets": "Assets",
    "evidence": "Evidence",
    "control": "Control",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A page in the navigation; ``place`` sorts it within its group."""

    path: str
    title: str
    place: int


@dataclass(frozen=True, slots=True)
class Group:
    """Entries under one heading."""

    title: str
    entries: tuple[Entry, ...]


def grouped(found: Iterable[tuple[str, Entry]]) -> tuple[Group, ...]:
    """The entries by the folder that their page is in, in the order of ``GROUPS``."""
    order = list(GROUPS)
    known = sorted(found, key=lambda one: (order.index(one[0]), one[1].place, one[1].path))
    return tuple(
        Group(GROUPS[folder], tuple(entry for _, entry in entries))
        for folder, entries in groupby(known, key=lambda one: one[0])
    )

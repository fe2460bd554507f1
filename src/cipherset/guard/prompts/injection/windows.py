"""Texts cut for a classifier: into sentences, or into runs of them, always all of the text."""

import re
from collections.abc import Iterator
from typing import Final

# An end of a sentence, a line, or a cell.
_END: Final = re.compile(r"(?<=[.!?。！？])[\"'”’)\]]{0,3}\s+|\s*[\n\r|•]+\s*")
_LEAST_WORDS: Final = 4  # fewer are a heading, a button or a name
_MOST: Final = 512


def sentences(text: str, most: int) -> list[str]:
    """The sentences of ``text``; where there are more than ``most``, longer runs of them."""
    found = [part for piece in _END.split(text) for part in _cut(piece.strip())]
    if len(found) <= most:
        return found
    each = -(-len(found) // most)
    return [" ".join(found[start : start + each]) for start in range(0, len(found), each)]


def runs(text: str, size: int, most: int) -> list[str]:
    """``text`` in runs of whole sentences of about ``size`` characters; about ``most`` of them."""
    size = max(size, -(-len(text) // most))
    found = [""]
    for sentence in sentences(text, len(text) + 1):
        if found[-1] and len(found[-1]) + len(sentence) > size:
            found.append("")
        found[-1] = f"{found[-1]} {sentence}".strip()
    return [run for run in found if run]


def _cut(piece: str) -> Iterator[str]:
    if len(piece.split(maxsplit=_LEAST_WORDS)) < _LEAST_WORDS and piece.isascii():
        return
    for start in range(0, len(piece), _MOST):
        yield piece[start : start + _MOST]

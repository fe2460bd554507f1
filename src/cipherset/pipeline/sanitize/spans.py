"""Where something was found, and how texts are cut there."""

from collections.abc import Callable, Iterable

from cipherset.core.protocols import Detector as Detector
from cipherset.core.values import Span as Span


def merged(
    spans: Iterable[Span], strictness: Callable[[str], int] = lambda entity: 0
) -> list[Span]:
    """Disjoint spans in order that cover all of ``spans``.

    Spans that overlap become one over all of them: nothing that any detector found is left
    standing. It is called what the strictest of them (least ``strictness``) was called, and of
    several the longest.
    """
    groups: list[list[Span]] = []
    end = -1
    for span in sorted(spans):
        if groups and span.start < end:
            groups[-1].append(span)
        else:
            groups.append([span])
        end = max(end, span.end)
    return [
        Span(
            group[0].start,
            max(span.end for span in group),
            min(group, key=lambda span: (strictness(span.entity), span.start - span.end)).entity,
        )
        for group in groups
    ]


def replaced(text: str, spans: Iterable[Span]) -> str:
    """``text`` with each of the disjoint, ordered ``spans`` replaced by its ``placeholder``."""
    pieces = []
    position = 0
    for span in spans:
        pieces += [text[position : span.start], placeholder(span.entity)]
        position = span.end
    pieces.append(text[position:])
    return "".join(pieces)


def placeholder(entity: str) -> str:
    """What stands where an ``entity`` was."""
    return f"[{entity}]"

"""Where and by what an asset was seen, from the runs of looks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cipherset.evidence.views.picture import DONE, Step

DISCOVER: Final = "discover"
# Looks at all there is in a place. What is told stays, and a day without traffic says nothing.
_WHOLE: Final = frozenset({"scan", "agent"})
# Where each asset was seen in a look; or ``AS``: the run that told the same.
PLACES: Final = "places"
AS: Final = "as"


@dataclass(frozen=True, slots=True)
class Seen:
    """All looks at one asset together.

    ``where`` are the places of the last look of each kind and label; ``last`` is UTC, ISO 8601.
    ``is_gone``: none of the last looks at what it was seen in has seen it again. ``answer`` is what
    was told of it last.
    """

    sources: tuple[str, ...] = ()
    first: str = ""
    last: str = ""
    where: tuple[str, ...] = ()
    places: int = 0
    is_gone: bool = False
    answer: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class _Looks:
    """The last look of each kind and label, and the last that saw the asset."""

    first: str = ""
    last: str = ""
    seen: dict[tuple[str, str], Step] = field(default_factory=dict)
    answer: Mapping[str, Any] = field(default_factory=dict)


def all_seen(steps: Iterable[Step]) -> dict[str, Seen]:
    """How each asset was seen that any look saw; ``steps`` the oldest first."""
    last: dict[tuple[str, str], str] = {}
    told: dict[str, Mapping[str, Any]] = {}
    found: dict[str, _Looks] = {}
    for step in steps:
        if step.kind != DISCOVER or step.status != DONE:
            continue
        as_before = told.get(str(step.parameters.get(AS)), {})
        told[step.id] = step.parameters.get(PLACES, as_before)
        at = str(step.parameters.get("source", "")), str(step.parameters.get("label", ""))
        last[at] = step.id
        for asset in step.inputs:
            looks = found.setdefault(asset, _Looks(first=step.started))
            looks.last = step.started
            looks.seen[at] = step
            looks.answer = step.parameters.get("answer", looks.answer)
    return {
        asset: _seen(looks, last, [told[step.id].get(asset, {}) for step in looks.seen.values()])
        for asset, looks in found.items()
    }


def files_not_read(steps: Iterable[Step]) -> int:
    """How many files the last look of each kind at each place could not read; the oldest first."""
    last: dict[tuple[str, str], int] = {}
    for step in steps:
        if step.kind == DISCOVER and step.status == DONE:
            at = str(step.parameters.get("source", "")), str(step.parameters.get("label", ""))
            last[at] = int(step.parameters.get("not_read", 0))
    return sum(last.values())


def _seen(
    looks: _Looks, last: Mapping[tuple[str, str], str], told: Sequence[Mapping[str, Any]]
) -> Seen:
    where = sorted({place for each in told for place in each.get("where", ())})
    return Seen(
        sources=tuple(sorted({source for source, _ in looks.seen})),
        first=looks.first,
        last=looks.last,
        where=tuple(where),
        places=sum(int(each.get("count", 0)) for each in told),
        is_gone=_is_gone(looks.seen, last),
        answer=looks.answer,
    )


def _is_gone(seen: Mapping[tuple[str, str], Step], last: Mapping[tuple[str, str], str]) -> bool:
    """Whether no look at a place still sees it, and nothing else has told of it."""
    return all(at[0] in _WHOLE and last[at] != step.id for at, step in seen.items())


def made_by(steps: Sequence[Step]) -> dict[str, Step]:
    """The run that made each asset that one made; the first, where it was made again."""
    found: dict[str, Step] = {}
    for step in steps:
        for each in step.outputs:
            found.setdefault(each, step)
    return found

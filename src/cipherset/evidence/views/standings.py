"""Labels, standings and purposes of all assets in one pass over the runs, the oldest first.

The same answers as asking for one asset at a time (``labels.label_of``), for thousands of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Final

from cipherset.core.labels import Label, joined
from cipherset.evidence.views.labels import CLASSIFY, LABEL, RELABEL, label_of
from cipherset.evidence.views.lineage import downstream
from cipherset.evidence.views.picture import DONE, Step

PURPOSE: Final = "purpose"
FORGET: Final = "forget"
_REMARKS: Final = frozenset({CLASSIFY, RELABEL})
_STANDINGS: Final = {"approve": "approved", "suspend": "suspended", "retire": "retired"}


def all_labels(steps: Sequence[Step]) -> dict[str, Label]:
    """The label of every asset of which anything is known.

    Raises:
        IntegrityError: ``label_schema``.
    """
    sources = _sources(steps)
    order = _ordered(sources)
    if order is None:
        known = {each: label_of(each, steps) for each in sources}
        return {each: label for each, label in known.items() if label is not None}
    remarks: dict[str, list[Step]] = {}
    for step in steps:
        if step.kind in _REMARKS and step.status == DONE and LABEL in step.parameters:
            for each in step.inputs:
                remarks.setdefault(each, []).append(step)
    found: dict[str, Label] = {}
    for each in order:
        label = joined(found.get(source) for source in sorted(sources[each]))
        for step in remarks.get(each, ()):
            said = Label.parse(step.parameters[LABEL])
            label = said if step.kind == RELABEL else joined([label, said])
        if label is not None:
            found[each] = label
    return found


def _sources(steps: Sequence[Step]) -> dict[str, set[str]]:
    """What each asset was made of directly."""
    sources: dict[str, set[str]] = {}
    for step in steps:
        for each in step.inputs:
            sources.setdefault(each, set())
        for each in step.outputs:
            made_of = set() if step.kind in _REMARKS else set(step.inputs)
            # A run that reads what it wrote adds nothing.
            sources.setdefault(each, set()).update(made_of - {each})
    return sources


def _ordered(sources: Mapping[str, set[str]]) -> tuple[str, ...] | None:
    """Every asset after those that it was made of; None where there is a circle."""
    try:
        return tuple(TopologicalSorter(sources).static_order())
    except CycleError:  # no command of ours makes one
        return None


def all_standings(steps: Iterable[Step]) -> dict[str, str]:
    """Where each asset stands that was approved, suspended or retired; the others are proposed."""
    return {
        each: _STANDINGS[step.kind]
        for step in steps
        if step.kind in _STANDINGS and step.status == DONE
        for each in step.inputs
    }


def all_purposes(steps: Sequence[Step]) -> dict[str, str]:
    """What each asset's rows were collected for, as was said last of it, or of what it was made of.

    Nothing is handed on where assets were made of each other in a circle.
    """
    said: dict[str, tuple[int, str]] = {}
    for at, step in enumerate(steps):
        if step.kind == PURPOSE and step.status == DONE:
            said |= dict.fromkeys(step.inputs, (at, str(step.parameters[PURPOSE])))
    sources, handed = _sources(steps), dict(said)
    for each in _ordered(sources) or ():
        above = [handed[source] for source in sources[each] if source in handed]
        latest = [*above, *([said[each]] if each in said else [])]
        if latest:
            handed[each] = max(latest)
    return {each: (said.get(each) or latest)[1] for each, latest in handed.items()}


def all_stale(steps: Sequence[Step]) -> frozenset[str]:
    """What somebody's rows were taken out of, and what was made of it: to be made again."""
    held = {each for step in steps if step.kind == FORGET for each in step.inputs}
    return downstream(held, steps) | held if held else frozenset()

"""What sort of thing an asset is, as far as reading it and attacking it goes."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from cipherset.core.labels import Level
from cipherset.evidence.views.exposure.budgets import rows_of, step_scope
from cipherset.evidence.views.picture import Picture, Step, Thing

PROTECT: Final = "protect"
_INDEX: Final = "index"
TRAIN: Final = "train"
DEPLOY: Final = "deploy"
OFFER: Final = "service"
_CLASSIFY: Final = "classify"
# What answers others: to suspend it stops that.
STOPPED: Final = frozenset({"model", "service"})
_SEALING: Final = frozenset({PROTECT, _INDEX})


class Sort(StrEnum):
    """Plain datasets, encrypted sets and encrypted indexes differ in all that matters here."""

    PLAIN = "plain"
    SEALED = "sealed"
    INDEX = "index"
    KEY = "key"
    MODEL = "model"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Sensed:
    """Assets that policies by role, label and standing cannot tell apart."""

    sort: Sort
    level: Level
    standing: str


@dataclass(frozen=True, slots=True)
class Origins:
    """Where everything came from.

    ``makers`` are the runs that made an asset, ``sealed`` the encrypted sets and indexes under each
    version of a key, ``deployed`` the models in their places, ``offered`` the services that the
    gateway stands before, ``rows`` what was counted of each dataset.
    """

    makers: Mapping[str, tuple[Step, ...]]
    sealed: Mapping[str, tuple[str, ...]]
    deployed: frozenset[str]
    offered: frozenset[str]
    rows: Mapping[str, int]

    def sort_of(self, thing: Thing) -> Sort:
        """The sort of an asset."""
        if thing.kind != "dataset":
            return Sort(thing.kind)
        kinds = {step.kind for step in self.makers.get(thing.id, ())}
        if _INDEX in kinds:
            return Sort.INDEX
        return Sort.SEALED if PROTECT in kinds else Sort.PLAIN


def origins(picture: Picture) -> Origins:
    """All of it, in one pass over the runs."""
    makers: defaultdict[str, list[Step]] = defaultdict(list)
    sealed: defaultdict[str, list[str]] = defaultdict(list)
    placed: dict[str, str] = {}
    for step in picture.steps:
        for made in step.outputs:
            makers[made].append(step)
            if step.kind in _SEALING:
                sealed[step_scope(step)].append(made)
        if step.kind == DEPLOY:
            placed |= dict.fromkeys([str(step.parameters.get("name"))], next(iter(step.inputs), ""))
    made_by = {each: tuple(steps) for each, steps in makers.items()}
    return Origins(
        makers=made_by,
        sealed={scope: tuple(made) for scope, made in sealed.items()},
        deployed=frozenset(placed.values()),
        offered=frozenset(
            each for each, steps in made_by.items() if any(step.kind == OFFER for step in steps)
        ),
        rows=_rows(picture),
    )


def _rows(picture: Picture) -> dict[str, int]:
    """What was counted of each dataset: by its maker, by a scan, or by the largest export of it."""
    found: dict[str, int] = {}
    for step in picture.steps:
        scanned = step.parameters.get("rows") if step.kind == _CLASSIFY else None
        counted = [rows_of(picture, made) or 0 for made in step.outputs]
        most = max([scanned or 0, *(counted if step.kind in _SEALING else [])])
        for each in step.inputs:
            found[each] = max(found.get(each, 0), most)
        found |= {made: rows for made, rows in zip(step.outputs, counted, strict=True) if rows}
    return {each: rows for each, rows in found.items() if rows}


def sensed(picture: Picture, found: Origins) -> frozenset[Sensed]:
    """Every class of assets that there is; of what can be stopped, the same suspended."""
    kinds = {
        Sensed(found.sort_of(thing), level_of(thing), thing.standing)
        for thing in picture.things.values()
    }
    return frozenset(kinds | {suspended(each) for each in kinds if each.sort in STOPPED})


def suspended(kind: Sensed) -> Sensed:
    """The same assets, were they suspended."""
    return replace(kind, standing="suspended")


def level_of(thing: Thing) -> Level:
    """The level of its label; restricted where nobody has looked."""
    return Level.RESTRICTED if thing.label is None else thing.label.level

"""From a picture and its surroundings to the facts of each asset."""

from dataclasses import replace

from cipherset.core.labels import Label, Level
from cipherset.evidence.views.exposure.budgets import scope_in, scope_of
from cipherset.evidence.views.picture import Picture, Thing
from cipherset.evidence.views.risk.attacks import Attacks
from cipherset.evidence.views.risk.facts import Attack, Budget, Evidence, Facts
from cipherset.evidence.views.risk.guards import (
    Surroundings,
    budgets_of,
    commands_of,
    guards_of,
)
from cipherset.evidence.views.risk.reach import Reach
from cipherset.evidence.views.risk.sorts import (
    STOPPED,
    TRAIN,
    Origins,
    Sensed,
    Sort,
    level_of,
    origins,
    suspended,
)


def facts_of(picture: Picture, around: Surroundings) -> tuple[Facts, ...]:
    """The facts of every asset but our own guards, in the picture's order."""
    found = origins(picture)
    reader = _Reader(picture, around, found)
    return tuple(reader.facts(thing) for thing in picture.things.values() if not thing.is_guards)


class _Reader:
    """What was computed once for all assets."""

    def __init__(self, picture: Picture, around: Surroundings, found: Origins) -> None:
        self._picture, self._around, self._origins = picture, around, found
        self._reach = Reach(picture, around.may)
        self._attacks = Attacks(picture, found, around.max_reid, around.minimizers)
        self._keys = {scope_of(each.key_id, each.version): each.id for each in picture.keys}
        self._scopes = {each.id: scope_of(each.key_id, each.version) for each in picture.keys}

    def facts(self, thing: Thing) -> Facts:
        found, around = self._origins, self._around
        sort = found.sort_of(thing)
        label, rows = self._weight(thing, sort)
        kind = Sensed(sort, level_of(thing), thing.standing)
        attack: Attack = self._attacks.of(thing)
        return Facts(
            id=thing.id,
            kind=thing.kind,
            name=thing.name,
            label=label,
            rows=rows,
            made_by=_made_by(found, thing),
            attack=attack,
            readers=() if self._is_destroyed(thing) else self._reach.of(thing.id, kind),
            budgets=_held_by(attack, budgets_of(sort, thing, self._key_of(thing), around)),
            guards=guards_of(sort, thing, found, around),
            standing=thing.standing,
            stopped=self._reach.of(thing.id, suspended(kind)) if sort in STOPPED else None,
            commands=commands_of(sort, thing),
        )

    def _is_destroyed(self, thing: Thing) -> bool:
        use = self._around.keys.get(thing.id)
        return use is not None and use.key.status == "destroyed"

    def _key_of(self, thing: Thing) -> str | None:
        """The id of the version of a key that it is, or is under."""
        if thing.id in self._scopes:
            return thing.id
        return self._keys.get(scope_in(thing.attributes))

    def _weight(self, thing: Thing, sort: Sort) -> tuple[Level | None, int | None]:
        """How sensitive it is, and how many rows are at stake."""
        rows = self._origins.rows
        if sort is Sort.KEY:
            return self._weight_of_key(thing)
        if sort is Sort.MODEL:
            makers = self._origins.makers.get(thing.id, ())
            sources = {each for step in makers if step.kind == TRAIN for each in step.inputs}
            counted = [rows[each] for each in sources if each in rows]
            known = bool(sources) and len(counted) == len(sources)
            return _level(thing.label), sum(counted) if known else None
        return _level(thing.label), rows.get(thing.id)

    def _weight_of_key(self, thing: Thing) -> tuple[Level | None, int | None]:
        """Those of everything under it; a key that nothing is under has nothing to lose."""
        under = self._origins.sealed.get(self._scopes.get(thing.id, ""), ())
        if not under:
            return _level(thing.label) or Level.PUBLIC, 0
        things = [self._picture.things.get(each) for each in under]
        labels = [None if each is None else _level(each.label) for each in things]
        known = [level for level in labels if level is not None]
        level = None
        if len(known) == len(labels):
            level = max(known, key=lambda each: each.rank)
        counted = [self._origins.rows.get(each) for each in under]
        every = [rows for rows in counted if rows is not None]
        return level, sum(every) if len(every) == len(counted) else None


def _held_by(attack: Attack, budgets: tuple[Budget, ...]) -> tuple[Budget, ...]:
    """Caps that were measured with what is stale are not known any more."""
    if attack.evidence is not Evidence.STALE:
        return budgets
    why = "its cap was measured by what is stale"
    return tuple(
        replace(each, cap=0, is_waiting=True, because=why, command="") if each.is_measured else each
        for each in budgets
    )


def _made_by(found: Origins, thing: Thing) -> str:
    makers = found.makers.get(thing.id, ())
    return makers[-1].id if makers else ""


def _level(label: Label | None) -> Level | None:
    return None if label is None else label.level

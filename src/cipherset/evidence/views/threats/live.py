"""The picture, indexed once: exports, indexes, sources, models, where each comes from."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from cipherset.evidence.views.picture import DONE, Key, Permission, Picture, Thing
from cipherset.evidence.views.threats.path import Stop

EXPORT = "cipherset_id"
INDEX = "index_id"
# In the attributes of what was found by looking, as what it was seen.
SEEN_AS = "seen_as"
# In the parameters of a run that only wrote down what was made elsewhere.
BROUGHT = "brought"
# What makes rows that others are made of, and what makes texts that models are given.
_TRAINS = frozenset({"protect", "train", "index"})
_GONE = "destroyed"


@dataclass(frozen=True)
class Live:
    """What there is, by what attackers are after; everything in the order of the picture."""

    picture: Picture
    exports: tuple[Thing, ...]
    indexes: tuple[Thing, ...]
    plain: tuple[Thing, ...]
    sources: tuple[Thing, ...]
    chunks: tuple[Thing, ...]
    models: tuple[Thing, ...]
    services: tuple[Thing, ...]
    made_of: Mapping[str, frozenset[str]] = field(repr=False)
    made_into: Mapping[str, frozenset[str]] = field(repr=False)
    kinds: Mapping[str, frozenset[str]] = field(repr=False)
    deployed: Mapping[str, tuple[str, ...]] = field(repr=False)
    made_here: frozenset[str] = field(repr=False)
    keys: Mapping[tuple[str, int], Key] = field(repr=False)

    def key_of(self, thing: Thing) -> Key | None:
        """The version of the key that it is under, if it is not gone."""
        at = (str(thing.attributes.get("key_id")), int(thing.attributes.get("key_version", 0)))
        found = self.keys.get(at)
        return None if found is None or found.status == _GONE else found

    @property
    def all_plain(self) -> frozenset[str]:
        """Every plain dataset: what a role reads, it reads of all."""
        return frozenset(each.id for each in self.plain)

    @cached_property
    def of_all_plain(self) -> frozenset[str]:
        """What came of any of them, with these."""
        return self.reached_from(self.all_plain)

    def reached_from(self, assets: Iterable[str]) -> frozenset[str]:
        """What came of the assets, with these."""
        found, waiting = set(assets), list(assets)
        while waiting:
            new = self.made_into.get(waiting.pop(), frozenset()) - found
            found |= new
            waiting += new
        return frozenset(found)

    def stop(self, asset: str) -> Stop:
        """An asset as a stop on a way."""
        thing = self.picture.things.get(asset)
        return Stop("asset", asset, asset) if thing is None else stop(thing)


def live(picture: Picture) -> Live:
    """The picture's things sorted out, in time that grows with their number and their runs."""
    made_of: defaultdict[str, set[str]] = defaultdict(set)
    made_into: defaultdict[str, set[str]] = defaultdict(set)
    kinds: defaultdict[str, set[str]] = defaultdict(set)
    deployed: defaultdict[str, list[str]] = defaultdict(list)
    made_here: set[str] = set()
    for step in picture.steps:
        if step.status != DONE:
            continue
        for each in (*step.inputs, *step.outputs):
            kinds[each].add(f"{'>' if each in step.outputs else '<'}{step.kind}")
        if BROUGHT not in step.parameters:
            made_here.update(step.outputs)
        for each in step.outputs:
            made_of[each].update(step.inputs)
        for each in step.inputs:
            made_into[each].update(step.outputs)
            if step.kind == "deploy":
                deployed[each].append(str(step.parameters.get("name", "")))
    things = tuple(picture.things.values())
    plain = tuple(each for each in things if each.kind == "dataset" and not _is_sealed(each))
    return Live(
        picture=picture,
        exports=tuple(each for each in things if EXPORT in each.attributes),
        indexes=tuple(each for each in things if INDEX in each.attributes),
        plain=plain,
        sources=tuple(each for each in plain if not kinds[each.id].isdisjoint(_READ)),
        chunks=tuple(each for each in plain if ">chunk" in kinds[each.id]),
        models=tuple(each for each in things if each.kind == "model"),
        services=tuple(each for each in things if _is_others(each)),
        made_of={each: frozenset(found) for each, found in made_of.items()},
        made_into={each: frozenset(found) for each, found in made_into.items()},
        kinds={each: frozenset(found) for each, found in kinds.items()},
        deployed={each: tuple(sorted(set(found))) for each, found in deployed.items()},
        made_here=frozenset(made_here),
        keys={(each.key_id, each.version): each for each in picture.keys},
    )


_READ = frozenset(f"<{kind}" for kind in _TRAINS)


def stop(thing: Thing) -> Stop:
    """A thing as a stop on a way."""
    return Stop(thing.kind, thing.id, thing.name)


def key_stop(key: Key) -> Stop:
    """A version of a key as a stop."""
    return Stop("key", key.id, f"{key.name} version {key.version}")


def grant_stop(grant: Permission) -> Stop:
    """A grant as a stop."""
    return Stop("grant", grant.id, f"{grant.action} for {grant.beneficiary}")


def person_stop(name: str) -> Stop:
    """A principal as a stop."""
    return Stop("principal", name, name)


def _is_others(thing: Thing) -> bool:
    """A service of somebody: not our own guards, which the red team writes down as one."""
    return thing.kind == "service" and not thing.is_guards


def _is_sealed(thing: Thing) -> bool:
    return EXPORT in thing.attributes or INDEX in thing.attributes

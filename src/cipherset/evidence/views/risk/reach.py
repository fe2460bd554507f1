"""Who may read or ask what: by role, as the policies answer, and by live grants; computed once.

Roles are asked one at a time, of an asset with that label and standing and nothing else known of
it, with every other condition met. What a policy allows to one person by name, attribute, place or
hour is not seen.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from cipherset.evidence.views.picture import Person, Picture
from cipherset.evidence.views.risk.facts import Reader
from cipherset.evidence.views.risk.sorts import Sensed, Sort

# What shows an asset's rows, hands them out encrypted, uses a key, or asks a model.
READING: Final[Mapping[Sort, tuple[str, ...]]] = {
    Sort.PLAIN: ("calibrate", "detokenize", "index", "protect", "sanitize", "scan"),
    Sort.SEALED: ("export", "train.at-gate", "train.together"),
    Sort.INDEX: ("search",),
    Sort.KEY: ("detokenize", "encrypt", "key.bind", "key.rotate"),
    Sort.MODEL: ("evaluate", "predict", "predict.scores", "query"),
    Sort.SERVICE: ("predict", "predict.scores", "query"),
}
# Their work is on encrypted rows, which they have as files: no policy is asked for that.
HANDED: Final[Mapping[Sort, frozenset[str]]] = {Sort.SEALED: frozenset({"scientist"})}
LIVE: Final = "live"
EVERYBODY: Final = "the policies leave everything to one person"
SOMEBODY: Final = "whoever is here"


@dataclass(frozen=True, slots=True)
class Allowed:
    """The roles that may read a class of assets without a grant; whether a grant helps at all."""

    roles: frozenset[str] = frozenset()
    by_grant: bool = True


May = Mapping[Sensed, Allowed]
_NOBODY: Final = Allowed()


class Reach:
    """Who reaches what, for one picture."""

    def __init__(self, picture: Picture, may: May) -> None:
        """``may``: what the policies answer of each class of assets."""
        self._may = may
        self._people = tuple(each for each in picture.people if each.is_active)
        self._alone = _everybody(self._people) if picture.alone else None
        self._by_role: dict[Sensed, tuple[Reader, ...]] = {}
        self._granted: defaultdict[str, list[tuple[str, str, str]]] = defaultdict(list)
        for grant in picture.grants:
            if grant.state == LIVE:
                for asset in grant.bound.values():
                    self._granted[asset].append((grant.action, grant.beneficiary, grant.id))

    def of(self, asset: str, kind: Sensed) -> tuple[Reader, ...]:
        """Everybody who may read or ask the asset, by name."""
        if self._alone is not None:
            return self._alone
        found = self._roles(kind)
        if not self._may.get(kind, _NOBODY).by_grant:
            return found
        granted = [
            (name, grant)
            for action, name, grant in self._granted.get(asset, ())
            if action in READING[kind.sort]
        ]
        return _with_grants(found, granted) if granted else found

    def _roles(self, kind: Sensed) -> tuple[Reader, ...]:
        if kind not in self._by_role:
            roles = self._may.get(kind, _NOBODY).roles | HANDED.get(kind.sort, frozenset())
            self._by_role[kind] = tuple(_by_role(self._people, roles))
        return self._by_role[kind]


def _everybody(people: Iterable[Person]) -> tuple[Reader, ...]:
    names = sorted(each.name for each in people) or [SOMEBODY]
    return tuple(Reader(name, (EVERYBODY,)) for name in names)


def _by_role(people: Iterable[Person], roles: frozenset[str]) -> Iterable[Reader]:
    for person in sorted(people, key=lambda each: each.name):
        held = tuple(f"role {role}" for role in sorted(roles.intersection(person.roles)))
        if held:
            yield Reader(person.name, held)


def _with_grants(
    readers: Iterable[Reader], granted: Iterable[tuple[str, str]]
) -> tuple[Reader, ...]:
    through = {each.name: each.through for each in readers}
    for name, grant in sorted(granted):
        through[name] = (*through.get(name, ()), grant)
    return tuple(Reader(name, ways) for name, ways in sorted(through.items()))

"""Used, cap and left of every budget: pairs of keys, queries of models, epsilon of datasets.

The cap of a key's pairs is the lowest by the assessments of its exports: a quarter of the fewest
pairs that passed the limit (``app.serving.pairs`` refuses by the same). While one of them is not
assessed nothing is known, and none is given.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from cipherset.evidence.views.picture import Finding, Key, Picture, Spent, Step

PAIRS_NOISY: Final = "pairs.noisy"
PAIRS_NOISE_FREE: Final = "pairs.noise_free"
ROWS: Final = "rows"
QUERIES: Final = "queries"
EPSILON: Final = "epsilon"
MICRO_EPSILON: Final = 1_000_000
# n* pairs pass the limit; a quarter of them leaves room for an attack that needs fewer.
CAP_SHARE: Final = 4
NOT_ASSESSED: Final = "not every export under it was assessed, so none may be given"
NOT_PROTECTIVE: Final = "the limit is passed with fewer than four pairs, or with none"
UNBOUND: Final = "no number of pairs that was tried passes the limit"
NO_EXPORTS_CAP: Final = "the policies cap no exports"
UNUSED: Final = "nothing was exported under it"
_PROTECT: Final = "protect"
_LEAVING: Final = frozenset({_PROTECT, "index"})
_ASSESS: Final = "assess"


@dataclass(frozen=True, slots=True)
class Use:
    """One budget: what was used, of what ``cap`` (None: does not bind, and ``because`` says why).

    ``is_open``: no limit is set at all, which is not the same as one that was measured away.
    """

    used: int
    cap: int | None
    because: str = ""
    is_open: bool = False

    @property
    def left(self) -> int | None:
        """What may still be given; None where nothing binds."""
        return None if self.cap is None else max(self.cap - self.used, 0)

    def as_json(self) -> dict[str, Any]:
        """The budget as the command prints it."""
        return {"used": self.used, "cap": self.cap, "left": self.left, "because": self.because}


@dataclass(frozen=True, slots=True)
class Held:
    """Pairs of a key that one principal may read on both sides; ``through`` what lets them."""

    principal: str
    key: str
    pairs: int
    through: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The pairs as the command prints them."""
        return {"principal": self.principal, "pairs": self.pairs, "through": list(self.through)}


@dataclass(frozen=True, slots=True)
class Limits:
    """What the policies cap, None where they cap nothing; ``queries`` are by id of the model.

    ``oracle_rows`` is the most that anybody gets encrypted under one version of a key.
    """

    oracle_rows: int
    exports: int | None = None
    epsilon: float | None = None
    queries: Mapping[str, int | None] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One version of a key: what is out of it.

    ``held`` is whoever may read both sides, ``pooled`` what all of them would hold together, and
    ``held_cap`` how many of those the gate lets anybody have. ``by_principal`` are the noisy and
    the noise-free pairs that each was given.
    """

    key: Key
    exports: int
    rows: int
    noisy: Use
    noise_free: Use
    held: tuple[Held, ...]
    pooled: int
    held_cap: int | None
    by_principal: Mapping[str, tuple[int, int]]

    @property
    def coalition(self) -> int:
        """Noisy pairs that everybody together has: those that were given and those they may read.

        At most: a pair that is both is counted twice.
        """
        return self.noisy.used + self.pooled

    def as_json(self) -> dict[str, Any]:
        """The key as the command prints it."""
        given = self.by_principal.items()
        return {
            "id": self.key.id,
            "key": scope_of(self.key.key_id, self.key.version),
            "name": self.key.name,
            "version": self.key.version,
            "status": self.key.status,
            "exports": self.exports,
            "rows": self.rows,
            "pairs": {"noisy": self.noisy.as_json(), "noise_free": self.noise_free.as_json()},
            "static": [each.as_json() for each in self.held],
            "static_cap": self.held_cap,
            "coalition": {"pairs": self.coalition, "static": self.pooled, "cap": self.noisy.cap},
            "given": [{"principal": name, "noisy": a, "noise_free": b} for name, (a, b) in given],
        }


@dataclass(frozen=True, slots=True)
class AssetUse:
    """A model with its queries, or a dataset with its exports and its epsilon (millionths)."""

    id: str
    name: str
    uses: Mapping[str, Use]

    def as_json(self) -> dict[str, Any]:
        """The asset as the command prints it."""
        told = {name: use.as_json() for name, use in self.uses.items()}
        return {"id": self.id, "name": self.name, **told}


def scope_of(key_id: str, version: int) -> str:
    """What pairs of a version are counted for."""
    return f"{key_id} v{version}"


def key_uses(
    picture: Picture, held: Iterable[Held], pooled: Mapping[str, int], limits: Limits
) -> tuple[KeyUse, ...]:
    """Every version of every key, the oldest first."""
    exports, assessed = _exports(picture), _assessed(picture.findings)
    given, spent = _given(picture), {(each.kind, each.scope): each.used for each in picture.spent}
    by_key: defaultdict[str, list[Held]] = defaultdict(list)
    for each in held:
        by_key[each.key].append(each)
    found = []
    for key in picture.keys:
        scope = scope_of(key.key_id, key.version)
        under = exports.get(scope, {})
        noisy, noise_free = (
            _cap(under, assessed, name) for name in ("n_star", "n_star_noise_free")
        )
        found.append(
            KeyUse(
                key=key,
                exports=len(under),
                rows=sum(under.values()),
                noisy=_use(spent.get((PAIRS_NOISY, scope), 0), noisy, limits.oracle_rows),
                noise_free=_use(spent.get((PAIRS_NOISE_FREE, scope), 0), noise_free, None),
                held=tuple(sorted(by_key[scope], key=lambda one: (-one.pairs, one.principal))),
                pooled=pooled.get(scope, 0),
                held_cap=noisy[0],
                by_principal=given.get(scope, {}),
            )
        )
    return tuple(found)


def model_uses(picture: Picture, limits: Limits) -> tuple[AssetUse, ...]:
    """Every model that anybody may ask or asked, with its queries."""
    used = _by_scope(picture.spent, QUERIES)
    found = []
    for thing in picture.things.values():
        if thing.kind != "model":
            continue
        cap = limits.queries.get(thing.id)
        because = "" if cap is not None else "the policies cap no queries"
        use = Use(used.get(thing.id, 0), cap, because, is_open=cap is None)
        found.append(AssetUse(thing.id, thing.name, {QUERIES: use}))
    return tuple(found)


def dataset_uses(picture: Picture, limits: Limits) -> tuple[AssetUse, ...]:
    """Every dataset of which rows left, with how often they did and the epsilon spent on them."""
    rows, epsilon = _by_scope(picture.spent, ROWS), _by_scope(picture.spent, EPSILON)
    largest = _largest_exports(picture)
    most = None if limits.epsilon is None else int(limits.epsilon * MICRO_EPSILON)
    found = []
    for thing in picture.things.values():
        uses = {}
        if thing.id in rows:
            uses[ROWS] = _rows_use(rows[thing.id], largest.get(thing.id, 0), limits.exports)
        if thing.id in epsilon:
            because = "the policies cap no epsilon" if most is None else ""
            uses[EPSILON] = Use(epsilon[thing.id], most, because, is_open=most is None)
        if uses:
            found.append(AssetUse(thing.id, thing.name, uses))
    return tuple(found)


def _rows_use(used: int, n_rows: int, exports: int | None) -> Use:
    if exports is None:
        return Use(used, None, NO_EXPORTS_CAP, is_open=True)
    if n_rows == 0:
        return Use(used, None, "how many rows it has is not known", is_open=True)
    return Use(used, exports * n_rows, f"each of its rows may leave {exports} times")


def _largest_exports(picture: Picture) -> dict[str, int]:
    """How many rows of each source the largest thing that was made of it holds."""
    found: dict[str, int] = {}
    for step in picture.steps:
        if step.kind in _LEAVING:
            most = max((rows_of(picture, made) or 0 for made in step.outputs), default=0)
            found |= {each: max(found.get(each, 0), most) for each in step.inputs}
    return found


def _use(used: int, found: tuple[int | None, str], most: int | None) -> Use:
    cap, because = found
    if most is not None and (cap is None or most < cap):
        return Use(used, most, f"nobody gets more than {most} rows encrypted under one version")
    return Use(used, cap, because)


def _exports(picture: Picture) -> dict[str, dict[str, int]]:
    """The exports under each key version and the rows in each."""
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for step in picture.steps:
        if step.kind != _PROTECT:
            continue
        for made in step.outputs:
            found[step_scope(step)][made] = rows_of(picture, made) or 0
    return found


def step_scope(step: Step) -> str:
    """The key version that a run used; ``""`` where it names none."""
    return scope_in(step.parameters)


def scope_in(told: Mapping[str, Any]) -> str:
    """The key version among parameters or attributes; ``""`` where there is none."""
    key_id, version = told.get("key_id"), told.get("key_version")
    return "" if key_id is None or version is None else scope_of(str(key_id), int(version))


def rows_of(picture: Picture, asset: str) -> int | None:
    """How many rows an asset has, where its maker said."""
    thing = picture.things.get(asset)
    rows = None if thing is None else thing.attributes.get("rows")
    return rows if isinstance(rows, int) else None


def _assessed(findings: Iterable[Finding]) -> dict[str, list[Mapping[str, Any]]]:
    found: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for each in findings:
        if each.action == _ASSESS and "pair_cap" in each.facts:
            found[each.about].append(each.facts)
    return found


def _cap(
    exports: Iterable[str], assessed: Mapping[str, list[Mapping[str, Any]]], n_star: str
) -> tuple[int | None, str]:
    """The lowest cap by any assessment of any export; nothing where one was never assessed."""
    every = [assessed.get(each, []) for each in exports]
    if not every:
        return 0, UNUSED
    if not all(every):
        return 0, NOT_ASSESSED
    caps = [_cap_by(facts, n_star) for each in every for facts in each]
    bound = [cap for cap in caps if cap is not None]
    if not bound:
        return None, UNBOUND
    cap = min(bound)
    return cap, NOT_PROTECTIVE if cap == 0 else "a quarter of the fewest pairs that pass the limit"


def _cap_by(facts: Mapping[str, Any], n_star: str) -> int | None:
    if facts["pair_cap"] == 0:
        return 0
    fewest = facts.get(n_star)
    return None if fewest is None else int(fewest) // CAP_SHARE


def _given(picture: Picture) -> dict[str, dict[str, tuple[int, int]]]:
    """The noisy and noise-free pairs that each principal was given, by key version."""
    noisy: defaultdict[str, Counter[str]] = defaultdict(Counter)
    free: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for each in picture.spent:
        principal, found, scope = each.scope.rpartition(":")
        if found and each.kind in {PAIRS_NOISY, PAIRS_NOISE_FREE}:
            (noisy if each.kind == PAIRS_NOISY else free)[scope][principal] += each.used
    return {
        scope: {
            name: (noisy[scope][name], free[scope][name])
            for name in sorted(noisy[scope].keys() | free[scope].keys())
        }
        for scope in sorted(noisy.keys() | free.keys())
    }


def _by_scope(spent: Iterable[Spent], kind: str) -> dict[str, int]:
    return {each.scope: each.used for each in spent if each.kind == kind}

"""What stands between an asset and who asks, what may still be spent of it, and what mends it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from cipherset.evidence.views.exposure.budgets import (
    EPSILON,
    NO_EXPORTS_CAP,
    NOT_ASSESSED,
    QUERIES,
    ROWS,
    AssetUse,
    KeyUse,
    Use,
)
from cipherset.evidence.views.picture import Thing
from cipherset.evidence.views.risk.facts import Budget, Guard
from cipherset.evidence.views.risk.reach import May
from cipherset.evidence.views.risk.sorts import Origins, Sort

APPROVED: Final = "approved"
_LIMITS: Final = "cipherset policy activate SET   # with {} in [budgets] of its limits.toml"
_KEPT_IN_A_FILE: Final = ("file:", "oskeyring:")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known beside the picture: the policies' answers, budgets, keys and the gateway.

    ``keys``, ``models`` and ``datasets`` are by id; ``bound`` are ids of keys that may be used in
    some places only; ``minimizers`` has the digest of that of each key version; ``exports`` caps
    how often a row leaves, ``tokens`` those of a service, for one principal and day;
    ``knows_rows`` says that the gateway's filter has an index of rows that no reply may repeat.
    """

    may: May
    max_reid: float
    keys: Mapping[str, KeyUse] = field(default_factory=lambda: MappingProxyType({}))
    models: Mapping[str, AssetUse] = field(default_factory=lambda: MappingProxyType({}))
    datasets: Mapping[str, AssetUse] = field(default_factory=lambda: MappingProxyType({}))
    bound: frozenset[str] = frozenset()
    minimizers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    exports: int | None = None
    tokens: int | None = None
    knows_rows: bool = False


def guards_of(sort: Sort, thing: Thing, found: Origins, around: Surroundings) -> tuple[Guard, ...]:
    """The guards that could be there, and which are; none for what has left as a file."""
    match sort:
        case Sort.PLAIN:
            return (_purpose(thing),)
        case Sort.SEALED | Sort.INDEX:
            return ()
        case Sort.KEY:
            return _of_key(thing, around)
        case Sort.MODEL:
            return _of_model(thing, found, around)
        case Sort.SERVICE:
            return _of_service(thing, found, around)


def _purpose(thing: Thing) -> Guard:
    command = f"cipherset scan {thing.name} --purpose PURPOSE"
    return Guard("bound to a purpose", thing.purpose is not None, command)


def _of_key(thing: Thing, around: Surroundings) -> tuple[Guard, ...]:
    use = around.keys.get(thing.id)
    if use is None:
        return ()
    provider, name = use.key.provider, use.key.name
    return (
        Guard(
            "kept where it cannot be copied",
            not provider.startswith(_KEPT_IN_A_FILE),
            f"cipherset key rotate {name} --provider pkcs11:…",
        ),
        Guard(
            "bound to where it is used",
            use.key.key_id in around.bound,
            f"cipherset key bind {name} --only-in host=current",
        ),
    )


def _of_model(thing: Thing, found: Origins, around: Surroundings) -> tuple[Guard, ...]:
    is_served = thing.id in found.deployed
    queries = _queries(thing, around)
    return (
        _approved(thing),
        Guard("served by the gateway alone", is_served, "cipherset deploy BUNDLE"),
        Guard("queries that are capped", queries is not None and queries.cap is not None),
    )


def _of_service(thing: Thing, found: Origins, around: Surroundings) -> tuple[Guard, ...]:
    is_behind = thing.id in found.offered and thing.standing != "retired"
    add = f"cipherset service add {thing.name} --url URL --model MODEL"
    index = "cipherset copies index NAME SOURCE --key KEY --text COL   # then [rows] of guard.toml"
    return (
        _approved(thing),
        Guard("the gateway in front", is_behind, add),
        Guard("prompts looked through", is_behind, add),
        Guard("replies held against its rows", is_behind and around.knows_rows, index),
    )


def _approved(thing: Thing) -> Guard:
    is_approved = thing.standing == APPROVED
    return Guard("approved by others", is_approved, f"cipherset asset approve {thing.id}")


def budgets_of(
    sort: Sort, thing: Thing, key: str | None, around: Surroundings
) -> tuple[Budget, ...]:
    """What of it can be spent; ``key`` is the id of the version that an encrypted set is under."""
    match sort:
        case Sort.PLAIN:
            return _of_dataset(thing, around)
        case Sort.SEALED | Sort.INDEX | Sort.KEY:
            use = around.keys.get(key or "")
            return () if use is None else _pairs(use)
        case Sort.MODEL:
            queries = _queries(thing, around)
            return (
                () if queries is None else (_budget("queries", queries, _LIMITS.format(QUERIES)),)
            )
        case Sort.SERVICE:
            because = "per principal and day"
            is_open = around.tokens is None
            command = _LIMITS.format("tokens") if is_open else ""
            return (Budget("tokens", 0, around.tokens, because, is_open=is_open, command=command),)


def _queries(thing: Thing, around: Surroundings) -> Use | None:
    known = around.models.get(thing.id)
    return None if known is None else known.uses.get(QUERIES)


def _pairs(use: KeyUse) -> tuple[Budget, ...]:
    """Noisy pairs with those that somebody may read on both sides, and noise-free ones."""
    most = max((each.pairs for each in use.held), default=0)
    held = Use(use.noisy.used + most, use.noisy.cap, use.noisy.because)
    rotate = f"cipherset key rotate {use.key.name}"
    pairs = (("noisy pairs", held), ("noise-free pairs", use.noise_free))
    return tuple(_budget(name, one, rotate, is_measured=True) for name, one in pairs)


def _of_dataset(thing: Thing, around: Surroundings) -> tuple[Budget, ...]:
    """Exports and epsilon; a source of which nothing left has all of its exports left."""
    known = around.datasets.get(thing.id)
    is_open = around.exports is None
    because = NO_EXPORTS_CAP if is_open else f"each of its rows may leave {around.exports} times"
    uses = {ROWS: Use(0, around.exports, because, is_open=is_open)}
    uses |= {} if known is None else known.uses
    named = {ROWS: "exported rows", EPSILON: "millionths of epsilon"}
    setting = {ROWS: "exports", EPSILON: "epsilon"}
    return tuple(
        _budget(named[name], use, _LIMITS.format(setting[name]) if use.is_open else "")
        for name, use in uses.items()
    )


def _budget(name: str, use: Use, command: str, *, is_measured: bool = False) -> Budget:
    is_waiting = use.because == NOT_ASSESSED
    return Budget(
        name,
        use.used,
        use.cap,
        use.because,
        is_open=use.is_open,
        is_waiting=is_waiting,
        is_measured=is_measured,
        command="" if is_waiting else command,
    )


def commands_of(sort: Sort, thing: Thing) -> dict[str, str]:
    """The words that mend what is wrong, by what they mend."""
    match sort:
        case Sort.PLAIN:
            return {"label": f"cipherset scan {thing.name}"}
        case Sort.SEALED | Sort.KEY:
            again = "cipherset protect SOURCE --key NAME --to DIR   # and remove this one"
            label = "cipherset scan SOURCE   # what it was made of"
            return {"measure": "cipherset assess DIR", "protect": again, "label": label}
        case Sort.INDEX:
            again = "cipherset index build SOURCE --key NAME --to INDEX"
            label = "cipherset scan SOURCE   # what it was made of"
            return {"measure": again, "protect": again, "label": label}
        case Sort.MODEL:
            return {
                "measure": "cipherset assess DIR   # the export that it was trained on",
                "stop": f"cipherset asset suspend {thing.id}",
            }
        case Sort.SERVICE:
            return {
                "measure": "cipherset redteam",
                "label": "cipherset relabel …",
                "stop": f"cipherset asset suspend {thing.id}",
            }

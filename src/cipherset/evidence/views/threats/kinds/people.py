"""Paths of people who are there: who reads both sides of a key, and what each role could do."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from cipherset.evidence.views.picture import Key, Permission, Thing
from cipherset.evidence.views.threats.attackers import ALONE, BOTH_SIDES, Against, Attacker
from cipherset.evidence.views.threats.known import Known
from cipherset.evidence.views.threats.live import (
    Live,
    grant_stop,
    key_stop,
    person_stop,
    stop,
)
from cipherset.evidence.views.threats.path import Mitigation, Path, Stop

_OPEN = frozenset({"live", "scheduled"})
_DATASET = "dataset:"
WORKSPACE = Stop("workspace", "workspace", "workspace")


@dataclass(frozen=True, slots=True)
class _Role:
    """What whoever has a role could do alone, and over which things."""

    role: str
    holds: str
    goal: str
    over: str


_ROLES = (
    _Role("data-owner", "the plain rows", "take the rows away", "sources"),
    _Role("ingester", "the plain rows, and what is exported of them", "take rows away", "sources"),
    _Role("key-custodian", "the keys", "undo an export that they come by", "keys"),
    _Role("deployer", "what is served, and to whom", "serve what gives rows away", "models"),
    _Role("administrator", "who has which role", "make somebody who may do more", "people"),
)


def both_sides(live: Live, known: Known) -> Iterator[Path]:
    """One path for each principal and key of which they may read plain and encrypted rows."""
    sealed = _granted(live, known.reading.sealed_actions)
    if not sealed:
        return
    plain = _granted(live, known.reading.plain_actions)
    by_role = {
        each.name: frozenset(each.roles) & known.reading.plain_roles
        for each in live.picture.people
        if each.is_active
    }
    exports = {each.id: each for each in live.exports}
    for name, held in sorted(sealed.items()):
        own = plain.get(name, {})
        reached = live.of_all_plain if by_role.get(name) else live.reached_from(own)
        under: defaultdict[str, list[Thing]] = defaultdict(list)
        keys: dict[str, Key] = {}
        for asset in held:
            key = live.key_of(exports[asset]) if asset in exports and asset in reached else None
            if key is not None:
                keys[key.id] = key
                under[key.id].append(exports[asset])
        for key_id, found in sorted(under.items()):
            through = _through(name, by_role.get(name, frozenset()), own, live, found)
            yield _both(name, keys[key_id], found, (through, held), known)


def alone(live: Live, known: Known) -> Iterator[Path]:
    """Where one person may ask and approve there is one path that needs no other."""
    if live.picture.alone and (live.picture.keys or live.sources):
        yield Path(ALONE, WORKSPACE, (WORKSPACE,), mitigations=known.against(ALONE))


def insiders(live: Live, known: Known) -> Iterator[Path]:
    """For each role that somebody has: what it could do, where there is something to do it to."""
    holders: defaultdict[str, list[str]] = defaultdict(list)
    for each in live.picture.people:
        for role in each.roles if each.is_active else ():
            holders[role].append(each.name)
    there = {
        "sources": bool(live.sources),
        "keys": bool(live.picture.keys),
        "models": bool(live.models),
        "people": len(live.picture.people) > 1,
    }
    for one in _ROLES:
        if holders[one.role] and there[one.over]:
            attacker = Attacker(
                f"insider-{one.role}",
                f"whoever is {one.role}",
                one.holds,
                one.goal,
                ("AML.T0012",),
                against=Against.ELEVATION,
            )
            steps = tuple(person_stop(name) for name in sorted(holders[one.role]))
            asset = Stop("workspace", one.over, one.over)
            yield Path(attacker, asset, steps, mitigations=known.against(attacker))


def _granted(live: Live, actions: frozenset[str]) -> dict[str, dict[str, Permission]]:
    """By principal, the datasets that a live grant for one of these acts lets them at."""
    found: dict[str, dict[str, Permission]] = {}
    for grant in live.picture.grants:
        if grant.action in actions and grant.state in _OPEN:
            for name, digest in grant.bound.items():
                if name.startswith(_DATASET):
                    found.setdefault(grant.beneficiary, {}).setdefault(digest, grant)
    return found


def _through(
    name: str,
    roles: frozenset[str],
    own: dict[str, Permission],
    live: Live,
    exports: list[Thing],
) -> tuple[Stop, ...]:
    """By which roles and grants, and in which assets, they may read the plain rows of exports."""
    if roles:
        return tuple(Stop("role", role, f"{name} is {role}") for role in sorted(roles))
    wanted = {each.id for each in exports}
    read = [asset for asset in own if not wanted.isdisjoint(live.reached_from([asset]))]
    grants = {own[asset].id: own[asset] for asset in read}
    return (
        *(grant_stop(grants[each]) for each in sorted(grants)),
        *(live.stop(asset) for asset in sorted(read)),
    )


def _both(
    name: str,
    key: Key,
    found: list[Thing],
    ways: tuple[tuple[Stop, ...], dict[str, Permission]],
    known: Known,
) -> Path:
    through, held = ways
    pairs = sum(int(each.attributes.get("rows", 0)) for each in found)
    grants = {held[each.id].id: held[each.id] for each in found}
    steps = (
        person_stop(name),
        *through,
        *(grant_stop(grants[each]) for each in sorted(grants)),
        *(stop(each) for each in found),
    )
    ids = [each.id for each in found]
    return Path(
        BOTH_SIDES,
        key_stop(key),
        steps,
        principal=name,
        pairs=pairs,
        mitigations=known.against(BOTH_SIDES, _capped(ids, pairs, known)),
        **known.judged(BOTH_SIDES, ids),
    )


def _capped(exports: list[str], pairs: int, known: Known) -> Mitigation | None:
    """The cap of the pairs, where it was measured and these are within it."""
    caps = [known.caps[each] for each in exports if each in known.caps]
    if len(caps) < len(exports):
        return None
    bound = [cap for cap in caps if cap is not None]
    if not bound:
        return Mitigation("measurement", "n*", "no tested number of pairs passes the limit")
    if pairs > min(bound):
        return None
    return Mitigation("budget", "pairs", f"{pairs} pairs of {min(bound)} that may be out")

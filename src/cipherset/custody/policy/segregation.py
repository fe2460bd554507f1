"""Duties that one person may not have at once: by role, and by what they can read together.

Pure functions over what the caller knows; the ledger's reader joins grants with lineage first.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cipherset.custody.policy.limits import Limits
from cipherset.custody.policy.vocabulary import Role


@dataclass(frozen=True, slots=True)
class Clash:
    """Roles that one principal would hold and must not, and why."""

    roles: tuple[Role, ...]
    why: str


def conflicts(roles: Iterable[Role], limits: Limits) -> tuple[Clash, ...]:
    """What speaks against one principal holding all of ``roles``; empty where nothing does."""
    held = frozenset(roles)
    clashes = [
        Clash(tuple(sorted(together)), each.why)
        for each in limits.conflicts
        if len(together := held & each.roles) > 1
    ]
    if len(held) > 1:
        clashes += [
            Clash(tuple(sorted(held)), why)
            for role, why in limits.exclusive.items()
            if role in held
        ]
    return tuple(clashes)


@dataclass(frozen=True, slots=True)
class Access:
    """That ``principal`` may read ``asset`` (an id); ``through`` names the grant or role."""

    principal: str
    asset: str
    through: str


@dataclass(frozen=True, slots=True)
class Derivation:
    """That ``rows`` rows of ``ciphertext`` are rows of ``source``, encrypted under ``key``.

    ``key`` names what pairs are counted for: a key id with its version. ``source`` is any plain
    asset that they can be read in, however far up; a row that is named under two sources counts
    twice for whoever may read both.
    """

    source: str
    ciphertext: str
    key: str
    rows: int


@dataclass(frozen=True, slots=True)
class Exposed:
    """Pairs that ``principal`` would hold of ``key``, above its cap.

    ``plain`` and ``ciphertext`` are what they may read on either side.
    """

    principal: str
    key: str
    pairs: int
    cap: int
    plain: tuple[Access, ...]
    ciphertext: tuple[Access, ...]


def exposed(
    accesses: Iterable[Access],
    derivations: Iterable[Derivation],
    caps: Mapping[str, int | None],
) -> tuple[Exposed, ...]:
    """Each principal and key of which they may read more pairs than the cap.

    A row of a ciphertext whose plain row the same principal may read is one pair (design.md §6);
    the same row in two exports is two, for their noise averages. ``caps`` is ``None`` where pairs
    do not bind; a key that it does not name has a cap of 0: nothing was measured.
    """
    reads: defaultdict[str, dict[str, list[Access]]] = defaultdict(lambda: defaultdict(list))
    for access in accesses:
        reads[access.principal][access.asset].append(access)
    known = sorted(set(derivations), key=lambda each: (each.key, each.ciphertext, each.source))
    found = []
    for principal, assets in sorted(reads.items()):
        both: defaultdict[str, list[Derivation]] = defaultdict(list)
        for each in known:
            if each.source in assets and each.ciphertext in assets:
                both[each.key].append(each)
        for key, joined in both.items():
            cap, pairs = caps.get(key, 0), sum(each.rows for each in joined)
            if cap is not None and pairs > cap:
                plain = _accesses(assets, (each.source for each in joined))
                ciphertext = _accesses(assets, (each.ciphertext for each in joined))
                found.append(Exposed(principal, key, pairs, cap, plain, ciphertext))
    return tuple(found)


def refused_with(
    new: Iterable[Access],
    accesses: Iterable[Access],
    derivations: Iterable[Derivation],
    caps: Mapping[str, int | None],
) -> tuple[tuple[Exposed, tuple[Access, ...]], ...]:
    """What ``new`` would expose above a cap, each with the *other* accesses that it clashes with.

    What is above the cap already without ``new``, and no worse with it, is not told again.
    """
    proposed, held = frozenset(new), frozenset(accesses)
    known = tuple(derivations)
    before = {(each.principal, each.key): each.pairs for each in exposed(held, known, caps)}
    worse = [
        each
        for each in exposed(held | proposed, known, caps)
        if each.pairs > before.get((each.principal, each.key), 0)
    ]
    return tuple(
        (each, tuple(a for a in (*each.plain, *each.ciphertext) if a not in proposed))
        for each in worse
    )


def _accesses(assets: Mapping[str, list[Access]], ids: Iterable[str]) -> tuple[Access, ...]:
    return tuple(
        access
        for asset in sorted(set(ids))
        for access in sorted(assets[asset], key=lambda each: each.through)
    )

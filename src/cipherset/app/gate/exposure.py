"""Who may read plain rows holds no grant on their encrypted rows beyond the cap of the key.

Static exposure: whoever may read both sides of an export holds a pair for every row of it. What
each may read is joined from live grants and roles, what belongs together from the runs.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from cipherset.app.gate.about import About
from cipherset.app.gate.facts import asked_for, principal_now, principal_of, standing_of
from cipherset.core.errors import PolicyError
from cipherset.custody.ledger import Outcome, Run, Transaction
from cipherset.custody.ledger.access import requests
from cipherset.custody.ledger.records import all_runs, events_of, find_asset, runs_of
from cipherset.custody.policy import (
    Access,
    Action,
    Derivation,
    GrantRequest,
    Kind,
    Role,
    State,
    decode_request,
    exposed,
    refused_with,
)

if TYPE_CHECKING:
    from cipherset.app.gate.gate import Gate

# What shows plain rows, and what hands out encrypted ones.
PLAIN: Final = frozenset(
    {
        Action.SCAN,
        Action.SANITIZE,
        Action.PROTECT,
        Action.INDEX,
        Action.CALIBRATE,
        Action.DETOKENIZE,
    }
)
CIPHERTEXT: Final = frozenset({Action.EXPORT})
# Whose work is on plain rows, whatever dataset they are of.
PLAIN_ROLES: Final = (Role.DATA_OWNER, Role.INGESTER)
_PROTECT: Final = "protect"


def check_exposure(transaction: Transaction, gate: "Gate", asked: GrantRequest) -> None:
    """Refuse a request that would let its beneficiary hold more pairs than a key's cap.

    Raises:
        PolicyError: ``exposure_join``: the message names what it clashes with.
    """
    if gate.policies(transaction).limits.grants.self_approval:
        return  # one person has everything already, and the ledger says so
    name, new = asked.beneficiary, _accesses(asked)
    if not new:
        return  # it shows no rows
    derivations = _derivations(transaction, all_runs(transaction.connection))
    held = [
        *_by_role(name, _roles(transaction, gate, name), derivations),
        *_by_grant(transaction, gate, name),
    ]
    _refuse_clash(transaction, new, held, derivations)


def held_pairs(transaction: Transaction, gate: "Gate", name: str, key: str) -> int:
    """How many rows of exports under ``key`` the principal may read on both sides, by now.

    0 where one person does everything: they have all there is, and the ledger says so.
    """
    if gate.policies(transaction).limits.grants.self_approval:
        return 0
    runs = all_runs(transaction.connection)
    known = tuple(each for each in _derivations(transaction, runs) if each.key == key)
    accesses = (
        *_by_role(name, _roles(transaction, gate, name), known),
        *_by_grant(transaction, gate, name),
    )
    return sum(each.pairs for each in exposed(accesses, known, {key: -1}))


def check_roles(transaction: Transaction, gate: "Gate", name: str, roles: Iterable[Role]) -> None:
    """Refuse roles that, with the grants somebody has, would hold more pairs than a key's cap.

    Raises:
        PolicyError: ``exposure_join``.
    """
    if gate.policies(transaction).limits.grants.self_approval:
        return
    held = list(_by_grant(transaction, gate, name))
    derivations = _derived(transaction, held)
    _refuse_clash(transaction, _by_role(name, frozenset(roles), derivations), held, derivations)


def check_use(transaction: Transaction, gate: "Gate", action: Action, about: About) -> None:
    """Refuse to show plain rows to who has a grant on more of their encrypted ones than the cap.

    The grant was checked when it was asked for and approved; since then there may be another
    export, another cap or another role. What it costs grows with the grants of the one who asks,
    not with the ledger: most have none on encrypted rows, and then one query is all.

    Raises:
        PolicyError: ``exposure_join``.
    """
    if action not in PLAIN or about.kind is not Kind.DATASET:
        return
    if gate.policies(transaction).limits.grants.self_approval:
        return
    name = gate.who.name
    held = [
        access
        for sealed in sorted(CIPHERTEXT)
        for access in _by_grant(transaction, gate, name, sealed)
    ]
    derivations = _derived(transaction, held)
    plain = [Access(name, about.id, f"{action} of {about.name}")]
    _refuse_clash(transaction, plain, held, derivations)


def _refuse_clash(
    transaction: Transaction,
    new: Sequence[Access],
    held: Sequence[Access],
    derivations: tuple[Derivation, ...],
) -> None:
    if not new or not derivations:
        return
    found = refused_with(new, held, derivations, _caps(transaction, derivations))
    if not found:
        return
    over, others = found[0]
    through = ", ".join(sorted({access.through for access in others}))
    raise PolicyError(
        f"{over.principal} would hold {over.pairs} pairs of plain and encrypted rows under "
        f"{over.key}, whose cap is {over.cap}; it clashes with {through}",
        code="exposure_join",
        hint="let another person have it, or revoke the other first: cipherset grant revoke ID",
    )


def _accesses(asked: GrantRequest) -> list[Access]:
    if asked.action not in PLAIN | CIPHERTEXT:
        return []
    prefix = f"{Kind.DATASET}:"
    return [
        Access(asked.beneficiary, digest, asked.id)
        for name, digest in asked.bound.items()
        if name.startswith(prefix)
    ]


def _by_grant(
    transaction: Transaction, gate: "Gate", name: str, action: Action | None = None
) -> Iterator[Access]:
    """What somebody's grants let them read: all of them, or those for one action."""
    stored = (
        requests(transaction.connection) if action is None else asked_for(transaction, action, name)
    )
    for each in stored:
        asked = decode_request(each.request.encode())
        if asked.beneficiary != name:
            continue
        state = standing_of(transaction, gate, asked, asked.bound).state
        if state in {State.LIVE, State.SCHEDULED}:
            yield from _accesses(asked)


def _roles(transaction: Transaction, gate: "Gate", name: str) -> frozenset[Role]:
    stored = principal_now(transaction, name)
    return principal_of(name, stored, gate.policies(transaction)).roles


def _by_role(
    name: str, roles: frozenset[Role], derivations: tuple[Derivation, ...]
) -> list[Access]:
    return [
        Access(name, each.source, f"the role {role}")
        for each in derivations
        for role in PLAIN_ROLES
        if role in roles
    ]


def _derived(transaction: Transaction, held: Iterable[Access]) -> tuple[Derivation, ...]:
    """Where the encrypted rows that can be read came from: what else there is makes no pair."""
    assets = sorted({access.asset for access in held})
    runs = {
        run.id: run
        for asset in assets
        for run in runs_of(transaction.connection, asset)
        if asset in run.outputs
    }
    return _derivations(transaction, runs.values())


def _derivations(transaction: Transaction, runs: Iterable[Run]) -> tuple[Derivation, ...]:
    """Which rows of which export came from which source, under which key version."""
    found = []
    for run in runs:
        if run.kind != _PROTECT:
            continue
        key = f"{run.parameters['key_id']} v{run.parameters['key_version']}"
        for made in run.outputs:
            asset = find_asset(transaction.connection, made)
            rows = 0 if asset is None else int(asset.attributes["rows"])
            found += [Derivation(source, made, key, rows) for source in run.inputs]
    return tuple(found)


def _caps(transaction: Transaction, derivations: tuple[Derivation, ...]) -> dict[str, int | None]:
    """The cap of each key by its exports' latest assessments, the lowest; 0 where none was made."""
    latest: dict[str, int | None] = {}
    for event in events_of(transaction.connection, Action.ASSESS, Outcome.DONE):
        body = json.loads(event.body)
        if "manifest" in body:
            cap = body["pair_cap"]
            latest[body["manifest"]] = _lowest(latest.get(body["manifest"], cap), cap)
    caps: dict[str, int | None] = {}
    for each in derivations:
        cap = latest.get(each.ciphertext, 0)
        known = caps.get(each.key, cap)
        caps[each.key] = _lowest(known, cap)
    return caps


def _lowest(one: int | None, other: int | None) -> int | None:
    bound = [cap for cap in (one, other) if cap is not None]
    return min(bound) if bound else None

"""Who may read plain rows holds no grant on their encrypted rows beyond the cap of the key.

Static exposure: whoever may read both sides of an export holds a pair for every row of it. What
each may read is joined from live grants and roles, what belongs together from the runs.
"""

import json
from collections.abc import Iterator
from typing import Final

from cipherset.app.gate import Action
from cipherset.app.gate.facts import principal_of, standing_of
from cipherset.app.workspace import Workspace
from cipherset.core.errors import PolicyError
from cipherset.custody.ledger import Outcome, Transaction
from cipherset.custody.ledger.access import find_principal, requests
from cipherset.custody.ledger.records import all_runs, events_of, find_asset
from cipherset.custody.policy import (
    Access,
    Derivation,
    GrantRequest,
    Kind,
    Role,
    State,
    decode_request,
    exposed,
    refused_with,
)

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
_PLAIN_ROLES: Final = (Role.DATA_OWNER, Role.INGESTER)
_PROTECT: Final = "protect"


def check_exposure(transaction: Transaction, workspace: Workspace, asked: GrantRequest) -> None:
    """Refuse a request that would let its beneficiary hold more pairs than a key's cap.

    Raises:
        PolicyError: ``exposure_join``: the message names what it clashes with.
    """
    if workspace.gate.policies(transaction).limits.grants.self_approval:
        return  # one person has everything already, and the ledger says so
    derivations = tuple(_derivations(transaction))
    held = [
        *_by_role(transaction, workspace, asked.beneficiary, derivations),
        *_by_grant(transaction, workspace, asked.beneficiary),
    ]
    found = refused_with(_accesses(asked), held, derivations, _caps(transaction, derivations))
    if not found:
        return
    over, others = found[0]
    through = ", ".join(sorted({access.through for access in others}))
    raise PolicyError(
        f"{asked.beneficiary} would hold {over.pairs} pairs of plain and encrypted rows under "
        f"{over.key}, whose cap is {over.cap}; it clashes with {through}",
        code="exposure_join",
        hint="let another person have it, or revoke the other first: cipherset grant revoke ID",
    )


def held_pairs(transaction: Transaction, workspace: Workspace, name: str, key: str) -> int:
    """How many rows of exports under ``key`` the principal may read on both sides, by now.

    0 where one person does everything: they have all there is, and the ledger says so.
    """
    if workspace.gate.policies(transaction).limits.grants.self_approval:
        return 0
    known = tuple(each for each in _derivations(transaction) if each.key == key)
    accesses = (
        *_by_role(transaction, workspace, name, known),
        *_by_grant(transaction, workspace, name),
    )
    return sum(each.pairs for each in exposed(accesses, known, {key: -1}))


def _accesses(asked: GrantRequest) -> list[Access]:
    if asked.action not in PLAIN | CIPHERTEXT:
        return []
    prefix = f"{Kind.DATASET}:"
    return [
        Access(asked.beneficiary, digest, asked.id)
        for name, digest in asked.bound.items()
        if name.startswith(prefix)
    ]


def _by_grant(transaction: Transaction, workspace: Workspace, name: str) -> Iterator[Access]:
    for stored in requests(transaction.connection):
        asked = decode_request(stored.request.encode())
        if asked.beneficiary != name:
            continue
        state = standing_of(transaction, workspace.gate, asked, asked.bound).state
        if state in {State.LIVE, State.SCHEDULED}:
            yield from _accesses(asked)


def _by_role(
    transaction: Transaction,
    workspace: Workspace,
    name: str,
    derivations: tuple[Derivation, ...],
) -> list[Access]:
    stored = find_principal(transaction.connection, name)
    roles = principal_of(name, stored, workspace.gate.policies(transaction)).roles
    return [
        Access(name, each.source, f"the role {role}")
        for each in derivations
        for role in _PLAIN_ROLES
        if role in roles
    ]


def _derivations(transaction: Transaction) -> Iterator[Derivation]:
    """Which rows of which export came from which source, under which key version."""
    for run in all_runs(transaction.connection):
        if run.kind != _PROTECT:
            continue
        key = f"{run.parameters['key_id']} v{run.parameters['key_version']}"
        for made in run.outputs:
            asset = find_asset(transaction.connection, made)
            rows = 0 if asset is None else int(asset.attributes["rows"])
            for source in run.inputs:
                yield Derivation(source, made, key, rows)


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

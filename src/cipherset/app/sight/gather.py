"""The picture of a workspace, read in one transaction that nobody waits for."""

import gc
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from weakref import WeakKeyDictionary

from cipherset.app.access.grants import Grant, grants_in
from cipherset.app.assess.finding import suite_digest
from cipherset.app.gate import Action
from cipherset.app.gate.about import key_digest
from cipherset.app.gate.facts import ACTIVE
from cipherset.app.workspace import Workspace
from cipherset.custody.keys import KeyInfo
from cipherset.custody.ledger import Asset, Event, Ledger, Run, Transaction
from cipherset.custody.ledger.access import StoredPrincipal, principals
from cipherset.custody.ledger.budgets import all_spent
from cipherset.custody.ledger.records import (
    all_assets,
    all_runs,
    extent,
    measurements,
    notices_since,
)
from cipherset.custody.policy import Kind
from cipherset.evidence.views import standings
from cipherset.evidence.views.picture import (
    Finding,
    Key,
    Notice,
    Permission,
    Person,
    Picture,
    Spent,
    Thing,
)

# Older than that, an alert or a refusal is for the audit.
LATELY: Final = timedelta(days=30)
_Made = tuple[tuple[Run, ...], Mapping[str, Thing]]
# Of a ledger that is kept open by a process that answers many; gone with it.
_KEPT: Final[WeakKeyDictionary[Ledger, tuple[object, _Made]]] = WeakKeyDictionary()
# Training at the gate measures membership, and building an index what it gives away.
_MEASURED: Final = (
    Action.ASSESS.value,
    Action.REDTEAM.value,
    Action.TRAIN_AT_GATE.value,
    Action.INDEX.value,
)
_NAMES: Final = ("manifest", "model", "asset", "bundle")


def picture(workspace: Workspace) -> Picture:
    """Everything that views are computed from; whether it may be seen was asked before.

    Raises:
        IntegrityError: ``ledger_corrupt``, ``label_schema``, ``principal_changed``.
        BackendError: ``ledger_unreadable``.
    """
    keys = tuple(_keys(workspace.ring.list()))
    return workspace.gate.ledger.look(lambda work: _picture(work, workspace, keys))


def _picture(work: Transaction, workspace: Workspace, keys: tuple[Key, ...]) -> Picture:
    steps, things = _made(work, workspace.gate.ledger, keys)
    policies = workspace.gate.policies(work)
    since = (work.now - LATELY).isoformat(timespec="microseconds")
    return Picture(
        now=work.now,
        events=work.last_seq,
        policy=policies.digest,
        alone=policies.limits.grants.self_approval,
        things=things,
        steps=steps,
        keys=keys,
        findings=tuple(_findings(measurements(work.connection, _MEASURED))),
        people=tuple(map(_person, principals(work.connection))),
        grants=tuple(map(_permission, grants_in(work, workspace))),
        spent=tuple(Spent(each.kind, each.scope, each.used) for each in all_spent(work)),
        notices=tuple(map(_notice, notices_since(work.connection, since))),
    )


def _made(work: Transaction, ledger: Ledger, keys: tuple[Key, ...]) -> _Made:
    """Runs and things; as they were at the last look where none was added or ended since.

    Of tens of thousands this is nearly all the work of a look, and most looks change nothing.
    """
    now = (extent(work.connection), keys)
    kept = _KEPT.get(ledger)
    if kept is not None and kept[0] == now:
        return kept[1]
    with _uncollected():
        steps = all_runs(work.connection)
        made = steps, _things(all_assets(work.connection), steps, keys)
    _KEPT[ledger] = now, made
    return made


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector: it would walk over all that is made, again and again, half the time.

    Nothing made inside is garbage, and it is short.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _keys(infos: Iterable[KeyInfo]) -> Iterable[Key]:
    for info in infos:
        for known in info.versions:
            yield Key(
                id=key_digest(info.key_id, known.version),
                key_id=info.key_id,
                name=info.name,
                version=known.version,
                status=known.status.value,
                provider=known.provider,
                purpose=info.purpose,
                created=known.created,
            )


def _things(
    assets: Iterable[Asset], steps: tuple[Run, ...], keys: Iterable[Key]
) -> Mapping[str, Thing]:
    """Every asset, and every version of a key, whether anybody wrote it down or not."""
    labels, stale = standings.all_labels(steps), standings.all_stale(steps)
    stand, purposes = standings.all_standings(steps), standings.all_purposes(steps)
    known = {
        each.id: Thing(
            id=each.id,
            kind=each.kind,
            name=each.name,
            created=each.created,
            attributes=each.attributes,
            label=labels.get(each.id),
            standing=stand.get(each.id, "proposed"),
            owner=each.attributes.get("owner"),
            purpose=each.attributes.get("purpose") or purposes.get(each.id),
            is_stale=each.id in stale,
        )
        for each in assets
    }
    for key in keys:
        thing = known.get(key.id) or Thing(key.id, Kind.KEY.value, key.name, key.created)
        known[key.id] = replace(thing, purpose=thing.purpose or key.purpose or None)
    return known


def _findings(events: Iterable[Event]) -> Iterable[Finding]:
    today = suite_digest()
    for event in events:
        facts = _body(event)
        about = next((facts[name] for name in _NAMES if facts.get(name)), None)
        if about is not None:
            fresh = facts.get("suite", today) == today
            yield Finding(event.seq, event.time, event.actor, event.action, about, fresh, facts)


def _notice(event: Event) -> Notice:
    return Notice(
        event.seq,
        event.time,
        event.actor,
        event.action,
        event.subject,
        event.outcome,
        _body(event),
    )


def _body(event: Event) -> dict[str, Any]:
    try:
        found = json.loads(event.body)
    except ValueError:  # somebody's edit; verify finds it
        return {}
    return found if isinstance(found, dict) else {}


def _person(stored: StoredPrincipal) -> Person:
    return Person(
        stored.name, tuple(stored.roles), stored.status == ACTIVE, stored.public_key is not None
    )


def _permission(grant: Grant) -> Permission:
    asked, found = grant.request, grant.status
    return Permission(
        id=asked.id,
        action=asked.action.value,
        beneficiary=asked.beneficiary,
        requester=asked.requester,
        purpose=asked.purpose,
        state=found.state.value,
        because=found.because,
        bound=asked.bound,
        created=asked.created.isoformat(timespec="microseconds"),
        until=None if found.until is None else found.until.isoformat(timespec="microseconds"),
        accepts_risk=asked.accepts_risk,
        approved_by=found.approved_by,
        lacking={str(role): n for role, n in (found.lacking or {}).items()},
    )

"""What an alert stops, where the limits say that it does: grants, or else what was used.

The live grants of the principal over the action in question are revoked, by a vote of the
workspace's own. Who acted without a grant is stopped by suspending the assets of the burst: for
everybody, until they are approved again. Nothing is suspended for refusals: whoever is refused
could otherwise stop the work of others.
"""

from collections.abc import Iterable
from typing import Final

from cipherset.app.gate.assets import SUSPEND
from cipherset.app.gate.facts import standing_of
from cipherset.app.watching.traffic import Seen
from cipherset.app.workspace import Workspace
from cipherset.custody.ledger import RunStatus, Transaction
from cipherset.custody.ledger.access import StoredVote, add_vote, requests
from cipherset.custody.ledger.records import find_asset
from cipherset.custody.policy import (
    GrantRequest,
    State,
    Vote,
    VoteKind,
    decode_request,
    sign_vote,
)
from cipherset.evidence.watch import Alert, AlertKind

WATCH: Final = "watch"
_BY_AMOUNT: Final = frozenset({AlertKind.BULK, AlertKind.DRIP})


def stop(
    transaction: Transaction, workspace: Workspace, alert: Alert, seen: Iterable[Seen]
) -> list[str]:
    """Stop what ``alert`` is about, and say what was stopped: ids of grants or of assets."""
    revoked = _revoke(transaction, workspace, alert)
    if revoked or alert.kind not in _BY_AMOUNT:
        return revoked
    return _suspend(transaction, alert, seen)


def _revoke(transaction: Transaction, workspace: Workspace, alert: Alert) -> list[str]:
    revoked = []
    for stored in requests(transaction.connection):
        asked = decode_request(stored.request.encode())
        is_theirs = asked.beneficiary == alert.principal
        if not is_theirs or alert.action not in {None, asked.action.value}:
            continue
        found = standing_of(transaction, workspace.gate, asked, asked.bound)
        if found.state in {State.LIVE, State.SCHEDULED}:
            _vote(transaction, workspace, asked, alert)
            revoked.append(asked.id)
    return revoked


def _vote(
    transaction: Transaction, workspace: Workspace, asked: GrantRequest, alert: Alert
) -> None:
    comment = f"{alert.kind} since {alert.since:%Y-%m-%dT%H:%M}Z"
    cast = Vote(WATCH, VoteKind.REVOKE, (), transaction.now, comment)
    ballot = sign_vote(asked, cast, workspace.ring.signer())
    time = transaction.now.isoformat(timespec="microseconds")
    kept = StoredVote(asked.id, WATCH, VoteKind.REVOKE.value, time, ballot.envelope.decode())
    add_vote(transaction.connection, kept)


def _suspend(transaction: Transaction, alert: Alert, seen: Iterable[Seen]) -> list[str]:
    used = {
        each.sighting.asset: each.kind
        for each in seen
        if _is_of(alert, each) and each.sighting.asset is not None and each.kind is not None
    }
    for asset, kind in sorted(used.items()):
        if find_asset(transaction.connection, asset) is None:
            name = f"{kind} {asset[:23]}"
            transaction.record_asset(asset, actor=WATCH, kind=kind, name=name, attributes={})
        run = transaction.start_run(SUSPEND, actor=WATCH, inputs=[asset], parameters={})
        transaction.finish_run(run.id, status=RunStatus.DONE)
    return sorted(used)


def _is_of(alert: Alert, each: Seen) -> bool:
    sighting = each.sighting
    return (
        sighting.principal == alert.principal
        and sighting.action == alert.action
        and not sighting.is_refused
        and alert.since <= sighting.at < alert.until
    )

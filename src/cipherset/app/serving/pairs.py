"""What one answer that holds a pair costs: known pairs of a key, for all and for who asks.

A pair is a plain input and what the key made of it. ``encrypt`` gives noisy ones; a prediction
with probabilities gives one without noise, for they can be inverted to the query (evidence.md,
control 7). The cap is a quarter of the fewest pairs that passed the limit of any export under the
key, noisy and noise-free apart: where one was never assessed, nothing is known and none is given.

Whoever may read plain rows and their encrypted rows holds those noisy pairs already; they count.
"""

import json
from typing import Any, Final

from cipherset.app.gate import Action, Gate
from cipherset.app.gate.exposure import held_pairs
from cipherset.app.workspace import Workspace
from cipherset.core.errors import PolicyError
from cipherset.core.protocols import KeyVersion
from cipherset.custody.ledger import PAIRS_NOISE_FREE, PAIRS_NOISY, Outcome, Transaction
from cipherset.custody.ledger.budgets import Debit
from cipherset.custody.ledger.records import all_runs, events_of
from cipherset.evidence.views.exposure.budgets import CAP_SHARE

_PROTECT: Final = "protect"
_ASSESS: Final = "assess it first: cipherset assess DIR"


def pair_debits(
    workspace: Workspace, key: KeyVersion, principal: str, n: int, *, noisy: bool
) -> tuple[Debit, ...]:
    """What ``n`` pairs cost: one debit for the key version, one for ``principal`` and it.

    Noisy ones end at ``oracle_rows`` of the limits, wherever the measured cap is higher.

    Spend both with the answer, or give none.

    Raises:
        PolicyError: ``not_assessed``: an export under that version, or all there is, was never
            measured; ``not_protective``: an attack without a pair passes the limit already.
    """
    return workspace.gate.ledger.transact(
        lambda transaction: pair_debits_in(
            transaction, workspace.gate, key, principal, n, noisy=noisy
        )
    )


def pair_debits_in(
    transaction: Transaction, gate: Gate, key: KeyVersion, principal: str, n: int, *, noisy: bool
) -> tuple[Debit, ...]:
    """``pair_debits`` within the transaction that decides.

    Raises:
        PolicyError: ``not_assessed``, ``not_protective``.
    """
    scope = scope_of(key)
    left = pair_cap(transaction, key, noisy=noisy)
    if noisy:
        held = held_pairs(transaction, gate, principal, scope)
        most = gate.policies(transaction).limits.budgets.oracle_rows
        left = most if left is None else min(max(left - held, 0), most)
    kind = PAIRS_NOISY if noisy else PAIRS_NOISE_FREE
    return (Debit(kind, scope, n, left), Debit(kind, f"{principal}:{scope}", n, left))


def pair_cap(transaction: Transaction, key: KeyVersion, *, noisy: bool) -> int | None:
    """How many pairs of a key version may be out in all; None where they do not bind.

    Raises:
        PolicyError: ``not_assessed``, ``not_protective``.
    """
    exports = _exports(transaction, key)
    caps: list[int | None] = []
    for event in events_of(transaction.connection, Action.ASSESS, Outcome.DONE):
        body = json.loads(event.body)
        if body.get("manifest") in exports:
            exports[body["manifest"]] = True
            caps.append(_cap(body, noisy=noisy))
    if not caps or not all(exports.values()):
        raise PolicyError(
            f"how many known pairs {scope_of(key)} bears is not known: of {len(exports)} exports "
            f"under it {sum(exports.values())} were assessed",
            code="not_assessed",
            hint=_ASSESS,
        )
    bound = [cap for cap in caps if cap is not None]
    if 0 in bound:
        raise PolicyError(
            f"no pair of {scope_of(key)} may be known: the limit is passed with fewer than "
            f"{CAP_SHARE}",
            code="not_protective",
            hint="ask for labels only, or protect the rows better under another key",
        )
    return min(bound, default=None)


def scope_of(key: KeyVersion) -> str:
    """What pairs are counted for."""
    return f"{key.key_id} v{key.version}"


def _cap(body: dict[str, Any], *, noisy: bool) -> int | None:
    """The cap by one assessment's event; 0 where an attack without pairs passes."""
    if body["pair_cap"] == 0:
        return 0
    n_star = body["n_star"] if noisy else body["n_star_noise_free"]
    return None if n_star is None else int(n_star) // CAP_SHARE


def _exports(transaction: Transaction, key: KeyVersion) -> dict[str, bool]:
    """The exports under a key version, by their manifests, and that none is known as assessed."""
    wanted = (key.key_id, key.version)
    return {
        made: False
        for run in all_runs(transaction.connection)
        if run.kind == _PROTECT
        and (run.parameters.get("key_id"), run.parameters.get("key_version")) == wanted
        for made in run.outputs
    }

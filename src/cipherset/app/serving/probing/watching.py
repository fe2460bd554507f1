"""Who probes a deployed model: each caller's queries watched, slowed and refused, and told of.

What is watched are encrypted queries of the full width, in memory. The yardstick is made of the
rows that the model's export holds sealed, when the model is first asked; where they are too few,
queries are counted only. What is unusual becomes an alert in the ledger, which revokes the caller's
grants where the policy says so of ``probing``.
"""

import secrets
import threading
from datetime import datetime
from functools import partial
from typing import Final

import numpy as np

from cipherset.app.gate import Act, Action
from cipherset.app.serving.models.deployments import Deployed, Opened
from cipherset.app.serving.models.sandbox.process import Answers
from cipherset.app.watching.watch import write_alert
from cipherset.app.workspace import Workspace
from cipherset.core.errors import PolicyError
from cipherset.core.manifest import Task
from cipherset.core.values import Float32s
from cipherset.custody.ledger.budgets import Debit, rate_kind
from cipherset.evidence.watch import Alert, AlertKind
from cipherset.guard.probing import FEWEST_ROWS, Monitor, Observed, Verdict, learn_usual
from cipherset.guard.probing.usual import MOST_ROWS

# What is left to somebody who asks unusual things: enough to read the answers, not to learn from.
SLOW_PER_MINUTE: Final = 10
EVERYBODY: Final = "*"
_SEED_BITS: Final = 128


class ProbingWatch:
    """The monitors of all deployed models, by digest; for many threads."""

    def __init__(self) -> None:
        """Nobody asked yet."""
        self._monitors: dict[str, Monitor | None] = {}
        self._lock = threading.Lock()

    def admit(self, act: Act, model: Deployed, n: int, now: datetime) -> None:
        """Let ``n`` queries of the act's caller go on, or slow them down, or refuse them.

        Raises:
            PolicyError: ``probing``: not for a while; ``budget``: not in this minute.
        """
        monitor = self._monitors.get(model.bundle.digest)
        if monitor is None:
            return
        caller = act.gate.actor
        verdict = monitor.verdict(caller, now)
        if verdict is Verdict.REFUSE:
            raise refused()
        if verdict is Verdict.SLOW:
            scope = f"{caller}:{model.bundle.digest}:slow"
            act.spend(Debit(rate_kind(now), scope, n, SLOW_PER_MINUTE))

    def observe(
        self,
        workspace: Workspace,
        asked: tuple[Deployed, Opened],
        given: tuple[Float32s, Answers],
        now: datetime,
    ) -> None:
        """Add plain vectors and what the model said to them, before anybody is told.

        Raises:
            PolicyError: ``probing``: with these queries in it, the caller is refused.
            BackendError: an alert cannot be written.
        """
        model, opened = asked
        monitor = self._monitor(model, opened)
        if monitor is None:
            return
        x, answers = given
        queries = opened.gateway.queries(x, at_gate=True)
        caller = workspace.gate.actor
        seen = monitor.observe(caller, queries, _codes(model, answers), now)
        _tell(workspace, seen, now)
        if seen.verdict is Verdict.REFUSE:
            raise refused()

    def _monitor(self, model: Deployed, opened: Opened) -> Monitor | None:
        digest = model.bundle.digest
        with self._lock:
            if digest not in self._monitors:
                self._monitors[digest] = _made(model, opened)
            return self._monitors[digest]


def refused() -> PolicyError:
    """To whoever probes; which sign gave it away is for the owner alone."""
    return PolicyError(
        "these queries are not of the kind that this model is for",
        code="probing",
        hint="ask again in an hour; whoever runs the gateway sees why in: cipherset audit watch",
    )


def _made(model: Deployed, opened: Opened) -> Monitor | None:
    """None where the rows are too few to say what is usual."""
    rng = np.random.default_rng(secrets.randbits(_SEED_BITS))
    rows = opened.gateway.sample(MOST_ROWS, rng)
    if len(rows) < FEWEST_ROWS:
        return None
    asked = opened.gateway.queries(rows, at_gate=model.bundle.manifest.at_gate)
    codes = _codes(model, opened.worker.run(asked))
    queries = opened.gateway.queries(rows, at_gate=True)
    manifest = model.bundle.manifest
    n_classes = len(manifest.classes) if manifest.task is Task.CLASSIFICATION else 1
    return Monitor(learn_usual(queries, codes, n_classes, rng=rng))


def _codes(model: Deployed, answers: Answers) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The classes; one for all where the model gives numbers, which have no boundary to walk.

    One for all sets of labels too: most walks along one label's boundary change no other.
    """
    if model.bundle.manifest.task is not Task.CLASSIFICATION:
        return np.zeros(len(answers.labels), dtype=np.int64)
    return np.asarray(answers.labels, dtype=np.int64).reshape(-1)


def _tell(workspace: Workspace, seen: Observed, now: datetime) -> None:
    gate = workspace.gate
    for principal, signs in ((gate.actor, seen.signs), (EVERYBODY, seen.together)):
        if not signs:
            continue
        found = max(signs.values())
        alert = Alert(AlertKind.PROBING, principal, Action.PREDICT.value, now, now, found, 1.0)
        gate.ledger.transact(partial(write_alert, workspace=workspace, alert=alert, seen=()))

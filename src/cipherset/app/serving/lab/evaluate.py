"""``evaluate`` as a service: an uploaded model scored on the sealed test rows of its cipherset.

The order is: decide, written down; a bundle that was scored before gets the same answer and costs
nothing; a first run on a vector of zeros, which tells of no row whether the model works at all;
then the budget is debited; then each row by itself; then the figures with noise, written down.

A model that ends its worker on a row told something by that, once: it costs the principal all that
is left of their budget for this source.

Source: that scores of a holdout stay valid for models that were chosen by earlier scores, if each
is told with noise and few are: C. Dwork et al., The reusable holdout, Science 349(6248), 2015.
"""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from cipherset.app.gate import About, Act, Action, Fact, Moment
from cipherset.app.gateway import Gateway
from cipherset.app.labels.record import record_model
from cipherset.app.serving.lab.apart import codes_apart, numbers_apart
from cipherset.app.serving.lab.figures import Scored, privacy, score_classes, score_numbers
from cipherset.app.serving.lab.splits import (
    TEST,
    TRAIN,
    Split,
    check_rows,
    find_export,
    identities_of,
    no_export,
    open_export,
    sealed_split,
)
from cipherset.app.serving.models.sandbox.keeper import ModelWorker
from cipherset.app.serving.models.sandbox.process import PROGRAM, WorkerLimits
from cipherset.app.serving.models.sandbox.refusals import busy
from cipherset.app.serving.models.sandbox.worker import Job
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core import canonical
from cipherset.core.errors import InputError, KeyAccessError, PolicyError
from cipherset.core.manifest import Task
from cipherset.custody.keys.identity import Identities
from cipherset.custody.ledger import Outcome, Transaction
from cipherset.custody.ledger.budgets import EVALUATIONS, Debit, spent
from cipherset.custody.ledger.exposure import RowDebit
from cipherset.custody.ledger.records import events_of
from cipherset.custody.policy import UNBOUNDED, Kind
from cipherset.pipeline.train import Bundle, check_model

MOST_AT_ONCE: Final = 2
_TOLD: Final = "told"
_UNKNOWN: Final = -2
_ENDS: Final = frozenset({"model_time", "model_memory", "model_crashed", "model_stopped"})
# For one row: an honest model takes a thousandth of it.
_ROW: Final = WorkerLimits(cpu_s=1)
PLACES: Final = threading.BoundedSemaphore(MOST_AT_ONCE)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The figures of a model, each with the standard deviation of its noise, and what is left.

    ``is_stored``: the bundle was scored before, and this is what was told then.
    """

    figures: Mapping[str, float | int | None]
    is_stored: bool
    left: int

    def as_json(self) -> dict[str, Any]:
        """The body of the response."""
        return {**self.figures, "stored": self.is_stored, "evaluations_left": self.left}


@dataclass(frozen=True, slots=True)
class Sandbox:
    """In what an uploaded model runs: its limits, for each row apart, and the confined program."""

    limits: WorkerLimits = _ROW
    program: Sequence[str] = PROGRAM


SANDBOX: Final = Sandbox()


@dataclass(frozen=True, slots=True)
class Budget:
    """What an evaluation on ``rows`` costs: one for all, one of one principal, one of each row.

    Rows are counted one by one too: the same row may stand in another source, or another export.
    """

    source: str
    actor: str
    all_: int
    each: int
    rows: Identities = field(repr=False)

    def spend(self, act: Act) -> None:
        """Spend one of each together, or none.

        Raises:
            PolicyError: ``budget``.
        """
        act.spend(
            Debit(EVALUATIONS, self.source, 1, self.all_),
            Debit(EVALUATIONS, self._mine, 1, self.each),
            of_rows=(RowDebit(EVALUATIONS, self.rows, 1, self.all_),),
        )

    def forfeit(self, act: Act) -> int:
        """Spend all that the principal has left, and say how much it was."""
        used = act.gate.ledger.transact(lambda work: spent(work, EVALUATIONS, self._mine))
        left = max(self.each - used, 0)
        act.spend(Debit(EVALUATIONS, self._mine, left, self.each))
        return left

    def left(self, transaction: Transaction) -> int:
        """How many more the principal may ask for, as far as their source goes."""
        mine = self.each - spent(transaction, EVALUATIONS, self._mine)
        return max(min(mine, self.all_ - spent(transaction, EVALUATIONS, self.source)), 0)

    @property
    def _mine(self) -> str:
        return f"{self.actor}:{self.source}"


@dataclass(frozen=True, slots=True)
class _Run:
    """A model ready to be asked, and what it is asked."""

    worker: ModelWorker = field(repr=False)
    bundle: Bundle = field(repr=False)
    gateway: Gateway = field(repr=False)
    test: Split = field(repr=False)


def evaluate_upload(
    session: Session, bundle: Bundle, cipherset: str, sandbox: Sandbox = SANDBOX
) -> Evaluation:
    """Aggregate figures of ``bundle`` on the sealed test rows of ``cipherset``, with noise.

    Leaks: of each row's vector, its label given, what ``figures.privacy`` says in all.

    Args:
        session: Whose budget it is.
        bundle: As it was uploaded.
        cipherset: The id of the export that it was trained on, the digest of its manifest.
        sandbox: Where the model runs.

    Raises:
        UsageError: ``cipherset_unknown``.
        InputError: ``other_cipherset``, ``task``; ``not_onnx``, DimensionError: the model.
        PolicyError: ``not_allowed``, ``budget``, ``evaluate_rows``; a model that may not run.
        KeyAccessError: ``other_key``, or the key may not be used.
        IntegrityError: a sealed part is missing or was changed.
        BackendError: ``busy``, ``sandbox``; the ledger cannot be written.
    """
    with open_workspace(session) as workspace, _asking(workspace, bundle, cipherset) as act:
        export = find_export(workspace, cipherset)
        if export is None:
            raise no_export()
        _check_trained_on(bundle, cipherset)
        gateway = open_export(workspace, export)
        _check_same(bundle, gateway)
        budget = budget_of(workspace, gateway)
        stored = _stored(workspace, bundle.digest, cipherset)
        figures = stored or _scored(act, bundle, gateway, budget, sandbox)
        act.facts.update({_TOLD: canonical.encode(figures).decode()})
        left = workspace.gate.ledger.transact(budget.left)
        return Evaluation(figures, stored is not None, left)


def budget_of(workspace: Workspace, gateway: Gateway) -> Budget:
    """The budget for the source of an export, as the policies have it now."""
    gate = workspace.gate
    caps = gate.ledger.transact(gate.policies).limits.budgets
    source = gateway.export.meta.source_digest
    rows = identities_of(gateway, TEST)
    return Budget(source, gate.actor, caps.evaluations, caps.evaluations_each, rows)


@contextmanager
def _asking(workspace: Workspace, bundle: Bundle, cipherset: str) -> Iterator[Act]:
    """The act; a model that names no export of ours goes through the same door."""
    trained_on = bundle.manifest.trained_on.manifest
    if trained_on == cipherset and workspace.gate.ledger.asset(cipherset) is not None:
        record_model(workspace, bundle)
    about = About(Kind.MODEL, bundle.digest, f"model {bundle.digest[:23]}")
    facts: dict[str, Fact] = {
        "bundle": bundle.digest,
        "cipherset": cipherset,
        "key_id": bundle.manifest.key_id,
    }
    moment = Moment(exposure_left=UNBOUNDED)
    with workspace.gate.act(Action.EVALUATE, about.name, facts, about=about, moment=moment) as act:
        act.facts.update(bundle=bundle.digest, cipherset=cipherset)
        yield act


def _check_trained_on(bundle: Bundle, cipherset: str) -> None:
    if bundle.manifest.trained_on.manifest != cipherset:
        raise InputError(
            "the bundle was trained on another cipherset",
            code="other_cipherset",
            hint="name the one that its bundle.json names",
        )


def _check_same(bundle: Bundle, gateway: Gateway) -> None:
    if bundle.manifest.key_check != gateway.protection.cipher.key_check:
        raise KeyAccessError(
            "the bundle was trained under another key than the cipherset",
            code="other_key",
            hint="evaluate it on a cipherset of its own key",
        )
    if bundle.manifest.task is Task.MULTILABEL:
        raise InputError(
            "figures with noise are told of one class or number a row, not of several labels",
            code="task",
            hint="whoever holds the key can: cipherset evaluate BUNDLE DIR",
        )
    if bundle.manifest.task is not gateway.export.meta.task:
        raise InputError(
            f"the bundle is for {bundle.manifest.task.value}, the cipherset is not",
            code="task",
            hint="use a bundle that was trained for this task",
        )


def _stored(workspace: Workspace, bundle: str, cipherset: str) -> dict[str, Any] | None:
    """What was told of that bundle before."""

    def work(transaction: Transaction) -> dict[str, Any] | None:
        for event in events_of(transaction.connection, Action.EVALUATE, Outcome.DONE):
            body = json.loads(event.body)
            is_same = (body.get("bundle"), body.get("cipherset")) == (bundle, cipherset)
            if is_same and _TOLD in body:
                return dict(json.loads(body[_TOLD]))
        return None

    return workspace.gate.ledger.transact(work)


def _scored(
    act: Act, bundle: Bundle, gateway: Gateway, budget: Budget, sandbox: Sandbox
) -> dict[str, Any]:
    """The figures with noise; the budget is debited before any row is looked at."""
    if not PLACES.acquire(blocking=False):
        raise busy("the lab")
    try:
        test = sealed_split(gateway, TEST, at_gate=bundle.manifest.at_gate)
        check_rows(test)
        _check_width(bundle, test)
        worker = sandboxed(bundle, sandbox)
        try:
            # Whether it works at all, asked of no row.
            worker.run(np.zeros((1, bundle.manifest.dim), dtype=np.float32))
            budget.spend(act)
            scored = _answers(act, budget, _Run(worker, bundle, gateway, test))
        finally:
            worker.close()
    finally:
        PLACES.release()
    epsilon, delta = privacy(1)
    return {**scored.told(), "epsilon": round(epsilon, 4), "delta": delta}


def sandboxed(bundle: Bundle, sandbox: Sandbox) -> ModelWorker:
    """The bundle's model, checked, in a process of its own; to be closed.

    Raises:
        InputError, PolicyError: as ``check_model``.
    """
    manifest = bundle.manifest
    checked = check_model(bundle.onnx, dim=manifest.dim, task=manifest.task)
    job = Job(
        input=checked.input,
        output=checked.output,
        scores=None,
        dim=manifest.dim,
        classes=manifest.classes if manifest.task is Task.CLASSIFICATION else (),
        memory_bytes=sandbox.limits.memory_bytes,
    )
    return ModelWorker(job, checked.onnx, limits=sandbox.limits, program=sandbox.program)


def _answers(act: Act, budget: Budget, run: _Run) -> Scored:
    try:
        return _figures(run)
    except PolicyError as error:
        if error.code in _ENDS:
            act.facts["forfeited"] = budget.forfeit(act)
        raise


def _figures(run: _Run) -> Scored:
    queries = run.test.x
    if run.bundle.manifest.task is Task.REGRESSION:
        known = sealed_split(run.gateway, TRAIN, at_gate=False).labels.astype(np.float64)
        truth = run.test.labels.astype(np.float64)
        return score_numbers(numbers_apart(run.worker, queries), truth, float(np.ptp(known)))
    position = {name: code for code, name in enumerate(run.bundle.manifest.classes)}
    codes = [position.get(str(label), _UNKNOWN) for label in run.test.labels.tolist()]
    return score_classes(codes_apart(run.worker, queries), np.array(codes, dtype=np.int64))


def _check_width(bundle: Bundle, test: Split) -> None:
    if test.x.shape[1] != bundle.manifest.dim:
        raise InputError(
            f"the bundle takes vectors of {bundle.manifest.dim} numbers, the cipherset's have "
            f"{test.x.shape[1]}",
            code="other_cipherset",
            hint="name the one that its bundle.json names",
        )

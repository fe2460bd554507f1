"""``train`` as a service: a declared search space, on noise-free rows of full width, at the gate.

What comes out is the model, bound to the key, its figures on the sealed test rows with the noise of
``evaluate``, and how well its own rows can be told. It is debited before it begins: each candidate
as a question to the export, the figures as an evaluation. A model whose membership is surely above
the limit of the policies is not released, and the ledger has what was measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from typing import Any, Final

import numpy as np

from cipherset.app.gate import About, Act, Action, Fact, Moment
from cipherset.app.gateway import Gateway
from cipherset.app.labels.made import of_model
from cipherset.app.labels.record import MODEL, TRAIN, recorded_run
from cipherset.app.serving.lab import splits
from cipherset.app.serving.lab.apart import codes_apart
from cipherset.app.serving.lab.evaluate import Sandbox, budget_of, sandboxed
from cipherset.app.serving.lab.figures import privacy, score_classes
from cipherset.app.serving.lab.process import Training, TrainingLimits
from cipherset.app.serving.lab.recipes import SearchSpace
from cipherset.app.serving.lab.splits import Export, Split
from cipherset.app.serving.lab.trainer import Work, packed
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core import canonical
from cipherset.core.errors import InputError, PolicyError
from cipherset.core.manifest import BundleManifest, CiphersetRef, Task, manifest_bytes
from cipherset.custody.ledger.budgets import QUERIES, Debit
from cipherset.custody.policy import Kind
from cipherset.pipeline.train import Bundle, TrainSpec

_PACKAGES: Final = ("cipherset", "numpy", "onnx", "scikit-learn")
_UNKNOWN: Final = -2


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be trained, on which export (the digest of its manifest), and what for."""

    cipherset: str
    space: SearchSpace
    purpose: str | None = None


@dataclass(frozen=True, slots=True)
class Trained:
    """The bundle, its manifest's bytes, its figures, and its membership."""

    bundle: Bundle = field(repr=False)
    manifest: bytes = field(repr=False)
    figures: Mapping[str, float | int | None]
    membership: Mapping[str, Any]


def ask_for(session: Session, order: Order) -> None:
    """Nothing, where the job may be done; its candidates are debited then.

    Raises:
        UsageError: ``cipherset_unknown``.
        InputError: ``candidates``.
        PolicyError: ``not_allowed``, ``budget``.
    """
    candidates = order.space.candidates()
    with open_workspace(session) as workspace:
        export = splits.find_export(workspace, order.cipherset)
        about = _about(export, order.cipherset)
        gate = workspace.gate
        cap = gate.ledger.transact(gate.policies).limits.budgets.queries
        debits = (Debit(QUERIES, about.id, len(candidates), cap),)
        moment = Moment(purpose=order.purpose, debits=debits)
        facts = _facts(order, candidates) | {"stage": "asked"}
        with gate.act(Action.TRAIN_AT_GATE, about.name, facts, about=about, moment=moment):
            if export is None:
                raise splits.no_export()


def train_order(
    session: Session, order: Order, training: Training, limits: TrainingLimits
) -> Trained:
    """The best model of the search space; decided once more, as it begins.

    Leaks: what the model and its figures carry; the model needs the key like any other.

    Raises:
        UsageError: ``cipherset_unknown``.
        InputError: ``train_task``, ``no_label``; ``one_class``.
        PolicyError: ``not_allowed``, ``budget``, ``evaluate_rows``; ``membership``: the model gives
            its rows away; ``training_canceled``, ``training_limits``.
        KeyAccessError: the key may not be used, or is not here.
        IntegrityError: a sealed part is missing or was changed.
        BackendError: ``training_ended``; the ledger cannot be written.
    """
    candidates = order.space.candidates()
    with open_workspace(session) as workspace:
        export = splits.find_export(workspace, order.cipherset)
        about = _about(export, order.cipherset)
        facts = _facts(order, candidates) | {"stage": "run"}
        moment = Moment(purpose=order.purpose)
        with workspace.gate.act(
            Action.TRAIN_AT_GATE, about.name, facts, about=about, moment=moment
        ) as act:
            if export is None:
                raise splits.no_export()
            gateway = splits.open_export(workspace, export)
            rows = _rows(gateway)
            budget_of(workspace, gateway).spend(act)
            work = _work(order.space, candidates, rows, limits)
            message = packed(work, [rows.train.x, rows.train_codes, rows.test.x, rows.test_codes])
            told, onnx = training.run(message, limits)
            membership = _judged(workspace, act, told)
            bundle, manifest = _bundle(gateway, export, rows, candidates[told["candidate"]], onnx)
            figures = _figures(bundle, rows)
            _record(workspace, act, bundle, export)
            return Trained(bundle, manifest, figures, membership)


@dataclass(frozen=True, slots=True)
class _Rows:
    train: Split = field(repr=False)
    test: Split = field(repr=False)
    train_codes: Any = field(repr=False)
    test_codes: Any = field(repr=False)
    classes: tuple[str, ...]


def _about(export: Export | None, digest: str) -> About:
    return About(Kind.DATASET, digest, digest[:23]) if export is None else export.about


def _facts(order: Order, candidates: tuple[TrainSpec, ...]) -> dict[str, Fact]:
    return {
        "cipherset": order.cipherset,
        "candidates": len(candidates),
        "space": canonical.digest(order.space.model_dump(mode="json")),
    }


def _rows(gateway: Gateway) -> _Rows:
    if gateway.export.meta.task is not Task.CLASSIFICATION:
        raise InputError(
            "membership is measured of classes only, so numbers are not trained here",
            code="train_task",
            hint="ask the owner to train at the gate: cipherset train --at-gate",
        )
    train, test = (
        splits.sealed_split(gateway, name, at_gate=True) for name in (splits.TRAIN, splits.TEST)
    )
    splits.check_rows(test)
    classes = tuple(sorted({str(label) for label in train.labels.tolist()}))
    position = {name: code for code, name in enumerate(classes)}

    def codes(split: Split) -> Any:  # noqa: ANN401 -- an array
        found = [position.get(str(label), _UNKNOWN) for label in split.labels.tolist()]
        return np.array(found, dtype=np.int64)

    return _Rows(train, test, codes(train), codes(test), classes)


def _work(
    space: SearchSpace, candidates: tuple[TrainSpec, ...], rows: _Rows, limits: TrainingLimits
) -> Work:
    return Work(
        candidates=candidates,
        n_classes=len(rows.classes),
        seed=space.seed,
        shadows=limits.shadows,
        cpu_s=limits.cpu_s,
        memory_bytes=limits.memory_bytes,
    )


def _judged(workspace: Workspace, act: Act, told: Mapping[str, Any]) -> dict[str, Any]:
    """What was measured, written down with the outcome; refused where it is surely too much."""
    found: dict[str, Any] = {
        "metric": "tpr_at_fpr_0.01",
        "attack": str(told["attack"]),
        **{name: round(float(told[name]), 4) for name in ("membership", "low", "high")},
    }
    limit = workspace.gate.ledger.transact(workspace.gate.policies).limits.max_membership
    act.facts.update({f"membership_{name}": value for name, value in found.items()})
    act.facts["membership_limit"] = limit
    if found["low"] > limit:
        raise PolicyError(
            f"the model gives away that its rows were in it: {found['membership']:.3f} of them at "
            f"one false in a hundred (at least {found['low']:.3f}), and the limit is {limit}",
            code="membership",
            hint="ask for a smaller model, or a stronger penalty",
        )
    return {
        "metric": found["metric"],
        "attack": found["attack"],
        "value": found["membership"],
        "ci": [found["low"], found["high"]],
        "limit": limit,
    }


def _bundle(
    gateway: Gateway, export: Export, rows: _Rows, spec: TrainSpec, onnx: bytes
) -> tuple[Bundle, bytes]:
    meta = gateway.export.meta
    manifest = BundleManifest(
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        model=spec.kind,
        task=Task.CLASSIFICATION,
        classes=rows.classes,
        value_range=None,
        scheme=meta.settings.scheme,
        key_id=meta.key_id,
        key_version=meta.key_version,
        key_check=gateway.protection.cipher.key_check,
        dim=rows.train.x.shape[1],
        trained_on=CiphersetRef(cipherset_id=export.cipherset_id, manifest=export.about.id),
        at_gate=True,
        metrics={},
        label=None,
        onnx=canonical.digest_bytes(onnx),
        packages={name: metadata.version(name) for name in _PACKAGES},
    )
    raw = manifest_bytes(manifest)
    return Bundle(manifest, canonical.digest_bytes(raw), onnx), raw


def _figures(bundle: Bundle, rows: _Rows) -> dict[str, float | int | None]:
    """As an upload's: in the sandbox, each row by itself, with noise."""
    worker = sandboxed(bundle, Sandbox())
    try:
        scored = score_classes(codes_apart(worker, rows.test.x), rows.test_codes)
    finally:
        worker.close()
    epsilon, delta = privacy(1)
    return {**scored.told(), "epsilon": round(epsilon, 4), "delta": delta}


def _record(workspace: Workspace, act: Act, bundle: Bundle, export: Export) -> None:
    """The model in the ledger, made of the export by whoever asked."""
    ledger, actor = workspace.gate.ledger, workspace.gate.actor
    manifest = bundle.manifest
    ledger.record_asset(
        bundle.digest,
        actor=actor,
        kind=MODEL,
        name=f"model {bundle.digest[:23]}",
        attributes=of_model(manifest),
    )
    told = {"at_gate": True, "key_id": manifest.key_id, "key_version": manifest.key_version}
    with recorded_run(workspace, TRAIN, [export.about.id], told) as outputs:
        outputs.append(bundle.digest)
    act.facts["bundle"] = bundle.digest

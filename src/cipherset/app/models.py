"""Train in the lab or at the gate; evaluate and predict where the key is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from cipherset.app.exports.private.head import (
    check_private,
    head_facts,
    private_head,
    spend_on_head,
)
from cipherset.app.gate import Act, Action, Fact, Moment
from cipherset.app.gate.subjects import about_bundle, about_cipherset
from cipherset.app.gateway import Gateway, open_gateway, read_like
from cipherset.app.labels.made import AT
from cipherset.app.labels.record import record_model
from cipherset.app.places import Made, check_target
from cipherset.app.reading.beside import check_no_columns
from cipherset.app.scoring.one import one_row
from cipherset.app.scoring.score import (
    Scores,
    Values,
    lab_figures,
    rank_scores_of,
    scores_of,
    told,
    truth_of,
)
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.errors import KeyAccessError, PolicyError
from cipherset.core.manifest import Task
from cipherset.core.objects import ObjectFolder
from cipherset.core.values import GROUP, ROW, Float32s, Guarantee, Vectors
from cipherset.custody.ledger.budgets import QUERIES, Debit
from cipherset.custody.policy import UNBOUNDED
from cipherset.pipeline.export import Cipherset, open_cipherset
from cipherset.pipeline.train import (
    Bundle,
    TrainSpec,
    describe,
    load_bundle,
    run_labels,
    run_sets,
    run_values,
    to_onnx,
    train_model,
    write_bundle,
)

__all__ = [
    "Prediction",
    "TrainRequest",
    "TrainSpec",
    "evaluate",
    "predict",
    "predict_value",
    "train",
    "train_at_gate",
]

MANIFEST: Final = "manifest.json"
# Below this an accuracy is an oracle for single labels.
LEAST_ROWS: Final = 20


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """What ``train`` is asked to do; ``purpose`` is what for, the grant's where it is None.

    ``privacy``, at the gate only, is what the model is to keep of each row it learns from.
    """

    cipherset: Path | ObjectFolder
    target: Path
    spec: TrainSpec
    seed: int = 0
    overwrite: bool = False
    purpose: str | None = None
    privacy: Guarantee | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one row of the source, a set where it has several; nothing but the answer."""

    row: int
    label: str | float | tuple[str, ...]


def train(request: TrainRequest) -> Bundle:
    """Train on a cipherset, in the lab: needs no key and no workspace.

    Raises:
        IntegrityError: the cipherset was changed.
        InputError: it has no labels.
    """
    check_target(request.target, Made.BUNDLE, overwrite=request.overwrite)
    cipherset = open_cipherset(request.cipherset)
    # Rows here are noisy, queries will not be: see TrainSpec.
    return _fit(
        replace(request, spec=replace(request.spec, balanced=True)),
        cipherset,
        train_rows=cipherset.to_numpy("train"),
        test_rows=cipherset.to_numpy("test"),
        gate_dim=None,
    )


def train_at_gate(session: Session, request: TrainRequest) -> Bundle:
    """Train a declared model on noise-free, full-width, keyed vectors in the owner's zone.

    Leaks: what the model and its aggregate metrics carry; the model needs the key like any other.

    Raises:
        KeyAccessError, IntegrityError: the key or a sealed part is not here.
        UsageError: ``private_model``; PolicyError: ``budget``: where it is to keep an epsilon.
    """
    check_target(request.target, Made.BUNDLE, overwrite=request.overwrite)
    facts: dict[str, Fact] = {
        "cipherset": request.cipherset.name,
        "model": str(request.spec.kind),
    }
    with (
        open_workspace(session) as workspace,
        _training(workspace, request, facts) as (act, cipherset),
    ):
        act.facts["cipherset_id"] = cipherset.manifest.cipherset_id
        gateway = open_gateway(workspace, cipherset.manifest.cipherset_id, cipherset.manifest)
        session.progress.start("train at the gate", None)
        if request.privacy is not None:
            bundle = _private(workspace, act, request, request.privacy, (gateway, cipherset))
        else:
            rows = _gathered(gateway, "train")
            bundle = _fit(
                request,
                cipherset,
                train_rows=rows,
                test_rows=_gathered(gateway, "test"),
                gate_dim=rows[0].shape[1],
            )
        record_model(workspace, bundle, made_here=True)
        act.facts.update({"bundle": bundle.digest, AT: str(request.target.absolute())})
        session.progress.finish()
    return bundle


@contextmanager
def _training(
    workspace: Workspace, request: TrainRequest, facts: dict[str, Fact]
) -> Iterator[tuple[Act, Cipherset]]:
    cipherset = open_cipherset(request.cipherset, signer=workspace.fingerprint)
    about = about_cipherset(cipherset, request.cipherset)
    moment = Moment(purpose=request.purpose)
    with workspace.gate.act(
        Action.TRAIN_AT_GATE, str(request.target), facts, about=about, moment=moment
    ) as act:
        yield act, cipherset


@contextmanager
def _asking(
    workspace: Workspace, action: Action, bundle: Bundle, path: Path, rows: int = 0
) -> Iterator[Act]:
    """An act on a model that somebody brought."""
    record_model(workspace, bundle)
    facts = _facts(bundle) | ({"rows": rows} if rows else {})
    about, moment = about_bundle(bundle, path), Moment(rows=rows, exposure_left=UNBOUNDED)
    with workspace.gate.act(action, str(path), facts, about=about, moment=moment) as act:
        yield act


def _ask(workspace: Workspace, act: Act, bundle: Bundle, rows: int) -> None:
    """Count what is asked of a model, for ever, before it answers.

    Raises:
        PolicyError: ``budget``: the policies allow no more.
    """
    gate = workspace.gate
    cap = gate.ledger.transact(gate.policies).limits.budgets.queries
    act.spend(Debit(QUERIES, bundle.digest, rows, cap))


def evaluate(session: Session, bundle_path: Path, rows: str) -> Scores:
    """Aggregate scores on noise-free queries: of the sealed test split, or of a labeled source.

    Raises:
        KeyAccessError: the key is not here.
        IntegrityError: a sealed part is missing, or the bundle was changed.
        InputError: the source does not fit the recorded columns, or holds an unknown label.
    """
    bundle = load_bundle(bundle_path)
    with (
        open_workspace(session) as workspace,
        _asking(workspace, Action.EVALUATE, bundle, bundle_path),
    ):
        if (Path(rows) / MANIFEST).is_file():
            cipherset = open_cipherset(rows, signer=workspace.fingerprint)
            gateway = open_gateway(workspace, cipherset.manifest.cipherset_id, cipherset.manifest)
            _check_same_key(bundle, cipherset)
            batches = gateway.stored("test")
        else:
            gateway = _gateway_of(workspace, bundle)
            batches = read_like(session, gateway, rows, labeled=True)
        return _score(bundle, gateway, batches)


def predict(session: Session, bundle_path: Path, source: str) -> list[Prediction]:
    """The label of each row of a source; labels only, whatever else the model computes.

    Raises: as ``evaluate``.
    """
    bundle = load_bundle(bundle_path)
    with (
        open_workspace(session) as workspace,
        _asking(workspace, Action.PREDICT, bundle, bundle_path) as act,
    ):
        gateway = _gateway_of(workspace, bundle)
        found: list[Prediction] = []
        for batch in read_like(session, gateway, source, labeled=False):
            _ask(workspace, act, bundle, len(batch.values))
            found += _predictions(bundle, gateway, batch)
        act.facts["rows"] = len(found)
    return found


def predict_value(session: Session, bundle_path: Path, value: str) -> list[Prediction]:
    """The label of one text, or of the image at a path; as JSON, with the columns beside it.

    Raises: as ``evaluate``; InputError where the model takes vectors, or the file is no image.
    """
    bundle = load_bundle(bundle_path)
    with (
        open_workspace(session) as workspace,
        _asking(workspace, Action.PREDICT, bundle, bundle_path, rows=1) as act,
    ):
        _ask(workspace, act, bundle, 1)
        gateway = _gateway_of(workspace, bundle)
        return list(_predictions(bundle, gateway, one_row(session, gateway, value)))


def _facts(bundle: Bundle) -> dict[str, Fact]:
    return {"bundle": bundle.digest, "key_id": bundle.manifest.key_id}


def _gateway_of(workspace: Workspace, bundle: Bundle) -> Gateway:
    return open_gateway(workspace, bundle.manifest.trained_on.cipherset_id, bundle.manifest)


def _check_same_key(bundle: Bundle, cipherset: Cipherset) -> None:
    if bundle.manifest.key_check != cipherset.manifest.key_check:
        raise KeyAccessError(
            "the bundle was trained under another key than the cipherset",
            code="other_key",
            hint="evaluate it on a cipherset of its own key",
        )


def _fit(
    request: TrainRequest,
    cipherset: Cipherset,
    *,
    train_rows: tuple[Float32s, Values],
    test_rows: tuple[Float32s, Values],
    gate_dim: int | None,
) -> Bundle:
    task = cipherset.manifest.task or Task.CLASSIFICATION
    model = train_model(*train_rows, request.spec, task=task, seed=request.seed)
    onnx_model, kind = to_onnx(model), request.spec.kind
    draft = describe(onnx_model, cipherset, {}, kind=kind, gate_dim=gate_dim)
    metrics = {}
    if len(test_rows[0]):
        metrics = lab_figures(Bundle(draft, "", onnx_model), *test_rows)
    manifest = describe(onnx_model, cipherset, metrics, kind=kind, gate_dim=gate_dim)
    return write_bundle(request.target, onnx_model, manifest, overwrite=request.overwrite)


def _private(
    workspace: Workspace,
    act: Act,
    request: TrainRequest,
    kept: Guarantee,
    opened: tuple[Gateway, Cipherset],
) -> Bundle:
    """A model that keeps an epsilon; no figure of held-out rows goes with it, which keeps none."""
    gateway, cipherset = opened
    facts = cipherset.manifest
    check_private(facts.task, request.spec)
    check_no_columns(gateway.export.meta, "a model with an epsilon")
    act.facts.update({"epsilon": kept.epsilon, "delta": kept.delta})
    spend_on_head(workspace, act, gateway, cipherset.manifest_digest, kept)
    rows = _gathered(gateway, "train")
    onnx_model = to_onnx(private_head(gateway, rows, facts.classes, kept, seed=request.seed))
    draft = describe(onnx_model, cipherset, {}, kind=request.spec.kind, gate_dim=rows[0].shape[1])
    manifest = draft.model_copy(update={"privacy": head_facts(kept)})
    return write_bundle(request.target, onnx_model, manifest, overwrite=request.overwrite)


def _gathered(gateway: Gateway, split: str) -> tuple[Float32s, Values]:
    batches = list(gateway.stored(split))
    x = np.concatenate([gateway.queries(b.values, at_gate=True) for b in batches])
    meta = gateway.export.meta
    return x, np.concatenate([truth_of(b.columns, meta) for b in batches])


def _score(bundle: Bundle, gateway: Gateway, batches: Iterator[Vectors]) -> Scores:
    queries, labels, groups = [], [], list[pa.Array]()
    for batch in batches:
        queries.append(gateway.queries(batch.values, at_gate=bundle.manifest.at_gate))
        labels.append(truth_of(batch.columns, gateway.export.meta))
        groups += batch.columns.column(GROUP).chunks if gateway.export.meta.ranked else []
    n_rows = sum(map(len, labels))
    if n_rows < LEAST_ROWS:
        raise PolicyError(
            f"scores of {n_rows} rows would say too much about each; it takes {LEAST_ROWS}",
            code="evaluate_rows",
            hint="evaluate on more rows",
        )
    x, y = np.concatenate(queries), np.concatenate(labels)
    if gateway.export.meta.ranked:
        return rank_scores_of(bundle, x, y, pa.chunked_array(groups, pa.string()))
    return scores_of(bundle, x, y)


def _predictions(bundle: Bundle, gateway: Gateway, batch: Vectors) -> Iterator[Prediction]:
    queries = gateway.queries(batch.values, at_gate=bundle.manifest.at_gate)
    rows = batch.columns.column(ROW).to_pylist()
    classes, answers = bundle.manifest.classes, list[str | float | tuple[str, ...]]()
    match bundle.manifest.task:
        case Task.REGRESSION:
            answers += run_values(bundle, queries).tolist()
        case Task.MULTILABEL:
            answers += (told(classes, row) for row in run_sets(bundle, queries))
        case Task.CLASSIFICATION:
            answers += (classes[code] for code in run_labels(bundle, queries))
    return (Prediction(row, answer) for row, answer in zip(rows, answers, strict=True))

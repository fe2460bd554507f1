"""The main job: private reviews in, a model nobody could read the data of out, all measured.

DIR/owner/    reviews.csv and the workspace: plain data and the key
DIR/lab/      what a data scientist gets: the cipherset, and the model trained on it
DIR/report.html, DIR/report.json
"""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from cipherset.app import encoders, keys
from cipherset.app.demo.report import REPORT_JSON, write_report
from cipherset.app.demo.result import DemoResult, Pictured
from cipherset.app.demo.reviews import write_reviews
from cipherset.app.demo.thief import WrongKeys, try_wrong_keys
from cipherset.app.demo.timing import TimedProgress
from cipherset.app.exports.protect import protect
from cipherset.app.exports.request import ProtectRequest
from cipherset.app.gate import Action
from cipherset.app.gate.subjects import about_bundle
from cipherset.app.gateway import open_gateway
from cipherset.app.models import (
    TrainRequest,
    TrainSpec,
    evaluate,
    predict_value,
    train,
    train_at_gate,
)
from cipherset.app.workspace import Session, open_workspace
from cipherset.core.errors import UsageError
from cipherset.core.files import replace_directory, stage_directory
from cipherset.core.values import ColumnRoles
from cipherset.pipeline.export import open_cipherset
from cipherset.pipeline.train import Bundle, LabelScores

KEY: Final = "reviews"
MODEL: Final = "model.bundle"
ROLES: Final = ColumnRoles(text=("text",), label="verdict", group="movie")
SAMPLES: Final = (
    "A warm, funny and beautifully acted film.",
    "Two hours of noise without a single idea.",
)
PICTURED: Final = 1200


def run_demo(session: Session, target: Path, *, overwrite: bool) -> DemoResult:
    """Run the main job into ``target``; its own workspace is inside, the session's is not used.

    Raises:
        UsageError: ``target`` is there already and is not a demo, or ``overwrite`` is not set.
        BackendError: data or encoder are not in the cache and cannot be fetched.
    """
    _check(target, overwrite=overwrite)
    with stage_directory(target, mode=0o755) as staged:
        result = _run(session, staged)
        write_report(result, staged)
        replace_directory(staged, target, overwrite=overwrite)
    return result


def _check(target: Path, *, overwrite: bool) -> None:
    if not target.exists():
        return
    if not overwrite or not (target / REPORT_JSON).is_file():
        raise UsageError(
            f"{target} is there already",
            code="target_exists",
            hint="choose another folder, or overwrite an earlier demo with --force",
        )


def _run(session: Session, staged: Path) -> DemoResult:
    owner_dir, lab_dir = staged / "owner", staged / "lab"
    owner_dir.mkdir(mode=0o700)
    lab_dir.mkdir()
    timed = TimedProgress(session.progress)
    owner = replace(session, home=owner_dir / "workspace", progress=timed, ledger=None)
    exported = owner_dir / "reviews.cipherset"

    timed.start("fetch encoder and reviews", None)
    encoders.get(encoders.DEFAULT_ENCODER, session.cache)
    rows = write_reviews(session.cache, owner_dir / "reviews.csv")
    keys.create(owner, KEY, purpose="fresh or rotten", provider=None)
    source = str(owner_dir / "reviews.csv")
    protected = protect(owner, ProtectRequest(source, ROLES, KEY, exported))

    timed.start("train in the lab, without a key", None)
    shutil.copytree(exported, lab_dir / exported.name)
    bundle = train(TrainRequest(lab_dir / exported.name, lab_dir / MODEL, TrainSpec()))

    timed.start("evaluate where the key is", None)
    encrypted = _scores(owner, lab_dir / MODEL, exported)
    answers = [predict_value(owner, lab_dir / MODEL, text)[0] for text in SAMPLES]
    train_at_gate(owner, TrainRequest(exported, owner_dir / "gate.bundle", TrainSpec()))
    at_gate = _scores(owner, owner_dir / "gate.bundle", exported)

    timed.start("try wrong keys", None)
    wrong, pictured = _look(owner, bundle, lab_dir / exported.name)
    timed.finish()
    return DemoResult(
        rows=rows,
        protected=protected,
        encrypted=encrypted,
        at_gate=at_gate,
        lab_accuracy=bundle.manifest.metrics["accuracy"],
        wrong_keys=wrong,
        chance=float(np.bincount(pictured.all_classes).max() / len(pictured.all_classes)),
        answers=tuple(zip(SAMPLES, (str(answer.label) for answer in answers), strict=True)),
        pictured=pictured,
        seconds=timed.seconds,
    )


def _scores(owner: Session, bundle: Path, exported: Path) -> LabelScores:
    scores = evaluate(owner, bundle, str(exported))
    if not isinstance(scores, LabelScores):
        raise TypeError("the demo's labels are classes")  # house: for the type checker
    return scores


def _look(owner: Session, bundle: Bundle, lab_copy: Path) -> tuple[WrongKeys, Pictured]:
    """What a thief with another key gets, and the rows for the picture."""
    cipherset = open_cipherset(lab_copy)
    x, y = cipherset.to_numpy("test")
    with (
        open_workspace(owner) as workspace,
        workspace.gate.act(Action.EVALUATE, "demo", {}, about=about_bundle(bundle, lab_copy)),
    ):
        gateway = open_gateway(workspace, cipherset.manifest.cipherset_id, cipherset.manifest)
        wrong = try_wrong_keys(gateway, bundle)
        batches = list(gateway.stored("test"))
    plain = np.concatenate([batch.values for batch in batches])
    names = np.concatenate([batch.columns.column("label").to_numpy() for batch in batches])
    position = {name: code for code, name in enumerate(cipherset.manifest.classes)}
    plain_codes = np.array([position[name] for name in names.tolist()])
    some = np.random.default_rng(0).permutation(len(plain))[:PICTURED]
    return wrong, Pictured(
        class_names=cipherset.manifest.classes,
        plain=plain[some],
        plain_classes=plain_codes[some],
        exported=x[:PICTURED],
        exported_classes=np.array([position[name] for name in y[:PICTURED].tolist()]),
        all_classes=plain_codes,
    )

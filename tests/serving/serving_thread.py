"""An owner with one export, a model of it and a place where it is deployed, made quickly."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from serving_samples import Quiet

from cipherset.app.assets.deploy import DeployRequest, deploy
from cipherset.app.exports.protect import protect
from cipherset.app.exports.request import ProtectRequest
from cipherset.app.keys import create
from cipherset.app.models import TrainRequest, TrainSpec, train
from cipherset.app.workspace import LedgerAddress, Session, open_workspace
from cipherset.core.manifest import ModelKind
from cipherset.core.values import ColumnRoles
from cipherset.interfaces.cli.settings import cache

CLASSES = 3
DIM = 8
QUICK = {"minimize": "lda:2", "approximation_factor": 5.0, "max_reid": 0.4}


@dataclass(frozen=True)
class Owner:
    """A folder with a workspace, rows, a cipherset and a bundle."""

    folder: Path
    actor: str = "ada"
    ledger: LedgerAddress | None = None

    @property
    def session(self) -> Session:
        return Session(self.folder / "home", self.actor, cache(), Quiet(), ledger=self.ledger)

    @property
    def bundle(self) -> Path:
        return self.folder / "router.bundle"

    @property
    def cipherset(self) -> Path:
        return self.folder / "rows.cipherset"

    @property
    def rows(self) -> Path:
        return self.folder / "rows.parquet"

    def deploy(self, name: str = "router", bundle: Path | None = None) -> None:
        request = DeployRequest(bundle or self.bundle, name, accept_risk="a test", overwrite=True)
        deploy(self.session, request)


def vectors(n: int = 400, *, seed: int = 0, classes: int = CLASSES, dim: int = DIM):
    """Unit vectors around one center per class, and their labels."""
    centers = np.random.default_rng(99).normal(size=(classes, dim))
    rng = np.random.default_rng(seed)
    labels = rng.integers(classes, size=n)
    x = centers[labels] + 0.5 * rng.normal(size=(n, dim))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), labels


def texts(n: int = 120, *, seed: int = 0):
    """Short texts of two topics, made of templates."""
    rng = np.random.default_rng(seed)
    templates = {
        "parcel": ("my parcel to {} is {} days late", "where is the box you sent to {}, {} days?"),
        "refund": ("please refund {} euros for order {}", "I want {} dollars back, invoice {}"),
    }
    rows = []
    for i in range(n):
        topic = ("parcel", "refund")[i % 2]
        text = templates[topic][int(rng.integers(2))]
        rows.append({"body": text.format(rng.integers(5, 90), rng.integers(2, 60)), "topic": topic})
    return rows


def vector_owner(
    folder: Path, *, ledger: LedgerAddress | None = None, provider: str | None = None
) -> Owner:
    """Of vectors, three classes; with another ledger or provider of keys than the usual ones."""
    x, labels = vectors()
    rows = [
        {"vec": row.tolist(), "topic": f"topic-{label}"}
        for row, label in zip(x, labels, strict=True)
    ]
    owner = Owner(folder, ledger=ledger)
    return _made(owner, rows, ColumnRoles((), "vec", "topic"), provider)


def text_owner(folder: Path) -> Owner:
    """Of texts, two classes; needs the encoder's weights."""
    return _made(Owner(folder), texts(), ColumnRoles(("body",), None, "topic"), None)


def set_owner(folder: Path) -> Owner:
    """Of vectors, each of which has some of three labels."""
    x, labels = vectors()
    rows = [
        {"vec": row.tolist(), "topic": [f"topic-{label}"] + ["steep"] * int(row[0] > 0)}
        for row, label in zip(x, labels, strict=True)
    ]
    return _made(Owner(folder), rows, ColumnRoles((), "vec", "topic", label_separator=";"), None)


def columns_owner(folder: Path) -> Owner:
    """Of vectors that a column stands beside."""
    x, labels = vectors()
    rows = [
        {"vec": row.tolist(), "topic": f"topic-{label}", "age": float(20 + label)}
        for row, label in zip(x, labels, strict=True)
    ]
    return _made(Owner(folder), rows, ColumnRoles((), "vec", "topic", beside=("age",)), None)


def _made(owner: Owner, rows: list, roles: ColumnRoles, provider: str | None) -> Owner:
    owner.folder.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), owner.rows)
    create(owner.session, "support", purpose="", provider=provider, only_in=())
    quick = dict(QUICK)
    if roles.label_separator:
        quick |= {"minimize": "pls:3"}
    if roles.text:
        quick |= {"minimize": "lda:1", "accept_risk": "a test"}
    protect(
        owner.session,
        ProtectRequest(str(owner.rows), roles, "support", owner.cipherset, **quick),
    )
    train(TrainRequest(owner.cipherset, owner.bundle, TrainSpec(ModelKind.LOGISTIC)))
    owner.deploy()
    return owner


def copied(owner: Owner, folder: Path) -> Owner:
    """The same, to change."""
    shutil.copytree(owner.folder, folder)
    return Owner(folder)


def told_assessed(session, models, **found):
    """Write down an assessment of the export that the model learned from."""
    model = models.models.find(session.home, "router")
    body = {"manifest": model.bundle.manifest.trained_on.manifest, "pair_cap": None} | found
    with open_workspace(session) as workspace:
        workspace.gate.ledger.append(
            actor="rev", action="assess", subject="rows", outcome="done", body=body
        )

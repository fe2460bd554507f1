"""An owner with an export and a deployed model, enough rows to be watched by, and quick runs."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

sys.path.append(str(Path(__file__).parents[1] / "serving"))

import serving_thread
from serving_thread import Owner

from cipherset.app.exports.protect import protect
from cipherset.app.exports.request import ProtectRequest
from cipherset.app.keys import create
from cipherset.app.models import TrainRequest, TrainSpec, train
from cipherset.app.redteam.request import RedTeamRequest
from cipherset.app.redteam.run import redteam
from cipherset.core.manifest import ModelKind
from cipherset.core.values import ColumnRoles
from cipherset.custody.ledger import Ledger

ROLES = ColumnRoles((), "vec", "topic")
WEAK = {
    "minimize": "none",
    "approximation_factor": 0.01,
    "scheme": "sap/1",
    "accept_risk": "a test",
}
copied = serving_thread.copied


def made(folder: Path, *, n: int = 700) -> Owner:
    """Vectors of three classes, exported, learned and served."""
    owner = Owner(folder)
    owner.folder.mkdir(exist_ok=True)
    x, labels = serving_thread.vectors(n)
    rows = [
        {"vec": row.tolist(), "topic": f"topic-{label}"}
        for row, label in zip(x, labels, strict=True)
    ]
    pq.write_table(pa.Table.from_pylist(rows), owner.rows)
    create(owner.session, "support", purpose="", provider=None, only_in=())
    export(owner, "support", owner.cipherset, serving_thread.QUICK)
    train(TrainRequest(owner.cipherset, owner.bundle, TrainSpec(ModelKind.LOGISTIC)))
    owner.deploy()
    return owner


def export(owner: Owner, key: str, target: Path, settings: dict) -> None:
    protect(owner.session, ProtectRequest(str(owner.rows), ROLES, key, target, **settings))


def weakened(owner: Owner) -> None:
    """Put an export in place of the owner's that hardly protects."""
    create(owner.session, "weak", purpose="", provider=None, only_in=())
    shutil.rmtree(owner.cipherset)
    export(owner, "weak", owner.cipherset, WEAK)


def attack(owner: Owner, *only: str, actor: str = "ada", quick: bool = True, **more: object):
    """A run of the red team, told where the copy's own export is."""
    more.setdefault("places", (owner.cipherset,) if owner.cipherset.exists() else ())
    request = RedTeamRequest(only=only, is_quick=quick, **more)
    return redteam(replace(owner.session, actor=actor), request)


def bodies(owner: Owner, action: str, outcome: str) -> list[dict]:
    """What the ledger's events of one kind say."""
    with Ledger(f"sqlite:///{owner.session.home / 'ledger.sqlite'}") as ledger:
        return [
            json.loads(event.body)
            for event in ledger.events()
            if (event.action, event.outcome) == (action, outcome)
        ]

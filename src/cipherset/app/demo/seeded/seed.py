"""The seeding: one export with its key and its evidence, then a team around it.

The work is done before there are roles, so that it needs no grants; then the policies of a team
hold, and all that follows is decided by them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from cipherset.app import keys
from cipherset.app.calibration.request import CalibrateRequest
from cipherset.app.calibration.run import calibrate
from cipherset.app.demo.seeded.rows import write_rows
from cipherset.app.demo.seeded.team import AUDITOR, PURPOSE, TEAM, gather_team, work_together
from cipherset.app.discovery.egress import EgressRequest, discover_egress
from cipherset.app.discovery.review import ask_for_review
from cipherset.app.exports.protect import protect
from cipherset.app.exports.request import ProtectRequest
from cipherset.app.models import TrainRequest, TrainSpec, train_at_gate
from cipherset.app.redteam.request import RedTeamRequest
from cipherset.app.redteam.run import redteam
from cipherset.app.serving.quiet import Quiet
from cipherset.app.workspace import Session
from cipherset.core.errors import UsageError
from cipherset.core.files import disk_errors
from cipherset.core.values import ColumnRoles

WORKSPACE: Final = "workspace"
ROLES: Final = ColumnRoles(text=(), vector="vector", label="topic")
# So many that the bound on re-identification is far below its limit, whatever the key;
# and so few that they are calibrated in seconds.
_ROWS: Final = 2000
_FEW: Final = 160
_STEPS: Final = 6


@dataclass(frozen=True, slots=True)
class Seeded:
    """Where the workspace is, who looks at it, and who else there is."""

    home: Path
    principal: str
    people: tuple[str, ...]


def seed_demo(session: Session, target: Path) -> Seeded:
    """Make a workspace with a bit of everything in the new folder ``target``.

    The session's own workspace is not used. Nothing is fetched.

    Raises:
        UsageError: ``target_exists``.
        BackendError: it cannot be written.
    """
    if target.exists():
        raise UsageError(
            f"{target} is there already",
            code="target_exists",
            hint="choose another folder, or look at it: cipherset console --home "
            f"{target / WORKSPACE} --as {AUDITOR}",
        )
    with disk_errors(target):
        target.mkdir(parents=True, mode=0o700)
    home = target / WORKSPACE
    owner = replace(session, home=home, ledger=None, held=None, progress=Quiet())
    session.progress.start("seed a workspace", _STEPS)
    try:
        _seed(owner, target, lambda: session.progress.advance(1))
    finally:
        session.progress.finish()
    return Seeded(home, AUDITOR, tuple(TEAM))


def _seed(owner: Session, target: Path, done: Callable[[], None]) -> None:
    rows, export, model = (target / name for name in ("rows.jsonl", "export", "model.bundle"))
    write_rows(rows, _ROWS, seed=0)
    keys.create(replace(owner, actor="kim"), "support", purpose=PURPOSE, provider=None)
    ivan = replace(owner, actor="ivan")
    protect(
        ivan,
        ProtectRequest(
            str(rows), ROLES, "support", export, minimize="lda:3", approximation_factor=24.0
        ),
    )
    done()
    few = target / "few.jsonl"
    write_rows(few, _FEW, seed=1)
    calibrate(ivan, CalibrateRequest(str(few), ROLES, target / "frontier"))
    done()
    train_at_gate(replace(owner, actor="sam"), TrainRequest(export, model, TrainSpec()))
    done()
    redteam(replace(owner, actor="rita"), RedTeamRequest(places=(export,), is_quick=True))
    done()
    gather_team(owner)
    work_together(owner, str(export), str(model))
    done()
    _look_at_logs(replace(owner, actor=AUDITOR))
    done()


def _look_at_logs(auditor: Session) -> None:
    """Sightings of the sample log; the review of one service is asked for."""
    with as_file(files("cipherset.app.demo.seeded") / "proxy.csv") as log:
        found = discover_egress(auditor, EgressRequest(logs=(log,)))
    asset, name = min(found.unreviewed().items(), key=lambda each: each[1])
    ask_for_review(replace(auditor, actor="rita"), asset, name, approver="ada")

"""``report``: one folder for an auditor, with what was done, what holds, and what shows it.

DIR/report.html      for people; prints
DIR/report.pdf       the same, as a file that is handed on
DIR/report.json      the same, all of it, with every event that a page links as it is stored
DIR/checkpoint.json  the ledger when this was written, signed
DIR/signed.json      DSSE envelope with the digests of the four
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cipherset.app.audit.verify import CheckpointResult, told
from cipherset.app.gate import Action
from cipherset.app.places import Made, check_target
from cipherset.app.reports.access import access
from cipherset.app.reports.content import Report, Section, appendix
from cipherset.app.reports.evidence import evidence
from cipherset.app.reports.exceptions import exceptions
from cipherset.app.reports.inventory import inventory
from cipherset.app.reports.material import Material, gather
from cipherset.app.reports.page import html
from cipherset.app.reports.pdf import pdf
from cipherset.app.reports.period import Period, period_of
from cipherset.app.reports.processing import processing
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core import canonical
from cipherset.core.envelope import public_key_of, sign
from cipherset.core.files import replace_directory, stage_directory, write_atomic
from cipherset.custody.ledger import SignedCheckpoint, sign_checkpoint

REPORT_TYPE: Final = "application/vnd.cipherset.report.v1+json"
SCHEMA: Final = "cipherset/report/1"
FILES: Final = ("report.html", "report.json", "report.pdf", "checkpoint.json")


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """From when to when (ISO 8601; UTC where no zone is named), and the folder it goes to."""

    target: Path
    since: str
    until: str | None = None
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class Reported:
    """Where it is, what it counts, and the digest of each file."""

    to: Path
    period: Period
    events: int
    sections: tuple[Section, ...]
    files: dict[str, str]
    checkpoint: CheckpointResult

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        return {
            "to": str(self.to),
            "since": self.period.since,
            "until": self.period.until,
            "events": self.events,
            "figures": {
                section.id: {each.name: each.value for each in section.figures}
                for section in self.sections
            },
            "files": self.files,
            "checkpoint": self.checkpoint,
        }


def report(session: Session, request: ReportRequest) -> Reported:
    """Everything that an auditor asks for, of the period, in the request's folder.

    Raises:
        UsageError: ``since``, ``period``; ``target_exists``, ``target_not_ours``,
            ``target_parent``.
        PolicyError: ``not_allowed``.
        IntegrityError: ``ledger_broken``: nothing is reported from a chain that does not hold.
        BackendError: the ledger cannot be read or written; ``disk_full``, ``no_permission``.
    """
    now = datetime.now(UTC)
    period = period_of(request.since, request.until, now.isoformat(timespec="microseconds"))
    check_target(request.target, Made.REPORT, overwrite=request.overwrite)
    facts = {"what": "report", "since": period.since, "until": period.until}
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.AUDIT, "report", facts) as act,
    ):
        checkpoint = workspace.gate.ledger.checkpoint()
        signed = SignedCheckpoint(checkpoint, workspace.fingerprint)
        material = gather(workspace, period, checkpoint.size)
        made = _report(session, material, told(signed))
        raw = {
            "report.html": html(made).encode(),
            "report.json": canonical.encode(_json(made)),
            "report.pdf": pdf(made),
            "checkpoint.json": sign_checkpoint(checkpoint, workspace.ring.signer()),
        }
        files = {name: canonical.digest_bytes(raw[name]) for name in FILES}
        envelope = _signed(workspace, made, files)
        _write(request, {**raw, Made.REPORT.value: envelope})
        act.facts["sha256"] = canonical.digest_bytes(envelope)
    return Reported(request.target, period, made.n_events, made.sections, files, made.checkpoint)


def _report(session: Session, material: Material, checkpoint: CheckpointResult) -> Report:
    sections = (
        processing(material),
        inventory(material),
        access(material),
        evidence(material),
        exceptions(material),
    )
    return Report(
        created=material.picture.now.isoformat(timespec="seconds"),
        actor=session.actor,
        period=material.period,
        n_events=len(material.recent),
        sections=sections,
        events=appendix(sections, [each.event for each in material.told]),
        checkpoint=checkpoint,
    )


def _json(made: Report) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "created": made.created,
        "by": made.actor,
        "since": made.period.since,
        "until": made.period.until,
        "events": made.n_events,
        "sections": [section.as_json() for section in made.sections],
        "appendix": [asdict(event) for event in made.events],
        "checkpoint": dict(made.checkpoint),
    }


def _signed(workspace: Workspace, made: Report, files: dict[str, str]) -> bytes:
    """The envelope over the digests of everything beside it."""
    signer = workspace.ring.signer()
    payload = {
        "schema": SCHEMA,
        "created": made.created,
        "since": made.period.since,
        "until": made.period.until,
        "files": files,
        "signer": {"public_key": public_key_of(signer)},
    }
    return sign(canonical.encode(payload), REPORT_TYPE, signer)


def _write(request: ReportRequest, raw: dict[str, bytes]) -> None:
    """All of it or nothing."""
    with stage_directory(request.target, mode=0o755) as staged:
        for name, content in raw.items():
            write_atomic(staged / name, content, mode=0o644)
        replace_directory(staged, request.target, overwrite=request.overwrite)

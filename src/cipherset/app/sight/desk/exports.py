"""Exports with their evidence: the finding's own lines, verified, and its report if it is kept."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cipherset.app.assess.finding import FINDING, REPORT, Finding, read_finding
from cipherset.app.sight.desk.assets import asset_unknown
from cipherset.app.sight.gather import picture
from cipherset.app.sight.look import looked
from cipherset.app.workspace import Session, Workspace
from cipherset.core.errors import BackendError, IntegrityError
from cipherset.core.files import disk_errors
from cipherset.evidence.views.desk.exports import Export, exports

_ID: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Shown:
    """An export and its latest finding.

    ``finding`` is None where there is none; ``is_lost``: the ledger names one, but it is not there,
    or was changed. ``names`` are those of the sources. ``has_report``: the page for people is kept.
    """

    export: Export
    names: dict[str, str]
    finding: Finding | None = field(default=None, repr=False)
    is_lost: bool = False
    has_report: bool = False


def list_exports(session: Session) -> tuple[Export, ...]:
    """Every export, the newest first.

    Raises:
        PolicyError: ``not_allowed``.
        BackendError: the ledger cannot be read, or written: to look is an act too.
    """
    with looked(session, "exports") as (workspace, _):
        return exports(picture(workspace))


def show_export(session: Session, asset_id: str) -> Shown:
    """One export with its evidence.

    Raises:
        PolicyError: ``not_allowed``.
        UsageError: ``asset_unknown``.
        BackendError: as ``list_exports``.
    """
    with looked(session, "export") as (workspace, _):
        seen = picture(workspace)
        found = _one(exports(seen), asset_id)
        folder = _folder(workspace, found)
        names = {each: seen.things[each].name for each in found.sources if each in seen.things}
        try:
            finding = None if folder is None else _read(workspace, folder)
        except (BackendError, IntegrityError):
            return Shown(found, names, is_lost=True)
        has_report = folder is not None and (folder / REPORT).is_file()
    return Shown(found, names, finding, has_report=has_report)


def read_report(session: Session, asset_id: str) -> bytes:
    """The page about an export's latest finding, as ``assess`` wrote it; it holds no row.

    Raises:
        PolicyError: ``not_allowed``.
        UsageError: ``asset_unknown``.
        BackendError: ``no_permission`` or ``disk``: it is not there.
    """
    with looked(session, "report") as (workspace, _):
        folder = _folder(workspace, _one(exports(picture(workspace)), asset_id))
        if folder is None:
            raise asset_unknown()
        with disk_errors(folder / REPORT):
            return (folder / REPORT).read_bytes()


def _one(found: tuple[Export, ...], asset_id: str) -> Export:
    one = next((each for each in found if each.thing.id == asset_id), None)
    if one is None:
        raise asset_unknown()
    return one


def _folder(workspace: Workspace, export: Export) -> Path | None:
    """Where the finding is, if there is one; its name is digits and leads nowhere else."""
    name = None if export.finding is None else export.finding.facts.get("finding")
    if not isinstance(name, str) or not _ID.fullmatch(name):
        return None
    return workspace.home / "findings" / name


def _read(workspace: Workspace, folder: Path) -> Finding:
    return read_finding(folder / FINDING, signer=workspace.fingerprint)

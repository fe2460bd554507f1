"""``discover``: a scan here, or the reports of agents elsewhere, into the inventory.

Once for each look a run; what it saw is in the ledger before anybody is told of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from cipherset.app.discovery.origins import Ours, origin_of, ours, take_in
from cipherset.app.discovery.record import Knowledge, Look, Recorded, Sighting, record
from cipherset.app.discovery.status import reviews
from cipherset.app.gate import Act, Action, Gate
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.errors import InputError
from cipherset.core.files import disk_errors, read_regular
from cipherset.custody.policy import Authenticated, Kind
from cipherset.evidence.discover.code import Found, NotRead, Report, read_report, scan
from cipherset.evidence.discover.code import Kind as Seen
from cipherset.evidence.discover.code.report import MOST_BYTES
from cipherset.evidence.views.inventory.rows import Origin
from cipherset.evidence.views.inventory.sightings import made_by
from cipherset.evidence.views.inventory.status import Review, Reviewed, counted

_ASSETS: Final = MappingProxyType(
    {Seen.MODEL: Kind.MODEL, Seen.MODEL_FILE: Kind.MODEL, Seen.DATASET: Kind.DATASET}
    | {Seen.PROMPT: Kind.DATASET}
)
_REPORTS: Final = "reports"
# One asset for a whole repository or host: it is reviewed once, however many files use it. All
# else (a key, a file of weights, a server) is one thing in its one place.
_WIDE: Final = frozenset({Seen.SDK, Seen.LIBRARY, Seen.AGENT, Seen.ENDPOINT, Seen.MODEL})


@dataclass(frozen=True, slots=True)
class DiscoverRequest:
    """Where to look, and reports of agents; ``label`` names the repository or host it all is in."""

    paths: tuple[Path, ...] = ()
    reports: tuple[Path, ...] = ()
    catalog: Path | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Discovery:
    """One use of AI, the asset of the inventory that it is, and how that was reviewed.

    ``origin`` is that of a file of weights: the run that made it, if one of ours did.
    """

    found: Found
    asset: str
    review: Reviewed
    is_new: bool
    origin: Origin | None = None

    def as_json(self) -> dict[str, Any]:
        """The command's JSON: one of the findings."""
        return {
            **self.found.as_json(),
            "status": self.review.status.value,
            "because": self.review.because,
            "asset": self.asset,
            "new": self.is_new,
            "how": self.found.how,
            "service": self.found.service or None,
            "digest": self.found.digest or None,
            "origin": None if self.origin is None else self.origin.told,
            "run": None if self.origin is None else self.origin.run,
        }


@dataclass(frozen=True, slots=True)
class Discovered:
    """What was found, which files were not read, and the runs that say so."""

    findings: tuple[Discovery, ...]
    not_read: tuple[NotRead, ...]
    n_not_read: int
    n_files: int
    runs: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        return {
            "findings": [each.as_json() for each in self.findings],
            "statuses": self.counts(),
            "files": self.n_files,
            "not_read": [each.whole() for each in self.not_read],
            "n_not_read": self.n_not_read,
            "runs": list(self.runs),
        }

    def unreviewed(self) -> dict[str, str]:
        """What each asset is that nobody has reviewed, by its id."""
        return {
            each.asset: each.found.what
            for each in self.findings
            if each.review.status is Review.UNREVIEWED
        }

    def reviewed(self, stand: Mapping[str, Reviewed]) -> "Discovered":
        """The same with the reviews that ``stand`` now, by id."""
        now = (replace(each, review=stand.get(each.asset, each.review)) for each in self.findings)
        return replace(self, findings=tuple(now))

    def counts(self) -> dict[str, int]:
        """How many findings there are of each status."""
        return counted(each.review for each in self.findings)


@dataclass(frozen=True, slots=True)
class _Taken:
    """A report, how it came, and what it belongs to."""

    report: Report
    by: Knowledge
    label: str | None

    def of(self, root: str) -> str:
        """What is found under ``root`` belongs to: a folder, and its host where it is another."""
        if self.by is Knowledge.AGENT:
            return f"{self.report.host}:{root}"
        return Path(root).resolve().name or root


def discover(session: Session, request: DiscoverRequest) -> Discovered:
    """Look for AI, and write down what is there; nothing found is executed.

    Raises:
        InputError: ``discover_path``, ``discover_catalog``, ``discover_report``.
        PolicyError: ``not_allowed``.
        BackendError: a file cannot be read, or the ledger not written.
    """
    taken = [_read(path, request.label) for path in request.reports]
    with open_workspace(session) as workspace:
        facts = {"paths": len(request.paths), "reports": len(request.reports)}
        with workspace.gate.act(Action.DISCOVER, _subject(request), facts) as act:
            if request.paths:
                report = _scanned(session, request)
                take_in(workspace, report.findings)
                taken.append(_Taken(report, Knowledge.SCAN, request.label))
            return _written(workspace, act, taken)


def take_report(session: Session, report: Report) -> Discovered:
    """What the agent of a host sends of it, into the inventory; as ``discover`` with its file.

    Who was verified reports of no host but the one that bears the principal's own name.

    Raises:
        InputError: ``report_host``: it is of another host, or does not say of which.
        PolicyError: ``not_allowed``.
        BackendError: the ledger cannot be written.
    """
    with open_workspace(session) as workspace:
        facts = {"paths": 0, "reports": 1}
        with workspace.gate.act(Action.DISCOVER, _REPORTS, facts) as act:
            is_verified = session.authenticated is not Authenticated.CLAIMED
            if not report.host or (is_verified and report.host != session.actor):
                raise InputError(
                    "the report is not of the host that sends it",
                    code="report_host",
                    hint="start the agent with --host and the name of the principal that it is",
                )
            return _written(workspace, act, [_Taken(report, Knowledge.AGENT, None)])


def _subject(request: DiscoverRequest) -> str:
    return request.label or ("here" if request.paths else _REPORTS)


def _scanned(session: Session, request: DiscoverRequest) -> Report:
    session.progress.start("look for AI", None)
    last = 0

    def seen(files: int) -> None:
        nonlocal last
        session.progress.advance(files - last)
        last = files

    try:
        return scan(request.paths, catalog=request.catalog, seen=seen)
    finally:
        session.progress.finish()


def _read(path: Path, label: str | None) -> _Taken:
    """The report of an agent.

    Raises:
        InputError: ``discover_report``; ``report_host``: nobody could tell where it is from.
    """
    with disk_errors(path):
        raw = read_regular(path, most_bytes=MOST_BYTES + 1)
    report = read_report(raw or b"")
    if not (report.host or label):
        raise InputError(
            f"{path} does not say of which host it is",
            code="report_host",
            hint="name it: --label HOST",
        )
    return _Taken(report, Knowledge.AGENT, label)


def _written(workspace: Workspace, act: Act, taken: Sequence[_Taken]) -> Discovered:
    models, gate = ours(workspace), workspace.gate
    seen = [[_sighting(each, found, models) for found in each.report.findings] for each in taken]
    looks = [_look(each) for each in taken]
    done = [_record(gate, look, sightings) for look, sightings in zip(looks, seen, strict=True)]
    new = frozenset().union(*(each.new for each in done))
    found = [
        (each, sighting.id)
        for one, sightings in zip(taken, seen, strict=True)
        for each, sighting in zip(one.report.findings, sightings, strict=True)
    ]
    act.facts.update(findings=len(found), new=len(new), runs=",".join(each.run for each in done))
    makers = made_by(gate.ledger.runs())
    stand = reviews(workspace, {asset for _, asset in found})
    return Discovered(
        findings=tuple(
            Discovery(each, asset, stand[asset], asset in new, origin_of(each, asset, makers))
            for each, asset in found
        ),
        not_read=tuple(each for one in taken for each in one.report.not_read),
        n_not_read=sum(one.report.n_not_read for one in taken),
        n_files=sum(one.report.n_files for one in taken),
        runs=tuple(each.run for each in done),
    )


def _record(gate: Gate, look: Look, seen: Sequence[Sighting]) -> Recorded:
    return gate.ledger.transact(lambda work: record(work, gate.actor, look, seen))


def _look(taken: _Taken) -> Look:
    report = taken.report
    told = {"files": report.n_files, "not_read": report.n_not_read, "catalog": report.catalog}
    if taken.by is Knowledge.AGENT:
        told["reported"] = report.finished
    return Look(taken.by, taken.label or ", ".join(map(taken.of, report.roots)), told)


def _sighting(taken: _Taken, found: Found, models: Ours) -> Sighting:
    root, inside = _parted(found.path, taken.report.roots)
    label = taken.label or taken.of(root)
    place = f"{label}{inside}"
    return Sighting(
        asset=_ASSETS.get(found.kind, Kind.SERVICE),
        kind=found.kind.value,
        what=found.what,
        where=f"{place}:{found.line}" if found.line else place,
        within=label if found.kind in _WIDE else place,
        digest=models.id_of(found),
    )


def _parted(path: str, roots: Sequence[str]) -> tuple[str, str]:
    """The root that the file was found under, and the rest: empty, ``/...``, or ``!/...``."""
    for root in sorted(roots, key=len, reverse=True):
        base = root.rstrip("/")
        if path == root or path.startswith((f"{base}/", f"{base}!/")):
            return root, path[len(base) :]
    return path, ""

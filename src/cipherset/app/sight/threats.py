"""``view threats``: the paths of the workspace as it is now, measured by its own findings."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cipherset.app.assess.finding import FINDING, read_finding, suite_digest
from cipherset.app.gate import Action
from cipherset.app.gate.exposure import CIPHERTEXT, PLAIN, PLAIN_ROLES
from cipherset.app.sight.gather import picture
from cipherset.app.sight.guards import guards
from cipherset.app.sight.look import looked
from cipherset.app.sight.tried import tried
from cipherset.app.workspace import Session, Workspace
from cipherset.core.errors import CiphersetError
from cipherset.custody.ledger import Outcome
from cipherset.custody.ledger.records import events_of
from cipherset.evidence.views.picture import Finding, Picture
from cipherset.evidence.views.threats.known import Known, Reading
from cipherset.evidence.views.threats.path import Measurement, Mitigation
from cipherset.evidence.views.threats.path import Path as ThreatPath
from cipherset.evidence.views.threats.paths import paths

DIGEST: Final = "sha256:"
READING: Final = Reading(
    plain_actions=frozenset(map(str, PLAIN)),
    plain_roles=frozenset(map(str, PLAIN_ROLES)),
    sealed_actions=frozenset(map(str, CIPHERTEXT)),
)


@dataclass(frozen=True, slots=True)
class Threats:
    """The paths, of the picture whose last event was ``events``."""

    paths: tuple[ThreatPath, ...]
    events: int
    now: str

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        return {
            "paths": [each.as_json() for each in self.paths],
            "open": sum(each.is_open for each in self.paths),
            "events": self.events,
            "now": self.now,
        }


def threats(session: Session) -> Threats:
    """Every path of an attacker to something that is there.

    Raises:
        PolicyError: ``not_allowed``.
        IntegrityError: ``ledger_corrupt``, ``label_schema``.
        BackendError: the ledger cannot be read, or written: to look is an act too.
    """
    with looked(session, "threats") as (workspace, act):
        seen = picture(workspace)
        found = paths(seen, known(workspace, seen))
        act.facts["paths"] = len(found)
    return Threats(found, seen.events, seen.now.isoformat(timespec="seconds"))


def known(workspace: Workspace, seen: Picture) -> Known:
    """What the paths of a picture are judged by."""
    ledger = workspace.gate.ledger
    lines: defaultdict[str, list[Measurement]] = defaultdict(list)
    encoders: dict[str, str] = {}
    for finding in seen.findings:
        for line in _lines(workspace, finding, encoders):
            lines[line.about].append(line)
    for line in tried(seen.steps, suite_digest()):
        lines[line.about].append(line)
    return Known(
        reading=READING,
        measurements={about: tuple(found) for about, found in lines.items()},
        guards=guards(ledger.look(workspace.gate.policies)),
        exported=_exported(workspace, seen),
        encoders=encoders,
        caps=_caps(seen.findings),
    )


def _lines(
    workspace: Workspace, finding: Finding, encoders: dict[str, str]
) -> Iterator[Measurement]:
    """What the signed finding of an event says; nothing where it is gone or was changed."""
    name = finding.facts.get("finding")
    if finding.action != Action.ASSESS or not isinstance(name, str):
        return
    path = workspace.home / "findings" / Path(name).name / FINDING
    try:
        signed = read_finding(path, signer=workspace.fingerprint)
    except CiphersetError:
        return
    if signed.bound.encoder.startswith(DIGEST):  # vectors of one's own have none
        encoders[finding.about] = signed.bound.encoder
    yield from (_measured(finding, name, signed.limit, each) for each in signed.attacks)


def _measured(finding: Finding, name: str, limit: float, line: Mapping[str, Any]) -> Measurement:
    """A line; of re-identification, what it adds to the clear columns, which the limit is for."""
    is_reid = "excess" in line
    low, high = line["excess_ci"] if is_reid else line["ci"]
    return Measurement(
        about=finding.about,
        run=str(finding.seq),
        finding=name,
        time=finding.time,
        knowledge=line["knowledge"],
        attack=line["name"],
        given=line["given"],
        metric=line["metric"],
        value=max(0.0, line["excess"]) if is_reid else line["value"],
        ci=(max(0.0, low), high) if is_reid else (low, high),
        limit=limit if is_reid else None,
        is_fresh=finding.is_fresh,
        chance=None if is_reid else line["chance"],
    )


def _exported(workspace: Workspace, seen: Picture) -> dict[str, Mitigation]:
    """What was measured of each export when it was made, without which it had not been."""
    by_id = {
        each.attributes["cipherset_id"]: each.id
        for each in seen.things.values()
        if "cipherset_id" in each.attributes
    }
    done = workspace.gate.ledger.look(
        lambda work: tuple(events_of(work.connection, Action.PROTECT, Outcome.DONE))
    )
    found = {}
    for event in done:
        facts = json.loads(event.body)
        asset, high = by_id.get(facts.get("cipherset")), facts.get("reid_high")
        if asset is not None and isinstance(high, float):
            says = f"with file and key at most {100 * high:.2f} % re-identified (Run {event.seq})"
            found[asset] = Mitigation("measurement", "when it was made", says)
    return found


def _caps(findings: Iterable[Finding]) -> dict[str, int | None]:
    """Of each export the lowest cap that an assessment by today's suite gave its pairs."""
    given: defaultdict[str, list[int | None]] = defaultdict(list)
    for each in findings:
        if each.is_fresh and "pair_cap" in each.facts:
            given[each.about].append(each.facts["pair_cap"])
    return {
        about: min((cap for cap in caps if cap is not None), default=None)
        for about, caps in given.items()
    }

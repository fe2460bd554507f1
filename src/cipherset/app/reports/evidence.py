"""What was measured in the period and by which attacks; what is in use and was not."""

from typing import Final

from cipherset.app.labels.record import MODEL
from cipherset.app.reports.content import Figure, Row, Section, Table
from cipherset.app.reports.material import EXPORT, Material, minute
from cipherset.evidence.views.picture import Finding, Thing

_SAYS: Final = (
    "Findings are what attacks got on this very data: lower bounds, for a better attack gets more. "
    "One is fresh while neither the export nor the suite of attacks is another since."
)


def evidence(material: Material) -> Section:
    """Findings of the period, and what there is without fresh evidence."""
    findings = [each for each in material.picture.findings if material.period.holds(each.time)]
    bad = [each for each in findings if _verdict(each) == "not protective"]
    gaps = unmeasured(material)
    figures = (
        Figure("Findings in the period", len(findings), _seqs(findings)),
        Figure("Of these, not protective", len(bad), _seqs(bad)),
        Figure(
            "Exports and models without fresh evidence",
            len(gaps),
            tuple(sorted({seq for row in gaps for seq in row.events})),
        ),
    )
    tables = (
        Table(
            "Findings",
            ("about", "by", "when", "verdict", "re-identified up to", "pairs to pass", "evidence"),
            tuple(_row(each, material) for each in findings),
        ),
        Table(
            "Exports and models without fresh evidence",
            ("asset", "standing", "evidence"),
            gaps,
            "None: all of it was measured by the attacks of today.",
        ),
    )
    return Section("evidence", "Evidence", _SAYS, figures, tables)


def unmeasured(material: Material) -> tuple[Row, ...]:
    """Exports, and models of them, of which no finding is fresh."""
    last: dict[str, Finding] = {}
    fresh: set[str] = set()
    for each in material.picture.findings:
        last[each.about] = each
        fresh |= {each.about} if each.is_fresh else set()
    rows = []
    for thing in material.picture.things.values():
        about = _measured_on(thing, material)
        if about is None or not fresh.isdisjoint(about):
            continue
        known = [last[each] for each in about if each in last]
        told = f"stale: of {known[0].time[:10]}" if known else "never measured"
        events = {*material.seen([thing.id]), *(each.seq for each in known)}
        row = Row((material.name_of(thing.id), thing.standing, told), tuple(sorted(events)))
        rows.append(row)
    return tuple(rows)


def _measured_on(thing: Thing, material: Material) -> tuple[str, ...] | None:
    """The assets whose findings speak for this one; None for what is not measured at all."""
    if EXPORT in thing.attributes:
        return (thing.id,)
    if thing.kind != MODEL:
        return None
    return (thing.id, *sorted(material.made_of.get(thing.id, ())))


def _seqs(findings: list[Finding]) -> tuple[int, ...]:
    return tuple(each.seq for each in findings)


def _verdict(finding: Finding) -> str:
    return str(finding.facts.get("verdict") or "")


def _pairs(finding: Finding) -> str:
    """The fewest pairs that pass the limit; the red team does not look for them."""
    if "n_star" not in finding.facts:
        return "not said"
    n_star = finding.facts["n_star"]
    return "none tested passes" if n_star is None else str(n_star)


def _row(finding: Finding, material: Material) -> Row:
    reid = finding.facts.get("reid")
    cells = (
        material.name_of(finding.about),
        f"{finding.action} by {finding.actor}",
        minute(finding.time),
        _verdict(finding) or "not said",
        "not said" if reid is None else f"{100 * reid:.2f} %",
        _pairs(finding),
        "fresh" if finding.is_fresh else "stale",
    )
    return Row(cells, (finding.seq,))

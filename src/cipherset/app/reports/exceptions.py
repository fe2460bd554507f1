"""What was not as it should be: risks taken, glass broken, refusals, alerts, acts that failed."""

from collections import defaultdict
from typing import Final

from cipherset.app.gate import Action
from cipherset.app.reports.content import Figure, Row, Section, Table
from cipherset.app.reports.evidence import unmeasured
from cipherset.app.reports.material import Material, Told, minute
from cipherset.custody.ledger import Outcome

_SAYS: Final = (
    "Each of these is no fault by itself: a refusal is the gate at work. They are what somebody "
    "who answers for the whole should have looked at."
)
_ALERT: Final = "alert"


def exceptions(material: Material) -> Section:
    """Everything of the period that calls for a look."""
    tables = (
        _accepted(material),
        _emergencies(material),
        _refused(material),
        _alerts(material),
        _unended(material),
        Table("Stale or missing evidence", ("asset", "standing", "evidence"), unmeasured(material)),
    )
    figures = tuple(
        Figure(
            table.title,
            sum(_times(row) for row in table.rows),
            tuple(sorted({seq for row in table.rows for seq in row.events})),
        )
        for table in tables
    )
    return Section("exceptions", "Exceptions", _SAYS, figures, tables)


def _times(row: Row) -> int:
    """How often: the lines of refusals are of many each, and say it first."""
    return row.cells[0] if isinstance(row.cells[0], int) else 1


def _accepted(material: Material) -> Table:
    rows = [
        Row(
            (each.event.action, each.event.subject, each.event.actor, str(reason)),
            (each.event.seq,),
        )
        for each in material.recent
        if each.event.outcome == Outcome.INTENDED
        and (reason := each.facts.get("accepted_risk")) is not None
    ]
    return Table("Risks that were accepted", ("act", "on", "by", "reason"), tuple(rows))


def _emergencies(material: Material) -> Table:
    """Acts that only broken glass allowed, with who looked at them since."""
    reviews = {
        each.facts["event"]: each.event
        for each in material.told
        if each.event.action == Action.REVIEW
        and each.event.outcome == Outcome.INTENDED
        and "event" in each.facts
    }
    rows = []
    for each in material.recent:
        event = each.event
        if event.outcome != Outcome.INTENDED or "break_glass" not in each.facts:
            continue
        review = reviews.get(event.seq)
        told = "not reviewed" if review is None else f"reviewed by {review.actor}"
        seqs = (event.seq,) if review is None else (event.seq, review.seq)
        cells = (event.action, event.subject, event.actor, str(each.facts["break_glass"]), told)
        rows.append(Row(cells, seqs))
    columns = ("act", "on", "by", "reason", "review")
    return Table("Acts in an emergency", columns, tuple(rows))


def _refused(material: Material) -> Table:
    groups: defaultdict[tuple[str, str, str], list[Told]] = defaultdict(list)
    for each in material.recent:
        if each.event.outcome == Outcome.REFUSED:
            code = str(each.facts.get("code", ""))
            groups[code, each.event.action, each.event.actor].append(each)
    rows = tuple(
        Row(
            (len(found), code, action, actor, minute(found[-1].event.time)),
            tuple(each.event.seq for each in found),
        )
        for (code, action, actor), found in sorted(groups.items(), key=lambda one: -len(one[1]))
    )
    return Table("Acts that were refused", ("times", "code", "act", "by", "last"), rows)


def _alerts(material: Material) -> Table:
    rows = tuple(
        Row(
            (
                str(each.facts.get("kind", "")),
                each.event.subject,
                str(each.facts.get("of") or "all acts"),
                f"{each.facts.get('found')} (usually {each.facts.get('usual')})",
                each.facts.get("stopped") or "nothing",
            ),
            (each.event.seq,),
        )
        for each in material.of(_ALERT)
    )
    return Table("Alerts", ("alert", "about", "act", "found", "stopped"), rows)


def _unended(material: Material) -> Table:
    """Acts that failed, and those whose process died before it could say how they ended.

    The last act is the report itself: it ends when this is written.
    """
    last = material.told[-1].event.seq if material.told else 0
    rows = tuple(
        Row((act.action, act.subject, act.actor, act.outcome or "no end"), (act.seq,))
        for act in material.acts
        if act.outcome in {None, Outcome.FAILED} and act.seq != last
    )
    return Table("Acts that failed or have no end", ("act", "on", "by", "ended"), rows)

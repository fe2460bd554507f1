"""What was processed for what, and who used it: the records of articles 30 and 12, of a period."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from cipherset.app.gate import Action
from cipherset.app.records.processing import RECEIVING
from cipherset.app.records.use import USES
from cipherset.app.records.uses import Use
from cipherset.app.reports.content import Figure, Row, Section, Table
from cipherset.app.reports.material import EXPORT, Material, minute, reached, short
from cipherset.core.labels import joined
from cipherset.custody.ledger import Outcome
from cipherset.evidence.views.picture import Key, Thing

_COLUMNS: Final = (
    *("purpose", "key", "data", "sources", "exports", "rows", "recipients", "measured"),
)
_SAYS: Final = (
    "One line for each key, for a key stands for a purpose (GDPR, article 30(1)); then who used "
    "which model or export in the period (AI Act, article 12). What only people know, such as the "
    "controller and the transfers, is not in the ledger and not here."
)


def processing(material: Material) -> Section:
    """The record of processing, as of now, and the uses of the period."""
    used = [act for act in material.acts if act.action in USES]
    done = material.of(Action.PROTECT, outcome=Outcome.DONE)
    exported = tuple(each.event.seq for each in done)
    limits, activation = material.policies.limits.retention, material.activation
    return Section(
        id="processing",
        title="Record of processing",
        says=_SAYS,
        figures=(
            Figure("Exports made in the period", len(exported), exported),
            Figure("Uses in the period", len(used), tuple(act.seq for act in used)),
            Figure("Datasets are kept for (days)", _days(limits.dataset_days), activation),
            Figure("Models are kept for (days)", _days(limits.model_days), activation),
            Figure("Policies that hold", short(material.policies.digest), activation),
        ),
        tables=(
            Table("Processing activities", _COLUMNS, tuple(activities(material)), "No key yet."),
            _uses(used, material),
        ),
    )


def activities(material: Material) -> Iterator[Row]:
    """A line for each key, as ``records.record_of_processing`` has it."""
    exports: defaultdict[str, list[Thing]] = defaultdict(list)
    for thing in material.picture.things.values():
        if EXPORT in thing.attributes:
            exports[thing.attributes["key_id"]].append(thing)
    receivers: defaultdict[str, set[str]] = defaultdict(set)
    for act in material.all_acts:
        if act.action in RECEIVING and act.facts.get("asset"):
            receivers[act.facts["asset"]].add(act.actor)
    last = {key.key_id: key for key in sorted(material.picture.keys, key=lambda each: each.version)}
    for key in last.values():
        yield _activity(key, exports[key.key_id], receivers, material)


def _activity(
    key: Key, exports: list[Thing], receivers: dict[str, set[str]], material: Material
) -> Row:
    ids = {each.id for each in exports}
    sources = reached(ids, material.made_of)
    held = ids | reached(ids, material.made_into)
    things = material.picture.things
    label = joined(things[each].label for each in sorted(sources | ids) if each in things)
    who = sorted({name for asset in held for name in receivers.get(asset, ())})
    cells = (
        key.purpose or "not said",
        f"{key.name} ({key.status})",
        "not looked at" if label is None else ", ".join([label.level, *map(str, label.tags)]),
        len(sources),
        len(exports),
        sum(int(each.attributes["rows"]) for each in exports),
        ", ".join(who) or "nobody",
        _measured(exports, material),
    )
    return Row(cells, material.seen([key.id, *sorted(sources | ids)]))


def _measured(exports: list[Thing], material: Material) -> str:
    """The worst that is known of the exports; one that nobody measured is worse than any."""
    if not exports:
        return "nothing left"
    found = [material.reid.get(each.id) for each in exports]
    known = [each for each in found if each is not None]
    if len(known) < len(found):
        return f"{len(found) - len(known)} of {len(found)} not measured"
    limit = material.policies.limits.max_reid
    stale = sum(not is_fresh for _, is_fresh in known)
    worst = max(reid for reid, _ in known)
    told = f"up to {100 * worst:.1f} % re-identified (limit {100 * limit:g} %)"
    return told if not stale else f"{told}; {stale} by older attacks"


def _uses(used: list[Use], material: Material) -> Table:
    """By act, system and who asked: how often, how many inputs were answered, first and last."""
    groups: defaultdict[tuple[str, str, str], list[Use]] = defaultdict(list)
    for act in used:
        groups[act.action, act.facts.get("asset") or "", act.actor].append(act)
    rows = tuple(
        Row(
            (
                use,
                material.name_of(system) if system else "",
                who,
                len(found),
                sum(int(act.facts.get("rows") or 0) for act in found),
                minute(found[0].began),
                minute(found[-1].began),
            ),
            tuple(act.seq for act in found),
        )
        for (use, system, who), found in sorted(groups.items())
    )
    columns = ("use", "system", "by", "times", "inputs", "first", "last")
    return Table("Uses in the period", columns, rows)


def _days(days: int | None) -> str | int:
    return "no limit" if days is None else days

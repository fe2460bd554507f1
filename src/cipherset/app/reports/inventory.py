"""What there is: datasets, keys, models, services, with where each stands and comes from."""

from collections import Counter
from typing import Final

from cipherset.app.gate import Action
from cipherset.app.labels.record import MODEL
from cipherset.app.reports.content import Figure, Row, Section, Table
from cipherset.app.reports.material import Material, short
from cipherset.custody.ledger import Outcome
from cipherset.custody.policy import Kind
from cipherset.evidence.views.picture import DONE, Thing

_SAYS: Final = (
    "Every dataset, key version, model and service that the ledger knows, as it stands today. "
    "What nobody labeled counts as restricted; a model that no run here made is of unknown origin."
)
_KINDS: Final = (Kind.DATASET, Kind.KEY, Kind.MODEL, Kind.SERVICE)
_COLUMNS: Final = ("name", "id", "label", "standing", "owner", "purpose", "origin", "since")


def inventory(material: Material) -> Section:
    """The AI inventory."""
    things = [each for each in material.picture.things.values() if not each.is_guards]
    made, deployed = _makers(material), _deployed(material)
    counts = Counter(each.kind for each in things)
    new = [each.id for each in things if material.period.holds(each.created)]
    unknown = [each.id for each in things if each.kind == MODEL and each.id not in made]
    stale = [each.id for each in things if each.is_stale]
    figures = (
        *(
            Figure(
                f"{kind.value.capitalize()}s" if kind is not Kind.KEY else "Key versions",
                counts[kind.value],
                material.seen([each.id for each in things if each.kind == kind]),
            )
            for kind in _KINDS
        ),
        Figure("New in the period", len(new), material.seen(new)),
        Figure("Deployed in the period", len(deployed), deployed),
        Figure("Models of unknown origin", len(unknown), material.seen(unknown)),
        Figure("Assets that hold rows of somebody forgotten", len(stale), material.seen(stale)),
    )
    tables = tuple(
        Table(
            f"{kind.value.capitalize()}s",
            _COLUMNS,
            tuple(_row(each, made, material) for each in things if each.kind == kind),
            "None.",
        )
        for kind in _KINDS
    )
    return Section("inventory", "AI inventory", _SAYS, figures, tables)


def _row(thing: Thing, made: dict[str, str], material: Material) -> Row:
    standing = f"{thing.standing}, stale" if thing.is_stale else thing.standing
    brought = "unknown origin" if thing.kind == MODEL else "brought in"
    cells = (
        thing.name,
        short(thing.id),
        "not labeled" if thing.label is None else thing.label.level.value,
        standing,
        thing.owner or "",
        thing.purpose or "",
        made.get(thing.id, "" if thing.kind == Kind.KEY else brought),
        thing.created[:10],
    )
    return Row(cells, material.seen([thing.id]))


def _makers(material: Material) -> dict[str, str]:
    """Of each asset that a run here made, which one and by whom; what was brought has none."""
    return {
        each: f"{step.kind} by {step.actor}, {step.id}"
        for step in material.picture.steps
        if step.status == DONE and "brought" not in step.parameters
        for each in step.outputs
    }


def _deployed(material: Material) -> tuple[int, ...]:
    return tuple(each.event.seq for each in material.of(Action.DEPLOY, outcome=Outcome.DONE))

"""Small pictures, drawn by hand."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cipherset.core.labels import Label, Level
from cipherset.evidence.views.picture import (
    Finding,
    Key,
    Permission,
    Person,
    Picture,
    Spent,
    Thing,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Ran:
    """A run."""

    id: str
    kind: str
    inputs: tuple = ()
    outputs: tuple = ()
    parameters: dict = field(default_factory=dict)
    actor: str = "bob"
    started: str = "2026-02-01T00:00:00+00:00"
    finished: str | None = None
    status: str = "done"


def ago(days):
    return (NOW - timedelta(days=days)).isoformat()


def thing(id_, kind="dataset", *, level=None, rows=None, key=None, **more):
    attributes = {}
    if rows is not None:
        attributes["rows"] = rows
    if key is not None:
        attributes |= {"key_id": key[0], "key_version": key[1]}
    label = None if level is None else Label(level=Level(level))
    return Thing(id_, kind, f"the {id_}", ago(50), attributes, label, **more)


def key(id_="key", version=1, **more):
    facts = {"status": "active", "provider": "file:", "purpose": "", "created": ago(60)} | more
    return Key(id_, "support-1", "support", version, **facts)


def made(*parameters, **more):
    return {"key_id": "support-1", "key_version": 1} | dict(parameters) | more


def assessed(about, seq=9, *, reid=0.02, days=0, fresh=True, **facts):
    told = {"reid": reid, "limit": 0.05, "verdict": "within limit", "pair_cap": None}
    told |= {"n_star": None, "n_star_noise_free": None} | facts
    return Finding(seq, ago(days), "rev", "assess", about, fresh, told)


def person(name, *roles, active=True):
    return Person(name, roles, active, has_key=False)


def grant(id_, action, name, *assets, state="live"):
    bound = {f"dataset:{each}": each for each in assets}
    return Permission(
        id_, action, name, name, "routing", state, "", bound, ago(1), None, accepts_risk=False
    )


def spent(kind, scope, used):
    return Spent(kind, scope, used)


def picture(things=(), steps=(), **more):
    """A team's picture, unless it says ``alone``."""
    facts = {"now": NOW, "events": 99, "policy": "sha256:p", "alone": False} | more
    known = {each.id: each for each in things}
    for each in facts.get("keys", ()):
        known.setdefault(each.id, thing(each.id, "key"))
    return Picture(things=known, steps=tuple(steps), **facts)


def exported(**more):
    """A source, an export of 400 rows of it under a key, and a model of that."""
    things = (
        thing("source", level="confidential"),
        thing("export", level="confidential", rows=400, key=("support-1", 1)),
        thing("model", "model", level="confidential", key=("support-1", 1)),
    )
    steps = (
        Ran("r1", "protect", ("source",), ("export",), made()),
        Ran("r2", "train", ("export",), ("model",), {"at_gate": False}),
    )
    return picture(things, steps, keys=(key(),), **more)

"""Pictures by hand: an owner's export under a key, a model of it, people and grants."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from cipherset.evidence.views.picture import Finding, Key, Permission, Person, Picture, Thing

THEN = "2026-11-01T00:00:00.000000+00:00"


@dataclass(frozen=True)
class Run:
    kind: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    parameters: dict = field(default_factory=dict)
    status: str = "done"
    id: str = "run"
    actor: str = "bob"
    started: str = THEN
    finished: str | None = THEN


def thing(name, kind="dataset", *, standing="proposed", **attributes):
    return Thing(name, kind, f"the {name}", THEN, attributes=attributes, standing=standing)


def export(name, rows=100, key="support-1", version=1):
    told = {"cipherset_id": name, "rows": rows, "key_id": key, "key_version": version}
    return thing(name, **told)


def key(version=1, *, status="active", provider="file:kek", name="support"):
    return Key(f"{name}-v{version}", f"{name}-1", name, version, status, provider, "", THEN)


def person(name, *roles, is_active=True):
    return Person(name, roles, is_active, has_key=False)


def grant(action, who, asset, *, state="live", called="g"):
    bound = {f"dataset:{asset}": asset, "policy": "p"}
    return Permission(
        f"{called}-{action}-{who}-{asset}",
        action,
        who,
        who,
        "routing",
        state,
        "",
        bound,
        THEN,
        None,
        accepts_risk=False,
    )


def finding(about, *, seq=9, is_fresh=True, **facts):
    return Finding(seq, THEN, "rev", "assess", about, is_fresh, facts)


def picture(things=(), steps=(), *, alone=False, **more):
    return Picture(
        now=datetime(2026, 11, 26, tzinfo=UTC),
        events=10,
        policy="p",
        alone=alone,
        things={each.id: each for each in things},
        steps=tuple(steps),
        **more,
    )


def owned(*, grants=(), people=(), keys=None, **more):
    """``rows`` were exported as ``sealed``; a model was trained on that, and is deployed."""
    return picture(
        [thing("rows"), export("sealed"), thing("model", "model")],
        [
            Run("protect", ("rows",), ("sealed",), {"key_id": "support-1", "key_version": 1}),
            Run("train", ("sealed",), ("model",), {"at_gate": True}),
            Run("deploy", ("model",), (), {"name": "router"}),
        ],
        keys=(key(),) if keys is None else keys,
        people=people,
        grants=grants,
        **more,
    )

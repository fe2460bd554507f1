"""Rows of the inventory are what the runs say, one asset at a time or all at once."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cipherset.core.labels import Label, Level, Tag
from cipherset.evidence.views.inventory.rows import UNKNOWN, Wanted, deployments, inventory
from cipherset.evidence.views.inventory.sightings import all_seen
from cipherset.evidence.views.inventory.status import Review
from cipherset.evidence.views.picture import Finding, Key, Permission, Picture, Thing

NOW = datetime(2026, 2, 1, tzinfo=UTC)
SCAN = {"source": "scan", "label": "shop"}


@dataclass(frozen=True)
class Step:
    id: str
    kind: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    status: str = "done"
    actor: str = "ada"

    @property
    def started(self) -> str:
        return f"2026-01-{self.id}"

    finished = started


def thing(name, kind="model", **more):
    return Thing(name, kind, name, "2026-01-01", **more)


def picture(things, steps=(), **more):
    at = {each.id: each for each in things}
    return Picture(NOW, 0, "", alone=True, things=at, steps=tuple(steps), **more)


def only(things, steps=(), **more):
    (row,) = inventory(picture([things], steps, **more))
    return row


def test_a_model_shows_the_run_that_made_it_or_none():
    train = Step("02", "train", ("rows",), ("m",))
    assert only(thing("m"), [train]).origin.told == "02 (train by ada)"
    assert only(thing("m"), [train]).sources == ("run",)
    brought = Step("02", "train", ("rows",), ("m",), {"brought": True})
    assert only(thing("m"), [brought]).origin.is_claimed
    assert only(thing("m")).origin.told == UNKNOWN
    seen = Step("02", "discover", ("m",), parameters=SCAN)
    assert only(thing("m"), [seen]).origin.told == UNKNOWN
    assert only(thing("m"), [seen]).sources == ("scan",)


def test_what_is_made_again_was_made_by_the_first_run():
    steps = [Step("02", "train", ("a",), ("m",)), Step("03", "train", ("a",), ("m",))]
    assert only(thing("m"), steps).origin.run == "02"


def test_a_source_was_brought_and_a_key_made_here():
    protect = Step("02", "protect", ("rows",), ("export",))
    assert only(thing("rows", "dataset"), [protect]).origin.told == "brought to 02 (protect)"
    key = Key("k", "key-1", "support", 2, "active", "file", "", "2026-01-01")
    held = only(thing("k", "key"), keys=(key,))
    assert (held.origin.told, held.key) == ("made in this workspace", "support v2")
    model = thing("m", attributes={"key_id": "key-1", "key_version": 2})
    assert only(model, keys=(key,)).key == "support v2"
    lost = thing("m", attributes={"key_id": "key-9", "key_version": 1})
    assert only(lost, keys=(key,)).key == "key-9 v1"


def test_a_name_serves_what_was_put_there_last():
    steps = [
        Step("02", "deploy", ("a",), parameters={"name": "x"}),
        Step("03", "deploy", ("a",), parameters={"name": "y"}),
        Step("04", "deploy", ("b",), parameters={"name": "x"}),
        Step("05", "deploy", ("a",), parameters={"name": "z"}, status="failed"),
    ]
    assert deployments(picture([thing("a"), thing("b")], steps)) == {"a": ("y",), "b": ("x",)}
    retired = picture([thing("a", standing="retired"), thing("b")], steps)
    assert deployments(retired) == {"b": ("x",)}


def test_a_model_is_measured_as_what_it_learned_from_is():
    def finding(seq, about):
        return Finding(seq, "2026-01-09", "rev", "assess", about, True, {"reid": seq / 100})

    train = Step("02", "train", ("e", "f"), ("m",))
    of_export = only(thing("m"), [train], findings=(finding(1, "e"), finding(2, "f")))
    assert of_export.measured.seq == 2
    own = only(thing("m"), [train], findings=(finding(1, "m"), finding(2, "e")))
    assert own.measured.seq == 1
    assert only(thing("m"), [train]).measured is None
    assert of_export.as_json()["measured"]["reid"] == 0.02


def test_a_row_tells_its_label_and_its_review():
    label = Label(level=Level.CONFIDENTIAL, tags=(Tag.PII,))
    asked = Permission(
        "grant-1",
        "approve",
        "ada",
        "ada",
        "use",
        "pending",
        "",
        {"model:m": "m"},
        "2026",
        None,
        False,
    )
    told = only(thing("m", label=label), grants=(asked,)).as_json()
    assert (told["label"], told["tags"]) == ("confidential", ["PII"])
    assert (told["status"], told["grant"]) == ("in review", "grant-1")
    other = Permission(
        "grant-2",
        "deploy",
        "ada",
        "ada",
        "use",
        "pending",
        "",
        {"model:m": "m"},
        "2026",
        None,
        False,
    )
    assert only(thing("m"), grants=(other,)).review.status is Review.UNREVIEWED


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (Wanted(), {"gpt", "rows"}),
        (Wanted(kind="model"), {"gpt"}),
        (Wanted(kind="model_file"), {"gpt"}),
        (Wanted(kind="service"), set()),
        (Wanted(status=Review.UNREVIEWED), {"gpt", "rows"}),
        (Wanted(status=Review.APPROVED), set()),
        (Wanted(search="GPT"), {"gpt"}),
        (Wanted(search="WEIGHTS/"), {"gpt"}),
        (Wanted(search="billing"), {"rows"}),
        (Wanted(kind="model", search="billing"), set()),
    ],
)
def test_rows_are_chosen(wanted, names):
    things = [
        thing("gpt", attributes={"seen_as": "model_file"}),
        thing("rows", "dataset", purpose="Billing"),
    ]
    places = {"gpt": {"where": ["weights/a.gguf"], "count": 1}}
    seen = Step("02", "discover", ("gpt",), parameters={**SCAN, "places": places})
    assert {row.thing.name for row in inventory(picture(things, [seen]), wanted)} == names


LOOKS = st.lists(
    st.tuples(
        st.sampled_from(["scan", "agent", "questionnaire", "egress"]),
        st.sampled_from(["one", "other"]),
        st.sets(st.sampled_from("abc")),
    ),
    max_size=12,
)


@given(LOOKS)
def test_what_was_seen_is_what_a_slow_look_at_all_runs_says(looks):
    steps = [
        Step(f"{day:02}", "discover", tuple(sorted(found)), parameters={"source": by, "label": at})
        for day, (by, at, found) in enumerate(looks)
    ]
    found = all_seen(steps)
    for asset in "abc":
        mine = [each for each in steps if asset in each.inputs]
        if not mine:
            assert asset not in found
            continue
        assert (found[asset].first, found[asset].last) == (mine[0].started, mine[-1].started)
        assert set(found[asset].sources) == {each.parameters["source"] for each in mine}
        is_there = False
        for place in {(e.parameters["source"], e.parameters["label"]) for e in mine}:
            alike = [e for e in steps if (e.parameters["source"], e.parameters["label"]) == place]
            is_there |= asset in alike[-1].inputs or place[0] not in {"scan", "agent"}
        assert found[asset].is_gone is not is_there


def test_a_look_that_failed_saw_nothing():
    assert all_seen([Step("02", "discover", ("a",), parameters=SCAN, status="failed")]) == {}


def test_what_somebody_wrote_into_a_run_past_us_is_no_place():
    odd = [
        Step("02", "discover", ("a",), parameters={"source": 1, "as": "run-x"}),
        Step("03", "discover", ("b",), parameters={**SCAN, "places": {}}),
    ]
    assert [each.where for each in all_seen(odd).values()] == [(), ()]


def test_our_own_guards_are_no_ai_of_anybodys():
    guards = thing("g", "service", attributes={"what": "guards"})
    found = thing("f", "service", attributes={"what": "guards", "seen_as": "sdk"})
    seen = picture([guards, found, thing("m")])
    assert [row.thing.id for row in inventory(seen)] == ["f", "m"]

"""Lineages of small pictures by hand, against slow walks, and how the work grows."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cipherset.core import canonical
from cipherset.core.labels import Label, Level
from cipherset.evidence.views import lineage as room
from cipherset.evidence.views.lineage.graph import graph
from cipherset.evidence.views.lineage.links import Node, links
from cipherset.evidence.views.lineage.located import Check, Records, State, located
from cipherset.evidence.views.lineage.openlineage import openlineage, run_uuid
from cipherset.evidence.views.lineage.prov import prov_json
from cipherset.evidence.views.lineage.trace import below, made_again, trace
from cipherset.evidence.views.picture import Key, Picture, Thing

SCHEMA = json.loads((Path(room.__file__).parent / "openlineage.json").read_text(encoding="utf-8"))
ROWS, CLEAN, EXPORT, MODEL, OTHER = (f"sha256:{i:064x}" for i in range(1, 6))
ENCODER = f"sha256:{99:064x}"
CODE = f"sha256:{7:064x}"


@dataclass(frozen=True)
class Step:
    id: str
    kind: str
    inputs: tuple = ()
    outputs: tuple = ()
    parameters: dict = field(default_factory=dict)
    status: str = "done"
    actor: str = "ada"
    started: str = "2026-01-01T00:00:00.000000+00:00"
    finished: str | None = "2026-01-01T00:00:01.000000+00:00"


def key_of(version):
    digest = canonical.digest({"key_id": "support-1", "version": version})
    status = "active" if version == 2 else "retiring"
    return Key(digest, "support-1", "support", version, status, "file:", "", "2026-01-01")


KEYS = (key_of(1), key_of(2))
UNDER = {"key_id": "support-1", "key_version": 1}
STEPS = (
    Step("run-1", "sanitize", (ROWS,), (CLEAN,), {"code": CODE, "rules": "builtin"}),
    Step("run-2", "protect", (CLEAN,), (EXPORT,), {**UNDER, "code": CODE, "mixing": "a reason"}),
    Step("run-3", "protect", (CLEAN,), (), UNDER, "failed"),
    Step("run-4", "assess", (EXPORT,), (), {**UNDER, "finding": "f1", "suite": "s"}),
    Step("run-5", "train", (EXPORT,), (MODEL,), {**UNDER, "brought": True, "code": None}),
    Step("run-6", "deploy", (OTHER,), (), {"name": "router"}),
    Step("run-7", "deploy", (MODEL,), (), {"name": "router"}),
    Step("run-8", "classify", (ROWS,), (), {"label": {}}),
)
MADE = {
    "cipherset_id": "c1",
    "rows": 10,
    "encoder": "mini",
    "encoder_digest": ENCODER,
    "settings": {"max_reid": 0.05},
    "unheard_of": "x",
}


def picture(steps=STEPS, things=None, keys=KEYS):
    if things is None:
        things = (
            Thing(ROWS, "dataset", "rows.csv", "t", label=Label(level=Level.INTERNAL)),
            Thing(CLEAN, "dataset", "clean.csv", "t"),
            Thing(EXPORT, "dataset", "cipherset c1", "t", MADE),
            Thing(MODEL, "model", "model m", "t", is_stale=True, standing="approved"),
            Thing(OTHER, "model", "model o", "t"),
            *(Thing(each.id, "key", each.name, each.created) for each in keys),
        )
    known = {each.id: each for each in things}
    return Picture(datetime(2026, 1, 2, tzinfo=UTC), 9, "p", True, known, tuple(steps), keys)


LINKS = links(picture())


def of(asset):
    return trace(LINKS, LINKS.nodes[asset])


def ids(nodes):
    return [each.id for each in nodes]


def test_a_model_is_followed_up_to_rows_key_code_encoder_and_settings():
    found = of(MODEL)
    assert ids(found.upstream) == [*sorted([ROWS, KEYS[0].id, ENCODER]), CLEAN, EXPORT]
    assert ids(found.downstream) == ["deployment:router"]
    assert [each.step.id for each in found.runs] == ["run-1", "run-2", "run-5", "run-7"]
    told = found.as_json()
    assert told["keys"] == [
        {
            "id": KEYS[0].id,
            "name": "support",
            "key_id": "support-1",
            "version": 1,
            "status": "retiring",
        }
    ]
    assert told["encoders"] == [{"digest": ENCODER, "name": "mini"}]
    assert told["code"] == [CODE]
    protect = told["runs"][1]
    assert protect["code"] == CODE
    assert protect["parameters"]["settings"] == {"max_reid": 0.05}
    assert told["runs"][2]["code"] is None


def test_what_people_wrote_is_not_shown():
    text = json.dumps(of(MODEL).as_json())
    assert "a reason" not in text
    assert "unheard_of" not in text


def test_labels_and_standings():
    known = {each.id: each for each in of(EXPORT).nodes}
    assert (known[ROWS].label, known[CLEAN].label) == ("internal", "restricted")
    assert (known[MODEL].status, known[MODEL].is_stale) == ("approved", True)
    assert known[KEYS[0].id].label is None
    assert known[CLEAN].by_run == "run-1"
    assert known[ROWS].by_run is None


def test_a_key_is_followed_in_all_its_versions():
    assert LINKS.key_versions(KEYS[1].id) == (KEYS[1].id, KEYS[0].id)
    assert ids(of(KEYS[1].id).downstream) == [EXPORT, "finding:f1", MODEL, "deployment:router"]


def test_what_its_runs_read_beside_a_key_is_known_too():
    found = of(KEYS[1].id)
    assert set(ids(found.beside)) == {ENCODER, KEYS[0].id, CLEAN}
    assert of(MODEL).beside == ()
    told = prov_json(found)
    assert len(told["entity"]) == len(found.nodes) + len(found.beside)
    for event in openlineage(found, namespace="n", producer="p"):
        for each in event["inputs"]:
            assert each["facets"]["cipherset"]["kind"] != "unknown"


def test_a_key_that_is_gone_is_named_still():
    found = links(picture(keys=()))
    (key,) = [each for each in trace(found, found.nodes[MODEL]).upstream if each.kind == "key"]
    assert (key.name, key.status, key.id) == ("support-1", "unknown", KEYS[0].id)


def test_a_deployment_that_was_replaced_is_not_the_one_that_is_served():
    found = of(OTHER)
    assert ids(found.downstream) == ["deployment:router#run-6"]
    assert found.downstream[0].status == "replaced"
    assert made_again(LINKS, [OTHER]) == ()
    assert ids(below(LINKS, [OTHER])) == ["deployment:router#run-6"]


def test_what_is_to_be_made_again_comes_after_what_it_is_made_of():
    found = made_again(LINKS, [ROWS])
    assert [(each.what, each.how, each.after) for each in found] == [
        ("rows", "sanitize", ()),
        ("export", "protect", (CLEAN,)),
        ("finding", "assess", (EXPORT,)),
        ("model", "train", (EXPORT,)),
        ("deployment", "deploy", (MODEL,)),
    ]
    assert next(iter(made_again(LINKS, [EXPORT], itself=True))).node.id == EXPORT
    assert made_again(LINKS, [ROWS], itself=True) == found  # no run here made the rows


def test_an_asset_that_nobody_knows_stands_alone():
    stranger = Node("sha256:0", "dataset", "x")
    found = trace(LINKS, stranger)
    assert (found.asset, found.nodes, found.runs) == (stranger, (stranger,), ())


NAMES = st.sampled_from("abcdefgh")
RUNS = st.lists(
    st.tuples(st.lists(NAMES, max_size=3), st.lists(NAMES, max_size=2)), max_size=9
).map(
    lambda ends: [
        Step(f"run-{i}", "make", tuple(dict.fromkeys(a)), tuple(dict.fromkeys(b)))
        for i, (a, b) in enumerate(ends)
    ]
)


def plain(steps):
    names = {each for step in steps for each in (*step.inputs, *step.outputs)} | {"a"}
    things = [Thing(each, "dataset", each, "t") for each in sorted(names)]
    return links(picture(steps, things, ()))


@given(RUNS)
def test_as_the_ids_alone(steps):
    found = trace(plain(steps), Node("a", "dataset", "a"))
    up, down = room.upstream(["a"], steps), room.downstream(["a"], steps)
    assert set(ids(found.upstream)) == up
    assert set(ids(found.downstream)) == down - up


@given(RUNS)
def test_a_run_is_there_where_it_made_what_is_above_or_read_what_is_below(steps):
    found = trace(plain(steps), Node("a", "dataset", "a"))
    up, down = {"a"} | room.upstream(["a"], steps), {"a"} | room.downstream(["a"], steps)
    expected = [
        each.id
        for each in steps
        if each.outputs and (up & {*each.outputs} or down & {*each.inputs})
    ]
    assert [each.step.id for each in found.runs] == expected


@st.composite
def histories(draw):
    """Runs that read only what was there before, and make something new each."""
    there, steps = ["a"], []
    for i in range(draw(st.integers(0, 8))):
        inputs = draw(st.lists(st.sampled_from(there), min_size=1, max_size=3, unique=True))
        steps.append(Step(f"run-{i}", "make", tuple(inputs), (f"m{i}",)))
        there.append(f"m{i}")
    return steps


@given(histories())
def test_the_order_to_make_again_is_one_to_make_in(steps):
    seen = set()
    for each in made_again(plain(steps), ["a"]):
        assert set(each.after) <= seen
        seen.add(each.node.id)
    assert seen == room.downstream(["a"], steps)


@given(RUNS, st.integers(0, 3), st.integers(1, 6))
def test_a_graph_is_a_part_of_the_lineage(steps, depth, most):
    found = plain(steps)
    drawn = graph(found, "a", depth=depth, most=most)
    assert len(drawn.levels) <= most
    assert all(abs(level) <= depth for level in drawn.levels.values())
    around = room.upstream(["a"], steps) | room.downstream(["a"], steps) | {"a"}
    assert drawn.levels.keys() <= around
    pairs = {(a, b, s.id) for s in steps for a in s.inputs for b in s.outputs}
    assert {(each.source, each.target, each.run) for each in drawn.edges} <= pairs
    if not drawn.cut:
        assert len(drawn.levels) == len(around)


def test_a_graph_for_a_page():
    told = graph(LINKS, EXPORT, depth=1).as_json()
    levels = {each["id"]: each["level"] for each in told["nodes"]}
    assert levels[CLEAN] == levels[KEYS[0].id] == -1
    assert levels[MODEL] == levels["finding:f1"] == 1
    assert ROWS not in levels
    assert {each["id"] for each in told["nodes"] if each["more"]} == {CLEAN, MODEL}
    assert {"from": EXPORT, "to": MODEL, "run": "run-5", "kind": "train"} in told["edges"]


def check(asset, state):
    return Check(asset, "export", "/there", state)


def test_the_first_run_whose_output_is_another_is_located():
    checks = [
        check(MODEL, State.ALTERED),
        check(CLEAN, State.VERIFIED),
        check(EXPORT, State.ALTERED),
        check("finding:f1", State.MISSING),
    ]
    found = located(LINKS, checks, Records())
    assert not found.is_valid
    assert found.first_bad == "run-2"
    assert [run for _, run in found.checks] == ["run-5", "run-1", "run-2", "run-4"]
    assert set(found.doubtful) == {"finding:f1", MODEL, "deployment:router"}


def test_what_was_brought_is_located_at_the_first_run_that_read_it():
    found = located(LINKS, [check(ROWS, State.ALTERED)], Records())
    assert found.first_bad == "run-1"
    assert CLEAN in found.doubtful


@pytest.mark.parametrize(
    ("checks", "records", "valid", "first"),
    [
        ([], Records(), True, None),
        ([check(MODEL, State.MISSING)], Records(), True, None),
        ([check(None, State.FOREIGN)], Records(), False, None),
        ([check(MODEL, State.REPLACED)], Records(), False, "run-5"),
        ([], Records(event=3), False, None),
        ([], Records(runs=("run-5",)), False, "run-5"),
        ([], Records(assets=(EXPORT,)), False, None),
    ],
)
def test_what_is_missing_is_not_bad_and_a_ledger_that_was_edited_is(checks, records, valid, first):
    found = located(LINKS, checks, records)
    assert (found.is_valid, found.first_bad) == (valid, first)
    assert found.as_json()["ledger"]["valid"] == records.hold


def test_what_came_of_an_edited_record_is_doubtful():
    assert set(located(LINKS, [], Records(assets=(EXPORT,))).doubtful) == {
        "finding:f1",
        MODEL,
        "deployment:router",
    }
    assert located(LINKS, [], Records(runs=("run-5",))).doubtful == ("deployment:router",)


def events():
    return openlineage(of(MODEL), namespace="cipherset://here", producer="urn:cipherset:1")


def validator(name):
    return jsonschema_rs.validator_for({"$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]})


def test_each_run_begins_and_ends_once():
    told = events()
    ids_of = {(each["run"]["runId"], each["eventType"]) for each in told}
    assert len(told) == len(ids_of) == 8
    assert {kind for _, kind in ids_of} == {"START", "COMPLETE"}
    assert told == events()
    assert run_uuid("run-1") != run_uuid("run-2")


def test_our_facets_are_of_our_schema():
    for event in events():
        facet = event["run"]["facets"]["cipherset"]
        validator(facet["_schemaURL"].rsplit("/", 1)[1]).validate(facet)
        for each in (*event["inputs"], *event["outputs"]):
            validator("DatasetFacet").validate(each["facets"]["cipherset"])


def test_a_facet_with_something_else_is_not():
    facet = events()[0]["run"]["facets"]["cipherset"]
    facet["parameters"] = {**facet["parameters"], "row": "a row"}
    assert not validator("RunFacet").is_valid(facet)


def test_what_prov_says_refers_to_what_it_names():
    told = prov_json(of(MODEL))
    assert len(told["activity"]) == 4
    for relation in ("used", "wasGeneratedBy", "wasDerivedFrom", "wasAssociatedWith"):
        for each in told[relation].values():
            for name, kind in (
                ("prov:entity", "entity"),
                ("prov:activity", "activity"),
                ("prov:agent", "agent"),
                ("prov:usedEntity", "entity"),
                ("prov:generatedEntity", "entity"),
            ):
                assert each.get(name) is None or each[name] in told[kind]
    assert "a reason" not in json.dumps(told)


def wide(n):
    """``n`` exports of one source under one key, each with its model."""
    steps, things = [], [Thing(ROWS, "dataset", "rows.csv", "t")]
    for i in range(n):
        export, model = f"sha256:{i + 1000:064x}", f"sha256:{i + 10**6:064x}"
        things += [Thing(export, "dataset", "e", "t", MADE), Thing(model, "model", "m", "t")]
        steps += [
            replace(STEPS[1], id=f"run-{i}-p", inputs=(ROWS,), outputs=(export,)),
            replace(STEPS[4], id=f"run-{i}-t", inputs=(export,), outputs=(model,)),
        ]
    return picture(steps, things)


def deep(n):
    """A chain of ``n`` runs."""
    ends = [f"sha256:{i + 1000:064x}" for i in range(n + 1)]
    things = [Thing(each, "dataset", "x", "t") for each in ends]
    steps = [Step(f"run-{i}", "make", (ends[i],), (ends[i + 1],)) for i in range(n)]
    return picture(steps, [*things, Thing(ROWS, "dataset", "r", "t")], ())


def walk(taken):
    found = links(taken)
    start = next(iter(taken.things))
    trace(found, found.nodes[start])
    made_again(found, [start])
    graph(found, start)
    room.downstream([start], taken.steps)


@pytest.mark.soak
@pytest.mark.parametrize("shape", [wide, deep])
def test_the_work_grows_with_the_runs_and_no_faster(shape, growth):
    assert growth(walk, shape(1_000), shape(8_000)) < 24  # 8 where linear, 64 where squared

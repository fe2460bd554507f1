"""Paths are generated from what there is: none to what is not there, one for each new way."""

import json
from dataclasses import replace

import pytest
from evidence_pictures import Run, export, grant, key, owned, person, picture, thing
from hypothesis import given
from hypothesis import strategies as st

from cipherset.evidence.views.threats import attackers
from cipherset.evidence.views.threats.known import Known, Reading
from cipherset.evidence.views.threats.path import Measurement, Mitigation, State
from cipherset.evidence.views.threats.paths import paths
from cipherset.evidence.views.threats.references import REFERENCES

READING = Reading(
    plain_actions=frozenset({"scan", "protect"}),
    plain_roles=frozenset({"data-owner"}),
    sealed_actions=frozenset({"export"}),
)
NOTHING = Known(READING, {})
ALL = [each for each in vars(attackers).values() if isinstance(each, attackers.Attacker)]


def measured(about="sealed", *, run="9", knowledge="K4", high=0.02, is_fresh=True, limit=0.05):
    metric = "reid_rank1_in_class" if knowledge < "K5" else "agreement"
    return Measurement(
        about=about,
        run=run,
        finding="f",
        time=f"2026-11-0{run}",
        knowledge=knowledge,
        attack="an attack",
        given="",
        metric=metric,
        value=0.01,
        ci=(0.0, high),
        limit=limit,
        is_fresh=is_fresh,
    )


def by(found, attacker):
    return [each for each in found if each.attacker.id == attacker.id]


def only(found, attacker):
    (one,) = by(found, attacker)
    return one


def known(*lines, **more):
    about = {
        each.about: tuple(line for line in lines if line.about == each.about) for each in lines
    }
    return Known(READING, about, **more)


def test_where_there_is_nothing_there_is_no_path():
    assert paths(picture(), NOTHING) == ()
    assert paths(picture(alone=True), NOTHING) == ()


def test_there_is_a_path_to_each_thing_and_none_to_what_is_not_there():
    found = paths(owned(), NOTHING)
    assert [each.attacker.id for each in found] == [
        "thief-of-file",
        "lab",
        "thief-of-file-and-key",
        "thief-of-model",
        "caller-membership",
        "caller-inversion",
        "caller-extraction",
        "on-path",
        "poisoner",
    ]
    assert {step.id for each in found for step in each.steps} == {
        "rows",
        "sealed",
        "model",
        "router",
        "support-v1",
    }


def test_a_key_that_is_destroyed_is_stolen_by_nobody():
    found = paths(owned(keys=(key(status="destroyed"),)), NOTHING)
    assert by(found, attackers.FILE_AND_KEY) == []


def test_a_model_that_is_retired_is_asked_by_nobody():
    whole = owned()
    retired = replace(whole.things["model"], standing="retired")
    found = paths(replace(whole, things={**whole.things, "model": retired}), NOTHING)
    assert by(found, attackers.EXTRACTION) == []
    assert by(found, attackers.MODEL_FILE) != []


def test_one_person_alone_is_a_path_that_nothing_stands_against():
    path = only(paths(owned(alone=True), NOTHING), attackers.ALONE)
    assert (path.state, path.is_open) == (State.NOT_MEASURED, True)


@pytest.mark.parametrize(
    ("people", "first", "second"),
    [
        ((person("ann", "data-owner"),), (), grant("export", "ann", "sealed")),
        (
            (person("ann", "scientist"),),
            (grant("export", "ann", "sealed"),),
            grant("scan", "ann", "rows"),
        ),
        ((), (grant("protect", "ann", "rows"),), grant("export", "ann", "sealed")),
        ((), (grant("scan", "ann", "rows"),), grant("export", "ann", "sealed", state="scheduled")),
    ],
    ids=["a role", "plain last", "encrypted last", "to come"],
)
def test_a_grant_that_shows_both_sides_of_a_key_adds_exactly_that_path(people, first, second):
    before = paths(owned(people=people, grants=first), NOTHING)
    after = paths(owned(people=people, grants=(*first, second)), NOTHING)
    (new,) = [each for each in after if each not in before]
    assert [each for each in before if each not in after] == []
    assert (new.attacker, new.principal, new.pairs) == (attackers.BOTH_SIDES, "ann", 100)
    assert new.asset.id == "support-v1"
    assert second.id in {each.id for each in new.steps}


@pytest.mark.parametrize(
    "held",
    [
        (grant("export", "ann", "sealed"),),
        (grant("scan", "ann", "rows"),),
        (grant("scan", "ann", "rows"), grant("export", "bea", "sealed")),
        (grant("scan", "ann", "rows"), grant("export", "ann", "sealed", state="expired")),
        (grant("scan", "ann", "rows", state="pending"), grant("export", "ann", "sealed")),
        (grant("scan", "ann", "other"), grant("export", "ann", "sealed")),
        (grant("assess", "ann", "rows"), grant("export", "ann", "sealed")),
    ],
    ids=["encrypted", "plain", "two people", "expired", "pending", "other rows", "no reading"],
)
def test_who_reads_one_side_only_holds_no_pair(held):
    assert by(paths(owned(grants=held), NOTHING), attackers.BOTH_SIDES) == []


def test_who_has_left_reads_nothing_by_role():
    gone = owned(
        people=(person("ann", "data-owner", is_active=False),),
        grants=(grant("export", "ann", "sealed"),),
    )
    found = paths(gone, NOTHING)
    assert by(found, attackers.BOTH_SIDES) == []
    assert not any(each.attacker.id.startswith("insider") for each in found)


def two_exports(*, version=1):
    """``raw`` was sanitized into ``rows``; two exports were made of that."""
    keyed = {"key_id": "support-1"}
    return picture(
        [thing("raw"), thing("rows"), export("one"), export("two", 40, version=version)],
        [
            Run("sanitize", ("raw",), ("rows",)),
            Run("protect", ("rows",), ("one",), {**keyed, "key_version": 1}),
            Run("protect", ("rows",), ("two",), {**keyed, "key_version": version}),
            Run("protect", ("raw",), ("two",), {}, status="failed"),
        ],
        keys=(key(1), key(2)),
        grants=(
            grant("scan", "ann", "raw"),
            grant("scan", "ann", "rows"),
            grant("export", "ann", "one"),
            grant("export", "ann", "two"),
        ),
    )


def test_a_row_is_one_pair_for_each_export_however_far_up_it_is_read():
    path = only(paths(two_exports(), NOTHING), attackers.BOTH_SIDES)
    assert path.pairs == 140
    assert {each.id for each in path.steps} >= {"one", "two", "raw", "rows"}


def test_pairs_are_counted_for_each_version_of_a_key():
    found = by(paths(two_exports(version=2), NOTHING), attackers.BOTH_SIDES)
    assert [(each.asset.id, each.pairs) for each in found] == [
        ("support-v1", 100),
        ("support-v2", 40),
    ]


@pytest.mark.parametrize(
    ("caps", "state"),
    [
        ({}, State.NOT_MEASURED),
        ({"sealed": 99}, State.NOT_MEASURED),
        ({"sealed": 100}, State.MITIGATED),
        ({"sealed": None}, State.MITIGATED),
    ],
)
def test_pairs_within_the_cap_are_mitigated(caps, state):
    held = owned(grants=(grant("scan", "ann", "rows"), grant("export", "ann", "sealed")))
    path = only(paths(held, replace(NOTHING, caps=caps)), attackers.BOTH_SIDES)
    assert path.state is state
    assert path.is_open is (state is State.NOT_MEASURED)


def test_the_most_that_was_measured_counts_and_says_by_which_run():
    lines = measured(run="8", high=0.04), measured(run="9", high=0.03)
    path = only(paths(owned(), known(*lines)), attackers.FILE_AND_KEY)
    assert path.says == (
        "measured by Run 8: 1.00 % (0.00 to 4.00 %, limit 5 %) by an attack, 2026-11-08"
    )
    assert not path.is_open
    above = known(*lines, measured(run="7", high=0.06))
    assert only(paths(owned(), above), attackers.FILE_AND_KEY).is_open


def test_another_attackers_measurement_says_nothing():
    assert only(paths(owned(), known(measured())), attackers.FILE).state is State.NOT_MEASURED


def test_a_stale_measurement_is_none_and_says_since_when():
    path = only(paths(owned(), known(measured(is_fresh=False))), attackers.FILE_AND_KEY)
    assert path.state is State.NOT_MEASURED
    assert path.says == "not measured (Run 9 of 2026-11-09 is stale: another suite, or asset)"


def test_a_model_is_measured_by_the_export_that_it_learned_from():
    found = paths(owned(), known(measured(knowledge="K6", limit=None)))
    assert only(found, attackers.EXTRACTION).state is State.MEASURED
    assert only(found, attackers.MEMBERSHIP).state is State.NOT_MEASURED


def test_what_stands_in_the_way_is_named():
    guard = Mitigation("budget", "queries", "1,000 questions")
    found = paths(owned(), replace(NOTHING, guards={attackers.EXTRACTION.id: (guard,)}))
    path = only(found, attackers.EXTRACTION)
    assert path.says == "mitigated by budget queries: 1,000 questions"
    assert not path.is_open
    hsm = owned(keys=(key(provider="pkcs11:token=a"),))
    assert only(paths(hsm, NOTHING), attackers.FILE_AND_KEY).state is State.MITIGATED
    made = {"sealed": Mitigation("measurement", "when it was made", "2 %")}
    assert only(paths(owned(), replace(NOTHING, exported=made)), attackers.FILE).says.endswith(
        "2 %"
    )


def test_files_of_unknown_origin_services_texts_indexes_and_encoders():
    there = picture(
        [
            thing("brought", "model"),
            thing("found", "model"),
            thing("chat", "service"),
            thing("seen", "service"),
            thing("old", "service", standing="retired"),
            thing("manual"),
            thing("kept"),
            thing("index", index_id="i"),
            export("sealed"),
        ],
        [
            Run("train", (), ("brought",), {"brought": True}),
            Run("service", (), ("chat",)),
            Run("chunk", ("manual",), ("kept",)),
            Run("sanitize", ("raw",), ("clean",)),
        ],
    )
    encoders = replace(
        NOTHING,
        encoders={"sealed": "sha256:ab"},
        guards={attackers.PROVIDER.id: (Mitigation("filter", "prompts", "replaced"),)},
    )
    found = paths(there, encoders)
    assert [each.asset.id for each in by(found, attackers.BROUGHT)] == ["brought", "found"]
    states = {each.asset.id: each.state for each in by(found, attackers.PROVIDER)}
    assert states == {"chat": State.MITIGATED, "seen": State.NOT_MEASURED}
    assert only(found, attackers.CHUNKS).asset.id == "kept"
    assert only(found, attackers.INDEX).asset.id == "index"
    encoder = only(found, attackers.ENCODER)
    assert [each.id for each in encoder.steps] == ["sha256:ab", "sealed"]


def test_a_source_that_was_treated_before_is_guarded():
    there = picture(
        [thing("raw"), thing("rows"), export("sealed")],
        [Run("sanitize", ("raw",), ("rows",)), Run("protect", ("rows",), ("sealed",))],
    )
    path = only(paths(there, NOTHING), attackers.SOURCE)
    assert (path.asset.id, path.state) == ("rows", State.MITIGATED)


def seen(name, kind="service", **attributes):
    return thing(name, kind, seen_as=attributes.pop("as_"), what=name.split("@")[0])


def test_what_was_found_by_looking_has_the_paths_of_what_it_is_seen_as():
    there = picture(
        [
            seen("openai@a", as_="sdk"),
            seen("claude@a", as_="agent"),
            seen("files@a", as_="mcp"),
            seen("token@a", as_="key"),
            seen("ollama@a", as_="server"),
            seen("api@a", as_="endpoint"),
            seen("form@a", as_="told"),
            seen("torch@a", as_="library"),
            seen("torch@b", as_="library"),
            seen("weights@a", "model", as_="model_file"),
            thing("guards", "service", what="guards"),
        ]
    )
    guards = dict.fromkeys([each.id for each in ALL], (Mitigation("filter", "f", "looks"),))
    found = paths(there, replace(NOTHING, guards=guards))
    assert {(each.attacker.id, each.asset.id) for each in found} == {
        ("service-provider", "openai@a"),
        ("author-for-agents", "claude@a"),
        ("author-for-agents", "files@a"),
        ("finder-of-credential", "token@a"),
        ("caller-of-service", "ollama@a"),
        ("service-provider", "api@a"),
        ("caller-of-service", "api@a"),
        ("service-provider", "form@a"),
        ("caller-of-service", "form@a"),
        ("maker-of-library", "torch"),
        ("maker-of-model", "weights@a"),
    }
    library = only(found, attackers.LIBRARY)
    assert [each.id for each in library.steps] == ["torch@a", "torch@b"]
    guarded = {each.attacker.id for each in found if each.state is State.MITIGATED}
    assert guarded == {"maker-of-library"}  # no other is in our hands


@pytest.mark.parametrize(
    ("limit", "chance", "low", "high", "is_open"),
    [
        (0.05, 0.0, 0.0, 0.05, False),
        (0.05, 0.0, 0.0, 0.051, True),
        (None, 0.2, 0.1, 0.9, False),
        (None, 0.2, 0.21, 0.3, True),
        (None, None, 0.0, 0.1, False),
        (None, None, 0.01, 0.1, True),
    ],
)
def test_open_is_above_the_limit_or_else_above_chance(limit, chance, low, high, is_open):
    line = replace(measured(limit=limit), chance=chance, ci=(low, high))
    assert line.is_open is is_open


def test_what_the_prompt_guard_let_through_is_measured_for_each_service():
    line = replace(
        measured(attackers.GUARD, limit=0.1, high=0.3),
        knowledge=attackers.PROMPTS,
        metric="let_through",
    )
    there = picture([thing("chat", "service")], [Run("service", (), ("chat",))])
    path = only(paths(there, known(line)), attackers.PROMPTER)
    assert (path.state, path.is_open) == (State.MEASURED, True)
    past = picture([thing("chat", "service")])  # asked past the gateway, and its guard
    assert only(paths(past, known(line)), attackers.PROMPTER).state is State.NOT_MEASURED


def test_each_role_that_somebody_has_is_one_path():
    people = (person("ann", "data-owner"), person("amy", "data-owner"), person("eve", "auditor"))
    found = paths(owned(people=people), NOTHING)
    (path,) = [each for each in found if each.attacker.id.startswith("insider")]
    assert [each.id for each in path.steps] == ["amy", "ann"]


def test_every_id_is_of_the_table_and_no_two_paths_share_one():
    assert {id for each in ALL for id in each.references} == REFERENCES.keys()
    assert len({each.id for each in ALL}) == len(ALL)
    assert all(each.source.startswith("https://") for each in REFERENCES.values())
    found = paths(two_exports(version=2), NOTHING)
    assert len({each.id for each in found}) == len(found)


@given(st.permutations(range(4)))
def test_the_id_of_a_path_does_not_hang_on_what_else_there_is_or_in_which_order(order):
    whole = two_exports(version=2)
    grants = tuple(whole.grants[at] for at in order)
    found = {each.id: each for each in paths(replace(whole, grants=grants), NOTHING)}
    assert found.keys() == {each.id for each in paths(whole, NOTHING)}
    fewer = {each.id for each in paths(replace(whole, grants=grants[:2]), NOTHING)}
    assert fewer <= found.keys()


def test_the_json_is_whole_and_the_same_each_time():
    told = [each.as_json() for each in paths(two_exports(), known(measured("one")))]
    assert json.loads(json.dumps(told)) == told
    assert told == [each.as_json() for each in paths(two_exports(), known(measured("one")))]
    both = next(each for each in told if each["attacker"] == "reads-both-sides")
    assert both["atlas"] == ["AML.T0012", "AML.T0035"]
    assert both["owasp"] == ["LLM08:2025"]


def many(n):
    keyed = {"key_id": "support-1", "key_version": 1}
    return picture(
        [thing(f"rows-{at}") for at in range(n)] + [export(f"sealed-{at}") for at in range(n)],
        [Run("protect", (f"rows-{at}",), (f"sealed-{at}",), keyed) for at in range(n)],
        keys=(key(),),
        people=tuple(person(f"p{at}", "data-owner") for at in range(n // 10)),
        grants=tuple(grant("export", f"p{at}", f"sealed-{at}") for at in range(n // 10)),
    )


def test_the_work_grows_with_the_assets_and_not_with_their_square(growth):
    assert growth(lambda there: paths(there, NOTHING), many(200), many(2000)) < 30

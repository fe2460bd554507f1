"""From a picture to the facts that are scored: evidence, readers, budgets, guards and weight."""

from dataclasses import replace

import pytest
from risk_pictures import (
    Ran,
    assessed,
    exported,
    grant,
    key,
    made,
    person,
    picture,
    spent,
    thing,
)

from cipherset.core.labels import Level
from cipherset.evidence.views.exposure.budgets import (
    Held,
    Limits,
    dataset_uses,
    key_uses,
    model_uses,
)
from cipherset.evidence.views.risk.facts import Evidence, Reader
from cipherset.evidence.views.risk.formula import score
from cipherset.evidence.views.risk.guards import Surroundings
from cipherset.evidence.views.risk.ranking import ranked
from cipherset.evidence.views.risk.reach import EVERYBODY, SOMEBODY, Allowed
from cipherset.evidence.views.risk.read import facts_of
from cipherset.evidence.views.risk.sorts import Sensed, Sort, origins, sensed, suspended
from cipherset.evidence.views.risk.suppose import moved, with_grant, with_role

SEALED = Sensed(Sort.SEALED, Level.CONFIDENTIAL, "proposed")
PLAIN = Sensed(Sort.PLAIN, Level.CONFIDENTIAL, "proposed")
MODEL = Sensed(Sort.MODEL, Level.CONFIDENTIAL, "proposed")
MAY = {
    SEALED: Allowed(frozenset({"ingester"})),
    PLAIN: Allowed(frozenset({"data-owner"})),
    MODEL: Allowed(frozenset({"scientist"})),
    suspended(MODEL): Allowed(by_grant=False),
}


def facts(seen, **more):
    limits = Limits(oracle_rows=256, queries=more.pop("queries", {}))
    uses = key_uses(seen, more.pop("held", ()), {}, limits)
    around = Surroundings(
        may=MAY,
        max_reid=0.05,
        keys={each.key.id: each for each in uses},
        models={each.id: each for each in model_uses(seen, limits)},
        **more,
    )
    return {each.id: each for each in facts_of(seen, around)}


def test_plain_rows_are_not_attacked_and_unmeasured_exports_count_as_open():
    found = facts(exported())
    assert found["source"].attack.evidence is Evidence.PLAIN
    assert found["export"].attack.evidence is Evidence.UNMEASURED
    assert found["key"].attack.because == found["model"].attack.because == "the export"
    assert {each.rows for each in found.values()} == {400}
    assert found["export"].made_by == "r1"


def test_a_finding_counts_for_the_export_its_key_and_its_model():
    found = facts(exported(findings=(assessed("export", reid=0.03, days=73),)))
    for name in ("export", "key", "model"):
        attack = found[name].attack
        assert (attack.evidence, attack.high, attack.age_days) == (Evidence.MEASURED, 0.03, 73)
        assert attack.source == "event 9"


def test_the_worst_of_the_fresh_findings_counts_and_the_newest_makes_them_new():
    findings = (assessed("export", 9, reid=0.2, days=40), assessed("export", 12, days=3))
    attack = facts(exported(findings=findings))["export"].attack
    assert (attack.high, attack.age_days, attack.source) == (0.2, 3, "event 9")


@pytest.mark.parametrize(
    ("finding", "why"),
    [
        (assessed("export", fresh=False), "the attacks are others since"),
        (assessed("export", verdict="inconclusive"), "the suite did not see"),
        (assessed("export", minimizer="sha256:old"), "the minimizer of its key is another"),
    ],
)
def test_what_says_nothing_of_today_is_stale_and_counts_as_unmeasured(finding, why):
    found = facts(exported(findings=(finding,)), minimizers={"support-1 v1": "sha256:new"})
    attack = found["export"].attack
    assert attack.evidence is Evidence.STALE
    assert why in attack.because
    unmeasured = facts(exported())["export"]
    stale = replace(unmeasured, attack=attack)
    assert score(stale).value == score(unmeasured).value


def test_the_minimizer_of_today_is_no_reason():
    finding = assessed("export", minimizer="sha256:new")
    found = facts(exported(findings=(finding,)), minimizers={"support-1 v1": "sha256:new"})
    assert found["export"].attack.evidence is Evidence.MEASURED


def test_inconclusive_above_the_limit_is_measured_at_its_upper_end():
    finding = assessed("export", verdict="inconclusive", reid=0.08)
    assert facts(exported(findings=(finding,)))["export"].attack.high == 0.08


def test_what_somebody_was_forgotten_in_is_stale():
    seen = exported(findings=(assessed("export"),))
    forgotten = replace(seen.things["export"], is_stale=True)
    seen = replace(seen, things={**seen.things, "export": forgotten})
    assert facts(seen)["export"].attack.evidence is Evidence.STALE
    assert "forgotten" in facts(seen)["key"].attack.because


def test_a_key_is_as_weak_as_its_weakest_export():
    seen = exported(findings=(assessed("export"),))
    more = thing("other", level="restricted", rows=100, key=("support-1", 1))
    seen = replace(
        seen,
        things={**seen.things, "other": more},
        steps=(*seen.steps, Ran("r3", "protect", ("source",), ("other",), made())),
    )
    found = facts(seen)["key"]
    assert found.attack.evidence is Evidence.UNMEASURED
    assert found.attack.because == "the other"
    assert (found.label, found.rows) == (Level.RESTRICTED, 500)


def test_a_key_that_nothing_is_under_has_nothing_to_lose():
    (found,) = facts(picture(keys=(key(),))).values()
    assert (found.rows, found.label) == (0, Level.PUBLIC)
    assert score(found).value <= 5


def test_a_model_trained_at_the_gate_is_measured_itself():
    seen = exported(findings=(assessed("export"),))
    at_gate = replace(seen.steps[1], parameters={"at_gate": True})
    seen = replace(seen, steps=(seen.steps[0], at_gate))
    assert facts(seen)["model"].attack.evidence is Evidence.UNMEASURED
    told = {"bundle": "model", "membership_high": 0.07, "membership_limit": 0.1}
    finding = replace(assessed("model"), action="train.at-gate", facts=told)
    attack = facts(replace(seen, findings=(finding,)))["model"].attack
    assert (attack.evidence, attack.high, attack.limit) == (Evidence.MEASURED, 0.07, 0.1)


def test_a_model_of_unknown_origin_and_one_of_rows_that_are_not_here():
    steps = (Ran("r1", "discover", (), ("found",)), Ran("r2", "train", (), ("brought",)))
    things = (thing("found", "model"), thing("brought", "model"))
    found = facts(picture(things, steps))
    assert "unknown origin" in found["found"].attack.because
    assert "not here" in found["brought"].attack.because
    assert found["found"].rows is None


def test_what_a_red_team_found_on_a_model_counts_beside_its_export():
    findings = (assessed("export", reid=0.02), assessed("model", 11, reid=0.5))
    assert facts(exported(findings=findings))["model"].attack.high == 0.5
    better = (assessed("export", reid=0.3), assessed("model", 11, reid=0.1))
    assert facts(exported(findings=better))["model"].attack.high == 0.3


PEOPLE = (
    person("ann", "data-owner"),
    person("bob", "ingester"),
    person("sci", "scientist"),
    person("gone", "data-owner", active=False),
)


def test_readers_are_those_whose_role_or_live_grant_allows_it():
    grants = (
        grant("grant-1", "export", "eve", "export"),
        grant("grant-2", "export", "mal", "export", state="expired"),
        grant("grant-3", "approve", "mal", "export"),
        grant("grant-4", "scan", "sci", "source"),
        grant("grant-5", "query", "eve", "model"),
    )
    found = facts(exported(people=PEOPLE, grants=grants))
    assert found["source"].readers == (
        Reader("ann", ("role data-owner",)),
        Reader("sci", ("grant-4",)),
    )
    assert found["export"].readers == (
        Reader("bob", ("role ingester",)),
        Reader("eve", ("grant-1",)),
        Reader("sci", ("role scientist",)),
    )
    assert [each.name for each in found["model"].readers] == ["eve", "sci"]
    assert found["model"].stopped == ()
    assert found["export"].stopped is None


def test_one_person_alone_reads_everything():
    found = facts(exported(alone=True, people=PEOPLE[:1]))
    assert found["export"].readers == (Reader("ann", (EVERYBODY,)),)
    assert facts(exported(alone=True))["key"].readers == (Reader(SOMEBODY, (EVERYBODY,)),)


def test_who_has_no_secret_any_more_cannot_use_it():
    seen = replace(exported(alone=True), keys=(key(status="destroyed"),))
    assert facts(seen)["key"].readers == ()


def test_pairs_that_were_given_and_that_somebody_may_read_are_spent():
    seen = exported(
        findings=(assessed("export", pair_cap=100, n_star=400),),
        spent=(spent("pairs.noisy", "support-1 v1", 30),),
    )
    held = (Held("sam", "support-1 v1", 20), Held("ann", "support-1 v1", 5))
    for name in ("export", "key"):
        noisy, noise_free = facts(seen, held=held)[name].budgets
        assert (noisy.used, noisy.cap, noisy.share) == (50, 100, 0.5)
        assert noise_free.share == 0.0


def test_a_source_of_which_nothing_left_is_no_worse_than_one_that_left():
    (unspent,) = facts(exported(), exports=5)["source"].budgets
    assert (unspent.share, unspent.is_open) == (0.0, False)
    (uncapped,) = facts(exported())["source"].budgets
    assert (uncapped.share, uncapped.because) == (1.0, "the policies cap no exports")
    seen = exported(spent=(spent("rows", "source", 800), spent("epsilon", "source", 8_000_000)))
    limits = Limits(oracle_rows=256, exports=5, epsilon=16.0)
    uses = {each.id: each for each in dataset_uses(seen, limits)}
    rows, epsilon = facts(seen, datasets=uses, exports=5)["source"].budgets
    assert (rows.share, epsilon.share) == (0.4, 0.5)


def test_guards_of_a_model_a_service_a_key_and_a_source():
    things = (
        thing("ours", "service", standing="approved"),
        thing("theirs", "service"),
        thing("model", "model", standing="approved"),
        thing("source", purpose="routing"),
    )
    steps = (
        Ran("r1", "service", (), ("ours",)),
        Ran("r2", "discover", (), ("theirs",)),
        Ran("r3", "deploy", ("model",), (), {"name": "router"}),
    )
    seen = picture(things, steps, keys=(key(provider="pkcs11:token"),))
    found = facts(seen, knows_rows=True, bound=frozenset({"support-1"}), queries={"model": 10})
    for name in ("ours", "model", "source", "key"):
        assert all(each.is_on for each in found[name].guards), name
    assert not any(each.is_on for each in found["theirs"].guards)
    bare = facts(replace(seen, keys=(key(),)))
    assert not any(each.is_on for each in bare["key"].guards)
    assert score(found["ours"]).value < score(found["theirs"]).value


def test_a_model_that_another_took_the_place_of_is_not_served():
    steps = (
        Ran("r1", "deploy", ("old",), (), {"name": "router"}),
        Ran("r2", "deploy", ("new",), (), {"name": "router"}),
    )
    assert origins(picture(steps=steps)).deployed == {"new"}


def test_rows_are_counted_by_a_scan_a_maker_or_the_largest_export():
    things = (thing("a"), thing("b"), thing("c", rows=7), thing("d"))
    steps = (
        Ran("r1", "classify", ("a",), (), {"rows": 50}),
        Ran("r2", "protect", ("b",), ("c",), made()),
    )
    assert origins(picture(things, steps)).rows == {"a": 50, "b": 7, "c": 7}


def test_the_classes_that_policies_are_asked_about():
    found = sensed(exported(), origins(exported()))
    assert SEALED in found
    assert Sensed(Sort.MODEL, Level.CONFIDENTIAL, "suspended") in found
    assert len(found) == 5


def test_a_grant_that_is_supposed_moves_what_it_is_for_and_nothing_else():
    seen = exported(people=PEOPLE)
    then = with_grant(seen, "scan", {"dataset:source": "source"}, "sci")
    found = moved(facts(seen).values(), facts(then).values())
    assert [each.facts.id for each in found] == ["source"]
    assert found[0].before < found[0].after
    assert "sci (the grant that is supposed)" in " ".join(found[0].as_json()["because"])
    assert moved(facts(seen).values(), facts(seen).values()) == ()


def test_a_role_that_is_supposed():
    seen = exported(people=PEOPLE)
    then = with_role(seen, "sci", "data-owner")
    assert {each.name: each.roles for each in then.people}["sci"] == ("data-owner", "scientist")
    found = moved(facts(seen).values(), facts(then).values())
    assert [each.facts.id for each in found] == ["source"]
    back = with_role(seen, "gone", "ingester")
    assert {each.name: each.roles for each in back.people}["gone"] == ("ingester",)
    new = with_role(seen, "new", "ingester")
    assert [each.facts.id for each in moved(facts(seen).values(), facts(new).values())] == [
        "export"
    ]


def crowded(n):
    """``n`` exports of sources of their own, under one key, and a reader of each by a grant."""
    things = [thing(f"s{i}") for i in range(n)]
    things += [thing(f"e{i}", rows=10, key=("support-1", 1)) for i in range(n)]
    steps = [Ran(f"r{i}", "protect", (f"s{i}",), (f"e{i}",), made()) for i in range(n)]
    grants = tuple(grant(f"grant-{i}", "export", f"p{i % 40}", f"e{i}") for i in range(n))
    people = tuple(person(f"p{i}", "data-owner") for i in range(40))
    return picture(things, steps, keys=(key(),), people=people, grants=grants)


def test_the_time_grows_with_the_assets_and_not_with_their_square(growth):
    def scores(seen):
        ranked(facts(seen).values())

    assert growth(scores, crowded(100), crowded(800)) < 40

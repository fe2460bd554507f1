"""A score never falls when something gets worse, and can be computed again by hand."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cipherset.core.labels import Level
from cipherset.evidence.views.risk.because import because
from cipherset.evidence.views.risk.facts import (
    Attack,
    Budget,
    Evidence,
    Facts,
    Guard,
    Reader,
)
from cipherset.evidence.views.risk.formula import score
from cipherset.evidence.views.risk.lower import lower
from cipherset.evidence.views.risk.ranking import ranked

SHARES = st.floats(0, 1)
LEVELS = st.sampled_from(Level)
READERS = st.integers(0, 30).map(
    lambda n: tuple(Reader(f"p{i}", (f"grant-{i}",) if i % 2 else ("role x",)) for i in range(n))
)
BUDGETS = st.lists(
    st.builds(
        Budget,
        name=st.sampled_from(["pairs", "queries"]),
        used=st.integers(0, 1000),
        cap=st.none() | st.integers(0, 1000),
        is_open=st.booleans(),
        is_waiting=st.booleans(),
        command=st.sampled_from(["", "cipherset key rotate support"]),
    ),
    max_size=3,
).map(tuple)
GUARDS = st.lists(st.booleans(), max_size=4).map(
    lambda found: tuple(Guard(f"g{i}", is_on, f"turn on g{i}") for i, is_on in enumerate(found))
)
ATTACKS = st.builds(
    Attack,
    evidence=st.sampled_from(Evidence),
    high=SHARES,
    age_days=st.floats(0, 1000),
    limit=SHARES,
    source=st.sampled_from(["", "event 7"]),
)
FACTS = st.builds(
    Facts,
    id=st.just("sha256:0"),
    kind=st.just("dataset"),
    name=st.just("rows"),
    label=st.none() | LEVELS,
    rows=st.none() | st.integers(0, 10**7),
    attack=ATTACKS,
    readers=READERS,
    budgets=BUDGETS,
    guards=GUARDS,
    stopped=st.none() | st.just(()),
    commands=st.just({"measure": "m", "protect": "p", "label": "l", "stop": "s"}),
)


def exact(facts):
    found = score(facts)
    return found.likelihood * found.impact


def by_hand(facts):
    """The formula of the how-to, written out the long way."""
    attack = 1.0
    if facts.attack.evidence == "measured":
        age = min(facts.attack.age_days / 365, 1)
        attack = facts.attack.high + (1 - facts.attack.high) * age
    reach = 1.0
    for _ in facts.readers:
        reach *= 0.8
    exposure = 1.0
    if facts.budgets:
        exposure = 0.0
        for each in facts.budgets:
            if each.is_open or each.cap == 0:
                exposure = 1.0
            elif each.cap is not None:
                exposure = max(exposure, min(each.used / each.cap, 1))
    guards = 1.0
    if facts.guards:
        guards = len([each for each in facts.guards if not each.is_on]) / len(facts.guards)
    levels = ["public", "internal", "confidential", "restricted"]
    label = levels.index(facts.label or "restricted") / 3
    digits = 6.0
    if facts.rows is not None:
        digits, left = 0.0, 1 + facts.rows
        while left >= 10 and digits < 6:
            digits, left = digits + 1, left / 10
        # Between powers of ten by halving: a logarithm without one.
        step, power = 0.5, 10**0.5
        while digits < 6 and step > 1e-12:
            if left >= power:
                digits, left = digits + step, left / power
            step, power = step / 2, power**0.5
    rows = min(digits / 6, 1)
    worst = 100.0
    for weight, badness in (
        (0.9, attack),
        (0.5, 1 - reach),
        (0.3, exposure),
        (0.3, guards),
        (0.9, label),
        (0.5, rows),
    ):
        worst *= 1 - weight + weight * badness
    return worst


@given(FACTS)
def test_the_formula_by_hand(facts):
    assert 100 * exact(facts) == pytest.approx(by_hand(facts), rel=1e-9)
    assert score(facts).value == pytest.approx(by_hand(facts), abs=0.051)


@given(FACTS)
def test_a_score_is_between_0_and_100_and_the_same_each_time(facts):
    found = score(facts)
    assert 0 < found.value <= 100
    assert found == score(facts)
    assert ranked([facts])[0].as_json() == ranked([facts])[0].as_json()


def test_everything_at_its_worst_is_100():
    crowd = tuple(Reader(f"p{i}", ("role x",)) for i in range(200))
    facts = Facts("a", "dataset", "a", None, None, Attack(Evidence.UNMEASURED), readers=crowd)
    assert score(facts).value == 100.0


@given(FACTS, SHARES)
def test_an_attack_that_gets_further_does_not_lower_it(facts, high):
    low, high = sorted((facts.attack.high, high))
    before = replace(facts, attack=replace(facts.attack, high=low))
    after = replace(facts, attack=replace(facts.attack, high=high))
    assert exact(before) <= exact(after)
    assert score(before).value <= score(after).value


@given(FACTS, st.floats(0, 1000))
def test_evidence_that_gets_older_does_not_lower_it(facts, more):
    older = replace(facts.attack, age_days=facts.attack.age_days + more)
    assert exact(facts) <= exact(replace(facts, attack=older))


@given(FACTS, LEVELS)
def test_a_higher_label_does_not_lower_it(facts, level):
    low, high = sorted((facts.label or Level.RESTRICTED, level), key=lambda each: each.rank)
    assert exact(replace(facts, label=low)) <= exact(replace(facts, label=high))
    assert exact(replace(facts, label=high)) <= exact(replace(facts, label=None))


@given(FACTS, st.integers(0, 10**7))
def test_more_rows_do_not_lower_it(facts, more):
    now = replace(facts, rows=facts.rows or 0)
    assert exact(now) <= exact(replace(now, rows=now.rows + more))
    assert exact(now) <= exact(replace(now, rows=None))


@given(FACTS)
def test_one_more_reader_raises_it(facts):
    more = replace(facts, readers=(*facts.readers, Reader("someone else", ("grant-x",))))
    assert exact(facts) < exact(more)


@given(FACTS, st.integers(0, 1000), st.integers(0, 2))
def test_more_spent_or_a_lower_cap_does_not_lower_it(facts, amount, at):
    if not facts.budgets:
        return
    one = facts.budgets[at % len(facts.budgets)]

    def with_(changed):
        budgets = tuple(changed if each is one else each for each in facts.budgets)
        return replace(facts, budgets=budgets)

    assert exact(facts) <= exact(with_(replace(one, used=one.used + amount)))
    if one.cap is not None:
        assert exact(facts) <= exact(with_(replace(one, cap=max(one.cap - amount, 0))))
    assert exact(facts) <= exact(with_(replace(one, is_open=True)))


@given(FACTS, st.integers(0, 3))
def test_a_guard_that_goes_does_not_lower_it(facts, at):
    off = tuple(replace(each, is_on=each.is_on and i != at) for i, each in enumerate(facts.guards))
    assert exact(facts) <= exact(replace(facts, guards=off))


@given(FACTS, st.floats(0, 0.99), st.floats(0, 364))
def test_to_measure_lowers_it_and_nothing_measured_is_worse_than_not_measured(facts, high, age):
    known = replace(facts, attack=Attack(Evidence.MEASURED, high=high, age_days=age))
    for nothing in (Evidence.UNMEASURED, Evidence.STALE, Evidence.PLAIN):
        unknown = replace(facts, attack=Attack(nothing, high=high))
        assert exact(known) < exact(unknown)
        assert exact(unknown) == exact(replace(facts, attack=Attack(nothing, high=1.0)))


def test_unmeasured_is_above_measured_low_after_rounding_too():
    for level in Level:
        for rows in (0, 1, 10**7):
            least = Facts("a", "dataset", "a", level, rows, Attack(Evidence.UNMEASURED))
            guarded = replace(
                least, budgets=(Budget("pairs", 0, 10),), guards=(Guard("g", is_on=True),)
            )
            low = replace(guarded, attack=Attack(Evidence.MEASURED, high=0.05))
            assert score(low).value < score(guarded).value


@given(FACTS)
def test_what_would_lower_it_does(facts):
    now, changes = score(facts).value, lower(facts)
    assert all(each.score < now for each in changes)
    assert [each.score for each in changes] == sorted(each.score for each in changes)
    assert all(each.command for each in changes)


@given(FACTS)
def test_each_part_has_a_sentence_and_what_takes_least_off_comes_first(facts):
    found = score(facts)
    said = because(facts, found)
    assert len(said) == len(found.parts) == 6
    least = max(found.parts, key=lambda part: part.factor)
    words = {
        "attack": ("attack", "measured", "encrypted"),
        "reach": ("may read it",),
        "exposure": ("spent", "budget", "are out"),
        "guards": ("guard",),
        "label": ("labeled",),
        "rows": ("row",),
    }
    assert any(word in said[0] for word in words[least.name])


SEALED = Facts(
    "sha256:1",
    "dataset",
    "cipherset 1",
    Level.CONFIDENTIAL,
    1000,
    Attack(Evidence.MEASURED, high=0.2, age_days=30, limit=0.05, source="event 12"),
    made_by="run r1",
    readers=(Reader("ann", ("role scientist",)), Reader("bob", ("grant-1",))),
    budgets=(Budget("noisy pairs", 5, 10, "a quarter", command="cipherset key rotate k"),),
    commands={"measure": "cipherset assess DIR", "protect": "cipherset protect …"},
)


def test_the_sentences_name_runs_events_and_principals():
    said = " | ".join(because(SEALED, score(SEALED)))
    assert "got up to 20.0%" in said
    assert "30 days ago (event 12)" in said
    assert "1000 rows are at stake (run r1)" in said
    assert "2 principals may read it or ask it: ann (role scientist), bob (grant-1)" in said
    assert "5 of 10 noisy pairs are spent (a quarter)" in said


def test_what_would_lower_it_has_its_command_and_the_score_of_the_changed_facts():
    by_command = {each.command: each for each in lower(SEALED)}
    within = replace(SEALED, attack=Attack(Evidence.MEASURED, high=0.05))
    assert by_command["cipherset protect …"].score == score(within).value
    again = replace(SEALED, attack=replace(SEALED.attack, age_days=0))
    assert by_command["cipherset assess DIR"].score == score(again).value
    alone = replace(SEALED, readers=SEALED.readers[:1])
    assert by_command["cipherset grant revoke grant-1"].score == score(alone).value
    fresh = replace(SEALED, budgets=(Budget("noisy pairs", 0, 10),))
    assert by_command["cipherset key rotate k"].score == score(fresh).value


def test_what_has_many_readers_names_some():
    crowd = tuple(Reader(f"p{i:02}", ("role x",)) for i in range(12))
    said = because(replace(SEALED, readers=crowd), score(SEALED))
    assert any("12 principals" in each and "and 7 more" in each for each in said)


def test_the_highest_comes_first_and_equals_by_their_names():
    others = [replace(SEALED, name=name, id=name) for name in "cab"]
    worst = replace(SEALED, id="worst", attack=Attack(Evidence.UNMEASURED))
    assert [each.facts.id for each in ranked([*others, worst])] == ["worst", "a", "b", "c"]

"""Worse is what chance does not explain; a line is read back as it was written."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import norm

from cipherset.app.redteam.line import Line, LineVerdict, rate, read_line
from cipherset.app.redteam.regression import FALSE_ALARM, compare, least_rise


def line(hits, n, attack="pairs", **more):
    value, ci = rate(hits, n)
    told = {"against": "sha256:0", "name": "export:rows", "metric": "reid", "bound": "sha256:1"}
    return Line(attack=attack, value=value, ci=ci, n=n, **(told | more))


shares = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(shares, shares, st.integers(1, 200))
def test_the_least_rise_is_that_of_the_definition(now, before, comparisons):
    a, b = line(*now), line(*before)
    times = max(norm.ppf(1 - FALSE_ALARM / comparisons) / norm.ppf(0.975), 1.0)
    half = times * math.sqrt((a.value - a.ci[0]) ** 2 + (b.ci[1] - b.value) ** 2)
    assert least_rise(a, b, comparisons) == pytest.approx(a.value - b.value - half, abs=1e-12)


@given(st.lists(shares, min_size=1, max_size=20))
def test_nothing_is_worse_than_itself(found):
    lines = [line(*each, attack=f"attack {n}") for n, each in enumerate(found)]
    compared = compare(lines, lines)
    assert compared.is_clean
    assert compared.new == ()


@given(shares, shares)
def test_less_is_never_worse(one, other):
    less, more = sorted((line(*one), line(*other)), key=lambda each: each.value)
    assert compare([less], [more]).worse == ()


def test_chance_is_seldom_called_worse():
    rng, alarms, runs = np.random.default_rng(0), 0, 100
    for _ in range(runs):
        rates = rng.uniform(0, 0.5, size=30)
        now, before = (
            [line(int(rng.binomial(200, p)), 200, f"a{i}") for i, p in enumerate(rates)]
            for _ in range(2)
        )
        alarms += bool(compare(now, before).worse)
    assert alarms <= 3 * FALSE_ALARM * runs


@pytest.mark.parametrize(("hits", "n"), [(30, 200), (100, 2000), (20, 40)])
def test_what_is_planted_is_called_worse(hits, n):
    others = [line(10, 200, f"other {i}") for i in range(29)]
    (worse,) = compare([*others, line(hits, n)], [*others, line(0, n)]).worse
    assert worse.line.attack == "pairs"
    assert 0 < worse.at_least < hits / n


def test_a_limit_counts_once_it_is_surely_passed_and_nobody_accepted_that():
    over, unsure = line(50, 200, limit=0.1), line(21, 200, limit=0.1)
    assert over.verdict is LineVerdict.OVER_LIMIT
    assert unsure.verdict is LineVerdict.INCONCLUSIVE
    assert line(1, 200, limit=0.1).verdict is LineVerdict.WITHIN_LIMIT
    assert line(1, 200).verdict is LineVerdict.UNLIMITED
    assert compare([over], []).over == (over,)
    assert compare([over], [over]).is_clean
    assert compare([over], [unsure]).over == (over,)
    assert compare([unsure], []).is_clean


def test_what_was_measured_and_is_not_any_more():
    first, second = line(1, 200, "first"), line(1, 200, "second")
    compared = compare([first], [first, second])
    assert compared.unmeasured == (second.key,)
    assert compare([first], [first, second], retired=frozenset({"export:rows"})).is_clean
    assert compare([first, second], [first]).new == (second.key,)
    assert compare([first, second], []).new == ()


@settings(max_examples=50)
@given(shares, st.none() | st.floats(0, 1), st.sampled_from(["", "10 known pairs"]))
def test_a_line_is_read_back(found, limit, given_):
    one = line(*found, limit=limit, given=given_)
    assert read_line(one.as_json()) == one


def test_whole_numbers_of_json_are_numbers():
    told = line(5, 5, limit=1.0).as_json()
    told |= {"value": 1, "limit": 1, "ci": [0, 1]}
    assert read_line(told).ci == (0.0, 1.0)


@pytest.mark.parametrize(
    "change",
    [
        {"value": 2.0},
        {"value": float("nan")},
        {"n": -1},
        {"text": "a row"},
        {"attack": "x" * 301},
        {"ci": [0.0]},
        {"ci": ["a", "b"]},
    ],
)
def test_what_is_no_line_is_refused(change):
    with pytest.raises(ValidationError):
        read_line(line(1, 10).as_json() | change)


def test_of_no_trial_nothing_is_known():
    assert rate(0, 0) == (0.0, (0.0, 1.0))

"""What the detectors of unusual acts find and what they leave alone."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.evidence.watch import AlertKind, Sighting, alerts
from cipherset.evidence.watch.windows import most_before, sums

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import anomalies
from traffic import honest, planted

MONDAY = datetime(2026, 8, 31, tzinfo=UTC)


def at(day, hour, **what):
    """A sighting of ada's, on that day and at that hour."""
    told = {"principal": "ada", "action": "predict", "asset": "model", "amount": 10} | what
    return Sighting(MONDAY + timedelta(days=day, hours=hour), **told)


def weeks(n_days=42, **what):
    """Ada at work: 100 rows a day, Monday to Friday, at nine, eleven and so on."""
    return [
        at(day, hour + part / 60, **what)
        for day in range(n_days)
        if day % 7 < 5
        for hour in (9, 11, 13, 15, 17)
        for part in range(2)
    ]


def kinds(found):
    return [each.kind for each in found]


def test_nothing_seen_is_nothing_unusual():
    assert alerts([]) == []


def test_honest_work_is_left_alone():
    assert alerts(weeks()) == []


def test_a_burst_is_found_once_with_its_figures():
    (found,) = alerts([*weeks(), at(38, 11.5, amount=400)])
    assert (found.kind, found.principal, found.action) == (AlertKind.BULK, "ada", "predict")
    assert found.since == MONDAY + timedelta(days=38, hours=11)
    assert found.until == MONDAY + timedelta(days=38, hours=12)
    assert (found.found, found.usual) == (420, 20)


def test_as_much_as_before_is_no_burst():
    (first,) = alerts([*weeks(), at(23, 11.5, amount=400), at(38, 11.5, amount=420)])
    assert first.until == MONDAY + timedelta(days=23, hours=12)


def test_a_slow_drip_shows_in_no_hour_and_no_day():
    drip = [
        at(day, hour + 0.5, amount=20)
        for day in range(28, 42)
        if day % 7 < 5
        for hour in (9, 11, 13, 15, 17)
    ]
    found = alerts([*weeks(), *drip])
    assert set(kinds(found)) == {AlertKind.DRIP}
    assert found[0].since < MONDAY + timedelta(days=32)


def test_the_night_and_the_weekend_are_off_hours():
    night = [at(37, 3 + part / 10) for part in range(3)]
    (found,) = alerts([*weeks(), *night])
    assert found.kind is AlertKind.OFF_HOURS
    assert (found.since.hour, found.until.hour, found.found) == (3, 4, 3)
    weekend = [at(33, 11 + part / 10) for part in range(3)]
    assert kinds(alerts([*weeks(), *weekend])) == [AlertKind.OFF_HOURS]


def test_who_always_works_at_night_is_not_off_hours():
    nights = [at(day, hour + 0.1) for day in range(42) for hour in (1, 2, 3)]
    assert alerts(nights) == []


def test_refusals_are_probing_whatever_they_were_of():
    refused = [at(37, 10 + part / 20, is_refused=True, action=f"a{part}") for part in range(12)]
    found = alerts([*weeks(), *refused])
    assert set(kinds(found)) == {AlertKind.PROBING}
    assert found[0].action is None
    assert alerts([*weeks(), *refused[:7]]) == []


def test_a_few_refusals_each_day_add_up():
    refused = [at(day, 9 + part, is_refused=True) for day in range(28, 33) for part in range(4)]
    assert kinds(alerts([*weeks(), *refused])) == [AlertKind.PROBING]


def test_many_assets_for_the_first_time():
    strange = [at(37, 9 + part / 2, asset=f"asset-{part}", amount=1) for part in range(12)]
    assert kinds(alerts([*weeks(), *strange])) == [AlertKind.FIRST_USE]


def test_a_newcomer_is_held_to_what_others_did():
    burst = [at(39, 11, principal="new", amount=80)]
    assert kinds(alerts([*weeks(), *burst])) == [AlertKind.BULK]
    quiet = [at(39, 11, principal="new", amount=40)]
    assert alerts([*weeks(), *quiet]) == []


def test_one_alert_for_one_burst_over_a_night():
    burst = [at(38, hour, amount=400) for hour in (17, 18)] + [at(39, 9, amount=400)]
    hourly = [
        each for each in alerts([*weeks(), *burst]) if each.until - each.since < timedelta(2 / 24)
    ]
    assert len(hourly) == 1


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60), st.integers(1, 12))
def test_sums_and_the_most_before_as_by_hand(series, hours):
    values = np.array(series, dtype=np.float64)
    by_hand = [sum(series[max(0, i + 1 - hours) : i + 1]) for i in range(len(series))]
    assert sums(values, hours).tolist() == by_hand
    before = [max([0, *by_hand[: max(0, i + 1 - hours)]]) for i in range(len(series))]
    assert most_before(values, hours).tolist() == before


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.integers(30, 41))
def test_what_comes_later_changes_nothing_earlier(seed, day):
    """Hours are judged by those before, so a second look finds the same once more."""
    rng = np.random.default_rng(seed)
    seen = [
        *weeks(),
        *(
            at(int(rng.integers(42)), rng.uniform(0, 24), amount=int(rng.integers(500)))
            for _ in range(20)
        ),
    ]
    until = MONDAY + timedelta(days=day)
    early = alerts([each for each in seen if each.at < until])
    late = [each for each in alerts(seen) if each.until <= until]
    assert [e for e in early if e.kind is not AlertKind.OFF_HOURS] == [
        e for e in late if e.kind is not AlertKind.OFF_HOURS
    ]
    assert alerts(seen[::-1]) == alerts(seen)


@pytest.mark.soak
def test_what_is_planted_is_found_and_the_honest_are_left_alone():
    """A small replay with other seeds than the detectors were made with."""
    counts = anomalies.measured(companies=4, plants=2, first_seed=500)
    disturbed, days = counts.all_days()
    assert disturbed <= 0.02 * days
    for kind in AlertKind:
        found, n = counts.of(kind)
        assert found >= n - 2, kind


@pytest.mark.attack
def test_the_detectors_keep_what_is_asked_of_them():
    counts = anomalies.measured(companies=20, plants=5, first_seed=3100)
    disturbed, days = counts.all_days()
    assert disturbed <= anomalies.QUIET * days
    for kind in AlertKind:
        found, n = counts.of(kind)
        assert found >= anomalies.FOUND * n, kind


def test_a_company_is_the_same_for_the_same_seed():
    def once():
        rng = np.random.default_rng(7)
        everybody, seen = honest(rng)
        return seen, planted(AlertKind.BULK, everybody, seen, rng)

    assert once() == once()

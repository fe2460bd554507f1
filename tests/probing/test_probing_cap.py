"""How many answers a measured curve allows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cipherset.guard.probing import Measured, QueryCap, query_cap

CURVE = (Measured(10, 0.4), Measured(100, 0.6), Measured(400, 0.8), Measured(1600, 0.9))


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (0.3, QueryCap(0, 0)),
        (0.5, QueryCap(10, 10)),
        (0.75, QueryCap(100, 100)),
        (0.85, QueryCap(400, 400)),
        (0.95, QueryCap(1600, 1600)),
    ],
)
def test_the_cap_is_a_quarter_of_what_reaches_the_limit(limit, expected):
    assert query_cap(CURVE, limit) == expected


def test_of_several_curves_the_strongest_binds():
    curve = (*CURVE, Measured(100, 0.8), Measured(200, 0.7))
    assert query_cap(curve, 0.75) == QueryCap(10, 10)


def test_a_fine_curve_leaves_callers_less_than_all_of_them():
    curve = [Measured(n, n / 1000) for n in range(100, 1001, 100)]
    assert query_cap(curve, 0.8) == QueryCap(200, 700)


def test_nothing_measured_caps_nothing():
    assert query_cap((), 0.9) is None


@given(
    st.dictionaries(st.integers(1, 5000), st.floats(0, 1), min_size=1, max_size=12),
    st.floats(0.01, 1),
)
def test_no_count_within_the_caps_was_seen_to_reach_the_limit(points, limit):
    cap = query_cap([Measured(*point) for point in points.items()], limit)
    assert 0 <= cap.each <= cap.together
    assert all(points[n] < limit for n in points if n <= cap.together)

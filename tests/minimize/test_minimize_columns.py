"""Numbers and categories as coordinates: known answers, weights, and a slow oracle."""

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.core.errors import DimensionError, InputError
from cipherset.pipeline.minimize import beside, fit_columns
from cipherset.pipeline.minimize.columns import LEAST_ROWS, MOST_CATEGORIES, MOST_VALUES

NUMBERS = [str(n) for n in range(101)]
PLANS = ["basic"] * 60 + ["pro"] * 30 + ["rare"] * 6 + ["odd"] * 4 + [""]


def fitted_on(*columns):
    return fit_columns([f"c{i}" for i in range(len(columns))], list(zip(*columns, strict=True)))


def unit(n, dim=4):
    x = np.random.default_rng(0).normal(size=(n, dim)).astype("f4")
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_a_number_is_as_far_from_the_median_as_a_normal_one_would_be_and_clipped():
    (column,) = fitted_on(NUMBERS)
    assert (column.is_number, column.center, column.width) == (True, 50.0, 2)
    found = column.block(["50", "87.0", "1e9", "-1e9", None, "", "nan", "many"]) / column.weight
    expected = 37.0 / (50.0 / 1.349)
    assert np.allclose(found[:4], [[0, 0], [expected, 0], [3, 0], [-3, 0]])
    assert np.array_equal(found[4:], [[0, 1]] * 4)


def test_where_most_are_the_same_the_spread_is_that_of_all():
    (column,) = fitted_on(["0"] * 90 + ["10"] * 10)
    assert column.spread == pytest.approx(3.0)
    (still,) = fitted_on(["7"] * 20)
    assert not still.block(["7", "8", None]).any()  # it says nothing, and weighs nothing


def test_numbers_as_large_as_floats_are_do_not_overflow():
    (column,) = fitted_on(["1e308", "-1e308", "1", "2"] * 5)
    assert np.isfinite(column.spread)
    assert np.isfinite(column.block(["1e308", "-1.7e308", "0"])).all()
    (alike,) = fitted_on(["0"] * 30 + ["-1e308", "1e308"])
    assert np.isfinite([alike.spread, alike.weight]).all()
    (tiny,) = fitted_on(["0", "5e-324", "1e-323", "2e-323"] * 5)
    assert (tiny.block(["1e308"])[:, 0] == 3 * tiny.weight).all()


def test_categories_have_a_place_each_and_all_others_one_together():
    (column,) = fitted_on(PLANS)
    assert column.categories == ("basic", "pro")
    found = column.block(["basic", " pro ", "rare", "odd", "new", None, " "]) / column.weight
    places = [[1, 0, 0, 0], [0, 1, 0, 0], *[[0, 0, 1, 0]] * 3, [0, 0, 0, 1]]
    assert np.array_equal(found, [*places, places[-1]])


def test_a_value_of_few_rows_is_not_kept():
    """It may be what names a person, and what is fitted outlives rows that are forgotten."""
    (column,) = fitted_on(["basic"] * 60 + ["canary-4711"] * (LEAST_ROWS - 1))
    assert "canary" not in str(asdict(column))


def test_there_are_no_more_places_than_a_few():
    (column,) = fitted_on([f"v{i % 50}" for i in range(1000)])
    assert len(column.categories) == MOST_CATEGORIES
    assert column.width == MOST_CATEGORIES + 2
    with pytest.raises(InputError) as refused:
        fitted_on([f"v{i}" for i in range(MOST_VALUES + 1)])
    assert refused.value.code == "column_values"
    assert "v1" not in refused.value.message


def test_a_column_of_nothing_is_one_of_missing_cells():
    (column,) = fitted_on([None, "", " "])
    assert (column.is_number, column.width) == (False, 2)


def test_columns_weigh_alike_and_together_as_much_as_what_they_stand_beside():
    columns = fitted_on(NUMBERS, PLANS)
    squares = [
        (column.block(cells) ** 2).sum(axis=1).mean()
        for column, cells in zip(columns, (NUMBERS, PLANS), strict=True)
    ]
    assert squares == pytest.approx([0.5, 0.5])


def test_no_value_is_in_a_repr():
    told = repr(fitted_on(NUMBERS, PLANS))
    assert not [word for word in ("basic", "odd", "50", "37") if word in told]


def test_cells_of_other_columns_are_refused():
    columns = fitted_on(NUMBERS, PLANS)
    for cells in ([["1", "pro"]], [["1"]] * 2):
        with pytest.raises(DimensionError) as refused:
            beside(unit(2), columns, cells)
        assert refused.value.code == "vector_width"


CELLS = st.lists(
    st.tuples(
        st.none() | st.floats(-1e6, 1e6).map(repr) | st.text(max_size=3),
        st.none() | st.sampled_from(["basic", "pro", "odd", "new", "", "é"]),
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=40)
@given(CELLS)
def test_rows_are_what_a_loop_makes_of_them(cells):
    columns, x = fitted_on(NUMBERS, PLANS), unit(len(cells))
    rows = []
    for vector, (number, plan) in zip(x.tolist(), cells, strict=True):
        row = [*vector, *[0.0] * 6]
        try:
            value = float(number)
            known = np.isfinite(value)
        except (TypeError, ValueError):
            known = False
        if known:
            z = (value - columns[0].center) / columns[0].spread
            row[4] = max(-3.0, min(3.0, z)) * columns[0].weight
        else:
            row[5] = columns[0].weight
        name = (plan or "").strip()
        row[{"basic": 6, "pro": 7, "": 9}.get(name, 8)] = columns[1].weight
        rows.append(np.array(row) / np.sqrt(sum(v * v for v in row)))
    found = beside(x, columns, cells)
    assert found.dtype == np.float32
    assert np.allclose(found, rows, atol=1e-6)

"""The rule that moves rows onto the anchor of their class."""

import numpy as np
import pytest

from cipherset.core.errors import InputError, IntegrityError
from cipherset.pipeline.minimize import (
    FitSettings,
    class_anchors,
    fit,
    load,
    parse_spec,
    thresholds,
)

CODES = np.array([7, -3, 40])


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    y = CODES[np.arange(300) % 3]
    x = rng.normal(size=(3, 10))[np.arange(300) % 3] + 0.8 * rng.normal(size=(300, 10))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), y


@pytest.fixture(scope="module", params=["bottleneck:2", "lda:2", "none"])
def minimizer(request, rows):
    settings = FitSettings(noise_radius=1.0, seed=0, epochs=5)
    return fit(parse_spec(request.param), *rows, settings=settings)


def test_without_a_rule_rows_stay(minimizer, rows):
    placed = minimizer.place(*rows)
    np.testing.assert_array_equal(placed.rows, minimizer.transform(rows[0]))
    assert not placed.moved.any()
    assert minimizer.beyond is None


def test_who_is_far_is_moved_and_nobody_else(minimizer, rows):
    x, y = rows
    anchors = class_anchors(minimizer, x, y)
    beyond = thresholds(minimizer, anchors)[0]
    placed = minimizer.anchored(anchors, beyond=beyond).place(x, y)
    z = minimizer.transform(x)
    for i in range(len(x)):  # the slow way
        anchor = anchors[sorted(CODES).index(y[i])]
        far = np.linalg.norm(z[i].astype(np.float64) - anchor) > beyond
        assert placed.moved[i] == far
        np.testing.assert_array_equal(placed.rows[i], anchor if far else z[i])


def test_at_zero_nothing_but_the_label_is_left(minimizer, rows):
    x, y = rows
    placed = minimizer.anchored(class_anchors(minimizer, x, y), beyond=0.0).place(x, y)
    for code in CODES:
        assert len(np.unique(placed.rows[y == code], axis=0)) == 1
    np.testing.assert_allclose(np.linalg.norm(placed.rows, axis=1), 1, atol=1e-6)


def test_a_class_that_was_not_fitted_goes_to_the_nearest_anchor(minimizer, rows):
    x, y = rows
    anchors = class_anchors(minimizer, x, y)
    placed = minimizer.anchored(anchors, beyond=9.0).place(x, np.full(len(x), 8))
    assert placed.moved.all()
    nearest = (minimizer.transform(x) @ anchors.T).argmax(axis=1)
    np.testing.assert_array_equal(placed.rows, anchors[nearest])


def test_queries_are_not_moved(minimizer, rows):
    x, y = rows
    ruled = minimizer.anchored(class_anchors(minimizer, x, y), beyond=0.0)
    np.testing.assert_array_equal(ruled.transform(x), minimizer.transform(x))


def test_the_rule_is_stored_with_the_map(minimizer, rows):
    x, y = rows
    ruled = minimizer.anchored(class_anchors(minimizer, x, y), beyond=0.25)
    again = load(ruled.spec, dict(ruled.arrays()))
    assert again.beyond == 0.25
    np.testing.assert_array_equal(again.place(x, y).rows, ruled.place(x, y).rows)


def test_distances_to_try_fall_from_half_way_between_anchors(minimizer):
    found = thresholds(minimizer, np.array([[1.0, 0], [0, 1.0], [-1.0, 0]]))
    assert found[0] == pytest.approx(np.sqrt(2) / 2)
    assert list(found) == sorted(found, reverse=True)
    assert (found[-1] == 0.0) == minimizer.spec.startswith("bottleneck")


def test_nobody_stays_under_two_labels(minimizer, rows):
    """Copies of a text with two labels are not both left where they are."""
    x, y = rows
    anchors = class_anchors(minimizer, x, y)
    ruled = minimizer.anchored(anchors, beyond=thresholds(minimizer, anchors)[0])
    stay = [~ruled.place(x, np.full(len(x), code)).moved for code in CODES]
    assert np.sum(stay, axis=0).max() == 1


@pytest.mark.parametrize(
    "change", [{"beyond": np.array([np.nan])}, {"row_anchors": np.zeros((2, 2))}, {"beyond": None}]
)
def test_rules_that_do_not_fit_are_refused(minimizer, rows, change):
    x, y = rows
    arrays = dict(minimizer.anchored(class_anchors(minimizer, x, y), beyond=0.5).arrays())
    arrays |= {name: value for name, value in change.items() if value is not None}
    for name in (name for name, value in change.items() if value is None):
        del arrays[name]
    with pytest.raises(IntegrityError) as caught:
        load(minimizer.spec, arrays)
    assert caught.value.code == "minimizer_arrays"


def test_without_classes_there_is_nothing_to_move_to(rows):
    x, y = rows
    settings = FitSettings(noise_radius=1.0, seed=0)
    for labels in (None, y.astype(np.float64)):
        with pytest.raises(InputError) as caught:
            fit(parse_spec("pca:2"), x, labels, settings=settings).anchored(
                np.eye(3, 2), beyond=0.5
            )
        assert caught.value.code == "no_head"

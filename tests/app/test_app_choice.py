"""Which setting wins, and the controls that a gain is measured against."""

from dataclasses import replace

import numpy as np
import pytest

from cipherset.app.exports import calibrate, utility
from cipherset.app.exports.calibrate import Asked, Measured, Setting, choose, settings
from cipherset.app.exports.utility import Protection
from cipherset.core.errors import PolicyError
from cipherset.core.manifest import Task
from cipherset.core.values import Guarantee
from cipherset.evidence.attack import Interval, Reidentification
from cipherset.pipeline.encrypt import VectorCipher, mechanism
from cipherset.pipeline.minimize import load

REID = Reidentification(
    n=500,
    candidates=500,
    nearest=0.0,
    joint=None,
    label_alone=0.0,
    excess=0.0,
    low=0.0,
    high=0.0,
    mrr=0.0,
    mrr_low=0.0,
    mrr_high=0.0,
    single_candidate=0.0,
    decidable=True,
)


def _measured(name, accuracy, high, *, decidable=True):
    cipher = VectorCipher(bytes(32), dim=4, approximation_factor=4.0)
    minimizer = load("none", {"width": np.array([4.0])})
    protection = Protection(Task.CLASSIFICATION, minimizer, cipher)
    reid = replace(REID, high=high, decidable=decidable)
    return Measured(Setting(name, 4.0), np.array([accuracy]), reid, protection)


def test_the_most_useful_under_the_limit_wins():
    tried = [_measured("a", 0.95, 0.2), _measured("b", 0.9, 0.03), _measured("c", 0.8, 0.01)]
    assert choose(tried, 0.05).setting.minimizer == "b"
    assert choose(tried, 0.5).setting.minimizer == "a"


def test_in_a_tie_the_safer_wins():
    close = calibrate.TIE / 2
    tried = [_measured("a", 0.9 + close, 0.03), _measured("b", 0.9, 0.01)]
    assert choose(tried, 0.05).setting.minimizer == "b"
    assert choose(tried[::-1], 0.05).setting.minimizer == "b"


def test_a_setting_on_the_limit_has_no_room_for_chance():
    tried = [_measured("a", 0.9, 0.05 * calibrate.MARGIN + 1e-9), _measured("b", 0.5, 0.0)]
    assert choose(tried, 0.05).setting.minimizer == "b"


@pytest.mark.parametrize("decidable", [True, False])
def test_no_setting_under_the_limit(decidable):
    high = 0.2 if decidable else 0.0  # what cannot be decided is not allowed
    tried = [_measured("a", 0.9, high, decidable=decidable), _measured("b", 0.8, 0.3)]
    with pytest.raises(PolicyError) as refused:
        choose(tried, 0.05)
    assert refused.value.code == "no_setting_under_limit"
    for words in ("2 tried", "a at approximation factor 4", "b at approximation factor 4", "0.05"):
        assert words in refused.value.message


@pytest.mark.parametrize("dim", [1, 2, 3, 384])
@pytest.mark.parametrize(
    ("task", "classes"),
    [(Task.CLASSIFICATION, 2), (Task.CLASSIFICATION, 77), (Task.REGRESSION, 0)],
)
def test_settings_fit_the_vectors(task, classes, dim):
    found = settings(task, classes, dim, Asked(None, None, fits_what_it_exports=True))
    assert all(int(s.minimizer.partition(":")[2]) <= dim for s in found)
    assert len(set(found)) == len(found)
    if dim == 384:
        assert found


@pytest.mark.parametrize("same_rows", [True, False])
def test_what_is_given_is_kept(same_rows):
    found = settings(Task.CLASSIFICATION, 3, 8, Asked("pca:5", None, same_rows))
    assert {s.minimizer for s in found} == {"pca:5"}
    assert len(found) > 1
    found = settings(Task.CLASSIFICATION, 3, 8, Asked(None, 1.5, same_rows))
    assert {s.approximation_factor for s in found} == {1.5}
    (only,) = settings(Task.REGRESSION, 0, 8, Asked("pls:1", 1.5, same_rows))
    assert (only.minimizer, only.approximation_factor) == ("pls:1", 1.5)


@pytest.mark.parametrize(("task", "classes"), [(Task.CLASSIFICATION, 77), (Task.REGRESSION, 0)])
def test_given_gaussian_noise_only_the_minimizer_is_chosen(task, classes):
    noise = "gaussian:4.0,1e-06"
    found = settings(task, classes, 384, Asked(None, None, True, noise))
    assert {(s.approximation_factor, s.noise) for s in found} == {(0.0, noise)}
    assert len({s.minimizer for s in found}) > 1
    assert len(set(found)) == len(found)
    assert str(found[0]).endswith("at noise gaussian:4.0,1e-06")


def test_a_fit_expects_the_mean_length_of_gaussian_noise():
    noise = "gaussian:8.0,1e-06"
    wide = Setting("bottleneck:16", 0.0, shrink=0.0, noise=noise)
    sigma = mechanism(Guarantee(8.0, 1e-6), dim=16).sigma
    lengths = np.linalg.norm(np.random.default_rng(0).normal(0, sigma, size=(20_000, 16)), axis=1)
    assert wide.fit_settings(0).noise_radius == pytest.approx(4 * sigma)
    assert wide.noise_radius == pytest.approx(lengths.mean(), rel=0.03)
    # Where vectors are shrunk, it is cut as for the ball; then one fit serves every noise.
    shrunk = Setting("bottleneck:16", 0.0, noise=noise).fit_settings(0)
    assert shrunk == Setting("bottleneck:16", 8.0).fit_settings(0)
    assert Setting("none", 0.0, noise=noise).noise_radius == 0.0


def test_anchors_of_classes_hold_nothing_but_the_class():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3 + 4
    z = rng.normal(size=(60, 5)).astype(np.float32)
    made = utility.anchors(Task.CLASSIFICATION, z, y)
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, rtol=1e-6)
    for label in range(4, 7):
        slow = z[y == label].astype(np.float64).mean(axis=0)
        expected = np.tile(slow / np.linalg.norm(slow), (20, 1))
        np.testing.assert_allclose(made[y == label], expected, atol=1e-6)


def test_anchors_of_numbers_lie_on_a_line_through_them():
    rng = np.random.default_rng(1)
    y = rng.normal(size=50)
    slope, start = rng.normal(size=(2, 4))
    z = (np.outer(y, slope) + start).astype(np.float32)
    made = utility.anchors(Task.REGRESSION, z, y)
    np.testing.assert_allclose(made, z / np.linalg.norm(z, axis=1, keepdims=True), atol=1e-5)


def test_row_scores_average_to_the_figure():
    y = np.array([0, 1, 1, 2])
    scores = utility.row_scores(Task.CLASSIFICATION, y, np.array([0, 1, 0, 2]))
    assert scores.mean() == 0.75
    numbers, answers = np.array([1.0, 2.0, 4.0]), np.array([1.5, 2.0, 3.0])
    r2 = 1 - ((numbers - answers) ** 2).sum() / ((numbers - numbers.mean()) ** 2).sum()
    assert utility.row_scores(Task.REGRESSION, numbers, answers).mean() == pytest.approx(r2)
    assert np.isfinite(utility.row_scores(Task.REGRESSION, np.ones(3), np.zeros(3))).all()


@pytest.mark.parametrize(("low", "adds"), [(-0.01, False), (0.0, False), (0.01, True)])
def test_the_verdict_in_words(low, adds):
    shown = utility.Utility(0.9, 0.8, 0.7, 0.85, Interval(0.05, low, 0.09))
    assert (shown.verdict != utility.ADDS_NOTHING) is adds
    assert set(shown.figures()) >= {"plain", "owner_head", "anchor_control", "encrypted", "gain"}

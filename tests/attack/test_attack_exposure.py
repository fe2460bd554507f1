"""The rows that fare worst."""

import numpy as np
import pytest

from cipherset.core.errors import DimensionError, InputError
from cipherset.core.values import NoiseLaw
from cipherset.evidence.attack import expose
from cipherset.evidence.attack.linkage import joint


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def ball(rng, n, dim, radius):
    return unit(rng.normal(size=(n, dim))) * radius * rng.random((n, 1)) ** (1 / dim)


@pytest.fixture(scope="module")
def outliers():
    """396 rows in one crowd and 4 far from everybody."""
    rng = np.random.default_rng(0)
    x = unit(np.array([1.0, 0, 0, 0]) + 0.1 * rng.normal(size=(400, 4)))
    x[:4] = [[-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, -1, 0], [0, 0, 0, -1]]
    draws = [x + ball(rng, 400, 4, 0.5) for _ in range(6)]
    return x, draws


def test_outliers_are_the_most_exposed(outliers):
    x, draws = outliers
    marked = np.arange(400) < 2
    found = expose(x, draws, groups=np.zeros(400, int), marked=marked, noise=NoiseLaw.ball(0.5))
    assert (found.top_rows, found.top) == (4, pytest.approx(1.0))
    assert (found.marked_rows, found.marked) == (2, pytest.approx(1.0))
    assert found.overall < 0.1
    assert (found.rows, found.draws) == (400, 6)
    assert found.smallest_group_rows == 400
    assert found.smallest_group == pytest.approx(found.overall)


def test_choosing_and_scoring_are_apart():
    """Where all rows are alike, the chosen are not more exposed than the rest."""
    rng = np.random.default_rng(1)
    n = 600
    angle = 2 * np.pi * np.arange(n) / n
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    draws = [x + ball(rng, n, 2, 0.02) for _ in range(10)]
    found = expose(
        x, draws, groups=np.zeros(n, int), marked=np.zeros(n, bool), noise=NoiseLaw.ball(0.02)
    )
    assert found.top_rows == 6
    assert found.top == pytest.approx(found.overall, abs=0.25)
    assert found.marked is None
    assert found.marked_rows == 0


def test_the_smallest_group_is_reported_apart(outliers):
    x, draws = outliers
    groups = np.ones(400, int)
    groups[10:15] = 7
    found = expose(x, draws, groups=groups, marked=np.zeros(400, bool), noise=NoiseLaw.ball(0.5))
    assert found.smallest_group_rows == 5
    assert found.smallest_group_alone == pytest.approx(0.2)
    assert found.smallest_group > found.overall


def test_the_nearest_attack_stands_in_where_the_joint_one_is_not_run(monkeypatch, outliers):
    x, draws = outliers
    arguments = {
        "groups": np.zeros(400, int),
        "marked": np.zeros(400, bool),
        "noise": NoiseLaw.ball(0.5),
    }
    assert expose(x, draws, **arguments).attack == "joint"
    assert (
        expose(x, draws, **{**arguments, "noise": NoiseLaw.ball(float("inf"))}).attack == "nearest"
    )
    monkeypatch.setattr(joint, "MAX_ENTRIES", 10)
    assert expose(x, draws, **arguments).attack == "nearest"


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"draws": []}, InputError, "draws"),
        ({"draws": [np.eye(3)] * 3}, InputError, "draws"),
        ({"draws": [np.eye(3)[:2]] * 2}, DimensionError, "dimension"),
        ({"draws": [np.eye(3)[:, :2]] * 2}, DimensionError, "dimension"),
        ({"marked": np.zeros(2, bool)}, DimensionError, "dimension"),
        ({"groups": np.zeros(2, int)}, DimensionError, "dimension"),
        ({"noise": NoiseLaw.ball(-1.0)}, InputError, "noise_size"),
    ],
)
def test_refusals(changes, error, code):
    arguments = {
        "vectors": np.eye(3),
        "draws": [np.eye(3)] * 2,
        "groups": np.zeros(3, int),
        "marked": np.zeros(3, bool),
        "noise": NoiseLaw.ball(0.5),
        **changes,
    }
    with pytest.raises(error) as refusal:
        expose(**arguments)
    assert refusal.value.code == code

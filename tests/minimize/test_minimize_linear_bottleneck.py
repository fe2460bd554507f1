"""A bottleneck without a hidden layer: a logistic regression in the form of a network."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from cipherset.pipeline.minimize import FitSettings, fit, load, parse_spec


def rows(n_classes, n=600, dim=12, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=n)
    x = rng.normal(size=(n_classes, dim))[y] + rng.normal(size=(n, dim))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), y


@pytest.mark.parametrize("n_classes", [2, 3, 7])
@pytest.mark.parametrize("shrink", [0.0, 1.0])
def test_it_answers_as_the_regression_does(n_classes, shrink):
    x, y = rows(n_classes)
    settings = FitSettings(noise_radius=1.0, seed=0, hidden=0, shrink=shrink)
    fitted = fit(parse_spec(f"bottleneck:{max(2, n_classes - 1)}"), x, y, settings=settings)
    z = fitted.transform(x)
    assert np.abs(np.linalg.norm(z, axis=1) - 1).max() < 1e-6
    plain = LogisticRegression(C=1.0, max_iter=2000).fit(x, y).predict(x)
    nearest = (z @ fitted.arrays()["anchors"].T).argmax(axis=1)
    assert (nearest == plain).mean() > 0.97


def test_its_arrays_load_again():
    x, y = rows(3)
    fitted = fit(
        parse_spec("bottleneck:2"), x, y, settings=FitSettings(noise_radius=1.0, seed=0, hidden=0)
    )
    again = load(fitted.spec, fitted.arrays())
    assert np.array_equal(again.transform(x), fitted.transform(x))
    assert np.array_equal(
        again.head_predict(fitted.transform(x)), fitted.head_predict(fitted.transform(x))
    )

"""The hand-written gradient against finite differences and against plain loops."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.pipeline.minimize.bottleneck import ball_noise, first_weights, spread_apart
from cipherset.pipeline.minimize.network import (
    AdamW,
    Batch,
    Loss,
    Weights,
    deviations,
    encode,
    loss_and_gradient,
    unit_rows,
)


def problem(seed, n=7, d=5, h=6, k=3, c=4, dtype=np.float64):
    rng = np.random.default_rng(seed)
    weights = Weights(*(w.astype(dtype) for w in first_weights(rng, (d, h, k, c))))
    weights.b1[:] = rng.normal(size=h) * 0.1
    weights.b2[:] = rng.normal(size=k) * 0.1
    weights.b3[:] = rng.normal(size=c) * 0.1
    batch = Batch(
        rng.normal(size=(n, d)).astype(dtype),
        rng.integers(0, c, size=n),
        ball_noise(rng, shape=(n, k), radius=1.0).astype(dtype),
    )
    return weights, batch


def slow_loss(weights, batch, loss):
    """The module docstring, one number at a time."""
    zs, total = [], 0.0
    for x, code, noise in zip(batch.x, batch.codes, batch.noise, strict=True):
        hidden = [
            max(sum(x[i] * weights.w1[i, j] for i in range(len(x))) + weights.b1[j], 0.0)
            for j in range(weights.w1.shape[1])
        ]
        a = [
            sum(hidden[j] * weights.w2[j, m] for j in range(len(hidden))) + weights.b2[m]
            for m in range(weights.w2.shape[1])
        ]
        norm = math.sqrt(sum(v * v for v in a))
        z = [v / norm for v in a]
        zs.append(z)
        logits = [
            loss.scale
            * (sum((z[m] + noise[m]) * weights.w3[m, c] for m in range(len(z))) + weights.b3[c])
            for c in range(weights.w3.shape[1])
        ]
        log_sum = math.log(sum(math.exp(v) for v in logits))
        for c, logit in enumerate(logits):
            target = loss.smoothing / len(logits) + (1 - loss.smoothing) * (c == code)
            total -= target * (logit - log_sum)
    for code in set(batch.codes.tolist()):
        members = [z for z, own in zip(zs, batch.codes, strict=True) if own == code]
        for m in range(len(zs[0])):
            mean = sum(z[m] for z in members) / len(members)
            total += loss.scatter * sum((z[m] - mean) ** 2 for z in members)
    return total / len(batch.x)


LOSSES = [Loss(4.0, 0.0, 0.0), Loss(8.0, 0.1, 0.0), Loss(2.0, 0.05, 0.7)]


@pytest.mark.parametrize("loss", LOSSES)
def test_loss_equals_the_plain_loops(loss):
    weights, batch = problem(3)
    assert loss_and_gradient(weights, batch, loss)[0] == pytest.approx(
        slow_loss(weights, batch, loss), rel=1e-9
    )


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), which=st.integers(0, len(LOSSES) - 1))
def test_gradient_equals_finite_differences(seed, which):
    loss = LOSSES[which]
    weights, batch = problem(seed)
    _, gradient = loss_and_gradient(weights, batch, loss)
    rng = np.random.default_rng(seed)
    step = 1e-6
    direction = [rng.normal(size=w.shape) for w in weights]
    hidden = batch.x @ weights.w1 + weights.b1
    # At the corner of the ReLU there is no derivative to compare with.
    if (
        np.abs(hidden).min() < 1e-4
        or np.linalg.norm(np.maximum(hidden, 0) @ weights.w2 + weights.b2, axis=1).min() < 1e-2
    ):
        return
    ahead = Weights(*(w + step * v for w, v in zip(weights, direction, strict=True)))
    behind = Weights(*(w - step * v for w, v in zip(weights, direction, strict=True)))
    slope = (
        loss_and_gradient(ahead, batch, loss)[0] - loss_and_gradient(behind, batch, loss)[0]
    ) / (2 * step)
    expected = sum(float((g * v).sum()) for g, v in zip(gradient, direction, strict=True))
    assert slope == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_float32_gradient_is_the_float64_one_but_for_rounding():
    weights, batch = problem(5)
    weights32, batch32 = problem(5, dtype=np.float32)
    wide = loss_and_gradient(weights, batch, LOSSES[2])[1]
    narrow = loss_and_gradient(weights32, batch32, LOSSES[2])[1]
    for a, b in zip(wide, narrow, strict=True):
        assert b.dtype == np.float32
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_adamw_equals_the_algorithm_in_plain_numbers():
    weights, _ = problem(1)
    start = [w.copy() for w in weights]
    optimizer = AdamW(weights, decay=0.1)
    rng = np.random.default_rng(0)
    gradients = [Weights(*(rng.normal(size=w.shape) for w in weights)) for _ in range(3)]
    for gradient in gradients:
        optimizer.step(gradient, rate=0.01)
    for i, decay in ((0, 0.1), (1, 0.0)):
        value, m, v = start[i].flat[0], 0.0, 0.0
        for t, gradient in enumerate(gradients, 1):
            g = gradient[i].flat[0]
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            value -= 0.01 * decay * value
            value -= 0.01 * (m / (1 - 0.9**t)) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8)
        assert weights[i].flat[0] == pytest.approx(value, rel=1e-9)


@settings(max_examples=25)
@given(seed=st.integers(0, 1000))
def test_encoded_rows_have_unit_norm(seed):
    weights, batch = problem(seed)
    np.testing.assert_allclose(np.linalg.norm(encode(weights, batch.x), axis=1), 1, atol=1e-9)


def test_a_row_of_zeros_becomes_the_first_axis():
    np.testing.assert_array_equal(unit_rows(np.zeros((2, 3))), [[1, 0, 0], [1, 0, 0]])


@settings(max_examples=25)
@given(seed=st.integers(0, 1000))
def test_deviations_of_a_class_sum_to_zero(seed):
    rng = np.random.default_rng(seed)
    z, codes = rng.normal(size=(20, 3)), rng.integers(0, 4, size=20)
    apart = deviations(z, codes, 4)
    for code in range(4):
        np.testing.assert_allclose(apart[codes == code].sum(axis=0), 0, atol=1e-9)


def test_ball_noise_fills_the_ball_evenly():
    noise = ball_noise(np.random.default_rng(0), shape=(20_000, 3), radius=1.5)
    radii = np.linalg.norm(noise, axis=1)
    assert radii.max() <= 1.5 + 1e-5
    # uniform in the ball: (r / R) ** k is uniform in [0, 1]
    np.testing.assert_allclose(
        np.quantile((radii / 1.5) ** 3, [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.02
    )
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=0.02)


@pytest.mark.parametrize(("classes", "dim"), [(2, 2), (4, 3), (7, 6), (3, 8)])
def test_spread_anchors_are_the_corners_of_a_simplex(classes, dim):
    start = np.random.default_rng(1).normal(size=(classes, dim))
    points = spread_apart(start, seed=0)
    cosines = (points @ points.T)[np.triu_indices(classes, 1)]
    np.testing.assert_allclose(cosines, -1 / (classes - 1), atol=0.02)


def test_equal_anchors_are_parted():
    points = spread_apart(np.ones((3, 2)), seed=0)
    assert (points @ points.T)[np.triu_indices(3, 1)].max() < 0

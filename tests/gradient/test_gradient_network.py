"""Gradients written out, against differences; what cannot be answered is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.core.errors import DimensionError, InputError
from cipherset.evidence.attack.gradient import Layer, Network, matched, recover_batch, recover_row

STEP = 1e-6
SIZES = st.lists(st.integers(2, 6), min_size=2, max_size=4).map(tuple)


def loss(network, x, y):
    """The mean cross-entropy, row by row."""
    total = 0.0
    for row, code in zip(x, y, strict=True):
        for layer in network.layers[:-1]:
            row = np.maximum(row @ layer.matrix + layer.offset, 0.0)
        logits = row @ network.layers[-1].matrix + network.layers[-1].offset
        total += np.log(np.exp(logits).sum()) - logits[code]
    return total / len(x)


def slopes(value, at):
    """``value``'s derivative by each entry of the array ``at``, which is moved and put back."""
    out = np.zeros_like(at)
    for i in np.ndindex(at.shape):
        before = at[i]
        at[i] = before + STEP
        higher = value()
        at[i] = before - STEP
        out[i] = (higher - value()) / (2 * STEP)
        at[i] = before
    return out


def drawn(sizes, seed, n=3):
    """Offsets are not 0: a row that no unit of a layer sees would stand on the next one's kink."""
    rng = np.random.default_rng(seed)
    layers = [
        Layer(layer.matrix, rng.normal(size=layer.offset.shape))
        for layer in Network.drawn(sizes, seed).layers
    ]
    return Network(tuple(layers)), rng.normal(size=(n, sizes[0])), rng.integers(sizes[-1], size=n)


@given(SIZES, st.integers(0, 2**16))
@settings(deadline=None, max_examples=20, derandomize=True)
def test_the_gradient_is_the_slope_of_the_loss(sizes, seed):
    network, x, y = drawn(sizes, seed)
    for layer, got in zip(network.layers, network.gradient(x, y), strict=True):
        for part in ("matrix", "offset"):
            slow = slopes(lambda: loss(network, x, y), getattr(layer, part))
            assert getattr(got, part) == pytest.approx(slow, abs=1e-6)


@given(SIZES, st.integers(0, 2**16))
@settings(deadline=None, max_examples=20, derandomize=True)
def test_the_mismatch_slopes_as_it_says(sizes, seed):
    network, x, y = drawn(sizes, seed)
    seen = network.gradient(x[::-1] * 0.7, y)
    value, got = network.mismatch(x, y, seen)
    own = network.gradient(x, y)
    both = [(a, b) for a, b in zip(own, seen, strict=True)]
    off = sum(
        ((a.matrix - b.matrix) ** 2).sum() + ((a.offset - b.offset) ** 2).sum() for a, b in both
    )
    size = sum((b.matrix**2).sum() + (b.offset**2).sum() for b in seen)
    assert value == pytest.approx(off / size)
    slow = slopes(lambda: network.mismatch(x, y, seen)[0], x)
    assert got == pytest.approx(slow, abs=1e-4 * max(1.0, np.abs(slow).max()))


def test_the_true_rows_leave_nothing_unexplained():
    network, x, y = drawn((5, 7, 3), 1)
    value, slope = network.mismatch(x, y, network.gradient(x, y))
    assert value == 0.0
    assert not slope.any()


def test_matching_gives_each_found_row_once():
    truth = np.eye(3)
    order, cosines = matched(np.eye(3)[[2, 0, 1]] * 5.0, truth)
    assert order.tolist() == [1, 2, 0]
    assert cosines == pytest.approx(np.ones(3))


def test_refusals():
    network, x, y = drawn((4, 3), 0)
    seen = network.gradient(x, y)
    with pytest.raises(InputError) as refused:
        recover_batch(network, seen, y[:0], seed=0)
    assert refused.value.code == "no_rows"
    with pytest.raises(DimensionError) as refused:
        recover_batch(Network.drawn((4, 2), 0), seen, y, seed=0)
    assert refused.value.code == "dimension"
    with pytest.raises(InputError) as refused:
        recover_row([Layer(np.zeros((4, 3)), np.zeros(3))])
    assert refused.value.code == "gradient"
    assert refused.value.hint


def test_nothing_is_printed():
    network, x, y = drawn((4, 3), 0)
    assert repr(network) == "Network()"
    assert repr(network.gradient(x, y)[0]) == "Layer()"

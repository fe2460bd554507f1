"""A minimizer made of scores keeps what they tell; a private one is never fitted on rows here."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.core.errors import InputError
from cipherset.core.values import Guarantee
from cipherset.pipeline.minimize import (
    FitSettings,
    MinimizerKind,
    fit,
    from_scores,
    load,
    parse_spec,
)


def scored(n_classes, dim, *, shrink=0.0, seed=0):
    rng = np.random.default_rng(seed)
    matrix, offset = rng.normal(size=(12, n_classes)), rng.normal(size=n_classes)
    x = rng.normal(size=(300, 12))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    spec = parse_spec(f"dp-bottleneck:{dim},3,1e-6")
    codes = np.arange(n_classes) + 5
    made = from_scores(spec, matrix, offset, codes, shrink=shrink)
    return made, x, (x @ matrix + offset).argmax(axis=1) + 5


@pytest.mark.parametrize(("n_classes", "dim"), [(2, 2), (3, 2), (3, 3), (7, 6), (7, 7)])
def test_it_answers_as_the_scores_do(n_classes, dim):
    made, x, told = scored(n_classes, dim)
    z = made.transform(x)
    assert z.shape == (300, dim)
    assert np.abs(np.linalg.norm(z, axis=1) - 1).max() < 1e-6
    assert (made.head_predict(z) == told).mean() > 0.99


def test_narrower_it_keeps_most():
    made, x, told = scored(7, 4)
    assert (made.head_predict(made.transform(x)) == told).mean() > 0.6


@pytest.mark.parametrize("shrink", [0.0, 1.0])
def test_its_arrays_load_again(shrink):
    made, x, _ = scored(3, 3, shrink=shrink)
    again = load(made.spec, made.arrays())
    assert again.is_shrunk == (shrink == 1.0)
    assert np.array_equal(again.transform(x), made.transform(x))


@pytest.mark.parametrize(("n_classes", "dim"), [(3, 4), (3, 1)])
def test_other_widths_are_refused(n_classes, dim):
    with pytest.raises(InputError) as caught:
        scored(n_classes, dim)
    assert caught.value.code == "minimizer_dim"


@given(
    st.integers(2, 4000),
    st.floats(0.01, 32),
    st.floats(1e-12, 1e-3),
)
@settings(max_examples=30)
def test_a_private_spec_is_read_back(dim, epsilon, delta):
    spec = parse_spec(f"dp-bottleneck:{dim},{epsilon},{delta}")
    assert spec.kind is MinimizerKind.DP_BOTTLENECK
    assert (spec.dim, spec.guarantee) == (dim, Guarantee(epsilon, delta))
    assert parse_spec(str(spec)) == spec
    assert str(spec.without_noise) == f"bottleneck:{dim}"


def test_one_spelling_whatever_way_it_came():
    spelled = {str(parse_spec(f"dp-bottleneck:6,{text}")) for text in ("3,1e-6", "3.00,0.000001")}
    assert spelled == {"dp-bottleneck:6,3.0,1e-06"}


@pytest.mark.parametrize("numbers", ["0,1e-6", "33,1e-6", "1,0", "1,0.5", "1.2.3,1e-6", "e,e"])
def test_an_epsilon_out_of_range_is_refused(numbers):
    with pytest.raises(InputError) as caught:
        parse_spec(f"dp-bottleneck:6,{numbers}")
    assert caught.value.code == "minimizer_epsilon"


@pytest.mark.parametrize("text", ["dp-bottleneck:6", "dp-bottleneck:6,1", "dp-bottleneck:0,1,1e-6"])
def test_half_a_private_spec_is_none(text):
    with pytest.raises(InputError) as caught:
        parse_spec(text)
    assert caught.value.code == "minimizer_spec"


def test_it_is_never_fitted_on_rows_without_noise():
    x = np.eye(4, dtype=np.float32)
    spec = parse_spec("dp-bottleneck:2,3,1e-6")
    with pytest.raises(InputError) as caught:
        fit(spec, x, np.arange(4) % 2, settings=FitSettings(noise_radius=1.0, seed=0))
    assert caught.value.code == "minimizer_private"

"""Every minimizer: unit rows, same seed same map, a round trip through its arrays, its head."""

import dataclasses

import numpy as np
import pytest
from sklearn.cross_decomposition import PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from cipherset.core.errors import DimensionError, InputError, IntegrityError
from cipherset.pipeline.minimize import FitSettings, Loss, fit, load, parse_spec

SETTINGS = FitSettings(noise_radius=1.0, seed=4, epochs=10)
SPECS = ["bottleneck:3", "lda:3", "pls:3", "pca:3", "none"]


def blobs(n=400, d=24, classes=4, seed=0, spread=0.6):
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(classes, d))
    y = np.arange(n) % classes
    x = centers[y] + rng.normal(size=(n, d)) * spread
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return x.astype(np.float32), y.astype(np.int64)


def fitted(spec, x, y, **changes):
    return fit(parse_spec(spec), x, y, settings=dataclasses.replace(SETTINGS, **changes))


@pytest.mark.parametrize("spec", SPECS)
def test_rows_are_unit_norm_float32_and_the_same_for_the_same_seed(spec):
    x, y = blobs()
    one, two = fitted(spec, x, y), fitted(spec, x, y)
    z = one.transform(x)
    assert (z.dtype, z.shape) == (np.float32, (len(x), one.dim))
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(z, two.transform(x))
    assert one.spec == spec
    assert one.dim_in == 24


@pytest.mark.parametrize("spec", SPECS)
def test_arrays_round_trip_through_npz(spec, tmp_path):
    x, y = blobs()
    one = fitted(spec, x, y)
    np.savez(tmp_path / "a.npz", **one.arrays())
    with np.load(tmp_path / "a.npz", allow_pickle=False) as stored:
        two = load(spec, dict(stored))
    np.testing.assert_array_equal(one.transform(x), two.transform(x))
    np.testing.assert_array_equal(
        one.head_predict(one.transform(x)), two.head_predict(two.transform(x))
    )


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("codes", [[0, 1, 2, 3], [7, -3, 40, 2]])
def test_the_head_gives_back_the_callers_codes(spec, codes):
    x, y = blobs()
    own = np.array(codes)[y]
    minimizer = fitted(spec, x, own)
    assert (minimizer.head_predict(minimizer.transform(x)) == own).mean() > 0.9


@pytest.mark.parametrize("spec", SPECS)
def test_rows_are_mapped_one_by_one(spec):
    x, y = blobs(n=9000)
    minimizer = fitted(spec, x[:400], y[:400])
    order = np.random.default_rng(0).permutation(len(x))
    np.testing.assert_allclose(
        minimizer.transform(x)[order], minimizer.transform(x[order]), atol=1e-5
    )


@pytest.mark.parametrize("spec", ["pls:3", "pca:3", "none"])
def test_numeric_labels_have_a_value_head(spec):
    x, _ = blobs(spread=3.0)
    y = (x[:, 0] - 2 * x[:, 1]).astype(np.float64)
    minimizer = fitted(spec, x, y)
    values = minimizer.head_value(minimizer.transform(x))
    least = {"pls:3": 0.8, "pca:3": 0.0, "none": 0.99}[spec]
    assert np.corrcoef(values, y)[0, 1] > least
    with pytest.raises(InputError) as caught:
        minimizer.head_predict(minimizer.transform(x))
    assert caught.value.code == "no_head"


@pytest.mark.parametrize("spec", ["pca:3", "none"])
def test_without_labels_there_is_a_map_and_no_head(spec):
    x, _ = blobs()
    minimizer = fitted(spec, x, None)
    z = load(spec, minimizer.arrays()).transform(x)
    for predict in (minimizer.head_predict, minimizer.head_value, minimizer.head_sets):
        with pytest.raises(InputError) as caught:
            predict(z)
        assert caught.value.code == "no_head"
    with pytest.raises(InputError) as caught:
        minimizer.log_probabilities(x)
    assert caught.value.code == "no_head"


@pytest.mark.parametrize("spec", ["bottleneck:3", "lda:3"])
def test_log_probabilities_are_those_of_classes(spec):
    x, y = blobs()
    told = fitted(spec, x, y).log_probabilities(x)
    np.testing.assert_allclose(np.exp(told).sum(axis=1), 1.0, rtol=1e-5)
    # The few epochs of these tests leave the network rough; chance is 0.25.
    assert (np.unique(y)[told.argmax(axis=1)] == y).mean() > 0.6


def test_lda_keeps_the_discriminant_subspace_of_scikit_learn():
    x, y = blobs(n=4000, d=10, spread=1.0)
    ours = np.linalg.qr(fitted("lda:3", x, y).arrays()["axes"])[0]
    theirs = (
        LinearDiscriminantAnalysis(solver="eigen").fit(x.astype(np.float64), y).scalings_[:, :3]
    )
    cosines = np.linalg.svd(ours.T @ np.linalg.qr(theirs)[0])[1]
    assert cosines.min() > 0.99


@pytest.mark.parametrize("numeric", [True, False])
def test_pls_is_that_of_scikit_learn(numeric):
    x, y = blobs(n=500, d=10, spread=1.0)
    label = (x[:, 0] - 2 * x[:, 1]).astype(np.float64) if numeric else y
    targets = label if numeric else np.eye(4)[y]
    theirs = PLSRegression(n_components=3, scale=False).fit(x.astype(np.float64), targets)
    ours = fitted("pls:3", x, label).arrays()["axes"]
    if not numeric:  # several targets: SIMPLS and NIPALS agree on the first axis only
        ours, axes = ours[:, :1], theirs.x_rotations_[:, :1]
    else:
        axes = theirs.x_rotations_
    ours, axes = ours / np.linalg.norm(ours, axis=0), axes / np.linalg.norm(axes, axis=0)
    np.testing.assert_allclose(np.abs((ours * axes).sum(axis=0)), 1, atol=1e-3)


def test_pca_keeps_the_directions_of_largest_variance():
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(500, 6)) * [5, 4, 3, 0.1, 0.1, 0.1]).astype(np.float32)
    axes = fitted("pca:3", x, None).arrays()["axes"]
    np.testing.assert_allclose(np.abs(np.linalg.svd(axes[:3])[1]), 1, atol=0.01)


def test_shrinking_takes_out_what_tells_rows_of_a_class_apart():
    x, y = blobs(n=600, spread=1.0)

    def scatter(shrink):
        z = fitted("bottleneck:3", x[:300], y[:300], shrink=shrink).transform(x[300:])
        return sum(z[y[300:] == c].var(axis=0).sum() for c in range(4))

    assert scatter(1.0) < scatter(0.9) < scatter(0.0)


def test_progress_counts_the_epochs_and_no_more():
    class Counted:
        def __init__(self):
            self.calls = []

        def start(self, stage, total):
            self.calls.append(("start", total))

        def advance(self, steps):
            self.calls.append(("advance", steps))

        def finish(self):
            self.calls.append(("finish", 0))

    x, y = blobs()
    told = Counted()
    fit(parse_spec("bottleneck:3"), x, y, settings=SETTINGS, progress=told)
    assert told.calls == [("start", 10), *[("advance", 1)] * 10, ("finish", 0)]


@pytest.mark.parametrize("dim", range(2, 9))
@pytest.mark.parametrize("radius", [0.0, 2.0])
@pytest.mark.parametrize("shrink", [0.0, 1.0])
def test_two_classes_train_stably(dim, radius, shrink):
    x, y = blobs(n=500, classes=2, spread=1.0, seed=dim)
    minimizer = fitted(f"bottleneck:{dim}", x, y, noise_radius=radius, shrink=shrink)
    z = minimizer.transform(x)
    assert np.isfinite(z).all()
    assert (minimizer.head_predict(z) == y).mean() > 0.9


def test_many_classes_and_few_rows_of_each_train_stably():
    x, y = blobs(n=600, d=64, classes=150, spread=0.3)
    minimizer = fitted("bottleneck:16", x, y, noise_radius=1.5, epochs=30)
    z = minimizer.transform(x)
    assert np.isfinite(z).all()
    assert (minimizer.head_predict(z) == y).mean() > 0.9


@pytest.mark.parametrize("spec", SPECS)
def test_rows_that_are_all_the_same_give_no_nan(spec):
    x = np.tile(blobs(n=1)[0], (20, 1))
    z = fitted(spec, x, np.arange(20) % 2 + (spec == "lda:3") * (np.arange(20) % 5)).transform(x)
    assert np.isfinite(z).all()


def refusal(spec, x, y):
    with pytest.raises(InputError) as caught:
        fitted(spec, x, y)
    assert caught.value.hint
    return caught.value.code


def test_refusals_of_a_fit():
    x, y = blobs(n=40)
    bad = x.copy()
    bad[3, 2] = np.nan
    assert refusal("bottleneck:3", x, np.zeros(40, np.int64)) == "one_class"
    assert refusal("bottleneck:3", x, None) == "labels_needed"
    assert refusal("bottleneck:3", x, y[:-1]) == "label_count"
    assert refusal("bottleneck:3", x, y.astype(float)) == "labels_numeric"
    assert refusal("pls:3", x, np.where(y > 2, np.nan, 1.0)) == "label_not_finite"
    assert refusal("lda:4", x, y) == "minimizer_dim"
    assert refusal("pca:25", x, y) == "minimizer_dim"
    assert refusal("pls:25", x, y) == "minimizer_dim"
    assert refusal("bottleneck:25", x, y) == "minimizer_dim"
    assert refusal("none", x[:0], y[:0]) == "no_rows"
    assert refusal("none", bad, y) == "vector_not_finite"
    assert refusal("none", x[0], y) == "vector_width"


def test_refusals_of_a_transform():
    x, y = blobs()
    minimizer = fitted("pca:3", x, y)
    with pytest.raises(DimensionError) as caught:
        minimizer.transform(x[:, :-1])
    assert caught.value.code == "vector_width"
    assert minimizer.transform(x[:0]).shape == (0, 3)


@pytest.mark.parametrize(
    "changes",
    [{"epochs": 0}, {"hidden": -1}, {"batch_rows": 0}, {"learning_rate": 0.0}, {"seed": -1},
     {"noise_radius": -1.0}, {"noise_radius": float("nan")}, {"shrink": 1.1}],
)  # fmt: skip
def test_settings_that_no_fit_can_use_are_refused(changes):
    with pytest.raises(InputError) as caught:
        dataclasses.replace(SETTINGS, **changes)
    assert caught.value.code == "fit_settings"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pca",
        "pca:0",
        "pca:-1",
        "pca:1.5",
        "none:3",
        "PCA:3",
        "pca:03",
        "svd:3",
        "pca:3 ",
        "pca:٣",
        "x" * 500,
    ],
)
def test_nonsense_is_no_spec(text):
    with pytest.raises(InputError) as caught:
        parse_spec(text)
    assert caught.value.code == "minimizer_spec"
    assert len(caught.value.message) < 100


@pytest.mark.parametrize("text", ["bottleneck:1", "pca:4097"])
def test_widths_that_no_fit_can_give(text):
    with pytest.raises(InputError) as caught:
        parse_spec(text)
    assert caught.value.code == "minimizer_dim"


@pytest.mark.parametrize("text", ["bottleneck:2", "lda:1", "pls:7", "pca:4096", "none"])
def test_a_spec_is_its_text(text):
    assert str(parse_spec(text)) == text


@pytest.mark.parametrize("spec", SPECS)
def test_arrays_that_are_not_its_own_are_refused(spec):
    x, y = blobs()
    good = dict(fitted(spec, x, y).arrays())
    first = next(iter(good))
    for arrays in (
        {},
        {name: v for name, v in good.items() if name != first},
        good | {"more": np.zeros(3)},
        good | {first: good[first] * np.nan},
        good | {first: np.zeros((1, 1, 1))},
        good | {first: good[first].astype(str)},
        good | {"head_matrix": np.zeros((2, 2))},
    ):
        with pytest.raises(IntegrityError) as caught:
            load(spec, arrays)
        assert caught.value.code == "minimizer_arrays"


def test_arrays_of_another_width_are_refused():
    x, y = blobs()
    with pytest.raises(IntegrityError) as caught:
        load("pca:4", fitted("pca:3", x, y).arrays())
    assert caught.value.code == "minimizer_arrays"


def test_nothing_of_the_rows_is_in_the_repr():
    x, y = blobs()
    assert "array" not in repr(fitted("bottleneck:3", x, y))


def test_a_loss_is_said_in_full():
    assert Loss() == Loss(scale=8.0, smoothing=0.0, scatter=0.0)


@pytest.mark.soak
def test_what_a_fit_costs_grows_as_its_rows_do(growth):
    x, y = blobs(n=6000, d=384, classes=7)
    assert growth(lambda n: fitted("bottleneck:6", x[:n], y[:n], epochs=30), 750, 6000) < 24

"""What holds for every key, every width and every row."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from cipherset.pipeline.encrypt import SCHEMES, Leakage, VectorCipher, scheme_named
from cipherset.pipeline.encrypt.noise import ball
from cipherset.pipeline.encrypt.stream import Stream

NAMES = [scheme.name for scheme in SCHEMES]
secrets = st.binary(min_size=32, max_size=32)
schemes = st.sampled_from(NAMES)


@st.composite
def batches(draw):
    shape = draw(st.tuples(st.integers(0, 8), st.integers(1, 12)))
    return draw(arrays(np.float32, shape, elements=st.floats(-2, 2, width=32)))


def distances(x):
    return np.linalg.norm(x[:, None].astype(np.float64) - x[None], axis=2)


def scale_of(cipher):
    return float(np.linalg.norm(cipher.encrypt_query(np.eye(cipher.dim))[0]))


@given(secrets, schemes, batches())
@settings(deadline=None)
def test_queries_keep_distances_and_inner_products_up_to_the_scale(secret, scheme, x):
    cipher = VectorCipher(secret, dim=x.shape[1], scheme=scheme, approximation_factor=2.0)
    q, s = cipher.encrypt_query(x), scale_of(cipher)
    assert 1.0 - 1e-6 <= s < 2.0 + 1e-6
    np.testing.assert_allclose(distances(q), s * distances(x), atol=1e-4)
    np.testing.assert_allclose(q @ q.T, s**2 * (x @ x.T), atol=2e-3)


@given(secrets, schemes, batches(), st.text(max_size=8), st.integers(1, 2**63 - 1))
@settings(deadline=None)
def test_one_key_is_one_map(secret, scheme, x, key_id, version):
    try:
        key_id.encode()
    except UnicodeEncodeError:
        return

    def cipher():
        return VectorCipher(
            secret,
            dim=x.shape[1],
            scheme=scheme,
            approximation_factor=1.0,
            key_id=key_id,
            key_version=version,
        )

    np.testing.assert_array_equal(cipher().encrypt_query(x), cipher().encrypt_query(x))
    assert cipher().key_check == cipher().key_check


@given(secrets, schemes, batches(), st.randoms())
@settings(deadline=None)
def test_rows_are_encrypted_one_by_one(secret, scheme, x, shuffler):
    order = list(range(len(x)))
    shuffler.shuffle(order)
    cipher = VectorCipher(secret, dim=x.shape[1], scheme=scheme, approximation_factor=1.0)
    np.testing.assert_allclose(
        cipher.encrypt_query(x[order]), cipher.encrypt_query(x)[order], atol=1e-5
    )


@given(secrets, schemes, batches(), st.floats(0, 100))
@settings(deadline=None)
def test_noise_stays_in_its_ball_and_the_key_gives_back_the_rest(secret, scheme, x, factor):
    cipher = VectorCipher(secret, dim=x.shape[1], scheme=scheme, approximation_factor=factor)
    assert cipher.noise_radius == factor / 4
    noise = cipher.remove_key(cipher.encrypt(x)).astype(np.float64) - x
    rounding = 1e-6 * (10 + factor)  # of float32 sums; the noise itself is checked below
    assert (np.linalg.norm(noise, axis=1) <= factor / 4 + rounding).all()
    np.testing.assert_allclose(cipher.remove_key(cipher.encrypt_query(x)), x, atol=1e-5)


@given(st.integers(1, 200), st.floats(1e-3, 1e3), secrets)
@settings(deadline=None)
def test_no_noise_is_longer_than_the_radius(dim, radius, key):
    z = ball(Stream(key), rows=50, dim=dim, radius=radius).astype(np.float64)
    assert (np.linalg.norm(z, axis=1) <= radius * (1 + 1e-5)).all()


@pytest.mark.parametrize("scheme", NAMES)
def test_fresh_noise_every_time(scheme):
    cipher = VectorCipher(bytes(32), dim=6, scheme=scheme, approximation_factor=2.0)
    x = np.ones((50, 6), dtype=np.float32)
    first, second = cipher.encrypt(x), cipher.encrypt(x)
    assert (np.linalg.norm(first - second, axis=1) > 1e-3).all()
    assert len(np.unique(first, axis=0)) == 50


def test_another_key_links_nothing():
    """The nearest row under another key is the right one as often as by chance."""
    x = np.random.default_rng(3).normal(size=(300, 32)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    base = {"dim": 32, "approximation_factor": 0.0}
    ours = VectorCipher(bytes(32), **base)
    q = ours.encrypt_query(x)
    others = [
        VectorCipher(b"\1" + bytes(31), **base),
        VectorCipher(bytes(32), key_id="b", **base),
        VectorCipher(bytes(32), key_version=2, **base),
        VectorCipher(bytes(32), scheme="sap/1", **base),
    ]
    assert len({cipher.key_check for cipher in [ours, *others]}) == 5
    for other in others:
        c = other.encrypt_query(x)
        similarity = (q / np.linalg.norm(q, axis=1)[:, None]) @ c.T
        hits = int((similarity.argmax(axis=1) == np.arange(300)).sum())
        assert stats.binomtest(hits, 300, 1 / 300, alternative="greater").pvalue > 1e-3


def test_every_field_is_bound_and_none_runs_into_the_next():
    names = [("ab", 1, 3), ("a", 1, 3), ("ab", 2, 3), ("ab", 1, 4), ("", 1, 3)]
    checks = {
        VectorCipher(
            bytes(32), dim=dim, approximation_factor=0, key_id=name, key_version=version
        ).key_check
        for name, version, dim in names
    }
    assert len(checks) == len(names)
    factors = {VectorCipher(bytes(32), dim=3, approximation_factor=f).key_check for f in (0, 1)}
    assert len(factors) == 1


@pytest.mark.parametrize("dim", [1, 2, 6, 384, 1536, 4096])
def test_noise_is_uniform_in_the_ball(dim):
    n = 4000 if dim < 1000 else 600
    z = ball(Stream(bytes([dim % 256]) * 32), rows=n, dim=dim, radius=1.0).astype(np.float64)
    radii = np.linalg.norm(z, axis=1)
    assert stats.kstest(np.minimum(radii, 1.0) ** dim, "uniform").pvalue > 0.01
    direction = z / radii[:, None]
    # Moments of the unit sphere: mean 0, covariance I / dim, fourth moment 3 / (dim * (dim + 2)).
    deviations = direction.mean(axis=0) * math.sqrt(n * dim)
    assert stats.kstest(deviations, "norm").pvalue > 0.01 if dim > 1 else abs(deviations[0]) < 2.6
    some = direction[:, : min(dim, 384)]
    covariance = some.T @ some / n
    eye = np.eye(some.shape[1]) / dim
    np.testing.assert_allclose(covariance, eye, atol=5.5 * math.sqrt(2 / n) / dim)
    fourth = (direction**4).mean()
    assert fourth == pytest.approx(3 / (dim * (dim + 2)), rel=0.05)
    assert abs(np.corrcoef(radii, direction[:, 0])[0, 1]) < 0.05


@pytest.mark.parametrize("dim", [6, 384])
def test_coordinates_follow_the_sphere_into_the_tails(dim):
    """A squared coordinate of a direction is Beta(1/2, (dim - 1) / 2): no bias far out."""
    z = ball(Stream(b"t" * 32), rows=600_000 // dim, dim=dim, radius=1.0).astype(np.float64)
    squares = (z**2 / (z**2).sum(axis=1, keepdims=True)).ravel()
    law = stats.beta(0.5, (dim - 1) / 2)
    for tail in (1e-2, 1e-3, 1e-4):
        expected = tail * squares.size
        for count in ((squares > law.isf(tail)).sum(), (squares < law.ppf(tail)).sum()):
            assert abs(count - expected) < 4.5 * math.sqrt(expected)


def test_noise_is_independent_from_row_to_row():
    z = ball(Stream(bytes(32)), rows=4000, dim=6, radius=1.0).astype(np.float64)
    neighbours = np.sum(z[1:] * z[:-1], axis=1)
    assert abs(neighbours.mean()) < 4 * neighbours.std() / math.sqrt(len(neighbours))


def test_leakage_profiles():
    sap, rsap = scheme_named("sap/1"), scheme_named("rsap/1")
    assert sap.invertible
    assert rsap.invertible
    assert sap.leakage - rsap.leakage == {Leakage.COORDINATES}
    assert {Leakage.NORMS, Leakage.DISTANCES, Leakage.NEIGHBOURS, Leakage.COUNT} <= rsap.leakage

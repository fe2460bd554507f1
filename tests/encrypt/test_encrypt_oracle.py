"""The vectorized routines against the slow, obviously right ones."""

import math

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from scipy import stats

from cipherset.core.errors import InputError
from cipherset.pipeline.encrypt import VectorCipher, rows
from cipherset.pipeline.encrypt.noise import ball, row_bytes
from cipherset.pipeline.encrypt.rsap import haar
from cipherset.pipeline.encrypt.stream import Stream, gaussians

KEY = bytes(range(100, 132))


def keystream(key, n_bytes):
    """AES-256-CTR from counter 0, one block at a time, by AES-ECB of the counter."""
    ecb = Cipher(algorithms.AES256(key), modes.ECB()).encryptor()
    blocks = [ecb.update(counter.to_bytes(16, "big")) for counter in range(-(-n_bytes // 16))]
    return b"".join(blocks)[:n_bytes]


def slow_ball_row(raw, dim, radius):
    pairs = (dim + 1) // 2
    u = (int.from_bytes(raw[:8], "little") + 0.5) / 2**64
    cosines, sines = [], []
    for j in range(pairs):
        a = int.from_bytes(raw[8 + 4 * j : 12 + 4 * j], "little")
        b = int.from_bytes(raw[8 + 4 * (pairs + j) : 12 + 4 * (pairs + j)], "little", signed=True)
        r = math.sqrt(-2 * math.log((a + 0.5) / 2**32))
        cosines.append(r * math.cos(math.pi * b / 2**31))
        sines.append(r * math.sin(math.pi * b / 2**31))
    z = (cosines + sines)[:dim]
    return [radius * u ** (1 / dim) * value / math.hypot(*z) for value in z]


def slow_gaussians(raw, n):
    values = []
    for start in range(0, len(raw), 16):
        a = int.from_bytes(raw[start : start + 8], "little")
        b = int.from_bytes(raw[start + 8 : start + 16], "little")
        r = math.sqrt(-2 * math.log(((a >> 12) + 0.5) / 2**52))
        angle = 2 * math.pi * ((b >> 12) + 0.5) / 2**52
        values += [r * math.cos(angle), r * math.sin(angle)]
    return values[:n]


def slow_haar(g):
    """Gram–Schmidt of the columns: the Q whose R has a positive diagonal (Mezzadri, section 5)."""
    q = np.zeros_like(g)
    for j in range(g.shape[1]):
        column = g[:, j].copy()
        for _ in range(2):  # twice is enough for orthogonality to the last bits
            for i in range(j):
                column -= (q[:, i] @ column) * q[:, i]
        q[:, j] = column / math.sqrt(sum(column * column))
    return q


def test_stream_is_aes_ctr_however_it_is_read():
    stream = Stream(KEY)
    read = b"".join(stream.read(n).tobytes() for n in (16, 32, 0, 160, 16))
    assert read == keystream(KEY, 224)


@pytest.mark.parametrize("dim", [1, 2, 3, 6, 7, 384])
def test_ball_is_the_slow_ball(engine, dim):
    width = row_bytes(dim)
    assert width % 16 == 0
    raw = keystream(KEY, 20 * width)
    slow = [slow_ball_row(raw[width * i : width * (i + 1)], dim, 3.0) for i in range(20)]
    fast = ball(Stream(KEY), rows=20, dim=dim, radius=3.0)
    np.testing.assert_allclose(fast, slow, rtol=1e-5, atol=3e-6)


class Crafted:
    """A stream of given words: the corners a real one hits once in four billion."""

    def __init__(self, words):
        self.words = np.array(words, dtype="<u4")

    def read_into(self, out):
        out[:] = self.words.view(np.uint8)[: out.size]


@pytest.mark.parametrize("dim", [1, 2])
@pytest.mark.parametrize("a", [0, 1, 2**31, 2**32 - 1])
@pytest.mark.parametrize("b", [0, 2**30, 2**31, 2**32 - 1])
@pytest.mark.parametrize("u", [0, 2**32 - 1])
def test_ball_has_no_undefined_corner(engine, dim, a, b, u):
    row = ball(Crafted([u, u, a, b]), rows=1, dim=dim, radius=1.0)
    assert np.isfinite(row).all()
    assert np.linalg.norm(row) <= 1.0 + 1e-5
    if u:
        assert np.linalg.norm(row) >= 1.0 - 1e-5


@pytest.mark.parametrize("n", [1, 2, 9, 100])
def test_gaussians_are_the_slow_gaussians(n):
    slow = slow_gaussians(keystream(KEY, 16 * ((n + 1) // 2)), n)
    np.testing.assert_allclose(gaussians(Stream(KEY), n), slow, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("dim", [1, 2, 3, 24])
def test_haar_is_gram_schmidt(dim):
    g = gaussians(Stream(KEY), dim * dim).reshape(dim, dim)
    np.testing.assert_allclose(haar(Stream(KEY), dim), slow_haar(g), atol=1e-9)


@pytest.mark.parametrize("dim", [1, 2, 7, 384])
def test_haar_is_orthogonal_in_float32(dim):
    q = haar(Stream(KEY), dim).astype(np.float32).astype(np.float64)
    np.testing.assert_allclose(q @ q.T, np.eye(dim), atol=1e-5)


def test_haar_is_uniform_not_what_qr_gives():
    """In the plane the first column's angle is uniform and both signs of the determinant occur."""
    stream = Stream(KEY)
    matrices = [haar(stream, 2) for _ in range(2000)]
    angles = [math.atan2(q[1, 0], q[0, 0]) for q in matrices]
    assert stats.kstest(angles, stats.uniform(-math.pi, 2 * math.pi).cdf).pvalue > 0.01
    positive = sum(np.linalg.det(q) > 0 for q in matrices)
    assert stats.binomtest(positive, 2000).pvalue > 0.01


@pytest.mark.parametrize("dim", [2, 5, 16])
def test_haar_has_the_moments_of_the_orthogonal_group(dim):
    """Entries q: E q**2 = 1/d, E q**4 = 3/(d(d+2)); traces: E t**2 = 1, E tr(Q @ Q) = 1.

    Source: P. Diaconis, M. Shahshahani, On the Eigenvalues of Random Matrices, Journal of
    Applied Probability 31A, 1994, for the traces.
    """
    stream, n = Stream(KEY), 3000
    q = np.array([haar(stream, dim) for _ in range(n)])
    traces = np.trace(q, axis1=1, axis2=2)
    squares = np.einsum("nij,nji->n", q, q)
    corner = q[:, 0, -1]
    expected = [
        (corner, 0.0),
        (corner**2, 1 / dim),
        (corner**4, 3 / (dim * (dim + 2))),
        (q[:, 0, 0] * q[:, 1, 1], 0.0),
        (q[:, 0, 0] * q[:, -1, 0], 0.0),
        (traces, 0.0),
        (traces**2, 1.0),
        (squares, 1.0),
    ]
    for values, mean in expected:
        assert abs(values.mean() - mean) < 4.5 * values.std() / math.sqrt(n)
    # Invariance: the law of an entry is that of Q times any fixed rotation.
    fixed = haar(Stream(bytes(32)), dim)
    turned = (fixed @ q)[:, 0, -1]
    assert stats.ks_2samp(turned[: n // 2], corner[n // 2 :]).pvalue > 0.01


@pytest.mark.parametrize("scheme", ["rsap/1", "sap/1"])
@pytest.mark.parametrize("threads", [2, 3])
def test_ciphertext_does_not_depend_on_threads(engine, monkeypatch, scheme, threads):
    monkeypatch.setattr(rows, "BLOCK_COORDINATES", 40 * 6)
    monkeypatch.setattr(rows, "RUN_BLOCKS", 3)
    x = np.random.default_rng(1).normal(size=(1000, 6))
    subject = VectorCipher(KEY, dim=6, scheme=scheme, approximation_factor=2.0)
    one = subject.encrypt_for_testing(x, noise_stream_for_testing=KEY)
    many = subject.encrypt_for_testing(x, noise_stream_for_testing=KEY, threads=threads)
    np.testing.assert_array_equal(many, one)
    assert subject.encrypt(x, threads=threads).shape == x.shape


def test_a_stream_starts_anywhere():
    whole = np.frombuffer(keystream(KEY, 320), dtype=np.uint8)
    for start in (0, 16, 160):
        np.testing.assert_array_equal(Stream(KEY, start=start).read(320 - start), whole[start:])


@pytest.mark.parametrize("threads", [1, 2])
def test_the_first_bad_row_is_named_with_any_number_of_threads(engine, monkeypatch, threads):
    monkeypatch.setattr(rows, "BLOCK_COORDINATES", 40 * 6)
    monkeypatch.setattr(rows, "RUN_BLOCKS", 2)
    x = np.ones((1000, 6), dtype=np.float32)
    x[[333, 700, 999], 5] = np.nan
    with pytest.raises(InputError, match="row 333 "):
        VectorCipher(KEY, dim=6, approximation_factor=2.0).encrypt(x, threads=threads)


@pytest.mark.parametrize("scheme", ["rsap/1", "sap/1"])
@pytest.mark.parametrize("dim", [1, 5, 384])
def test_ciphertext_does_not_depend_on_the_block(engine, monkeypatch, scheme, dim):
    x = np.random.default_rng(1).normal(size=(500, dim)) / math.sqrt(dim)
    subject = VectorCipher(KEY, dim=dim, scheme=scheme, approximation_factor=2.0)
    whole = subject.encrypt_for_testing(x, noise_stream_for_testing=KEY)
    monkeypatch.setattr(rows, "BLOCK_COORDINATES", 37 * dim)
    blocks = subject.encrypt_for_testing(x, noise_stream_for_testing=KEY)
    np.testing.assert_allclose(blocks, whole, rtol=0, atol=2e-6)
    first = subject.encrypt_for_testing(x[:3], noise_stream_for_testing=KEY)
    np.testing.assert_allclose(first, whole[:3], rtol=0, atol=2e-6)


def test_the_formula_row_by_row(engine):
    """c = s * (m @ Q) + noise, each part computed apart."""
    x = np.random.default_rng(2).normal(size=(4, 6))
    subject = VectorCipher(KEY, dim=6, approximation_factor=3.0)
    unit = subject.encrypt_query(np.eye(6))
    s = float(np.linalg.norm(unit[0]))
    width = row_bytes(6)
    raw = keystream(KEY, 4 * width)
    expected = [
        [
            sum(x[i, k] * float(unit[k, j]) for k in range(6))
            + slow_ball_row(raw[width * i : width * (i + 1)], 6, s * 3.0 / 4)[j]
            for j in range(6)
        ]
        for i in range(4)
    ]
    found = subject.encrypt_for_testing(x, noise_stream_for_testing=KEY)
    np.testing.assert_allclose(found, expected, atol=1e-5)

"""The compiled noise: numpy's to the last bits, no byte beside its rows, and never needed."""

import math
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cipherset.pipeline.encrypt import native
from cipherset.pipeline.encrypt.noise import BallNoise, row_bytes
from cipherset.pipeline.encrypt.stream import Stream

pytestmark = pytest.mark.needs("gcc")
SOURCES = Path(__file__).parents[2] / "src"
NATIVE = Path("pipeline", "encrypt", "native")
WORDS = [0, 1, 2, 2**24 - 1, 2**29, 2**30, 2**31 - 1, 2**31, 3 * 2**30, 2**32 - 2, 2**32 - 1]
EPS = 2.0**-23


@pytest.fixture(scope="module")
def fill(library):
    return native.load(library)


@pytest.fixture(scope="module")
def portable_fill(library, builder):
    """Compiled for the least processor of the kind alone."""
    made = library.with_name("portable.so")
    source, flags = library.with_name("ball.c"), [*builder["FLAGS"], "-DFOR_EACH_PROCESSOR="]
    subprocess.run(["cc", *flags, str(source), "-o", str(made), "-lm"], check=True, timeout=600)
    return native.load(made)


class Given:
    """A stream of given bytes."""

    def __init__(self, raw):
        self.raw = raw.reshape(-1)

    def read_into(self, out):
        out[:] = self.raw[: out.size]
        self.raw = self.raw[out.size :]


def by_numpy(x, factor, raw, radius):
    """What numpy's noise makes of the same bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "compiled_fill", None)
        out = np.empty_like(x)
        noise = BallNoise(Given(raw), max_rows=len(x), dim=x.shape[1], radius=radius)
        noise.fill(x, factor, out)
    return out


def bytes_of(seed, rows, dim):
    return (
        Stream(seed.to_bytes(32, "big")).read(rows * row_bytes(dim)).reshape(rows, row_bytes(dim))
    )


def uniform(words):
    """``(a + 0.5) / 2**32`` in the float32 that BallNoise says, as float64."""
    below_one = np.float32((1 - 2.0**-24) * 2.0**-32)
    return (words.astype(np.float32) * below_one + np.float32(2.0**-33)).astype(np.float64)


def tolerance(dim, radius):
    """Relative error 8 EPS of a coordinate's own size, a few EPS of the row's largest.

    Where odd ``dim`` is small, all of a row may hang on one cosine near 0, whose float32 angle is
    numpy's error and not the compiled one's: 2**-22 of it, over that cosine.
    """
    return 8 * EPS * radius if dim % 2 == 0 or dim > 16 else 2e-3 * radius


@given(
    dim=st.integers(1, 130) | st.sampled_from([384, 1023, 1024, 1500]),
    rows=st.integers(0, 9),
    seed=st.integers(0, 2**64),
    radius=st.floats(2.0**-20, 2.0**20),
    factor=st.floats(-2.0, 2.0, width=32),
)
@settings(deadline=None, max_examples=150)
def test_compiled_is_numpy(fill, dim, rows, seed, radius, factor):
    raw = bytes_of(seed, rows, dim)
    x = np.random.default_rng(seed).standard_normal((rows, dim), dtype=np.float32)
    expected, out = by_numpy(x, factor, raw.copy(), radius), np.empty_like(x)
    assert fill(x, factor, raw, out, radius)
    largest = 2 * np.abs(x).max(initial=0.0)
    np.testing.assert_allclose(out, expected, rtol=0, atol=tolerance(dim, radius) + EPS * largest)


@pytest.mark.parametrize("dim", [2, 16, 31, 384, 1025])
def test_compiled_is_the_formula_in_float64(fill, portable_fill, dim):
    """Every coordinate to 3e-7 of the radius: closer than float32 angles allow."""
    raw, radius, pairs = bytes_of(5, 200, dim), 3.0, (dim + 1) // 2
    words = raw.view("<u4")[:, 2 : 2 + 2 * pairs].astype(np.float64)
    r = np.sqrt(-2.0 * np.log(uniform(words[:, :pairs])))
    t = words[:, pairs:] * (2.0 * np.pi / 2.0**32)
    z = np.concatenate([r * np.cos(t), r * np.sin(t)], axis=1)[:, :dim]
    u = (raw.view("<u8")[:, :1] + 0.5) * 2.0**-64
    expected = radius * u ** (1.0 / dim) * z / np.linalg.norm(z, axis=1, keepdims=True)
    for version in (fill, portable_fill):
        out = np.zeros((200, dim), dtype=np.float32)
        assert version(out, 1.0, raw.copy(), out, radius)
        np.testing.assert_allclose(out, expected, rtol=0, atol=3e-7 * radius)


@pytest.mark.parametrize("version", ["fill", "portable_fill"])
def test_logarithm_and_turn_at_their_corners(request, version):
    """Two dimensions show both bare: ``x / y`` is the turn; two pairs, the logarithms' ratio."""
    version = request.getfixturevalue(version)
    full = np.array([2**32 - 1] * 2, dtype="<u4")
    for b in WORDS:
        raw = np.concatenate([full, np.array([12345, b], dtype="<u4")]).view(np.uint8)[None]
        out = np.zeros((1, 2), dtype=np.float32)
        assert version(out, 1.0, raw, out, 1.0)
        turn = 2 * math.pi * b / 2**32
        np.testing.assert_allclose(out[0], [math.cos(turn), math.sin(turn)], rtol=0, atol=2.5e-7)
    for a in WORDS:
        # two pairs that are not turned: out = (sqrt(log a), sqrt(log middle), 0, 0) / norm
        quiet = np.array([a, 2**31, 0, 0], dtype="<u4")
        padded = np.concatenate([full, quiet, np.zeros(2, dtype="<u4")])
        raw, out = padded.view(np.uint8)[None], np.zeros((1, 4), dtype=np.float32)
        assert version(out, 1.0, raw, out, 1.0)
        logs = np.log(uniform(np.array([a, 2**31])))
        np.testing.assert_allclose(out[0, :2], np.sqrt(logs / logs.sum()), rtol=4e-7)
        assert not out[0, 2:].any()


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("b", WORDS)
def test_no_corner_is_undefined_and_signs_are_those_of_numpy(fill, dim, b):
    width = row_bytes(dim)
    for a in WORDS:
        for u in (0, 2**32 - 1):
            words = np.zeros(width // 4, dtype="<u4")
            pairs = (dim + 1) // 2
            words[:2], words[2 : 2 + pairs], words[2 + pairs : 2 + 2 * pairs] = u, a, b
            raw, out = words.view(np.uint8)[None], np.zeros((1, dim), dtype=np.float32)
            expected = by_numpy(out, 1.0, raw.copy(), 1.0)
            assert fill(out, 1.0, raw, out, 1.0)
            assert np.linalg.norm(out) <= 1.0 + 1e-6
            np.testing.assert_allclose(out, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("dim", [1, 2, 6, 384, 1536, 4096])
def test_compiled_noise_is_uniform_in_the_ball(fill, dim):
    """Radius: ``(length / radius) ** dim`` is uniform. Direction: a coordinate's law is a Beta."""
    rows = 4000 if dim < 1000 else 600
    out = np.zeros((rows, dim), dtype=np.float32)
    assert fill(out, 1.0, bytes_of(11, rows, dim), out, 2.5)
    length = np.linalg.norm(out.astype(np.float64), axis=1)
    assert stats.kstest((length / 2.5) ** dim, "uniform").pvalue > 0.01
    if dim > 1:
        for column in (0, dim // 2, dim - 1):
            share = (out[:, column] / length) ** 2
            assert stats.kstest(share, stats.beta(0.5, (dim - 1) / 2).cdf).pvalue > 0.001
            assert stats.binomtest(int((out[:, column] > 0).sum()), rows).pvalue > 0.001


@pytest.mark.parametrize("dim", [1, 2, 5, 33, 384])
def test_a_row_is_the_same_wherever_it_stands(fill, dim):
    """To the bit: alone, in a block, and at any distance from a boundary of the memory."""
    raw = bytes_of(3, 40, dim)
    x = np.random.default_rng(3).standard_normal((40, dim), dtype=np.float32)
    whole = np.empty_like(x)
    assert fill(x, 1.5, raw.copy(), whole, 2.0)
    for row in range(40):
        room = np.empty(dim + row, dtype=np.float32)[row:].reshape(1, dim)
        assert fill(x[row : row + 1], 1.5, raw[row : row + 1].copy(), room, 2.0)
        np.testing.assert_array_equal(room[0], whole[row])
    place = x.copy()
    assert fill(place, 1.5, raw.copy(), place, 2.0)
    np.testing.assert_array_equal(place, whole)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 3e38])
@pytest.mark.parametrize("dim", [1, 2, 7, 40])
def test_what_is_not_finite_is_seen_in_every_place(fill, bad, dim):
    for column in range(dim):
        x = np.zeros((3, dim), dtype=np.float32)
        x[1, column] = bad
        assert not fill(x, 2.0, bytes_of(1, 3, dim), np.empty_like(x), 1.0)


GUARDED = """
import ctypes, mmap, sys
import numpy as np
from pathlib import Path
from cipherset.pipeline.encrypt import native
from cipherset.pipeline.encrypt.noise import row_bytes

fill, page = native.load(Path(sys.argv[1])), mmap.PAGESIZE
libc = ctypes.CDLL(None, use_errno=True)

def guarded(n_bytes, *, low):
    '''Bytes that begin right after, or end right before, a page that nobody may touch.'''
    pages = -(-n_bytes // page) * page
    room = mmap.mmap(-1, pages + page)
    start = ctypes.addressof(ctypes.c_char.from_buffer(room))
    shut = start if low else start + pages
    if libc.mprotect(ctypes.c_void_p(shut), page, 0) != 0:
        raise OSError(ctypes.get_errno(), "mprotect")
    first = page if low else pages - n_bytes
    return np.frombuffer(room, dtype=np.uint8)[first : first + n_bytes]

for dim in (1, 2, 3, 15, 16, 17, 32, 33, 63, 384, 1025):
    for rows in (1, 2, 5):
        for low in (False, True):
            raw = guarded(rows * row_bytes(dim), low=low).reshape(rows, -1)
            raw[:] = 77
            x, out = (
                guarded(4 * rows * dim, low=low).view(np.float32).reshape(rows, dim) for _ in "xo"
            )
            fill(x, 1.0, raw, out, 1.0)
print("untouched")
"""


def test_no_byte_beside_its_arrays_is_touched(library):
    """Pages next to the arrays are shut: a read or write there ends the process."""
    assert _run(GUARDED, str(library), path=SOURCES) == "untouched"


def test_arrays_of_another_kind_are_refused_before_they_are_touched(fill):
    x, raw = np.zeros((4, 6), dtype=np.float32), bytes_of(1, 4, 6)
    still = np.zeros((4, 6), dtype=np.float32)
    still.flags.writeable = False
    shifted = np.zeros(97, dtype=np.uint8)[1:].view(np.float32).reshape(4, 6)
    wide = np.zeros((4, 12), dtype=np.float32)[:, ::2]
    for bad in (x.astype(np.float64), np.asfortranarray(x), wide, still, shifted):
        with pytest.raises(TypeError, match="contiguous"):
            fill(x, 1.0, raw, bad, 1.0)
    for bad in (x.astype(np.float64), np.asfortranarray(x), wide, shifted):
        with pytest.raises(TypeError, match="contiguous"):
            fill(bad, 1.0, raw, x, 1.0)
    for bad in (raw[:, ::2], raw.view(np.int8)):
        with pytest.raises(TypeError, match="contiguous"):
            fill(x, 1.0, bad, x, 1.0)
    short = np.ascontiguousarray(raw[:, :16])
    for bad_x, bad_raw in ((x[:3], raw), (x[:, :5], raw), (x, raw[:3]), (x, short)):
        with pytest.raises(TypeError, match="shapes"):
            fill(bad_x, 1.0, bad_raw, x, 1.0)
    with pytest.raises(TypeError, match="contiguous"):
        fill(x.ravel(), 1.0, bytes_of(1, 24, 1), x.ravel(), 1.0)
    assert fill(still, 1.0, raw, x, 1.0)


REPORT = """
import sys
import numpy as np
from cipherset.pipeline.encrypt import VectorCipher, noise_engine
cipher = VectorCipher(bytes(32), dim=5, approximation_factor=2.0)
x = np.eye(5, dtype=np.float32)
c = cipher.encrypt_for_testing(x, noise_stream_for_testing=bytes(32))
print(noise_engine(), *(f"{value:.4f}" for value in c.ravel()))
"""


def test_without_the_library_or_with_a_broken_one_numpy_does_the_same(library, tmp_path):
    package = tmp_path / "src" / "cipherset"
    copied = package / NATIVE
    _copy_without_library(package)
    bare = _run(REPORT, path=package.parent).split()
    place = copied / library.name
    place.write_bytes(b"not a library")
    broken = _run(REPORT, path=package.parent).split()
    place.write_bytes(library.read_bytes())
    compiled = _run(REPORT, path=package.parent).split()
    assert [found[0] for found in (bare, broken, compiled)] == ["numpy", "numpy", "compiled"]
    assert bare[1:] == broken[1:]
    np.testing.assert_allclose(
        np.array(compiled[1:], dtype=float), np.array(bare[1:], dtype=float), atol=1.1e-4
    )


def test_a_library_of_another_source_is_not_loaded(library, tmp_path):
    package = tmp_path / "src" / "cipherset"
    copied = package / NATIVE
    _copy_without_library(package)
    (copied / library.name).write_bytes(library.read_bytes())
    with (copied / "ball.c").open("a", encoding="utf-8") as source:
        source.write("/* changed */\n")
    assert _run(REPORT, path=package.parent).split()[0] == "numpy"


def _copy_without_library(package):
    shutil.copytree(
        SOURCES / "cipherset",
        package,
        ignore=shutil.ignore_patterns("*.so", "__pycache__", ".build-*"),
    )


def _run(program, *arguments, path):
    done = subprocess.run(
        ["env", f"PYTHONPATH={path}", sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()

"""What a cipher refuses, by code, and what it accepts; what it never shows."""

import copy
import pickle  # noqa: TID251 -- to see it refuse
import re
import traceback
from pathlib import Path

import numpy as np
import pytest

import cipherset.pipeline.encrypt as room
from cipherset.core.errors import CiphersetError, DimensionError, InputError, UsageError
from cipherset.core.secret import KeyHandle, Secret
from cipherset.pipeline.encrypt import VectorCipher, scheme_named

SECRET = b"canary-secret-canary-secret-0123"
X = np.eye(3, dtype=np.float32)


def make(secret=SECRET, **changes):
    return VectorCipher(secret, **{"dim": 3, "approximation_factor": 2.0, **changes})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"secret": SECRET[:-1]}, "secret_length"),
        ({"secret": SECRET + b"4"}, "secret_length"),
        ({"secret": b""}, "secret_length"),
        ({"secret": "a string of thirty-two characters"[:32]}, "secret_length"),
        ({"secret": None}, "secret_length"),
        ({"scheme": "rsap/2"}, "scheme"),
        ({"scheme": ""}, "scheme"),
        ({"scheme": None}, "scheme"),
        ({"dim": 0}, "dimension"),
        ({"dim": -3}, "dimension"),
        ({"dim": 2.5}, "dimension"),
        ({"dim": 10**9}, "dimension"),
        ({"approximation_factor": -0.1}, "approximation_factor"),
        ({"approximation_factor": float("nan")}, "approximation_factor"),
        ({"approximation_factor": float("inf")}, "approximation_factor"),
        ({"approximation_factor": 10**400}, "approximation_factor"),
        ({"approximation_factor": "much"}, "approximation_factor"),
        ({"approximation_factor": None}, "approximation_factor"),
        ({"key_id": None}, "key_id"),
        ({"key_id": "\ud800"}, "key_id"),
        ({"key_version": 0}, "key_version"),
        ({"key_version": 2**63}, "key_version"),
        ({"key_version": 1.5}, "key_version"),
    ],
)
def test_arguments_that_are_refused(changes, code):
    with pytest.raises(InputError) as refusal:
        make(**changes)
    assert refusal.value.code == code
    assert refusal.value.hint


@pytest.mark.parametrize("changes", [{"key_id": "tickets"}, {"key_version": 2}])
def test_an_opened_key_is_named_once(changes):
    with pytest.raises(UsageError) as refusal:
        make(KeyHandle("tickets", 2, Secret(SECRET)), **changes)
    assert refusal.value.code == "key_named_twice"


@pytest.mark.parametrize(
    ("handle", "code"),
    [
        (KeyHandle("\ud800", 1, Secret(SECRET)), "key_id"),
        (KeyHandle("tickets", 0, Secret(SECRET)), "key_version"),
    ],
)
def test_an_opened_key_is_checked(handle, code):
    with pytest.raises(InputError) as refusal:
        make(handle)
    assert refusal.value.code == code


@pytest.mark.parametrize("method", ["encrypt", "encrypt_query", "remove_key"])
@pytest.mark.parametrize(
    ("x", "error", "code"),
    [
        (X[:, :2], DimensionError, "dimension"),
        (X[0], DimensionError, "dimension"),
        (X[None], DimensionError, "dimension"),
        (np.float32(1.0), DimensionError, "dimension"),
        (np.zeros((0, 4), dtype=np.float32), DimensionError, "dimension"),
        (X.astype(np.int64), InputError, "dtype"),
        (X.astype(bool), InputError, "dtype"),
        (X.astype(np.float16), InputError, "dtype"),
        (X.astype(np.complex64), InputError, "dtype"),
        (X.astype(object), InputError, "dtype"),
        (np.array([["a", "b", "c"]]), InputError, "dtype"),
        ([[1.0, 2.0], [1.0]], InputError, "dtype"),
        (None, InputError, "dtype"),
    ],
)
def test_arrays_that_are_refused(method, x, error, code):
    with pytest.raises(error) as refusal:
        getattr(make(), method)(x)
    assert refusal.value.code == code
    assert refusal.value.hint


@pytest.mark.parametrize("method", ["encrypt", "encrypt_query"])
@pytest.mark.parametrize("scheme", ["rsap/1", "sap/1"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("row", [0, 2, 99_999])
def test_the_first_row_that_is_not_finite_is_named(engine, method, scheme, value, row):
    x = np.ones((100_000, 3))
    x[row, 1] = value
    x[-1, 2] = value
    with pytest.raises(InputError) as refusal:
        getattr(make(scheme=scheme), method)(x)
    assert refusal.value.code == "not_finite"
    assert f"row {row} " in refusal.value.message
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("threads", [0, -1, 1.5, None, 10**9])
def test_numbers_of_threads_that_are_refused(threads):
    with pytest.raises(InputError) as refusal:
        make().encrypt(X, threads=threads)
    assert refusal.value.code == "threads"
    assert refusal.value.hint


def test_large_finite_numbers_are_not_refused():
    """The sum of their squares is beyond float32."""
    x = np.full((2, 3), 1e30, dtype=np.float32)
    assert np.isfinite(make(scheme="sap/1").encrypt(x)).all()


@pytest.mark.parametrize(
    "layout",
    [
        lambda x: x.astype(np.float64),
        np.asfortranarray,
        lambda x: np.repeat(x, 2, axis=0)[::2],
        lambda x: np.repeat(x, 2, axis=1)[:, ::2],
        lambda x: x[::-1].copy()[::-1],
        lambda x: x.astype(">f4"),
        lambda x: x.tolist(),
        lambda x: np.frombuffer(b"." + x.tobytes(), dtype=np.float32, offset=1).reshape(x.shape),
    ],
)
@pytest.mark.parametrize("scheme", ["rsap/1", "sap/1"])
def test_any_layout_gives_the_same(engine, layout, scheme):
    x = np.random.default_rng(4).normal(size=(20, 3)).astype(np.float32)
    cipher = make(scheme=scheme)
    found = cipher.encrypt_query(layout(x))
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    np.testing.assert_allclose(found, cipher.encrypt_query(x), atol=1e-6)
    noisy = [
        cipher.encrypt_for_testing(rows, noise_stream_for_testing=bytes(32))
        for rows in (x, layout(x))
    ]
    np.testing.assert_allclose(*noisy, atol=1e-6)


@pytest.mark.parametrize("scheme", ["rsap/1", "sap/1"])
def test_input_is_left_unchanged_and_may_be_read_only(scheme):
    x = X.copy()
    x.flags.writeable = False
    cipher = make(scheme=scheme)
    for found in (cipher.encrypt(x), cipher.encrypt_query(x), cipher.remove_key(x)):
        assert not np.shares_memory(found, x)
    np.testing.assert_array_equal(x, X)


@pytest.mark.parametrize("scheme", ["rsap/1", "sap/1"])
def test_no_rows_and_one_column(scheme):
    assert make(scheme=scheme).encrypt(X[:0]).shape == (0, 3)
    line = make(scheme=scheme, dim=1).encrypt_query(np.ones((2, 1)))
    assert line.shape == (2, 1)
    assert 1.0 <= abs(line[0, 0]) < 2.0


def test_without_an_approximation_factor_there_is_no_noise():
    cipher = make(approximation_factor=0)
    np.testing.assert_array_equal(cipher.encrypt(X), cipher.encrypt_query(X))
    assert cipher.noise_radius == 0.0


def test_names_travel_with_the_key():
    cipher = make(KeyHandle("tickets", 3, Secret(SECRET)))
    named = make(Secret(SECRET), key_id="tickets", key_version=3)
    assert (cipher.key_id, cipher.key_version) == ("tickets", 3)
    assert (cipher.scheme, cipher.dim, cipher.approximation_factor) == ("rsap/1", 3, 2.0)
    assert cipher.key_check == named.key_check
    assert re.fullmatch("[0-9a-f]{32}", cipher.key_check)


def test_the_secret_is_never_shown():
    cipher = make(key_id="tickets")
    shown = [repr(cipher), str(cipher), f"{cipher}"]
    for refused in (lambda: make(SECRET + b"x"), lambda: cipher.encrypt(X[:, :1])):
        with pytest.raises(CiphersetError) as refusal:
            refused()
        shown += [str(refusal.value), *traceback.format_exception(refusal.value)]
    for text in shown:
        assert "canary" not in text
        assert SECRET.hex() not in text
    assert repr(cipher) == (
        "VectorCipher(dim=3, scheme='rsap/1', approximation_factor=2.0, "
        "key_id='tickets', key_version=1)"
    )
    assert repr(room.cipher.Stream(SECRET)) == "Stream(...)"


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_cipher_stays_where_it_is(way):
    with pytest.raises(TypeError):
        way(make())


def test_a_scheme_is_found_by_name():
    assert scheme_named("rsap/1").name == "rsap/1"


def test_the_room_draws_from_no_other_generator():
    banned = re.compile(r"np\.random|numpy\.random|import random|from random|default_rng|secrets\.")
    for path in Path(room.__file__).parent.glob("*.py"):
        code = re.sub(r'""".*?"""', "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not banned.search(code), path.name

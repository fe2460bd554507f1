"""The reversible form: back to the input, one key, one factor, and not one byte changed."""

import hashlib
import hmac
import struct
import traceback

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cipherset.core.errors import CiphersetError, InputError, IntegrityError
from cipherset.core.secret import KeyHandle, Secret
from cipherset.pipeline.encrypt import VectorCipher, reversible, rows
from cipherset.pipeline.encrypt.derive import Derivation
from cipherset.pipeline.encrypt.noise import ball, row_bytes
from cipherset.pipeline.encrypt.stream import NonceStreams

SECRET = b"canary-secret-canary-secret-0123"
SCHEMES = ["rsap/1", "sap/1"]


def make(secret=SECRET, **changes):
    return VectorCipher(secret, **{"dim": 6, "approximation_factor": 2.0, **changes})


def unit(n, dim, seed=0):
    x = np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


class SlowStream:
    """One nonce's AES-256-CTR keystream, by the library's CTR mode."""

    def __init__(self, key, nonce):
        self._ctr = Cipher(algorithms.AES256(key), modes.CTR(nonce + bytes(4))).encryptor()

    def read_into(self, out):
        out[:] = np.frombuffer(self._ctr.update(bytes(out.size)), dtype=np.uint8)


def slow_tag(made_by, factor, nonce, stored_row, associated_data=None):
    """The HMAC of one row, spelled out."""
    handle = Secret(SECRET)
    bound_to = Derivation(made_by.key_id, made_by.key_version, made_by.scheme, made_by.dim)
    fields = [
        f"cipherset/{made_by.scheme}/reversible-seal".encode(),
        made_by.key_id.encode(),
        struct.pack(">Q", made_by.key_version),
        struct.pack(">Q", made_by.dim),
        struct.pack(">d", factor),
        str(stored_row.dtype).encode(),
        nonce,
        *([] if associated_data is None else [associated_data]),
        stored_row.tobytes(),
    ]
    message = b"".join(struct.pack(">Q", len(value)) + value for value in fields)
    key = bound_to.derive(handle, "reversible-seal", n_bytes=32)
    return hmac.digest(key, message, hashlib.sha256)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("dim", [1, 2, 6, 384])
@pytest.mark.parametrize("factor", [0, 2, 8, 100])
def test_back_to_the_input(scheme, dim, factor):
    x = unit(300, dim)
    subject = make(dim=dim, scheme=scheme, approximation_factor=factor)
    c, seals = subject.encrypt_reversible(x)
    assert (c.dtype, c.shape, seals.dtype, seals.shape) == ("f4", x.shape, "u1", (300, 44))
    assert factor == 0 or np.abs(c - subject.encrypt_query(x)).max() > factor / 100
    np.testing.assert_allclose(subject.decrypt(c, seals), x, rtol=0, atol=1e-5)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("dtype", "atol"), [("f2", None), ("f4", 1e-5), ("f8", 1e-5)])
def test_any_stored_width(scheme, dtype, atol):
    x = unit(300, 384)
    subject = make(dim=384, scheme=scheme)
    c, seals = subject.encrypt_reversible(x, dtype=dtype)
    assert c.dtype == dtype
    atol = 2e-3 * np.abs(c).max() if atol is None else atol
    found = subject.decrypt(c, seals)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, x, rtol=0, atol=atol)


@given(
    st.sampled_from(SCHEMES),
    arrays(
        np.float32, st.tuples(st.integers(0, 6), st.just(6)), elements=st.floats(-1, 1, width=32)
    ),
    st.lists(st.binary(max_size=9), min_size=6, max_size=6),
    st.booleans(),
)
@settings(deadline=None)
def test_any_rows_and_any_associated_data_come_back(scheme, x, extra, is_bound):
    subject = make(scheme=scheme)
    extra = extra[: len(x)] if is_bound else None
    c, seals = subject.encrypt_reversible(x, associated_data=extra)
    found = subject.decrypt(c, seals, associated_data=extra)
    np.testing.assert_allclose(found, x, rtol=0, atol=1e-5)


def test_any_row_alone_and_in_any_order():
    x = unit(400, 6)
    subject, extra = make(), [str(i).encode() for i in range(400)]
    c, seals = subject.encrypt_reversible(x, associated_data=extra)
    whole = subject.decrypt(c, seals, associated_data=extra)
    order = np.random.default_rng(1).permutation(400)[:50]
    some = subject.decrypt(c[order], seals[order], associated_data=[extra[i] for i in order])
    np.testing.assert_allclose(some, whole[order], rtol=0, atol=1e-6)
    one = subject.decrypt(c[7:8], seals[7:8], associated_data=[b"7"])
    np.testing.assert_allclose(one, x[7:8], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "layout",
    [
        np.asfortranarray,
        lambda a: np.repeat(a, 2, axis=0)[::2],
        lambda a: np.repeat(a, 2, axis=1)[:, ::2],
        lambda a: a.astype(a.dtype.newbyteorder(">")),
    ],
)
def test_layout_and_byte_order_do_not_matter(layout):
    x = unit(20, 6)
    subject = make()
    c, seals = subject.encrypt_reversible(layout(x))
    c, seals = layout(c), layout(seals)
    c.flags.writeable = seals.flags.writeable = False
    np.testing.assert_allclose(subject.decrypt(c, seals), x, rtol=0, atol=1e-5)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("dim", [1, 6, 64])
def test_the_slow_reversible_form(scheme, dim):
    """Row by row: noise of key and nonce, sum, HMAC."""
    factor, x = 3.0, unit(9, dim)
    subject = make(
        dim=dim, scheme=scheme, approximation_factor=factor, key_id="schlüssel", key_version=2
    )
    bound_to = Derivation("schlüssel", 2, scheme, dim)
    noise_key = bound_to.derive(Secret(SECRET), "reversible-noise", n_bytes=32)
    s = float(np.linalg.norm(subject.encrypt_query(np.eye(dim))[0]))
    extra = [bytes([i]) * i for i in range(9)]
    for dtype in ("f2", "f4", "f8"):
        c, seals = subject.encrypt_reversible(x, associated_data=extra, dtype=dtype)
        for i in range(9):
            nonce = seals[i, :12].tobytes()
            z = ball(SlowStream(noise_key, nonce), rows=1, dim=dim, radius=s * factor / 4)
            slow = (subject.encrypt_query(x[i : i + 1]) + z)[0]
            np.testing.assert_allclose(c[i], slow, atol=2e-3 if dtype == "f2" else 2e-6)
            assert seals[i, 12:].tobytes() == slow_tag(subject, factor, nonce, c[i], extra[i])
    c, seals = subject.encrypt_reversible(x)
    assert seals[0, 12:].tobytes() == slow_tag(subject, factor, seals[0, :12].tobytes(), c[0])


def test_streams_of_nonces_are_read_row_by_row():
    nonces = np.random.default_rng(2).integers(0, 256, size=(5, 12), dtype=np.uint8)
    width = row_bytes(300)
    streams = NonceStreams(SECRET, nonces, row_bytes=width)
    found, slow = np.empty(5 * width, dtype=np.uint8), np.empty((5, width), dtype=np.uint8)
    for start, stop in ((0, 2), (2, 2), (2, 5)):
        streams.read_into(found[start * width : stop * width])
    for nonce, row in zip(nonces, slow, strict=True):
        SlowStream(SECRET, nonce.tobytes()).read_into(row)
    np.testing.assert_array_equal(found, slow.reshape(-1))
    assert repr(streams) == "NonceStreams(...)"


def test_every_row_has_a_nonce_of_its_own():
    x = np.ones((2000, 6), dtype=np.float32)
    subject = make()
    (c, seals), (again, _) = subject.encrypt_reversible(x), subject.encrypt_reversible(x)
    assert len(np.unique(seals[:, :12], axis=0)) == 2000
    assert len(np.unique(np.concatenate([c, again]), axis=0)) == 4000


def test_the_block_does_not_matter(monkeypatch):
    x = unit(300, 6)
    subject = make()
    c, seals = subject.encrypt_reversible(x)
    monkeypatch.setattr(rows, "BLOCK_COORDINATES", 17 * 6)
    np.testing.assert_allclose(subject.decrypt(c, seals), x, rtol=0, atol=1e-5)


OTHERS = {
    "secret": make(b"\0" + SECRET[1:]),
    "key id": make(key_id="b"),
    "key version": make(key_version=2),
    "scheme": make(scheme="sap/1"),
    "factor": make(approximation_factor=2.0000001),
    "handle": make(KeyHandle("tickets", 1, Secret(SECRET))),
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_cipher_is_refused(name):
    c, seals = make().encrypt_reversible(unit(3, 6))
    with pytest.raises(IntegrityError) as refusal:
        OTHERS[name].decrypt(c, seals)
    assert refusal.value.code == "seal"
    assert "row 0 " in refusal.value.message
    assert refusal.value.hint


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_one_flipped_bit_anywhere_is_refused(dtype):
    subject = make()
    c, seals = subject.encrypt_reversible(unit(4, 6), dtype=dtype)
    for array in (c.view(np.uint8), seals):
        for position in range(array.shape[1]):
            array[2, position] ^= 1 << position % 8
            with pytest.raises(IntegrityError, match=r"row 2 ") as refusal:
                subject.decrypt(c, seals)
            assert refusal.value.code == "seal"
            array[2, position] ^= 1 << position % 8
    subject.decrypt(c, seals)


def test_the_first_changed_row_is_named():
    subject = make()
    c, seals = subject.encrypt_reversible(unit(9, 6))
    seals[[8, 5, 6], 43] ^= 1
    with pytest.raises(IntegrityError, match=r"row 5 "):
        subject.decrypt(c, seals)


def test_stored_in_another_width_is_refused():
    subject = make()
    c, seals = subject.encrypt_reversible(unit(4, 6))
    for dtype in ("f2", "f8"):
        with pytest.raises(IntegrityError):
            subject.decrypt(c.astype(dtype), seals)


@pytest.mark.parametrize(
    "other", [None, [b"", b"1"], [b"1", b"0"], [b"0", b"10"], [b"0", b"1\0"], [b"", b""]]
)
def test_other_associated_data_is_refused(other):
    x, subject = unit(2, 6), make()
    c, seals = subject.encrypt_reversible(x, associated_data=[b"0", b"1"])
    with pytest.raises(IntegrityError) as refusal:
        subject.decrypt(c, seals, associated_data=other)
    assert refusal.value.code == "seal"
    c, seals = subject.encrypt_reversible(x)
    with pytest.raises(IntegrityError):
        subject.decrypt(c, seals, associated_data=[b"", b""])


def test_rows_do_not_change_places():
    subject = make()
    c, seals = subject.encrypt_reversible(unit(2, 6))
    with pytest.raises(IntegrityError):
        subject.decrypt(c[::-1], seals)
    with pytest.raises(IntegrityError):
        subject.decrypt(c, np.hstack([seals[::-1, :12], seals[:, 12:]]))


def test_compare_digest_decides_for_every_row(monkeypatch):
    """Time cannot tell how much of a tag matched: nothing but compare_digest looks at tags."""
    subject = make()
    c, seals = subject.encrypt_reversible(unit(5, 6))
    broken = seals.copy()
    broken[1:3, 12] ^= 1
    seen = []

    def answer(found, expected, *, is_same):
        seen.append((bytes(found), bytes(expected)))
        return is_same

    with monkeypatch.context() as patch:
        patch.setattr(reversible.hmac, "compare_digest", lambda a, b: answer(a, b, is_same=True))
        subject.decrypt(c, broken)
    assert [expected for _, expected in seen] == [row[12:].tobytes() for row in broken]
    assert [len(found) for found, _ in seen] == [32] * 5
    with monkeypatch.context() as patch:
        patch.setattr(reversible.hmac, "compare_digest", lambda a, b: answer(a, b, is_same=False))
        with pytest.raises(IntegrityError, match=r"row 0 "):
            subject.decrypt(c, seals)
    assert len(seen) == 10


def decrypt_with(**changes):
    subject = make()
    c, seals = subject.encrypt_reversible(unit(2, 6))
    extra = changes.pop("associated_data", None)
    given = {"c": c, "seals": seals, **changes}
    return subject.decrypt(given["c"], given["seals"], associated_data=extra)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"seals": np.zeros((2, 43), dtype=np.uint8)}, "seals"),
        ({"seals": np.zeros((1, 44), dtype=np.uint8)}, "seals"),
        ({"seals": np.zeros((2, 44), dtype=np.int8)}, "seals"),
        ({"seals": np.zeros(88, dtype=np.uint8)}, "seals"),
        ({"seals": [[1], [2, 3]]}, "seals"),
        ({"seals": None}, "seals"),
        ({"c": np.zeros((2, 5), dtype=np.float32)}, "dimension"),
        ({"c": np.zeros((2, 6), dtype=np.int32)}, "dtype"),
        ({"c": np.zeros((2, 6), dtype=np.longdouble)}, "dtype"),
        ({"c": None}, "dtype"),
        ({"associated_data": [b"1"]}, "associated_data"),
        ({"associated_data": b"12"}, "associated_data"),
        ({"associated_data": ["1", "2"]}, "associated_data"),
        ({"associated_data": 2}, "associated_data"),
    ],
)
def test_arguments_that_decrypt_refuses(changes, code):
    with pytest.raises(InputError) as refusal:
        decrypt_with(**changes)
    assert refusal.value.code == code
    assert refusal.value.hint


@pytest.mark.parametrize(
    ("x", "options", "code"),
    [
        (unit(2, 5), {}, "dimension"),
        (unit(2, 6).astype(np.float16), {}, "dtype"),
        (np.full((2, 6), np.nan), {}, "not_finite"),
        (np.full((2, 6), 1e5), {"dtype": np.float16}, "not_finite"),
        (unit(2, 6), {"dtype": np.int32}, "dtype"),
        (unit(2, 6), {"dtype": "no dtype"}, "dtype"),
        (unit(2, 6), {"dtype": np.longdouble}, "dtype"),
        (unit(2, 6), {"associated_data": [b"1"]}, "associated_data"),
    ],
)
def test_arguments_that_encrypt_reversible_refuses(x, options, code):
    with pytest.raises(InputError) as refusal:
        make().encrypt_reversible(x, **options)
    assert refusal.value.code == code
    assert refusal.value.hint


def test_nothing_secret_is_shown():
    subject = make(b"\0" + SECRET[1:])
    c, seals = make().encrypt_reversible(unit(2, 6), associated_data=[b"canary", b"canary"])
    shown = [repr(subject._sealer)]
    with pytest.raises(CiphersetError) as refusal:
        subject.decrypt(c, seals, associated_data=[b"canary", b"canary"])
    shown += [str(refusal.value), *traceback.format_exception(refusal.value)]
    for text in shown:
        assert "canary'" not in text
        assert subject._sealer.noise_key.hex() not in text
        assert repr(subject._sealer.noise_key) not in text

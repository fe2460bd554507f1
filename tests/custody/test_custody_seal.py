"""Sealing and keyed digests: laws, a slow oracle, known answers, refusals."""

import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.core.errors import BackendError, InputError, IntegrityError
from cipherset.core.protocols import Sealer
from cipherset.core.secret import KeyHandle, Secret
from cipherset.custody.keys import AesGcmSealer, KeyedDigest, ephemeral_sealer

SECRET = bytes(range(32))


def handle(secret: bytes = SECRET, key_id: str = "a-0123456789abcdef", version: int = 1):
    return KeyHandle(key_id, version, Secret(secret))


def slow_hkdf(secret: bytes, salt: bytes, info: dict[str, object]) -> bytes:
    """RFC 5869 by hand: extract, then the first block of expand."""
    extracted = hmac.digest(salt or bytes(32), secret, "sha256")
    text = json.dumps(info, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return hmac.digest(extracted, text + b"\x01", "sha256")


def slow_unseal(secret: bytes, sealed: bytes, context: str) -> bytes:
    key_id = "a-0123456789abcdef"
    label = {"key_id": key_id, "label": "cipherset/seal/1", "version": 1}
    sealing = slow_hkdf(secret, b"", label)
    message = {"context": context, "label": "cipherset/seal/1/message"}
    key = slow_hkdf(sealing, sealed[:32], message)
    return AESGCM(key).decrypt(bytes(12), sealed[32:], context.encode())


@given(plaintext=st.binary(max_size=200), context=st.text(max_size=20))
def test_what_is_sealed_unseals_and_is_48_bytes_longer(plaintext, context):
    sealer: Sealer = AesGcmSealer.from_key(handle())
    sealed = sealer.seal(plaintext, context=context)
    assert sealer.unseal(sealed, context=context) == plaintext
    assert len(sealed) == len(plaintext) + 48


@given(plaintext=st.binary(max_size=50))
def test_the_construction_is_what_the_docstring_says(plaintext):
    sealed = AesGcmSealer.from_key(handle()).seal(plaintext, context="rows/3")
    assert slow_unseal(SECRET, sealed, "rows/3") == plaintext


def test_no_two_seals_are_alike():
    sealer = ephemeral_sealer()
    assert len({sealer.seal(b"same", context="c") for _ in range(100)}) == 100


@settings(max_examples=50)
@given(data=st.data())
def test_one_flipped_bit_or_a_cut_is_found(data):
    sealer = AesGcmSealer.from_key(handle())
    sealed = bytearray(sealer.seal(b"some plaintext", context="c"))
    if data.draw(st.booleans()):
        bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
        sealed[bit // 8] ^= 1 << bit % 8
    else:
        del sealed[data.draw(st.integers(0, len(sealed) - 1)) :]
    with pytest.raises(IntegrityError) as caught:
        sealer.unseal(bytes(sealed), context="c")
    assert caught.value.code == "unseal"


@pytest.mark.parametrize(
    ("other", "context"),
    [
        (handle(bytes(32)), "c"),
        (handle(key_id="b-0123456789abcdef"), "c"),
        (handle(version=2), "c"),
        (handle(), "d"),
    ],
)
def test_another_key_version_or_context_is_refused(other, context):
    sealed = AesGcmSealer.from_key(handle()).seal(b"x", context="c")
    with pytest.raises(IntegrityError) as caught:
        AesGcmSealer.from_key(other).unseal(sealed, context=context)
    assert caught.value.code == "unseal"


def test_an_ephemeral_sealer_opens_only_its_own():
    sealed = ephemeral_sealer().seal(b"x", context="c")
    with pytest.raises(IntegrityError) as caught:
        ephemeral_sealer().unseal(sealed, context="c")
    assert caught.value.code == "unseal"


class _Huge(bytes):
    """As long as 2 GiB without the memory."""

    def __len__(self):
        return 2**31


def test_too_much_for_one_message_is_refused():
    with pytest.raises(InputError) as caught:
        ephemeral_sealer().seal(_Huge(), context="c")
    assert caught.value.code == "seal_too_large"


def test_known_answer_of_a_sealed_message():
    sealed = bytes.fromhex(
        "faf3d6eabb2c11aa115546ccf7be6827d95994f173345322ebff214bc7986213a725f886ab537773"
        "ef847ffbbd1b9beb871e50e95a19130b28acf2a3"
    )
    assert AesGcmSealer.from_key(handle()).unseal(sealed, context="rows/0") == b"known answer"


def test_known_answer_of_a_keyed_digest():
    expected = "hmac-sha256:78f061f1f8ef423600b4454faecf515f20f2275e5122aa7313f346a5198715b9"
    assert KeyedDigest(handle()).digest(b"known answer", "rows") == expected


@given(data=st.binary(max_size=100), context=st.text(max_size=10))
def test_a_digest_is_an_hmac_under_a_key_for_its_context(data, context):
    label = {"key_id": "a-0123456789abcdef", "label": "cipherset/digest/1", "version": 1}
    root = slow_hkdf(SECRET, b"", label)
    key = slow_hkdf(root, b"", {"context": context, "label": "cipherset/digest/1"})
    slow = "hmac-sha256:" + hmac.new(key, data, hashlib.sha256).hexdigest()
    assert KeyedDigest(handle()).digest(data, context) == slow


def test_digests_differ_by_data_context_key_and_version():
    digests = {
        KeyedDigest(handle()).digest(b"x", "c"),
        KeyedDigest(handle()).digest(b"y", "c"),
        KeyedDigest(handle()).digest(b"x", "d"),
        KeyedDigest(handle(version=2)).digest(b"x", "c"),
        KeyedDigest(handle(bytes(32))).digest(b"x", "c"),
    }
    assert len(digests) == 5


def test_a_file_in_parts_has_the_digest_of_its_bytes(tmp_path):
    data = bytes(3 * (1 << 20) + 17)
    (tmp_path / "x").write_bytes(data)
    digest = KeyedDigest(handle())
    assert digest.digest_file(tmp_path / "x", "source") == digest.digest(data, "source")
    with pytest.raises(BackendError) as caught:
        digest.digest_file(tmp_path / "none", "source")
    assert caught.value.code == "disk"

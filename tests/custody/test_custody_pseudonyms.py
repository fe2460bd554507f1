"""Keyed stand-ins for values: known answers the slow way, laws, refusals."""

import hmac
import json

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from hypothesis import given
from hypothesis import strategies as st

from cipherset.core.errors import IntegrityError
from cipherset.core.protocols import Pseudonymizer
from cipherset.core.secret import KeyHandle, Secret
from cipherset.custody.keys import Pseudonyms

SECRET = bytes(range(32))
KEY_ID = "support-0123456789abcdef"
ENTITIES = st.from_regex("[A-Z][A-Z_]{0,10}", fullmatch=True)
VALUES = st.text(max_size=60)


def pseudonyms(secret=SECRET, key_id=KEY_ID, version=1) -> Pseudonymizer:
    return Pseudonyms(KeyHandle(key_id, version, Secret(secret)))


def slow_hkdf(label, length):
    """RFC 5869 by hand, without salt."""
    info = json.dumps(
        {"key_id": KEY_ID, "label": label, "version": 1}, sort_keys=True, separators=(",", ":")
    ).encode()
    extracted = hmac.digest(bytes(32), SECRET, "sha256")
    blocks, block = b"", b""
    for number in range(1, 3):
        block = hmac.digest(extracted, block + info + bytes([number]), "sha256")
        blocks += block
    return blocks[:length]


@given(ENTITIES, VALUES)
def test_the_construction_is_what_the_docstring_says(entity, value):
    key = pseudonyms()
    message = entity.encode() + b"\0" + value.encode("utf-8", "surrogatepass")
    for label, made in (("token", key.token), ("surrogate", key.surrogate)):
        derived = slow_hkdf(f"cipherset/{label}/1", 32)
        assert made(entity, value) == hmac.digest(derived, message, "sha256")
    padded = value.encode("utf-8", "surrogatepass") + b"\x80"
    padded += b"\0" * (-len(padded) % 16)
    bound = [entity.encode(), KEY_ID.encode(), (1).to_bytes(8, "big")]
    cipher = AESSIV(slow_hkdf("cipherset/sealed-token/1", 64))
    assert key.seal(entity, value) == cipher.encrypt(padded, bound)


@given(ENTITIES, VALUES)
def test_what_is_sealed_opens_and_shows_its_length_by_sixteens(entity, value):
    sealed = pseudonyms().seal(entity, value)
    assert pseudonyms().unseal(entity, sealed) == value
    assert len(sealed) % 16 == 0


def test_values_that_end_in_padding():
    for value in ("", "\0", "a\0\0", "\x80", "x" * 15, "x" * 16, "\ud800"):
        assert pseudonyms().unseal("X", pseudonyms().seal("X", value)) == value


def test_another_key_id_version_or_secret_is_another_stand_in():
    others = [
        pseudonyms(secret=bytes(32)),
        pseudonyms(key_id="support-0000000000000000"),
        pseudonyms(version=2),
    ]
    sealed = pseudonyms().seal("EMAIL", "jo@x.com")
    for other in others:
        assert other.token("EMAIL", "jo") != pseudonyms().token("EMAIL", "jo")
        assert other.surrogate("EMAIL", "jo") != pseudonyms().surrogate("EMAIL", "jo")
        with pytest.raises(IntegrityError) as refused:
            other.unseal("EMAIL", sealed)
        assert refused.value.code == "token_unseal"
        assert "jo" not in str(refused.value)


@pytest.mark.parametrize("sealed", [b"", b"short", bytes(32)])
def test_what_was_never_sealed(sealed):
    with pytest.raises(IntegrityError, match="does not open"):
        pseudonyms().unseal("EMAIL", sealed)


def test_another_entity_or_one_bit():
    sealed = pseudonyms().seal("EMAIL", "jo@x.com")
    for entity, bytes_ in (("URL", sealed), ("EMAIL", bytes([sealed[0] ^ 1]) + sealed[1:])):
        with pytest.raises(IntegrityError):
            pseudonyms().unseal(entity, bytes_)


def test_uses_of_one_value_are_not_linked():
    key = pseudonyms()
    assert key.token("EMAIL", "jo") != key.surrogate("EMAIL", "jo")
    assert key.token("EMAIL", "jo") != key.token("URL", "jo")


def test_nothing_is_shown():
    assert repr(pseudonyms()) == "Pseudonyms(...)"
    assert pseudonyms(version=3).version == 3

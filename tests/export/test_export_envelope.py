"""No byte of a signed file can change unseen, and who signed it is known."""

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.signer import CryptoSigner

from cipherset.core import canonical, envelope
from cipherset.core.errors import CiphersetError, InputError, IntegrityError

TYPE = "application/vnd.test+json"
SIGNER = CryptoSigner.generate_ed25519()
PUBLIC = SIGNER.public_key.keyval["public"]
FINGERPRINT = hashlib.sha256(bytes.fromhex(PUBLIC)).hexdigest()
PAYLOAD = canonical.encode({"signer": {"public_key": PUBLIC}, "n": 12345})
RAW = envelope.sign(PAYLOAD, TYPE, SIGNER)


def verify(raw: bytes, expected: str | None = None) -> envelope.Verified:
    return envelope.verify(raw, TYPE, expected_fingerprint=expected)


def refusal(raw: bytes, expected: str | None = None) -> str:
    with pytest.raises(IntegrityError) as caught:
        verify(raw, expected)
    return caught.value.code


def changed(**fields: object) -> bytes:
    return canonical.encode(json.loads(RAW) | fields)


def test_what_was_signed_comes_back():
    assert verify(RAW, FINGERPRINT) == envelope.Verified(PAYLOAD, FINGERPRINT)
    assert verify(RAW, FINGERPRINT.upper()).fingerprint == FINGERPRINT
    assert verify(RAW).payload == PAYLOAD


def test_the_signature_is_that_of_dsse():
    """Slow oracle: the pre-authentication encoding by hand, the curve by another library."""
    found = json.loads(RAW)
    signature = base64.b64decode(found["signatures"][0]["sig"])
    pae = f"DSSEv1 {len(TYPE)} {TYPE} {len(PAYLOAD)} ".encode() + PAYLOAD
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(PUBLIC)).verify(signature, pae)
    assert found["signatures"][0]["keyid"] == FINGERPRINT
    assert base64.b64decode(found["payload"]) == PAYLOAD


def test_every_flipped_bit_is_refused():
    for place in range(len(RAW)):
        for bit in (0, 1, 5, 7):
            flipped = bytearray(RAW)
            flipped[place] ^= 1 << bit
            with pytest.raises(IntegrityError):
                verify(bytes(flipped))


@settings(max_examples=200)
@given(st.integers(0, len(RAW)), st.integers(0, 3), st.binary(max_size=4))
def test_every_edit_is_refused(place: int, cut: int, put: bytes):
    edited = RAW[:place] + put + RAW[place + cut :]
    if edited != RAW:
        with pytest.raises(IntegrityError):
            verify(edited)


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail_otherwise(raw: bytes):
    with pytest.raises(IntegrityError):
        verify(raw)


def unused_bits(text: str) -> str:
    """The same bytes in base64, with an unused bit set."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    end = len(text.rstrip("=")) - 1
    other = text[:end] + digits[digits.index(text[end]) + 1] + text[end + 1 :]
    assert base64.b64decode(other) == base64.b64decode(text)
    return other


def test_unused_bits_of_base64_are_refused():
    signature = json.loads(RAW)["signatures"][0]
    edited = signature | {"sig": unused_bits(signature["sig"])}
    assert refusal(changed(signatures=[edited])) == "envelope_form"
    padded = canonical.encode({"signer": {"public_key": PUBLIC}, "n": 1})
    while len(padded) % 3 == 0:
        padded = canonical.encode(json.loads(padded) | {"n": json.loads(padded)["n"] * 10})
    raw = envelope.sign(padded, TYPE, SIGNER)
    payload = unused_bits(json.loads(raw)["payload"])
    assert refusal(canonical.encode(json.loads(raw) | {"payload": payload})) == "envelope_form"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (RAW + b"\n", "not_canonical"),
        (b" " + RAW, "not_canonical"),
        (json.dumps(json.loads(RAW), indent=1).encode(), "not_canonical"),
        (RAW.decode().encode("utf-16"), "not_canonical"),
        (RAW[:-1], "not_json"),
        (b"", "not_json"),
        (b"[]", "envelope_form"),
        (b"null", "envelope_form"),
        (changed(extra=1), "envelope_form"),
        (changed(signatures=[]), "envelope_form"),
        (changed(signatures=json.loads(RAW)["signatures"] * 2), "envelope_form"),
        (changed(signatures=[json.loads(RAW)["signatures"][0] | {"extra": 1}]), "envelope_form"),
        (changed(signatures=[[]]), "envelope_form"),
        (changed(signatures="x"), "envelope_form"),
        (changed(payload=5), "envelope_form"),
        (changed(payload="????"), "envelope_form"),
        (changed(payload="ÿ"), "envelope_form"),
        (changed(payloadType=5), "envelope_form"),
        (changed(payloadType="application/other"), "payload_type"),
        (changed(payload=base64.b64encode(b"{}").decode()), "signer_key"),
        (changed(payload=base64.b64encode(b"[]").decode()), "signer_key"),
        (changed(payload=base64.b64encode(b"{} ").decode()), "not_canonical"),
    ],
)
def test_each_wrong_form_is_refused(raw: bytes, code: str):
    assert refusal(raw) == code


def test_a_key_id_that_is_not_the_fingerprint_is_refused():
    signature = json.loads(RAW)["signatures"][0] | {"keyid": "0" * 64}
    assert refusal(changed(signatures=[signature])) == "signature"


def test_another_signer_is_refused():
    other = CryptoSigner.generate_ed25519()
    public = other.public_key.keyval["public"]
    raw = envelope.sign(canonical.encode({"signer": {"public_key": public}}), TYPE, other)
    assert verify(raw).fingerprint != FINGERPRINT
    assert refusal(raw, FINGERPRINT) == "signer"
    assert refusal(RAW, "") == "signer"


def test_a_signature_by_another_key_than_the_payload_names_is_refused():
    other = CryptoSigner.generate_ed25519()
    stolen = canonical.encode({"signer": {"public_key": PUBLIC}, "n": 6})
    own = canonical.encode({"signer": {"public_key": other.public_key.keyval["public"]}})
    envelope_of_other = json.loads(envelope.sign(own, TYPE, other))
    forged = envelope_of_other | {"payload": base64.b64encode(stolen).decode()}
    assert refusal(canonical.encode(forged)) == "signature"


@pytest.mark.parametrize(
    ("signer", "code"),
    [
        (CryptoSigner.generate_ecdsa(), "signer_kind"),
        (CryptoSigner.generate_ed25519(), "signer_mismatch"),
    ],
)
def test_only_the_key_in_the_payload_signs_it(signer: CryptoSigner, code: str):
    with pytest.raises(InputError) as caught:
        envelope.sign(PAYLOAD, TYPE, signer)
    assert caught.value.code == code


def test_a_payload_in_another_form_is_not_signed():
    with pytest.raises(CiphersetError) as caught:
        envelope.sign(PAYLOAD + b" ", TYPE, SIGNER)
    assert caught.value.code == "not_canonical"

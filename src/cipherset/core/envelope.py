"""DSSE envelopes signed with Ed25519, in exactly one byte form.

``verify`` refuses, in this order: bytes that are not canonical JSON (RFC 8785), fields or
signatures beyond the one, base64 with unused bits set, another payload type, a payload without
its signer's key, a signature that does not fit, another signer than expected. So two different
files never verify as the same payload, and no byte of a signed file can change unseen.

The signer's public key travels inside the payload (``signer.public_key``, hex): a stranger can
check that nothing changed, and who holds the fingerprint can check who signed. The signature
alone says nothing about who that is.

Source: DSSE 1.0.2, https://github.com/secure-systems-lab/dsse/blob/v1.0.2/envelope.md
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field
from typing import Any, Final

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import Signature, Signer, SSlibKey

from cipherset.core import canonical
from cipherset.core.errors import InputError, IntegrityError

_PUBLIC_KEY: Final = re.compile(r"[0-9a-f]{64}")
_CHANGED: Final = "it was changed after it was signed; get a fresh copy"


@dataclass(frozen=True, slots=True)
class Verified:
    """A payload whose signature holds, and the fingerprint of the key that signed it."""

    payload: bytes = field(repr=False)
    fingerprint: str


def fingerprint(public_key: str) -> str:
    """Hex SHA-256 of the raw 32-byte Ed25519 key that ``public_key`` spells in hex."""
    return hashlib.sha256(bytes.fromhex(public_key)).hexdigest()


def public_key_of(signer: Signer) -> str:
    """The signer's Ed25519 public key, 64 hex digits.

    Raises:
        InputError: the signer's key is of another kind.
    """
    key = signer.public_key
    public = str(key.keyval.get("public", "")) if key.keytype == "ed25519" else ""
    if not _PUBLIC_KEY.fullmatch(public):
        raise InputError(
            f"manifests are signed with ed25519; this signer's key is {key.keytype}",
            code="signer_kind",
            hint="create the signing key with the key ring",
        )
    return public


def sign(payload: bytes, payload_type: str, signer: Signer) -> bytes:
    """The canonical bytes of a DSSE envelope over ``payload``.

    Raises:
        InputError: the payload does not name the signer's key in ``signer.public_key``.
        IntegrityError: the payload is not canonical JSON.
    """
    public = public_key_of(signer)
    if _named_key(payload) != public:
        raise InputError(
            "the payload names another public key than the signer's",
            code="signer_mismatch",
            hint="put the signer's key into the payload's signer.public_key",
        )
    keyid = fingerprint(public)
    envelope = Envelope(payload, payload_type, {})
    signature = signer.sign(envelope.pae())
    envelope.signatures[keyid] = Signature(keyid, signature.signature)
    return canonical.encode(envelope.to_dict())


def verify(raw: bytes, payload_type: str, *, expected_fingerprint: str | None) -> Verified:
    """The payload of ``raw`` and who signed it; ``None`` accepts any signer.

    Raises:
        IntegrityError: one byte differs from what was signed, or another key signed it.
    """
    envelope = _parse(raw)
    if envelope.payload_type != payload_type:
        raise _refused(f"the envelope does not hold {payload_type}", "payload_type")
    public = _named_key(envelope.payload)
    keyid = fingerprint(public)
    key = SSlibKey(keyid, "ed25519", "ed25519", {"public": public})
    try:
        envelope.verify([key], 1)
    except VerificationError:
        raise _refused("the signature does not fit the payload", "signature") from None
    if expected_fingerprint is not None and expected_fingerprint.lower() != keyid:
        raise IntegrityError(
            f"signed by {keyid}, expected {expected_fingerprint}",
            code="signer",
            hint="ask the owner for the fingerprint of the key that signs; do not use this copy",
        )
    return Verified(envelope.payload, keyid)


def _refused(message: str, code: str) -> IntegrityError:
    return IntegrityError(message, code=code, hint=_CHANGED)


def _parse(raw: bytes) -> Envelope:
    """The envelope in ``raw``, with one signature and no second way to write it."""
    found = canonical.decode(raw, what="the signed envelope")
    try:
        signature = _fields(found, "payload", "payloadType", "signatures")["signatures"]
        if not isinstance(signature, list) or len(signature) != 1:
            raise _refused("the envelope does not have exactly one signature", "envelope_form")
        one = _fields(signature[0], "keyid", "sig")
        payload, sig = _strict_base64(found["payload"]), _strict_base64(one["sig"])
    except (TypeError, ValueError, binascii.Error):
        raise _refused("the envelope is not in DSSE form", "envelope_form") from None
    if not isinstance(one["keyid"], str) or not isinstance(found["payloadType"], str):
        raise _refused("the envelope is not in DSSE form", "envelope_form")
    return Envelope(
        payload, found["payloadType"], {one["keyid"]: Signature(one["keyid"], sig.hex())}
    )


def _fields(value: object, *names: str) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != set(names):
        raise TypeError("not these fields")
    return value


def _strict_base64(text: str) -> bytes:
    """The bytes of ``text``; the last digit's unused bits must be zero (RFC 4648, section 3.5)."""
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text:
        raise ValueError("unused bits")
    return raw


def _named_key(payload: bytes) -> str:
    """The public key that the payload names, 64 lower-case hex digits."""
    found = canonical.decode(payload, what="the signed payload")
    signer = found.get("signer") if isinstance(found, dict) else None
    public = signer.get("public_key") if isinstance(signer, dict) else None
    if not isinstance(public, str) or not _PUBLIC_KEY.fullmatch(public):
        raise _refused("the payload does not name its signer's public key", "signer_key")
    return public

"""One byte form per value (RFC 8785), so that digests and signatures mean one thing."""

import hashlib
import json
from typing import Any

import rfc8785

from cipherset.core.errors import IntegrityError


def encode(value: Any) -> bytes:  # noqa: ANN401 -- any JSON value
    """The RFC 8785 bytes of a JSON value."""
    return rfc8785.dumps(value)


def decode(raw: bytes, *, what: str) -> Any:  # noqa: ANN401 -- any JSON value
    """The JSON value of ``raw``.

    Raises:
        IntegrityError: not JSON, or not its one canonical byte form.
    """
    try:
        value = json.loads(raw)
        canonical = encode(value)
    except (ValueError, RecursionError):
        raise IntegrityError(f"{what} is not JSON", code="not_json") from None
    if canonical != raw:
        raise IntegrityError(
            f"{what} is not in canonical form (RFC 8785)",
            code="not_canonical",
            hint="it was changed after it was written; get a fresh copy",
        )
    return value


def digest(value: Any) -> str:  # noqa: ANN401 -- any JSON value
    """``sha256:`` and the hex digest of the canonical bytes."""
    return digest_bytes(encode(value))


def digest_bytes(raw: bytes) -> str:
    """``sha256:`` and the hex digest of ``raw``."""
    return "sha256:" + hashlib.sha256(raw).hexdigest()

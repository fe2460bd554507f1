"""One byte form per value (RFC 8785), so that digests and signatures mean one thing."""

import hashlib
import json
from typing import Any, Final

import rfc8785

from cipherset.core.errors import IntegrityError

# In compiled code. It escapes text as RFC 8785, section 3.2.2.2, does, and sorts keys by code
# points: for ASCII that is the order of section 3.2.3. Floats it writes otherwise.
_COMPILED: Final = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), sort_keys=True
).encode
_LARGEST: Final = 2**53 - 1  # what JSON can hold exactly


def encode(value: Any) -> bytes:  # noqa: ANN401 -- any JSON value
    """The RFC 8785 bytes of a JSON value."""
    if _is_simple(value):
        try:
            return _COMPILED(value).encode()
        except UnicodeEncodeError:
            pass  # half of a surrogate pair: let the other one say so
    return rfc8785.dumps(value)


def _is_simple(value: Any) -> bool:  # noqa: ANN401 -- any JSON value
    """Whether it holds nothing but text, small whole numbers, constants and ASCII keys."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return bool(-_LARGEST <= value <= _LARGEST)
    if kind is dict:
        return all(type(key) is str and key.isascii() for key in value) and all(
            map(_is_simple, value.values())
        )
    return kind is list and all(map(_is_simple, value))


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

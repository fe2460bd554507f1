"""Messages of a round as JSON, for any transport that carries text; arrays as base64.

What comes in is of anybody: it is read here, and checked by ``Member`` and ``Round``.
"""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any, Final, NoReturn

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import IntegrityError
from cipherset.pipeline.federated.messages import Announcement, Masked

# No id, key, digest or signature of a round is longer; an id goes into an owner's ledger.
MOST_HEX_BYTES: Final = 64
Floats = npt.NDArray[np.float64]


def announcement_json(one: Announcement) -> dict[str, str]:
    """As it is sent."""
    return {
        "round": one.round_id.hex(),
        "name": one.name,
        "public_key": one.public_key.hex(),
        "signature": one.signature.hex(),
    }


def masked_json(one: Masked) -> dict[str, str]:
    """As it is sent; values as 8 bytes each, the lowest first."""
    return {
        "round": one.round_id.hex(),
        "name": one.name,
        "announced": one.met.hex(),
        "signature": one.signature.hex(),
        "values": b64encode(one.values.astype("<u8").tobytes()).decode(),
    }


def read_announcements(told: object) -> tuple[Announcement, ...]:
    """Those of a list.

    Raises:
        IntegrityError: code ``round_message``.
    """
    if not isinstance(told, Sequence) or isinstance(told, str):
        _refuse()
    found = []
    for one in told:
        public_key, signature, round_id = _bytes(one, "public_key", "signature", "round")
        found.append(Announcement(round_id, _text(one, "name"), public_key, signature))
    return tuple(found)


def read_masked(told: object) -> Masked:
    """The masked values.

    Raises:
        IntegrityError: code ``round_message``.
    """
    round_id, met, signature = _bytes(told, "round", "announced", "signature")
    values = np.frombuffer(_words(_text(told, "values")), dtype="<u8").astype(np.uint64)
    return Masked(round_id, _text(told, "name"), met, values, signature)


def read_hex(text: Any) -> bytes:  # noqa: ANN401 -- whatever was sent
    """The bytes of hexadecimal digits, at most ``MOST_HEX_BYTES``.

    Raises:
        IntegrityError: code ``round_message``.
    """
    try:
        found = bytes.fromhex(text)
    except (ValueError, TypeError):
        _refuse()
    return found if len(found) <= MOST_HEX_BYTES else _refuse()


def floats_text(values: Floats) -> str:
    """Floats of any shape, 8 bytes each, the lowest first, as base64."""
    return b64encode(values.astype("<f8").tobytes()).decode()


def read_floats(text: Any) -> Floats:  # noqa: ANN401 -- whatever was sent
    """The floats of ``floats_text``, shape (n,).

    Raises:
        IntegrityError: code ``round_message``.
    """
    return np.frombuffer(_words(text), dtype="<f8").astype(np.float64)


def _words(text: Any) -> bytes:  # noqa: ANN401 -- whatever was sent
    """The bytes of base64: of whole words of 8."""
    try:
        raw = b64decode(text, validate=True)
    except (ValueError, TypeError):
        _refuse()
    return raw if len(raw) % 8 == 0 else _refuse()


def _text(told: Any, name: str) -> str:  # noqa: ANN401 -- whatever was sent
    found = told.get(name) if isinstance(told, dict) else None
    if not isinstance(found, str):
        _refuse()
    try:
        found.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can say
        _refuse()
    return found


def _bytes(told: Any, *names: str) -> tuple[bytes, ...]:  # noqa: ANN401 -- whatever was sent
    return tuple(read_hex(_text(told, name)) for name in names)


def _refuse() -> NoReturn:
    raise IntegrityError(
        "what was sent is no message of a round",
        code="round_message",
        hint="do not repeat it: find out who sent it",
    )

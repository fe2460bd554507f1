"""Tokens in a text: how they are written, how they are known again, and how sealed ones open.

    [EMAIL:k3v9x2mmb7qd4wze]   keyed token: 80 bits, so a million values hardly ever share one
    [EMAIL~1~mfrgg…]           sealed: the key's version, and the value as ``seal`` made it

Lower-case base32, which survives a change of case no better than the text around it, but needs no
character that formats or tokenizers treat in a way of their own.
"""

import base64
import re
from collections.abc import Callable
from typing import Final

from cipherset.core.protocols import Pseudonymizer

TOKEN_BYTES: Final = 10
_LETTERS: Final = "[a-z2-7]"
_ENTITY: Final = "[A-Z][A-Z0-9_]{0,39}"
TOKEN_FORM: Final = f":{_LETTERS}{{16}}"
SEALED_FORM: Final = f"~[1-9][0-9]{{0,9}}~{_LETTERS}{{52,}}"
_SEALED: Final = re.compile(
    rf"\[(?P<entity>{_ENTITY})~(?P<version>[1-9][0-9]{{0,9}})~(?P<body>{_LETTERS}{{52,}})\]"
)
_MOST_NESTED: Final = 8  # a sealed value holds a sealed one where findings were made around it

Opener = Callable[[int], Pseudonymizer]


def token(entity: str, digest: bytes) -> str:
    """``[ENTITY:…]`` with the first 80 bits of a keyed digest."""
    return f"[{entity}:{_written(digest[:TOKEN_BYTES])}]"


def sealed_token(entity: str, version: int, sealed: bytes) -> str:
    """``[ENTITY~VERSION~…]``."""
    return f"[{entity}~{version}~{_written(sealed)}]"


def restored(text: str, open_version: Opener) -> tuple[str, int]:
    """``text`` with every sealed token replaced by its value, and how many there were.

    Raises:
        IntegrityError: ``token_unseal``: a token is another key's, or was changed.
    """
    count = 0

    def value(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        key = open_version(int(match["version"]))
        return key.unseal(match["entity"], _read(match["body"]))

    for _ in range(_MOST_NESTED):
        text, found = _SEALED.subn(value, text)
        if not found:
            break
    return text, count


def _written(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()


def _read(body: str) -> bytes:
    """The bytes; of a body that is no base32, none, which open under no key."""
    try:
        return base64.b32decode(body.upper() + "=" * (-len(body) % 8))
    except ValueError:
        return b""

"""Host names in one form: small letters, no dot at the end, punycode for all that is not ASCII."""

import re
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

_MOST: Final = 253
# RFC 1035 and 2181: what resolvers take; underscores stand in service names.
_HOST: Final = re.compile(
    r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*"
)
_AUTHORITY: Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//([^/?#\s]*)")
_ACE: Final = "xn--"  # RFC 3490: what a label in punycode begins with
_PORT: Final = re.compile(r":\d{1,5}\Z")


@lru_cache(maxsize=1 << 16)
def normalized(host: str) -> str | None:
    """``host`` in one form, its port left out; None where it cannot be a name, such as an address.

    ``"ChatGPT.com.:443"`` is ``"chatgpt.com"``.
    """
    bare = _PORT.sub("", host.strip()).rstrip(".。．｡")
    if not bare or len(bare) > _MOST or bare.startswith("["):
        return None
    if not bare.isascii():
        bare = _punycode(bare) or ""
    bare = bare.lower()
    return bare if _HOST.fullmatch(bare) and not is_address(bare) else None


def host_of(text: str) -> str | None:
    """The host that an address (``https://host:443/path``), or ``host:443``, or ``host`` names."""
    found = _AUTHORITY.match(text)
    authority = found[1] if found else text.split("/", 1)[0]
    return normalized(authority.rpartition("@")[2])


def address_of(text: str) -> str | None:
    """An IP address in one form; None where it is none."""
    try:
        found = ip_address(text.strip().strip("[]"))
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


def is_address(text: str) -> bool:
    """Whether it is an IP address."""
    return address_of(text) is not None


def labels_of(host: str) -> tuple[str, ...]:
    """Its labels, the top-level domain last."""
    return tuple(host.split("."))


def shown(host: str) -> str:
    """The host with its punycode labels as people read them; as it is where they are none.

    By the bare codec: ``idna`` takes no label that it would not write itself, such as one with a
    capital letter, and such labels are registered and seen.
    """
    return ".".join(map(_shown, labels_of(host)))


def _shown(label: str) -> str:
    if not label.lower().startswith(_ACE):
        return label
    try:
        return label[len(_ACE) :].encode("ascii").decode("punycode")
    except UnicodeError:
        return label


def _punycode(host: str) -> str | None:
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return None

"""What every key provider must do, whatever is behind it."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from cipherset.core.errors import CiphersetError, KeyAccessError
from cipherset.core.secret import Secret
from cipherset.custody.keys import KeyProvider, KeyRing, KeyUse

Make = Callable[[], KeyProvider]


def check_key_provider(
    make: Make, other: Make, *, leaks: tuple[str, ...] = (), also: tuple[str, ...] = ()
) -> None:
    """Check a provider, and another one with another key-encryption key.

    ``leaks`` may not be shown anywhere; codes in ``also`` may stand for ``key_unwrap``.
    """
    secret = os.urandom(32)
    one, two = make(), make()
    wrapped = one.wrap(Secret(secret), b"bound")
    assert one.unwrap(wrapped, b"bound").reveal() == secret
    assert two.unwrap(wrapped, b"bound").reveal() == secret
    assert one.unwrap(two.wrap(Secret(secret), b""), b"").reveal() == secret
    assert secret not in wrapped
    assert wrapped != one.wrap(Secret(secret), b"bound")

    codes = ("key_unwrap", *also)
    shown = [repr(one), str(one), one.uri]
    for bad, bound in [
        (wrapped, b"other"),
        (wrapped, b""),
        (wrapped[:-1], b"bound"),
        (wrapped[:5], b"bound"),
        (b"", b"bound"),
        *((flipped(wrapped, k), b"bound") for k in range(len(wrapped))),
    ]:
        shown.append(refused(lambda bad=bad, bound=bound: one.unwrap(bad, bound), *codes))
    stranger = other()
    stranger.wrap(Secret(secret), b"bound")
    shown.append(refused(lambda: stranger.unwrap(wrapped, b"bound"), *codes))
    for canary in (secret.hex(), repr(secret), *leaks):
        assert canary not in "".join(shown)


def check_ring(home, uri: str) -> None:
    """A ring over the provider makes keys and a signer, and opens them again."""
    ring = KeyRing(home, default_provider=uri)
    made = ring.create("routing", purpose="route tickets", provider_uri=uri)
    fingerprint = ring.signer().public_key.keyid
    again = KeyRing(home, default_provider=uri)
    assert again.get("routing").provider == uri
    assert opened(again, made.key_id) == opened(ring, "routing")
    assert again.signer().public_key.keyid == fingerprint
    again.create("second", provider_uri=uri)
    assert opened(again, "second") != opened(again, "routing")


def opened(ring: KeyRing, name: str) -> bytes:
    return ring.open(name, purpose=KeyUse.QUERY).secret.reveal()


def check_refusals(
    provider: KeyProvider, wrapped: bytes, trouble: AbstractContextManager[None], code: str
) -> str:
    """While in ``trouble`` both calls are refused with ``code``; afterwards it opens again."""
    with trouble:
        told = refused(lambda: provider.wrap(Secret(bytes(32)), b"bound"), code)
        told += refused(lambda: provider.unwrap(wrapped, b"bound"), code)
    assert isinstance(provider.unwrap(wrapped, b"bound"), Secret)
    return told


def refused(call: Callable[[], object], *codes: str) -> str:
    """All that the refusal shows."""
    with pytest.raises(CiphersetError) as caught:
        call()
    error = caught.value
    assert error.code in codes, f"{error.code}: {error.message}"
    if error.code == "key_unwrap":
        assert isinstance(error, KeyAccessError)
    assert error.__suppress_context__ or error.__context__ is None
    return f"{error!r} {error.message} {error.hint}"


def flipped(raw: bytes, k: int) -> bytes:
    return raw[:k] + bytes([raw[k] ^ 1]) + raw[k + 1 :]

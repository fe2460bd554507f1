"""Keyed hashes: the construction as it is written down, and nothing without the key."""

import hashlib
import hmac

import numpy as np
import pytest

from cipherset.core import canonical
from cipherset.core.secret import KeyHandle, Secret
from cipherset.custody.keys import KeyedHashes

SECRET = bytes(range(32))


def hashes(secret=SECRET, key_id="tickets", version=3, purpose="shingles"):
    return KeyedHashes(KeyHandle(key_id, version, Secret(secret)), purpose)


def test_the_construction_by_hand():
    """HKDF-SHA256 from two HMACs (RFC 5869), then keyed BLAKE2b."""
    info = canonical.encode(
        {"key_id": "tickets", "label": "cipherset/hash/1", "purpose": "shingles", "version": 3}
    )
    extracted = hmac.digest(bytes(32), SECRET, "sha256")
    key = hmac.digest(extracted, info + b"\x01", "sha256")
    expected = hashlib.blake2b(b"a phrase", digest_size=8, key=key).digest()
    assert hashes().of([b"a phrase"]).tolist() == [int.from_bytes(expected, "little")]


@pytest.mark.parametrize(
    "change",
    [{"secret": bytes(32)}, {"key_id": "other"}, {"version": 4}, {"purpose": "something else"}],
)
def test_another_key_version_or_purpose_is_unlinkable(change):
    phrases = [b"%d" % n for n in range(1000)]
    assert not np.isin(hashes().of(phrases), hashes(**change).of(phrases)).any()


def test_hashes_are_spread_evenly():
    values = hashes().of(b"%d" % n for n in range(20_000))
    assert len(np.unique(values)) == 20_000
    bits = (values[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 0.02


def test_none():
    assert hashes().of([]).shape == (0,)
    assert repr(hashes()) == "KeyedHashes(...)"

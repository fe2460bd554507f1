"""Rows of an index without any key: to a store all of it is bytes and distances."""

import numpy as np
from securesystemslib.signer import CryptoSigner

from cipherset.core.envelope import public_key_of
from cipherset.core.manifest import EncoderFacts, SignerFacts
from cipherset.pipeline.index import Entries, IndexKey, IndexManifest, StoreKind, Tag

DIM = 12


def rows(n: int, *, seed: int = 0, version: int = 1, dim: int = DIM) -> Entries:
    rng = np.random.default_rng(seed)
    tags = rng.integers(0, 3, size=(n, len(Tag), 1), dtype=np.uint8).repeat(16, axis=2)
    return Entries(
        rng.integers(0, 256, size=(n, 16), dtype=np.uint8),
        rng.normal(size=(n, dim)).astype(np.float32),
        rng.integers(0, 256, size=(n, 44), dtype=np.uint8),
        tags,
        np.full(n, version, dtype=np.int32),
    )


def same(one: Entries, other: Entries) -> bool:
    """Every byte, in order."""
    names = ("ids", "vectors", "seals", "tags", "versions")
    return all(getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in names)


def slowly(every: Entries, query, top, allowed=lambda _: True) -> list[bytes]:
    """Ids of the nearest rows: the sum of squares, one row after the other."""
    distance = {
        every.ids[i].tobytes(): sum(
            (float(a) - float(b)) ** 2 for a, b in zip(every.vectors[i], query, strict=True)
        )
        for i in range(len(every))
        if allowed(i)
    }
    return sorted(distance, key=distance.__getitem__)[:top]


def found(entries: Entries) -> list[bytes]:
    return [one.tobytes() for one in entries.ids]


def manifest(signer: CryptoSigner, dim: int = DIM) -> IndexManifest:
    return IndexManifest(
        index_id="ab" * 16,
        created="2026-11-26T00:00:00Z",
        scheme="rsap/1",
        key_id="support-0011223344556677",
        keys=(IndexKey(version=1, check="ab" * 16),),
        dim=dim,
        approximation_factor=8.0,
        encoder=EncoderFacts(name="given", digest=None, dim=dim),
        store=StoreKind.FILES,
        sanitizer={},
        assessment={"reid": 0.0, "reid_high": 0.01},
        risk_accepted=False,
        package_version="0",
        signer=SignerFacts(public_key=public_key_of(signer)),
    )

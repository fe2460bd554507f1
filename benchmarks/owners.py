"""Several owners and one model, each under a key of its own: what works, and what cannot.

Usage: python benchmarks/owners.py --data DIR [--seeds 3] [--cache DIR]

Two owners A and B have other rows of BANKING77 with the same labels (7 coarse, 77 fine), few enough
that the other's would help. Each fits its own minimizer and encrypts under its own key, but where a
line says otherwise. Models are asked without noise, as the gate asks; each line is the accuracy on
the same unseen rows, mean over the seeds, with the least and the largest.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from banking77 import Banking, Codes, read
from membership import Setting
from tables import Table, arguments, hand_over
from threadpoolctl import threadpool_limits

from cipherset.core.values import Floats
from cipherset.pipeline.encrypt import VectorCipher
from cipherset.pipeline.minimize import FitSettings, FittedMinimizer, fit, parse_spec
from cipherset.pipeline.train import Classifier, TrainSpec, train_classifier

N_TEST = 1000
N_KEYS = 20  # of the other owner: one key may be lucky
PLAIN_PENALTY = 10.0
WORLDS = ((7, 150, Setting("bottleneck:6", 4)), (77, 600, Setting("bottleneck:32", 6)))


@dataclass(frozen=True)
class Rows:
    """Plain vectors (n, 384) and codes of their classes, of ``n_classes`` in all."""

    x: Floats = field(repr=False)
    y: Codes = field(repr=False)
    n_classes: int

    def __add__(self, other: "Rows") -> "Rows":
        both = np.concatenate([self.y, other.y])
        return Rows(np.concatenate([self.x, other.x]), both, self.n_classes)


@dataclass(frozen=True)
class Gate:
    """One owner's minimizer and key."""

    minimizer: FittedMinimizer
    cipher: VectorCipher

    def export(self, rows: Rows) -> Floats:
        return self.cipher.encrypt(self.minimizer.transform(rows.x))

    def query(self, rows: Rows) -> Floats:
        return self.cipher.encrypt_query(self.minimizer.transform(rows.x))


def gate(rows: Rows, setting: Setting, key: int, seed: int) -> Gate:
    """A minimizer fitted on ``rows``, behind the key of that number."""
    settings = FitSettings(noise_radius=setting.radius, seed=seed, shrink=setting.shrink)
    minimizer = fit(parse_spec(setting.spec), rows.x, rows.y, settings=settings)
    return Gate(minimizer, cipher(minimizer.dim, setting, key))


def cipher(dim: int, setting: Setting, key: int) -> VectorCipher:
    secret = np.random.default_rng([key, 77]).bytes(32)
    return VectorCipher(secret, dim=dim, approximation_factor=setting.factor)


def trained(x: Floats, y: Codes, penalty: float | None = None) -> Classifier:
    return train_classifier(x, y, TrainSpec(balanced=True, inverse_penalty=penalty), seed=0)


def told(model: Classifier, x: Floats, n_classes: int) -> Floats:
    """Probabilities of every class; one that the model never saw has none."""
    out = np.zeros((len(x), n_classes))
    out[:, model.classes_.astype(np.int64)] = model.predict_proba(x)
    return out


def right(probabilities: Floats, rows: Rows) -> float:
    return float((probabilities.argmax(axis=1) == rows.y).mean())


def asked_at(model: Classifier, at: Gate, test: Rows) -> float:
    return right(told(model, at.query(test), test.n_classes), test)


def turned(theirs: Floats, labels: Codes, onto: Floats, onto_labels: Codes) -> Floats:
    """One export turned onto another by the means of the classes that both have: no key.

    Source: P. H. Schönemann, A generalized solution of the orthogonal Procrustes problem,
    Psychometrika 31(1), 1966; scaled by the norms, as both are of vectors of one norm.
    """
    shared = np.intersect1d(labels, onto_labels)
    a, b = (
        np.array([x[y == c].mean(axis=0) for c in shared])
        for x, y in ((theirs, labels), (onto, onto_labels))
    )
    u, _, v = np.linalg.svd(a.T @ b)
    return theirs @ (u @ v) * (np.linalg.norm(b) / np.linalg.norm(a))


def lines(a: Rows, b: Rows, test: Rows, setting: Setting, seed: int) -> Iterator[tuple[str, float]]:
    """The name of each way to train together, and its accuracy."""
    n = test.n_classes
    at_a, at_b = gate(a, setting, 2 * seed, seed), gate(b, setting, 2 * seed + 1, seed + 100)
    from_a, from_b = at_a.export(a), at_b.export(b)
    of_a, of_b = trained(from_a, a.y), trained(from_b, b.y)
    alone = asked_at(of_a, at_a, test), asked_at(of_b, at_b, test)
    yield "each alone", float(np.mean(alone))
    keys = [cipher(at_b.minimizer.dim, setting, 1000 + key) for key in range(N_KEYS)]
    others = [asked_at(of_a, Gate(at_b.minimizer, key), test) for key in keys]
    yield f"A's model at B's gate, mean of {N_KEYS} keys", float(np.mean(others))
    both = np.concatenate([a.y, b.y])
    joined = trained(np.concatenate([from_a, from_b]), both)
    met = [asked_at(joined, at, test) for at in (at_a, at_b)]
    yield "both files as one, asked at each gate", float(np.mean(met))
    moved = turned(from_b, b.y, from_a, a.y)
    aligned = trained(np.concatenate([from_a, moved]), both)
    yield "B's file turned onto A's by class means, no key", asked_at(aligned, at_a, test)
    mean = told(of_a, at_a.query(test), n) + told(of_b, at_b.query(test), n)
    yield "probabilities averaged, each model at its gate", right(mean, test)
    common = trained(at_a.export(a + b), both)
    yield "one key, A's minimizer for both", asked_at(common, at_a, test)
    pooled = gate(a + b, setting, 2 * seed, seed)
    whole = trained(pooled.export(a + b), both)
    yield "one key, a minimizer fitted on the rows of both", asked_at(whole, pooled, test)
    plain = [trained(rows.x, rows.y, PLAIN_PENALTY) for rows in (a, b, a + b)]
    accuracies = [right(told(model, test.x, n), test) for model in plain]
    yield "plain, each alone", float(np.mean(accuracies[:2]))
    yield "plain, together", accuracies[2]
    yield "the most frequent class", float(np.bincount(test.y).max() / len(test.y))


def parted(data: Banking, labels: Codes, n: int, seed: int) -> tuple[Rows, Rows, Rows]:
    """Rows of A, of B, and for the test; drawn anew for each seed."""
    order = np.random.default_rng([seed, 20]).permutation(len(labels))
    cuts = order[:n], order[n : 2 * n], order[-N_TEST:]
    a, b, test = (Rows(data.vectors[c], labels[c], int(labels.max()) + 1) for c in cuts)
    return a, b, test


def measured(data: Banking, seeds: int) -> Iterator[list[str]]:
    for n_classes, n, setting in WORLDS:
        labels = data.coarse if n_classes == data.coarse.max() + 1 else data.fine
        tried = (lines(*parted(data, labels, n, seed), setting, seed) for seed in range(seeds))
        for told in spread(tried):
            yield [str(n_classes), str(n), str(setting), *told]


def spread(tried: Iterable[Iterable[tuple[str, float]]]) -> Iterator[tuple[str, str]]:
    """The name of each line and its mean over the seeds, with the least and the largest."""
    found: Mapping[str, list[float]] = defaultdict(list)
    for lines_of_seed in tried:
        for name, value in lines_of_seed:
            found[name].append(value)
    for name, values in found.items():
        yield name, f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def tables(asked: argparse.Namespace) -> Iterator[Table]:
    data = read(asked.data, asked.cache)
    header = ("classes", "rows of each owner", "export", "training", "accuracy")
    rows = list(measured(data, asked.seeds))
    title = "Two owners and one model"
    yield Table("owners/two", title, header, rows, (data.source,), tuple(range(asked.seeds)))


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of train.csv, test.csv")
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    with threadpool_limits(1):
        hand_over(tables(asked), asked.tables)


if __name__ == "__main__":
    main()

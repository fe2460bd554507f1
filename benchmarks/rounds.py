"""Several owners that sum their steps under masks: what it is worth, and what the server sees.

Usage: python benchmarks/rounds.py --data DIR [--seeds 3] [--cache DIR]

Four owners have other rows of BANKING77 with the same labels, under one purpose key and the first
one's minimizer. Models are asked without noise, as the gate asks; accuracy is that on the same
unseen rows, mean over the seeds, with the least and the largest. The server's view is of one step
of the first owner, at weights of zero, among those of three others.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from banking77 import Banking, Codes, read
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from membership import Setting
from owners import Gate, Rows, asked_at, gate, spread, trained
from sklearn.metrics import roc_auc_score
from tables import Table, arguments, hand_over
from threadpoolctl import threadpool_limits

from cipherset.app.federated import Agreement, Contribution, Owner, train_together
from cipherset.core.values import Floats, Guarantee
from cipherset.evidence.attack.gradient import Layer, recover_row
from cipherset.pipeline.federated import Member, Round, public_of
from cipherset.pipeline.private import (
    SENSITIVITY,
    Part,
    budget,
    private_scores,
    sigma_of,
    steps_for,
    system_words,
)
from cipherset.pipeline.private.discrete import Integers, discrete_gaussians
from cipherset.pipeline.private.regression import CONSTANT
from cipherset.pipeline.train import Classifier, linear_classifier

N_TEST = 1000
NAMES = ("A", "B", "C", "D")
HONEST = 3
DELTA = 1e-6
EPSILONS = (1.0, 8.0)
SMALL, WIDE = Setting("bottleneck:6", 4), Setting("bottleneck:32", 6)
WORLDS = ((7, 150, SMALL), (7, 1500, SMALL), (77, 600, WIDE), (77, 1500, WIDE))
SEEN = ((7, 1500, SMALL), (77, 1500, WIDE))
World = tuple[int, int, Setting]
N_BATCH = 8  # rows of each owner in the step that the server looks at
N_FOUND, N_MEMBERS = 100, 1000
View = Callable[[Integers, list[Integers]], Integers]


def norm_of(at: Gate, setting: Setting) -> float:
    """The usual norm of a ciphertext: that of a query, and noise at a right angle to it."""
    unit = np.eye(1, at.minimizer.dim, dtype=np.float32)
    return float(np.linalg.norm(at.cipher.encrypt_query(unit)) * np.hypot(1, setting.radius))


def together(
    files: list[Floats], owned: list[Rows], norm: float, kept: Guarantee | None
) -> Classifier:
    """The head of all owners by rounds in this process."""
    own = {name: Ed25519PrivateKey.generate() for name in NAMES}
    n_classes, n_rows = owned[0].n_classes, sum(len(rows.y) for rows in owned)
    agreed = Agreement(
        {name: public_of(identity) for name, identity in own.items()},
        tuple(f"{code:03d}" for code in range(n_classes)),
        files[0].shape[1],
        n_rows,
        HONEST,
        kept,
        row_norm=norm,
    )
    parts = [
        Contribution(x, [f"{code:03d}" for code in rows.y])
        for x, rows in zip(files, owned, strict=True)
    ]
    members = [
        Owner(name, own[name], part, agreed) for name, part in zip(NAMES, parts, strict=True)
    ]
    model = train_together(members, agreed)
    model.classes_ = np.arange(n_classes)
    return model


def central(x: Floats, y: Codes, n_classes: int, norm: float, kept: Guarantee) -> Classifier:
    """The same recipe by one who has all rows in one file and adds the noise once."""
    rows = x / norm
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1.0)
    scores = private_scores(rows, y, n_classes=n_classes, guarantee=kept)
    return linear_classifier(scores.matrix / norm, scores.offset, np.arange(n_classes))


def lines(
    owned: list[Rows], test: Rows, setting: Setting, seed: int
) -> Iterator[tuple[str, float]]:
    """The name of each way, and its accuracy."""
    at = gate(owned[0], setting, 2 * seed, seed)
    files, norm = [at.export(rows) for rows in owned], norm_of(at, setting)
    alone = [trained(x, rows.y) for x, rows in zip(files, owned, strict=True)]
    yield "each alone", float(np.mean([asked_at(model, at, test) for model in alone]))
    x, y = np.concatenate(files), np.concatenate([rows.y for rows in owned])
    yield "one file of all, in one lab", asked_at(trained(x, y), at, test)
    yield "together, sums under masks", asked_at(together(files, owned, norm, None), at, test)
    for epsilon in EPSILONS:
        kept = Guarantee(epsilon, DELTA)
        found = together(files, owned, norm, kept)
        yield f"together, epsilon {epsilon:g}", asked_at(found, at, test)
        found = central(x, y, test.n_classes, norm, kept)
        yield f"one file of all, epsilon {epsilon:g}", asked_at(found, at, test)
    yield "the most frequent class", float(np.bincount(test.y).max() / len(test.y))


def parted(data: Banking, labels: Codes, n: int, seed: int) -> tuple[list[Rows], Rows]:
    """Rows of each owner, and for the test; drawn anew for each seed."""
    order = np.random.default_rng([seed, 21]).permutation(len(labels))
    n_classes = int(labels.max()) + 1
    cuts = [order[at * n : (at + 1) * n] for at in range(len(NAMES))]
    owned = [Rows(data.vectors[cut], labels[cut], n_classes) for cut in cuts]
    test = order[-N_TEST:]
    return owned, Rows(data.vectors[test], labels[test], n_classes)


def labeled(data: Banking, worlds: Iterable[World]) -> Iterator[tuple[int, int, Setting, Codes]]:
    for n_classes, n, setting in worlds:
        yield (
            n_classes,
            n,
            setting,
            data.coarse if n_classes == len(set(data.coarse)) else data.fine,
        )


def measured(data: Banking, seeds: int) -> Iterator[list[str]]:
    for n_classes, n, setting, labels in labeled(data, WORLDS):
        tried = (lines(*parted(data, labels, n, seed), setting, seed) for seed in range(seeds))
        for told in spread(tried):
            yield [str(n_classes), str(n), str(setting), *told]


def clear(step: Integers, others: list[Integers]) -> Integers:
    return step


def masked(step: Integers, others: list[Integers]) -> Integers:
    own = {name: Ed25519PrivateKey.generate() for name in NAMES}
    roster = {name: public_of(identity) for name, identity in own.items()}
    turn = Round(roster, step.size)
    members = [Member(name, own[name], turn.round_id) for name in NAMES]
    announced = [member.announce() for member in members]
    hidden = members[0].seal(step.ravel(), announced, roster).values
    return hidden.view(np.int64).reshape(step.shape)


def summed(step: Integers, others: list[Integers]) -> Integers:
    return np.asarray(step + sum(others))


def noised(epsilon: float) -> View:
    """The sum with the noise of three honest members, of one step of a whole training."""
    rho = budget(Guarantee(epsilon, DELTA), draws=10**7)
    sigma = sigma_of(SENSITIVITY, rho, releases=steps_for(rho))

    def view(step: Integers, others: list[Integers]) -> Integers:
        noise = discrete_gaussians(sigma, step.size, system_words)
        return summed(step, others) + noise.reshape(step.shape)

    return view


def views() -> Iterator[tuple[str, View]]:
    yield "the step itself", clear
    yield "the step under its masks", masked
    yield "the sum of four", summed
    for epsilon in (8.0, 1.0):
        yield f"the sum of four, epsilon {epsilon:g}", noised(epsilon)


def seen(data: Banking) -> Iterator[list[str]]:
    """Rows found of one step each, and members told from others, by what the server is sent."""
    for n_classes, n, setting, labels in labeled(data, SEEN):
        owned, _ = parted(data, labels, n, 0)
        at = gate(owned[0], setting, 0, 0)
        x = np.concatenate([at.export(rows) for rows in owned]) / norm_of(at, setting)
        x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1.0)
        y = np.concatenate([rows.y for rows in owned])
        for name, view in views():
            found, area = recovered(x, y, n_classes, view), membership(x, y, n_classes, view)
            yield [str(n_classes), str(setting), name, f"{found:.0%}", f"{area:.3f}"]


def stepped(x: Floats, y: Codes, n_classes: int) -> Integers:
    """The exact gradient at weights of zero."""
    start = np.zeros((x.shape[1] + 1, n_classes))
    return Part.of(x, y, n_classes).noisy_gradient(start, sigma=0, words=system_words)


def recovered(x: Floats, y: Codes, n_classes: int, view: View) -> float:
    """The share of rows of which a batch of one, among others' of as many, gives 0.99."""
    order = np.random.default_rng(5).permutation(len(x))[: 4 * N_FOUND].reshape(-1, 4)
    found = []
    for mine, *theirs in order:
        others = [stepped(x[[row]], y[[row]], n_classes) for row in theirs]
        told = view(stepped(x[[mine]], y[[mine]], n_classes), others).astype(np.float64)
        found.append(recover_row((Layer(told[:-1], told[-1] / CONSTANT),)))
    rows, out = x[order[:, 0]], np.array(found)
    cosines = (rows * out).sum(axis=1) / np.linalg.norm(rows, axis=1) / np.linalg.norm(out, axis=1)
    return float((cosines >= 0.99).mean())


def membership(x: Floats, y: Codes, n_classes: int, view: View) -> float:
    """Area under the curve of steps with a known row against steps without it."""
    rng = np.random.default_rng(6)
    scores, is_there = [], np.arange(N_MEMBERS) % 2
    for there in is_there:
        drawn = rng.choice(len(x), size=1 + N_BATCH * len(NAMES), replace=False)
        row, batches = drawn[:1], drawn[1:].reshape(len(NAMES), N_BATCH)
        if there:
            batches[0, 0] = row[0]
        step, *others = (stepped(x[batch], y[batch], n_classes) for batch in batches)
        own = stepped(x[row], y[row], n_classes).astype(np.float64)
        scores.append(float((view(step, others) * (own / np.linalg.norm(own))).sum()))
    return float(roc_auc_score(is_there, scores))


def tables(asked: argparse.Namespace) -> Iterator[Table]:
    data = read(asked.data, asked.cache)
    header = ("classes", "rows of each owner", "export", "training", "accuracy")
    seeds = tuple(range(asked.seeds))
    rows = list(measured(data, asked.seeds))
    title = "Four owners, one key and one model"
    note = (
        f"Delta {DELTA:g}, of one row replaced; {HONEST} of 4 members honest. Noise is the "
        "system's: no two runs are the same to the last digit."
    )
    yield Table("rounds/accuracy", title, header, rows, (data.source,), seeds, note)
    header = ("classes", "export", "the server sees", "rows of batches of one", "membership, area")
    note = (
        f"{N_FOUND} rows at a cosine of 0.99 or more; {N_MEMBERS} steps of {N_BATCH} rows of each "
        "owner, half of them with the row: guessing has an area of 0.5, give or take 0.04. Masks "
        "and noise are the system's."
    )
    title = "What the server sees of one owner"
    yield Table("rounds/server", title, header, list(seen(data)), (data.source,), (0,), note)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of train.csv, test.csv")
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    with threadpool_limits(1):
        hand_over(tables(asked), asked.tables)


if __name__ == "__main__":
    main()

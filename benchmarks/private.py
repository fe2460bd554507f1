"""What releases with an epsilon of every row are worth, beside encrypted ones, and what they tell.

Usage: python benchmarks/private.py --data DIR [--seeds 3] [--delta 1e-6] [--only NAME ...]

Table 1: membership in a head, trained at the gate, by shadow models, without an epsilon and with;
beside it what no test can exceed where the epsilon is kept.

Table 2: encrypted rows, of which the minimizer has half of epsilon and the noise the other half.

Table 3, per data set: accuracy on held-out rows of a linear model on plain vectors, of one that
`cipherset train` makes of an encrypted release (the first setting of benchmarks/frontier_tasks.py,
no epsilon), of the head of a private bottleneck, and of a model trained on a synthetic release,
whose (epsilon, delta) is for a row with its label; and how well a thief of file, key and minimizer
tells the rows that it was drawn from.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from frontier_tasks import Labeled, part, protection, tasks
from scipy.special import log_softmax
from tables import REVIEWS, Table, arguments, hand_over, local
from threadpoolctl import threadpool_limits

from cipherset.app.exports.calibrate import fit_for
from cipherset.app.exports.dataset import Dataset
from cipherset.app.exports.private.draw import Drawn, draw
from cipherset.app.exports.private.minimizer import private_minimizer
from cipherset.app.exports.utility import LINEAR, ON_EXPORT, Protection, Rows
from cipherset.core.errors import InputError
from cipherset.core.manifest import Task
from cipherset.core.values import ColumnRoles, Float32s, Guarantee
from cipherset.evidence.attack.model import DrawnMembership, LinearHead, Scorer, ShadowMembership
from cipherset.pipeline.encrypt import VectorCipher
from cipherset.pipeline.minimize import parse_spec
from cipherset.pipeline.private import private_scores
from cipherset.pipeline.train import TrainSpec, train_model

EPSILONS = (1.0, 3.0, 8.0)
TOLD_EPSILONS = (8.0, 4.0, 2.0, 1.0, 0.5)
NAMES = {
    "7 classes": local("BANKING77"),
    "77 classes": local("BANKING77"),
    "reviews, 2 classes": REVIEWS,
    "tweets, 3 classes": local("airline tweets"),
    "emotions, 4 classes": local("GoEmotions"),
}
KEY = bytes(range(32))
MEMBERS = 1000
TASK = Task.CLASSIFICATION


def dataset(task: Labeled, rows: np.ndarray) -> Dataset:
    """What a release is drawn from; no spool, since the vectors are here."""
    x, y = task.x[rows], task.y[rows].astype(np.int64)
    none = np.zeros(len(y), dtype=np.uint64)

    class InMemory(Dataset):
        __slots__ = ()

        def vectors(self, chosen: np.ndarray) -> Float32s:
            return x[chosen]

    return InMemory(
        spool=None, dim=x.shape[1], roles=ColumnRoles(vector="vec", label="label"),
        classes=tuple(map(str, range(int(task.y.max()) + 1))), labels=y, numbers=None, groups=None,
        clear=y, found={}, identities=none, alike=none,
    )  # fmt: skip


def accuracy(answers: np.ndarray, y: np.ndarray) -> float:
    return float((answers == y).mean())


def plain_and_encrypted(task: Labeled, train: Rows, test: Rows, seed: int) -> tuple[float, float]:
    """Of vectors as they are, and of an encrypted release without an epsilon."""
    plain = train_model(train.x, train.y, LINEAR, task=TASK, seed=seed)
    setting = task.settings[0]
    shield = protection(
        fit_for(TASK, setting, train, seed=seed), setting.approximation_factor, TASK
    )
    model = train_model(part(shield, train).ciphertexts, train.y, ON_EXPORT, task=TASK, seed=seed)
    return (
        accuracy(plain.predict(test.x), test.y),
        accuracy(model.predict(shield.query(test.x)), test.y),
    )


def synthetic(
    task: Labeled, rows: np.ndarray, test: Rows, kept: Guarantee, seed: int
) -> tuple[float, float, float, float]:
    """Head, model on drawn rows, and membership: area under the curve and rate at 1 %."""
    data = dataset(task, rows)
    made = draw(data, np.arange(len(rows)), kept, np.random.default_rng(seed))
    model = train_model(made.z, made.y, ON_EXPORT, task=TASK, seed=seed)
    z = made.minimizer.transform(test.x)
    told = DrawnMembership(made.z, made.y).run(
        told_of(made, task.x[rows], task.y[rows]), told_of(made, test.x, test.y)
    )
    return (
        accuracy(made.codes[made.minimizer.head_predict(z)], test.y),
        accuracy(made.codes[model.predict(z)], test.y),
        told.area.value,
        told.at_001.value,
    )


def told_of(made: Drawn, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Those of the rows whose class was told of, in the space of ``made``, and their classes."""
    known = np.isin(y, made.codes)
    return made.minimizer.transform(x[known]), np.searchsorted(made.codes, y[known])


def middle(values: list[float], digits: int = 3) -> str:
    if not values:
        return "refused"
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    return f"{np.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def drawn_lines(task: Labeled, delta: float, seeds: int) -> Iterator[list[str]]:
    before: list[tuple[float, float]] = []
    found: dict[float, list[tuple[float, float, float, float]]] = {e: [] for e in EPSILONS}
    for seed in range(seeds):
        _, train, test = task.split(seed)
        held = task.rows(test)
        before.append(plain_and_encrypted(task, task.rows(train), held, seed))
        for epsilon, lines in found.items():
            try:
                lines.append(synthetic(task, train, held, Guarantee(epsilon, delta), seed))
            except InputError as error:
                if error.code != "private_classes":
                    raise
    plain, encrypted = (middle([line[i] for line in before]) for i in range(2))
    most = np.bincount(task.y).max() / len(task.y)
    for epsilon, lines in found.items():
        yield [
            task.name, f"{most:.3f}", plain, encrypted, f"{epsilon:g}",
            *(middle([line[i] for line in lines]) for i in range(4)),
        ]  # fmt: skip


def private_protection(x: np.ndarray, y: np.ndarray, kept: Guarantee) -> Protection:
    """Half of epsilon and delta for the minimizer, half for the noise."""
    half = Guarantee(kept.epsilon / 2, kept.delta / 2)
    dim = max(2, min(int(y.max()), 32))
    spec = parse_spec(f"dp-bottleneck:{dim},{half.epsilon!r},{half.delta!r}")
    fitted = private_minimizer(spec, half, x, y, shrink=1.0)
    cipher = VectorCipher.with_gaussian_noise(KEY, dim=fitted.dim, guarantee=half)
    return Protection(TASK, fitted, cipher)


def release_lines(task: Labeled, delta: float, seeds: int) -> Iterator[list[str]]:
    """Encrypted rows with a private minimizer."""
    for epsilon in EPSILONS:
        heads, models = [], []
        for seed in range(seeds):
            _, train, test = task.split(seed)
            rows, held = task.rows(train), task.rows(test)
            shield = private_protection(rows.x, rows.y, Guarantee(epsilon, delta))
            export = shield.export(rows.x, rows.y)
            model = train_model(export, rows.y, ON_EXPORT, task=TASK, seed=seed)
            heads.append(accuracy(shield.head(held.x), held.y))
            models.append(accuracy(model.predict(shield.query(held.x)), held.y))
        yield [task.name, f"{epsilon:g}", middle(heads), middle(models)]


def scorer(head: LinearHead, x: np.ndarray) -> np.ndarray:
    return np.asarray(log_softmax(x @ head.matrix + head.offset, axis=1))


def trained(n_classes: int, kept: Guarantee | None, x: np.ndarray, y: np.ndarray, _: int) -> Scorer:
    """The recipe of a head at the gate, with an epsilon or without."""
    if kept is None:
        model = train_model(x, y, TrainSpec(inverse_penalty=10.0), task=TASK, seed=0)
        return partial(scorer, LinearHead(model.coef_.T, model.intercept_))
    found = private_scores(x, y, n_classes=n_classes, guarantee=kept)
    return partial(scorer, LinearHead(found.matrix, found.offset))


def member_lines(task: Labeled, delta: float) -> Iterator[list[str]]:
    """What shadow models tell at each epsilon, and the most that any test could."""
    _, train, _ = task.split(0)
    x, y = task.x[train[:MEMBERS]], task.y[train[:MEMBERS]].astype(np.int64)
    n_classes = int(task.y.max()) + 1
    for epsilon in (None, *TOLD_EPSILONS):
        kept = None if epsilon is None else Guarantee(epsilon, delta)
        attack = ShadowMembership(
            train=partial(trained, n_classes, kept), rows=x, labels=y,
            queries={"without noise": x}, n_shadows=16, n_targets=4,
        )  # fmt: skip
        name = "none" if epsilon is None else f"{epsilon:g}"
        for found in attack.run(0):
            area = f"{found.auc.value:.3f} ({found.auc.low:.3f} to {found.auc.high:.3f})"
            right = f"{found.other_accuracy:.3f}"
            yield [name, right, area, f"{most_area(kept):.3f}", found.at_001.text,
                   f"{most_rate(kept, 0.01):.3f}"]  # fmt: skip


def most_rate(kept: Guarantee | None, false_rate: float) -> float:
    """The most members that a test finds which takes ``false_rate`` of the others for members.

    ``min(exp(e) * f + d, 1 - exp(-e) * (1 - d - f), 1)``

    Source: P. Kairouz, S. Oh, P. Viswanath, The Composition Theorem for Differential Privacy, ICML
    2015, arXiv:1311.0776, theorem 2.1.
    """
    if kept is None:
        return 1.0
    power = np.exp(kept.epsilon)
    below = 1 - (1 - kept.delta - false_rate) / power
    return float(min(power * false_rate + kept.delta, below, 1.0))


def most_area(kept: Guarantee | None) -> float:
    """The area under ``most_rate``, ``exp(e) / (1 + exp(e))`` where delta is 0."""
    return 1.0 if kept is None else float(1 - (1 - kept.delta) ** 2 / (1 + np.exp(kept.epsilon)))


def found_tables(
    data: Path, cache: Path, only: list[str], delta: float, seeds: int
) -> Iterator[Table]:
    known = [task for task in tasks(data, cache) if task.name in only]
    sources = tuple(dict.fromkeys(NAMES[name] for name in only))
    note = f"delta {delta:g}"
    if seeds > 1:
        note += f"; median of {seeds} seeds (least to most)"
    head = ("epsilon", "accuracy on rows not in it", "AUC", "AUC, at most",
            "true positives at 1 % false", "these, at most")  # fmt: skip
    yield Table("private/heads", f"membership in a head: {known[0].name}, {MEMBERS} rows", head,
                list(member_lines(known[0], delta)), sources[:1], (0,), "LiRA, 16 shadow models."
    )  # fmt: skip
    lines = [line for task in known for line in release_lines(task, delta, seeds)]
    head = ("data", "epsilon of both", "private head", "model on the export")
    yield Table("private/rows", "encrypted rows with an epsilon, their minimizer's in it", head,
                lines, sources, tuple(range(seeds)), note)  # fmt: skip
    head = ("data", "most frequent", "plain", "encrypted, no epsilon", "epsilon", "private head",
            "synthetic", "membership: AUC", "at 1 % false")  # fmt: skip
    lines = [line for task in known for line in drawn_lines(task, delta, seeds)]
    yield Table("private/synthetic", "synthetic releases", head, lines, sources,
                tuple(range(seeds)), note)  # fmt: skip


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--delta", type=float, default=1e-6)
    parser.add_argument("--only", nargs="+", default=list(NAMES), choices=NAMES, metavar="NAME")
    asked = parser.parse_args()
    with threadpool_limits(1):
        found = found_tables(asked.data, asked.cache, asked.only, asked.delta, asked.seeds)
        hand_over(found, asked.tables)


if __name__ == "__main__":
    main()

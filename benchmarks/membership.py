"""What trained models of BANKING77 give away: membership, copies, and their worth when stolen.

Usage: python benchmarks/membership.py --data DIR [--rows 2000] [--cache DIR] [--seed 0]

Table 1, membership: LiRA with 16 shadow models on two targets, each trained on a random half of
the rows; of the model that the lab trains on the export (asked about the stored ciphertext, about
a fresh encryption, and without noise as the gateway asks), of the model trained at the gate on
plain vectors, and of the stolen minimizer, fitted with and without the row.

Table 2, extraction: agreement with the model behind the gateway against the number of queries.

Table 3, theft: accuracy of a stolen model for somebody without the key who has some labeled
public texts of each class, beside his own model from the same labels. The permutation scheme is
made here, for comparison only. After minimization he has a bottleneck of his own, fitted on the
same labels, or he has stolen the minimizer too.

Table 4, inversion: cosine between the input each class's score is highest at and the mean vector.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from banking77 import Banking, Codes, Split, read, split
from scipy.special import log_softmax
from tables import Table, arguments, hand_over
from threadpoolctl import threadpool_limits

from cipherset.core.manifest import Task as LabelKind
from cipherset.core.values import Float32s, Floats
from cipherset.evidence.attack.model import (
    Extraction,
    Family,
    LinearHead,
    Membership,
    ModelInverter,
    Scorer,
    ShadowMembership,
    StolenModel,
    Trainer,
)
from cipherset.pipeline.minimize import (
    FitSettings,
    FittedMinimizer,
    ball_noise,
    fit,
    parse_spec,
)
from cipherset.pipeline.train import TrainSpec, train_model

N_TARGETS = 2
PLAIN_PENALTY = 10.0  # what the search finds on plain vectors; not repeated for each shadow
SCALE = 1.5
PER_CLASS = (2, 10, 100)
N_UNLABELED = 1500
N_THEFT_ROWS = 3000
N_QUERIES = 1600
N_SCORED = 2000
Lines = Iterator[list[str]]


@dataclass(frozen=True)
class Setting:
    """One way to export; ``spec`` ``none`` is every dimension of the encoder."""

    spec: str
    factor: float
    shrink: float = 0.0

    def __str__(self) -> str:
        shrunk = f", shrink {self.shrink:g}" if self.spec != "none" else ""
        return f"{self.spec}{shrunk}, beta {self.factor:g}"

    @property
    def radius(self) -> float:
        return self.factor / 4


@dataclass(frozen=True)
class World:
    """One labeling of the rows, its split, and the exports tried on it."""

    name: str
    data: Banking
    y: Codes
    rows: Split
    settings: tuple[Setting, ...]
    seed: int

    @property
    def n_classes(self) -> int:
        return int(self.y.max()) + 1


def linear(x: Floats, y: Codes, n_classes: int, penalty: float | None) -> LinearHead:
    """The product's logistic model as a head over all classes; a class without rows gets none."""
    spec = TrainSpec(balanced=True, inverse_penalty=penalty)
    model = train_model(x, y, spec, task=LabelKind.CLASSIFICATION, seed=0)
    matrix, offset = np.zeros((x.shape[1], n_classes)), np.full(n_classes, -50.0)
    matrix[:, model.classes_] = model.coef_.T
    offset[model.classes_] = model.intercept_
    return LinearHead(matrix, offset)


def minimizer_of(world: World, setting: Setting, rows: Codes) -> FittedMinimizer:
    settings = FitSettings(noise_radius=setting.radius, seed=world.seed, shrink=setting.shrink)
    spec = parse_spec(setting.spec)
    return fit(spec, world.data.vectors[rows], world.y[rows], settings=settings)


def noisy(z: Floats, radius: float, rng: np.random.Generator) -> Floats:
    return z + ball_noise(rng, shape=z.shape, radius=radius)


def best_penalty(x: Floats, y: Codes) -> float:
    """What ``cipherset train`` finds on these rows; taken for every shadow."""
    spec = TrainSpec(balanced=True)
    return float(train_model(x, y, spec, task=LabelKind.CLASSIFICATION, seed=0).C)


def membership(world: World, n_rows: int) -> Lines:
    rng = np.random.default_rng([world.seed, 10])
    pool = rng.permutation(world.rows.train)[:n_rows]
    x, y = world.data.vectors[pool], world.y[pool]
    for setting in world.settings:
        z = x
        if setting.spec != "none":
            z = minimizer_of(world, setting, world.rows.train).transform(x)
        stored, fresh = noisy(z, setting.radius, rng), noisy(z, setting.radius, rng)
        penalty = PLAIN_PENALTY if setting.spec == "none" else best_penalty(stored, y)
        train = partial(recipe, world.n_classes, penalty)
        queries = {"stored ciphertext": stored, "fresh encryption": fresh, "without noise": z}
        yield from audit(world, f"lab, {setting}", train, (stored, y), queries)
    train = partial(recipe, world.n_classes, PLAIN_PENALTY)
    yield from audit(world, "trained at the gate", train, (x, y), {"without noise": x})
    fitted = partial(fit_once, {}, world, world.settings[0])
    for part, scorer in (("its network", inner), ("the owner's head", outer)):
        train = partial(of_minimizer, scorer, fitted, world)
        name = f"stolen minimizer, {part}"
        yield from audit(world, name, train, (x, y), {"without noise": x})


def of_minimizer(
    scorer: Callable[[FittedMinimizer, World], Scorer],
    fitted: Callable[[Floats, Codes, int], FittedMinimizer],
    world: World,
    *rows: Floats | Codes | int,
) -> Scorer:
    return scorer(fitted(*rows), world)


def recipe(n_classes: int, penalty: float, x: Floats, y: Codes, seed: int) -> Scorer:
    return linear(x, y, n_classes, penalty)


def fit_once(
    done: dict[int, FittedMinimizer], world: World, setting: Setting, *rows: Floats | Codes | int
) -> FittedMinimizer:
    """The minimizer of these rows; the same seed is asked for twice, and fitted once."""
    x, y, seed = rows
    if seed not in done:
        settings = FitSettings(noise_radius=setting.radius, seed=seed, shrink=setting.shrink)
        done[seed] = fit(parse_spec(setting.spec), x, y, settings=settings)
    return done[seed]


def inner(minimizer: FittedMinimizer, world: World) -> Scorer:
    """The network's own class probabilities, before the vectors are shrunk."""
    a = minimizer.arrays()

    def score(rows: Floats) -> Floats:
        hidden = np.maximum(rows @ a["w1"] + a["b1"], 0) @ a["w2"] + a["b2"]
        z = hidden / np.linalg.norm(hidden, axis=1, keepdims=True)
        return every_class(minimizer, log_softmax(z @ a["w3"] + a["b3"], axis=1), world)

    return score


def outer(minimizer: FittedMinimizer, world: World) -> Scorer:
    """The owner's head on the minimized vectors."""
    a = minimizer.arrays()

    def score(rows: Floats) -> Floats:
        z = minimizer.transform(rows) @ a["head_matrix"] + a["head_offset"]
        return every_class(minimizer, log_softmax(z, axis=1), world)

    return score


def every_class(minimizer: FittedMinimizer, told: Floats, world: World) -> Floats:
    out = np.full((len(told), world.n_classes), -50.0)
    out[:, minimizer.arrays()["classes"].astype(int)] = told
    return out


def audit(
    world: World, name: str, train: Trainer, rows: tuple[Floats, Codes], queries: dict[str, Floats]
) -> Lines:
    attack = ShadowMembership(
        train=train, rows=rows[0], labels=rows[1], queries=queries, n_targets=N_TARGETS
    )
    for found in attack.run(world.seed):
        yield [world.name, name, *cells(found)]


def cells(found: Membership) -> list[str]:
    auc = f"{found.auc.value:.3f} ({found.auc.low:.3f} to {found.auc.high:.3f})"
    accuracy = f"{found.train_accuracy:.3f} / {found.other_accuracy:.3f}"
    return [found.query, accuracy, auc, found.at_001.text, found.at_0001.text]


def behind_gateway(minimizer: FittedMinimizer, head: LinearHead) -> Scorer:
    return lambda rows: head(minimizer.transform(rows))


def extraction(world: World) -> Lines:
    public, test = (world.data.vectors[r] for r in (world.rows.public, world.rows.test))
    for name, victim in victims(world):
        attack = Extraction(victim=victim, queries=public[:N_QUERIES], rows=test[:N_SCORED])
        points = {(p.source, p.answers, p.n_queries): p for p in attack.run(world.seed)}
        for source, answers in dict.fromkeys(key[:2] for key in points):
            curve = [points[source, answers, n] for n in attack.counts]
            told = [f"{p.agreement.value:.3f}" for p in curve]
            last = curve[-1].agreement
            ends = [f"{last.low:.3f} to {last.high:.3f}", f"{curve[0].chance:.3f}"]
            yield [world.name, name, source, answers.value, *told, *ends]


def victims(world: World) -> list[tuple[str, Scorer]]:
    setting, train = world.settings[0], world.rows.train
    x, y = world.data.vectors[train], world.y[train]
    minimizer = minimizer_of(world, setting, train)
    z = noisy(minimizer.transform(x), setting.radius, np.random.default_rng([world.seed, 11]))
    lab = linear(z, y, world.n_classes, None)
    gate = linear(x[:N_THEFT_ROWS], y[:N_THEFT_ROWS], world.n_classes, PLAIN_PENALTY)
    return [(f"lab, {setting}", behind_gateway(minimizer, lab)), ("trained at the gate", gate)]


def secret_map(family: Family, dim: int, rng: np.random.Generator) -> Floats:
    if family is Family.PERMUTATION:
        return np.eye(dim)[rng.permutation(dim)]
    q, r = np.linalg.qr(rng.standard_normal((dim, dim)))
    return q * np.sign(np.diag(r))


def labeled(world: World, per_class: int) -> Codes:
    public = world.rows.public
    of_class = [public[world.y[public] == c][:per_class] for c in range(world.n_classes)]
    return np.concatenate(of_class)


def theft(world: World) -> Lines:
    rng = np.random.default_rng([world.seed, 12])
    x, y = world.data.vectors, world.y
    train, test = world.rows.train[:N_THEFT_ROWS], world.rows.test[:N_SCORED]
    unlabeled = world.rows.public[:N_UNLABELED]
    for family in (Family.PERMUTATION, Family.ROTATION):
        key = SCALE * secret_map(family, x.shape[1], rng)
        c = x[train] @ key + SCALE * noisy(0 * x[train], 1.0, rng)
        head = linear(c, y[train], world.n_classes, PLAIN_PENALTY)
        with_key = float((head(x[test] @ key).argmax(axis=1) == y[test]).mean())
        for per_class in PER_CLASS:
            own = labeled(world, per_class)
            attack = StolenModel(model=head, dim=x.shape[1], vectors=x[own], labels=y[own],
                                 family=family, public=x[unlabeled], norm=SCALE)  # fmt: skip
            name, rows = f"none, beta 4, {family}", (x[test], y[test])
            yield told(world, name, per_class, with_key, attack, rows)
    setting = world.settings[0]
    minimizer = minimizer_of(world, setting, world.rows.train)
    key = SCALE * secret_map(Family.ROTATION, minimizer.dim, rng)
    z = minimizer.transform(x[world.rows.train])
    head = linear((noisy(z, setting.radius, rng)) @ key, y[world.rows.train], world.n_classes, None)
    scored = minimizer.transform(x[test])
    with_key = float((head(scored @ key).argmax(axis=1) == y[test]).mean())
    for per_class in PER_CLASS:
        own = labeled(world, per_class)
        for who, mapped in (("own bottleneck", minimizer_of(world, setting, own)),
                            ("minimizer stolen too", minimizer)):  # fmt: skip
            attack = StolenModel(
                model=head, dim=minimizer.dim, vectors=mapped.transform(x[own]), labels=y[own],
                public=mapped.transform(x[unlabeled]), norm=SCALE,
            )  # fmt: skip
            rows = (mapped.transform(x[test]), y[test])
            name = f"{setting}, rotation, {who}"
            yield told(world, name, per_class, with_key, attack, rows)


def told(
    world: World,
    name: str,
    per_class: int,
    with_key: float,
    attack: StolenModel,
    rows: tuple[Float32s, Codes],
) -> list[str]:
    found = attack.run(*rows, world.seed)
    gain = f"{found.gain.value:+.3f} ({found.gain.low:+.3f} to {found.gain.high:+.3f})"
    return [
        world.name, name, f"{per_class} ({found.n_labels})", f"{with_key:.3f}",
        f"{found.accuracy.value:.3f}", f"{found.own.value:.3f}", gain, f"{found.chance:.3f}",
    ]  # fmt: skip


def inversion(world: World) -> Lines:
    setting, train = world.settings[0], world.rows.train
    x, y = world.data.vectors, world.y
    minimizer = minimizer_of(world, setting, train)
    z = minimizer.transform(x[train])
    rng = np.random.default_rng([world.seed, 13])
    lab = linear(noisy(z, setting.radius, rng), y[train], world.n_classes, None)
    gate = linear(x[train][:N_THEFT_ROWS], y[train][:N_THEFT_ROWS], world.n_classes, PLAIN_PENALTY)
    for name, head, rows in ((f"lab, {setting}", lab, z), ("trained at the gate", gate, x[train])):
        means, public = class_means(rows, y[train]), world.rows.public
        mapped = x[public] if rows.shape[1] == x.shape[1] else minimizer.transform(x[public])
        attack = ModelInverter(model=head, dim=rows.shape[1])
        found = attack.run(means, world.seed, anchors=class_means(mapped, y[public]))
        values = [found.cosine.value, found.cosine.low, found.cosine.high, found.chance]
        values += [found.unrelated, found.anchor]
        yield [world.name, name, *(f"{v:.3f}" for v in values)]


def class_means(rows: Floats, y: Codes) -> Floats:
    return np.array([rows[y == c].mean(axis=0) for c in range(int(y.max()) + 1)])


def worlds(data: Banking, seed: int) -> tuple[World, ...]:
    coarse = (Setting("bottleneck:6", 12, 1.0), Setting("bottleneck:6", 4), Setting("none", 4))
    fine = (Setting("bottleneck:32", 24, 1.0), Setting("bottleneck:32", 6), Setting("none", 4))
    return (
        World("7", data, data.coarse, split(data.coarse, seed), coarse, seed),
        World("77", data, data.fine, split(data.fine, seed), fine, seed),
    )


COLUMNS = {
    "membership": (
        "model", "query", "accuracy in / out", "AUC", "true positives at 1 % false",
        "at .1 % false",
    ),
    "extraction": (
        "model", "queries", "answers", "100", "400", "1,600", "95 % at 1,600", "chance",
    ),
    "theft": (
        "model behind", "labels per class (all)", "with the key", "stolen", "his own",
        "gain (95 %)", "chance",
    ),
    "inversion": (
        "model", "cosine", "low", "high", "mean of all classes", "other classes",
        "public class means",
    ),
}  # fmt: skip


def tables(asked: argparse.Namespace) -> Iterator[Table]:
    data = read(asked.data, asked.cache)
    both = worlds(data, asked.seed)
    parts: dict[str, Callable[[World], Lines]] = {
        "membership": partial(membership, n_rows=asked.rows),
        "extraction": extraction,
        "theft": theft,
        "inversion": inversion,
    }
    for name in asked.parts:
        rows = [row for world in both for row in parts[name](world)]
        yield Table(
            f"membership/{name}",
            name.capitalize(),
            ("classes", *COLUMNS[name]),
            rows,
            (data.source,),
            (asked.seed,),
            f"{asked.rows:,} rows." if name == "membership" else "",
        )


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of train.csv, test.csv")
    parser.add_argument("--rows", type=int, default=2000, help="rows of the membership tests")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--parts", nargs="+", choices=COLUMNS, default=tuple(COLUMNS))
    asked = parser.parse_args()
    with threadpool_limits(1):
        hand_over(tables(asked), asked.tables)


if __name__ == "__main__":
    main()

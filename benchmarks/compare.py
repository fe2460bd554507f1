"""What is left of the accuracy under each protection, and what each attacker gets: one run.

Usage: python benchmarks/compare.py --data DIR [--seeds 1] [--names-model] [--cache DIR]

DIR holds train.csv and test.csv of BANKING77, under its 7 coarse classes; the second table is of
made-up messages with names and numbers (messages.py), always of seed 0. 5,000 rows are the
attacker's own, with labels; the others are split once, and every protection exports the same
training rows. Accuracy is that of a linear model trained on what leaves, asked on the held-out rows
through the owner's map. Labels are in the clear in every row.

Re-identified, in percent beyond what the label tells: of 2,000 exported rows, each against the
2,000 plain ones, by the better of two attacks (nearest, and all rows at once), after the map was
turned off: by the best of the aligners of benchmarks/attacks.py from the file and the attacker's
own labeled texts; from 64 pairs and his texts; by key and minimizer. Without the minimizer he has
one of his own, fitted on his texts. Of rows that were drawn none is a person's: counted is how
many more of them lie nearest to a row they were drawn from than to one that was held out.

Words: F1 of the words of 1,000 exported texts that are read off their vectors; names: the share of
their names, numbers and rare words that are. Of an anonymized text: what is left in it. Of drawn
rows: read off the drawn row of the same class that is nearest to each text's vector.

Membership: the area under the curve of LiRA, 16 shadow models, on 2,000 rows against the lab's
model, asked for a fresh encryption or without noise, whichever tells more; of drawn rows, against
the file with key and minimizer. Homomorphic encryption is measured by benchmarks/fhe.py.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from banking77 import Codes
from compare_releases import (
    DELTA,
    DRAWN_EPSILONS,
    Release,
    Secret,
    World,
    banking,
    drawn,
    office,
    releases,
)
from membership import PLAIN_PENALTY, best_penalty, recipe
from minimize import on_noisy, on_plain
from private import told_of
from scipy.spatial import cKDTree
from tables import Table, arguments, hand_over
from threadpoolctl import threadpool_limits

from cipherset.app.exports.private.draw import Drawn
from cipherset.core.values import NO_NOISE, Floats, NoiseKind, NoiseLaw
from cipherset.evidence.attack import reidentify
from cipherset.evidence.attack.alignment import (
    CentroidAligner,
    LinearMap,
    PairAligner,
    PermutationMatcher,
    RotationAligner,
    Unpaired,
)
from cipherset.evidence.attack.inversion.pairs import Pairs
from cipherset.evidence.attack.inversion.score import (
    Said,
    TokenScore,
    WordLeak,
    attack_words,
    score_tokens,
)
from cipherset.evidence.attack.inversion.tokens import RareWords, words
from cipherset.evidence.attack.model import DrawnMembership, ShadowMembership
from cipherset.pipeline.minimize import ball_noise

N_CANDIDATES = 2000
N_PAIRS = 64
N_READ = 1000
N_MEMBERS = 2000
SAME = "as the file alone"
AT_MOST = "at most as all stolen"
Told = tuple[Floats, Codes]
HEAD = (
    "what leaves", "accuracy", "words, file alone", "names, file alone",
    "re-identified, file alone, %", "by 64 pairs, %", "words, all stolen",
    "re-identified, all stolen, %", "membership, AUC",
)  # fmt: skip
_, ACCURACY, WORDS, NAMES, ALONE, PAIRED, WORDS_STOLEN, STOLEN, MEMBERSHIP = HEAD
LABEL = "*the label alone*"
NOTHING = Release("", *[np.zeros((0, 1), np.float32)] * 4, NO_NOISE)


def told(world: World, rows: Floats, plain: Floats, release: Release) -> float:
    """Excess in percent of the better attack on ``rows``, turned to where ``plain`` lie."""
    y = world.y[world.rows.train[:N_CANDIDATES]]
    found = reidentify(
        rows[:N_CANDIDATES],
        plain[:N_CANDIDATES],
        truth=np.arange(N_CANDIDATES),
        ciphertext_groups=y,
        candidate_groups=y,
        noise=release.law,
    )
    return 100 * found.excess


def best(world: World, release: Release, maps: Sequence[LinearMap]) -> tuple[float, Floats]:
    """What the best of the maps tells, and the rows as it turns them."""
    turned = [found.apply(release.sealed) for found in maps]
    scores = [told(world, rows, release.beside, release) for rows in turned]
    at = int(np.argmax(scores))
    return scores[at], turned[at]


def by_file(world: World, release: Release) -> Iterator[LinearMap]:
    """Maps from the ciphertexts, their labels and the attacker's labeled texts."""
    sealed, public, rows = release.sealed, release.learned, world.rows
    one = PermutationMatcher if release.secret is Secret.ORDER else RotationAligner
    radius = release.law.size if release.is_whole else None
    yield one(sealed, public, radius).recover(world.seed)
    labels = world.y[rows.train], world.y[rows.public]
    yield from CentroidAligner(sealed, labels[0], public, labels[1]).recover(world.seed)


def by_pairs(release: Release, seed: int) -> Sequence[LinearMap]:
    """Maps from 64 pairs, none of them among the rows that are scored, with texts and without."""
    sealed = release.sealed
    pairs = sealed[-N_PAIRS:], release.beside[-N_PAIRS:]
    more = Unpaired(sealed[:N_CANDIDATES], release.learned)
    return PairAligner(*pairs, more).recover(seed)


def read_off(world: World, release: Release, rows: Floats, own: Floats) -> WordLeak:
    """The words that are read off ``rows``, and what the labels alone give.

    ``own``: the attacker's texts where ``rows`` lie, to which he adds noise of the same law.
    """
    train, public = world.rows.train[:N_READ], world.rows.public
    noise = like(release.law, own.shape, np.random.default_rng([world.seed, 22]))
    return attack_words(
        Pairs(own + noise, [world.texts[i] for i in public], world.y[public], own),
        Pairs(rows[:N_READ], [world.texts[i] for i in train], world.y[train]),
        seed=world.seed,
    )


def like(law: NoiseLaw, shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Noise as the attacker makes it, to learn from rows like those that left."""
    if law.kind is NoiseKind.GAUSSIAN:
        return rng.normal(0.0, law.size, shape)
    return ball_noise(rng, shape=shape, radius=law.size)


def reading(world: World, texts: Sequence[str]) -> TokenScore:
    """The same of texts that leave as they are, against the texts as they were."""
    train = world.rows.train[:N_READ]
    rare = RareWords([world.texts[i] for i in world.rows.public])
    left = tuple(tuple(words(texts[i])) for i in train)
    return score_tokens(
        Said(left, left), [world.texts[i] for i in train], rare=rare, seed=world.seed
    )


def by_column(score: TokenScore) -> Iterator[tuple[str, float]]:
    """What the file alone tells of words, and of names and numbers."""
    yield WORDS, score.token_f1.value
    if score.entity_recall is not None:
        yield NAMES, score.entity_recall.value


def membership(world: World, release: Release) -> float:
    """The area under the curve, the larger of those of a fresh encryption and of no noise."""
    y = world.y[world.rows.train[:N_MEMBERS]]
    rows = release.stored[:N_MEMBERS]
    queries = {"without noise": rows}
    penalty = PLAIN_PENALTY
    if release.again is not None:
        queries = {"fresh": release.again[:N_MEMBERS], "clean": release.candidates[:N_MEMBERS]}
        if not release.is_whole:
            penalty = best_penalty(rows, y)
    train = partial(recipe, int(world.y.max()) + 1, penalty)
    attack = ShadowMembership(train=train, rows=rows, labels=y, queries=queries, n_targets=2)
    return max(found.auc.value for found in attack.run(world.seed))


def figures(world: World, release: Release) -> Iterator[tuple[str, float]]:
    """The cells of one line, by column; those that are not given are as the file alone."""
    rows = world.rows
    fitted = on_plain if release.again is None else on_noisy
    model = fitted(release.stored, world.y[rows.train])
    yield ACCURACY, float((model.predict(release.queries) == world.y[rows.test]).mean())
    stolen = told(world, release.stored, release.candidates, release)
    if release.again is None:
        yield ALONE, stolen
    else:
        alone, turned = best(world, release, [*by_file(world, release)])
        paired, _ = best(world, release, [*by_pairs(release, world.seed)])
        yield ALONE, alone
        yield PAIRED, paired
        opened = read_off(world, release, release.stored, release.known)
        yield WORDS_STOLEN, opened.score.token_f1.value
        yield STOLEN, stolen
        yield from by_column(read_off(world, release, turned, release.learned).score)
    if release.reads is not None:
        yield from by_column(reading(world, release.reads))
    elif release.again is None:
        yield from by_column(read_off(world, release, release.stored, release.known).score)
    yield MEMBERSHIP, membership(world, release)


def figures_of_drawn(world: World, made: Drawn) -> Iterator[tuple[str, float]]:
    """The same of rows that were drawn."""
    rows = world.rows
    model = on_noisy(made.z, made.y)
    answers = made.codes[model.predict(made.minimizer.transform(world.x[rows.test]))]
    yield ACCURACY, float((answers == world.y[rows.test]).mean())
    members, others = (told_of(made, world.x[r], world.y[r]) for r in (rows.train, rows.test))
    yield STOLEN, 100 * nearer(made, members, others)
    yield MEMBERSHIP, DrawnMembership(made.z, made.y).run(members, others).area.value
    asked = rows.train[:N_READ]
    nearest = np.zeros((N_READ, made.z.shape[1]))
    for code, of_class in enumerate(made.codes):
        mine = world.y[asked] == of_class
        z = made.minimizer.transform(world.x[asked[mine]])
        ours = made.z[made.y == code]
        nearest[mine] = ours[cKDTree(ours).query(z)[1]]
    own = made.minimizer.transform(world.x[rows.public])
    yield WORDS_STOLEN, read_off(world, NOTHING, nearest, own).score.token_f1.value


def nearer(made: Drawn, members: Told, others: Told) -> float:
    """How many more drawn rows lie next to a row they were drawn from than to one held out.

    ``(share - chance) / (1 - chance)``, by class, among as many of both.
    """
    hits, expected, n = 0.0, 0.0, 0
    for code in range(len(made.codes)):
        z = made.z[made.y == code][:N_CANDIDATES]
        ours, theirs = (rows[y == code] for rows, y in (members, others))
        m = min(len(ours), len(theirs))
        trees = cKDTree(ours[:m]), cKDTree(theirs[:m])
        near, far = (tree.query(z)[0] for tree in trees)
        hits += (near < far).sum() + (near == far).sum() / 2
        expected += len(z) / 2
        n += len(z)
    return float((hits - expected) / (n - expected))


def lines(world: World) -> Iterator[tuple[str, dict[str, float]]]:
    """Every protection of one seed with its figures; the label alone is the last."""
    for release in releases(world):
        yield release.name, dict(figures(world, release))
    for epsilon in DRAWN_EPSILONS:
        made = drawn(world, epsilon)
        yield f"synthetic rows, epsilon {epsilon:g}", dict(figures_of_drawn(world, made))
    x = world.x[world.rows.train]
    blind = read_off(world, NOTHING, x, world.x[world.rows.public])
    yield LABEL, {WORDS: blind.chance_token_f1, NAMES: blind.chance_entity_recall or 0.0}


def cell(values: Sequence[float], column: str) -> str:
    """The median of the seeds (least to most)."""
    digits = 2 if "%" in column else 3
    middle = f"{np.median(values):.{digits}f}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def table(slug: str, title: str, first: World, seeds: Sequence[int]) -> Table:
    found: dict[str, dict[str, list[float]]] = {}
    for seed in seeds:
        for name, columns in lines(replace(first, seed=seed)):
            of_line = found.setdefault(name, {column: [] for column in HEAD[1:]})
            for column, value in columns.items():
                of_line[column].append(value)
    rows = [[name, *row(name, columns)] for name, columns in found.items()]
    n = sum(a != b for a, b in zip(first.texts, first.anonymized, strict=True))
    note = (
        f"Sanitizing changed {n:,} of {len(first.texts):,} texts; delta {DELTA:g}. At 95 %: an "
        "area is within 0.02, a share of words within 0.01, a rate of 1 % within half a point."
    )
    return Table(slug, title, HEAD, rows, (first.source,), tuple(seeds), note)


def tables(asked: argparse.Namespace) -> Iterator[Table]:
    extras = ("names-model",) if asked.names_model else ()
    yield table(
        "compare/banking",
        "Bank questions in 7 classes, one run",
        banking(asked.data, asked.cache, extras),
        range(asked.seeds),
    )
    yield table("compare/messages", "Office messages, one run", office(asked.cache, extras), (0,))


def row(name: str, columns: Mapping[str, Sequence[float]]) -> Iterator[str]:
    """The cells; an empty one is that of the file alone, or of everything stolen."""
    for column, values in columns.items():
        if values:
            yield cell(values, column)
        elif name == LABEL:
            yield ""
        else:
            yield AT_MOST if name.startswith("synthetic") else SAME


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of train.csv, test.csv")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--names-model", action="store_true", help="names by a model, too")
    asked = parser.parse_args()
    with threadpool_limits(1):
        hand_over(tables(asked), asked.tables)


if __name__ == "__main__":
    main()

"""What an attacker reads from stored vectors: plain, under a permutation scheme, and ours.

Usage: python benchmarks/inversion.py [--data DIR] [--cache DIR] [--seed 0]

Corpora: made-up office messages (messages.py; three sentences of the classic demonstration are
among the exported rows) and, where --data names a folder with train.csv and test.csv, BANKING77
under its 7 coarse and its 77 fine labels. A part of each is the attacker's: texts with labels of
the same domain, and the encoder. The rest is the owner's: its minimizer is fitted on all of it and
all of it leaves; 1,000 of those rows are attacked.

- plain: the stored vectors themselves.
- permutation: beta 2.5, a secret scale and a secret order of the coordinates. The attacker finds
  both by the statistics of his own texts, with no pair.
- wide: the first 32 principal axes and beta 2, key and minimizer stolen: what a lab can learn from.
- ours, everything stolen: bottleneck, shrink 1, beta 16; key and minimizer are the attacker's.
- ours, key safe: the attacker fits a bottleneck of his own on his texts, and turns the export onto
  it by the centers of the classes.

Labels are in the clear in every row; chance is what they give without a vector.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from banking77 import Codes, encoded, read, rows_of
from messages import INTENTS, SENTENCES, Message, made
from tables import MADE_UP, Table, arguments, hand_over
from threadpoolctl import threadpool_limits

from cipherset.core.values import Float32s, NoiseLaw
from cipherset.evidence.attack.alignment.permutation import PermutationMatcher
from cipherset.evidence.attack.inversion.attributes import AttributeInference
from cipherset.evidence.attack.inversion.closed_form import delta_table
from cipherset.evidence.attack.inversion.pairs import Pairs
from cipherset.evidence.attack.inversion.reconstruct import Reconstructor
from cipherset.evidence.attack.inversion.score import WordLeak, attack_words
from cipherset.evidence.attack.inversion.sentence import SentenceDecoder
from cipherset.evidence.attack.statistics import Interval
from cipherset.pipeline.minimize import FitSettings, FittedMinimizer, ball_noise, fit, parse_spec

N_MESSAGES = 8_000
N_PUBLIC = 4_000
N_ATTACKED = 1_000
PERMUTATION_FACTOR = 2.5
FACTOR = 16.0
WIDE, WIDE_FACTOR = "pca:32", 2.0
SLOTS = ("first", "last", "day", "topic", "amount", "number")
WORDS_HEAD = ("stored", "words, F1", "content words, F1", "entities, recall", "cosine to plain")
PROVED = {
    ("within the class", 0.5): "two rows of one class: median",
    ("within the class", 0.95): "95 %",
    ("within the class", 1.0): "farthest",
    ("all", 1.0): "any two rows: farthest",
}


@dataclass(frozen=True)
class Corpus:
    """Texts, their vectors (n, 384), labels, and hidden columns: row number to value.

    The first ``shown`` of the owner's rows are printed beside what is read from them.
    """

    name: str
    slug: str
    source: str
    spec: str
    texts: Sequence[str]
    vectors: Float32s
    labels: Codes
    hidden: Mapping[str, Mapping[int, str]]
    public: Codes
    owned: Codes
    shown: int = 0

    @property
    def attacked(self) -> Codes:
        return self.owned[:N_ATTACKED]


@dataclass(frozen=True)
class View:
    """The attacked rows as one attacker has them, and what he learns from."""

    name: str
    known: Pairs
    target: Pairs
    note: str = ""


@dataclass(frozen=True)
class Report:
    """All that one attacker gets."""

    view: View
    words: WordLeak
    cosine: tuple[Interval, float]
    hidden: Mapping[str, tuple[float, float, Interval, int]]
    sentences: Sequence[str] = field(default=())


def messages(seed: int, cache: Path) -> Corpus:
    """The demonstration's sentences are the first rows the owner exports."""
    rows: list[Message] = [*SENTENCES, *made(N_MESSAGES, seed)]
    vectors = encoded([row.text for row in rows], cache)
    order = len(SENTENCES) + np.random.default_rng(seed).permutation(N_MESSAGES)
    return Corpus(
        name=f"{len(rows):,} office messages, {len(INTENTS)} intents",
        slug="inversion/messages",
        source=MADE_UP,
        spec=f"bottleneck:{len(INTENTS) - 1}",
        texts=[row.text for row in rows],
        vectors=vectors,
        labels=np.array([row.intent for row in rows]),
        hidden={
            slot: {
                i: guess_of(slot, row.slots[slot])
                for i, row in enumerate(rows)
                if slot in row.slots
            }
            for slot in SLOTS
        },
        public=order[:N_PUBLIC],
        owned=np.concatenate([np.arange(len(SENTENCES)), order[N_PUBLIC:]]),
        shown=len(SENTENCES),
    )


def guess_of(slot: str, value: str) -> str:
    """What is guessed of a slot: of numbers the first character, else all of it."""
    return value[0] if slot in {"amount", "number"} else value


def banking(data: Path, seed: int, cache: Path) -> Iterator[Corpus]:
    """BANKING77 under each of its labels; under the coarse one the fine one is hidden."""
    read_rows = read(data, cache)
    texts = [row["text"] for row in rows_of(data)]
    order = np.random.default_rng(seed).permutation(len(texts))
    fine = {i: str(code) for i, code in enumerate(read_rows.fine)}
    for name, spec, labels, hidden in (
        ("BANKING77, 7 classes", "bottleneck:6", read_rows.coarse, {"fine label": fine}),
        ("BANKING77, 77 classes", "bottleneck:32", read_rows.fine, {}),
    ):
        parts = (order[:N_PUBLIC], order[N_PUBLIC:])
        slug = f"inversion/{name.split()[1]}"
        said = (name, slug, read_rows.source, spec)
        yield Corpus(*said, texts, read_rows.vectors, labels, hidden, *parts)


def views(corpus: Corpus, seed: int) -> Iterator[View]:
    """One attacker after the other."""
    rng = np.random.default_rng([seed, 1])
    x, public, attacked = corpus.vectors, corpus.public, corpus.attacked
    yield view("plain", corpus, (x[public], x[attacked]), 0.0, rng)
    yield permuted(corpus, seed, rng)
    wide = fit(parse_spec(WIDE), x[corpus.owned], None, settings=fit_settings(seed))
    both = (wide.transform(x[public]), wide.transform(x[attacked]))
    yield view("wide, beta 2, everything stolen", corpus, both, WIDE_FACTOR, rng)
    owner = fitted(corpus, corpus.owned, seed)
    z = owner.transform(x[attacked])
    yield view(
        "ours, beta 16, everything stolen", corpus, (owner.transform(x[public]), z), FACTOR, rng
    )
    secret = np.linalg.qr(rng.standard_normal((z.shape[1], z.shape[1])))[0].astype(np.float32)
    exported = noisy(owner.transform(x[corpus.owned]), FACTOR, rng) @ secret
    own = fitted(corpus, public, seed + 1).transform(x[public])
    turned = exported @ onto(
        centers(exported, corpus.labels[corpus.owned]), centers(own, corpus.labels[public])
    )
    yield View(
        "ours, beta 16, key safe",
        learned(corpus, own, FACTOR, rng),
        Pairs(turned[:N_ATTACKED], texts(corpus, attacked), corpus.labels[attacked]),
    )


def permuted(corpus: Corpus, seed: int, rng: np.random.Generator) -> View:
    """The secret order is found from all ciphertexts and the attacker's own vectors; no pairs."""
    x, public = corpus.vectors, corpus.public
    order, scale = rng.permutation(x.shape[1]), np.float32(rng.uniform(1.0, 2.0))
    ciphertexts = scale * noisy(x[corpus.owned], PERMUTATION_FACTOR, rng)[:, order]
    matcher = PermutationMatcher(ciphertexts, x[public], noise_radius=PERMUTATION_FACTOR / 4)
    found = matcher.recover(seed)
    right = float(np.mean(found.matrix.argmax(axis=0) == np.argsort(order)))
    undone = found.apply(ciphertexts)[:N_ATTACKED].astype(np.float32)
    attacked = corpus.attacked
    return View(
        "permutation, beta 2.5, key safe",
        learned(corpus, x[public], PERMUTATION_FACTOR, rng),
        Pairs(undone, texts(corpus, attacked), corpus.labels[attacked]),
        note=f"Of the secret order {right:.1%} was found, with no pair.",
    )


def learned(corpus: Corpus, clean: Float32s, factor: float, rng: np.random.Generator) -> Pairs:
    """The attacker's own texts with noise like the target's."""
    public = corpus.public
    return Pairs(noisy(clean, factor, rng), texts(corpus, public), corpus.labels[public], clean)


def view(
    name: str,
    corpus: Corpus,
    vectors: tuple[Float32s, Float32s],
    factor: float,
    rng: np.random.Generator,
) -> View:
    known, target = vectors
    attacked = corpus.attacked
    return View(
        name,
        learned(corpus, known, factor, rng),
        Pairs(noisy(target, factor, rng), texts(corpus, attacked), corpus.labels[attacked]),
    )


def texts(corpus: Corpus, rows: Codes) -> list[str]:
    return [corpus.texts[i] for i in rows]


def fitted(corpus: Corpus, rows: Codes, seed: int) -> FittedMinimizer:
    spec, settings = parse_spec(corpus.spec), fit_settings(seed)
    return fit(spec, corpus.vectors[rows], corpus.labels[rows], settings=settings)


def fit_settings(seed: int) -> FitSettings:
    return FitSettings(noise_radius=FACTOR / 4, seed=seed, shrink=1.0)


def noisy(x: Float32s, factor: float, rng: np.random.Generator) -> Float32s:
    return x + ball_noise(rng, shape=(len(x), x.shape[1]), radius=factor / 4)


def centers(x: Float32s, labels: Codes) -> Float32s:
    """The mean of each class, which averages its noise away."""
    return np.stack([x[labels == label].mean(axis=0) for label in np.unique(labels)])


def onto(a: Float32s, b: Float32s) -> Float32s:
    """The orthogonal matrix that brings centers ``a`` nearest to ``b`` (Procrustes)."""
    u, _, v = np.linalg.svd(a.T @ b)
    return u @ v


def attacked(corpus: Corpus, seen: View, seed: int) -> Report:
    """Every attack on one view."""
    words = attack_words(seen.known, seen.target, seed=seed)
    plain = corpus.vectors
    rebuilt = Reconstructor(seen.known, plain[corpus.public], seed=seed).score(
        seen.target.vectors, plain[corpus.attacked], seen.target.labels, seed=seed
    )
    sentences: list[str] = []
    if corpus.shown:
        first = seen.target.take(np.arange(corpus.shown))
        decoder = SentenceDecoder(seen.known, seed=seed)
        sentences = decoder.decode(first.vectors, first.labels)
    hidden = {slot: guessed(corpus, seen, slot, seed) for slot in corpus.hidden}
    return Report(seen, words, (rebuilt.cosine, rebuilt.chance), hidden, sentences)


def guessed(corpus: Corpus, seen: View, slot: str, seed: int) -> tuple[float, float, Interval, int]:
    """How often a hidden column is right with the vectors and from the label, and the advantage."""
    values = corpus.hidden[slot]
    known = [at for at, row in enumerate(corpus.public) if row in values]
    asked = [at for at, row in enumerate(corpus.attacked) if row in values]
    attack = AttributeInference(
        seen.known.vectors[known],
        np.array([values[corpus.public[at]] for at in known]),
        seen.known.labels[known],
        seed=seed,
    )
    told = attack.score(
        seen.target.vectors[asked],
        np.array([values[corpus.attacked[at]] for at in asked]),
        seen.target.labels[asked],
        seed=seed,
    )
    return told.accuracy, told.label_alone, told.advantage, told.n


def read_off(corpus: Corpus, reports: Sequence[Report], seed: int) -> Table:
    """What every attacker gets, and what the label alone tells."""
    rows = []
    for report in reports:
        score = report.words.score
        cells = [score.token_f1, score.content_f1, score.entity_recall, report.cosine[0]]
        rows.append([report.view.name, *(ends(cell) for cell in cells)])
    chance = reports[0].words
    chances = [chance.chance_token_f1, chance.chance_content_f1, chance.chance_entity_recall]
    told = [f"{value:.3f}" for value in (*chances, reports[0].cosine[1])]
    rows.append(["*the label alone*", *told])
    note = " ".join(report.view.note for report in reports).strip()
    title = f"{corpus.name} ({corpus.spec})"
    return Table(corpus.slug, title, WORDS_HEAD, rows, (corpus.source,), (seed,), note)


def ends(value: Interval | None) -> str:
    if value is None:
        return "none there"
    return f"{value.value:.3f} ({value.low:.3f} to {value.high:.3f})"


def slots(corpus: Corpus, reports: Sequence[Report], seed: int) -> Table:
    """How often the hidden columns are told."""
    names = [report.view.name for report in reports]
    rows = []
    for slot, (_, alone, _, n) in reports[0].hidden.items():
        cells = [
            f"{accuracy:.3f} ({advantage.low:+.3f} to {advantage.high:+.3f})"
            for accuracy, _, advantage, _ in (report.hidden[slot] for report in reports)
        ]
        rows.append([slot, str(n), f"{alone:.3f}", *cells])
    title = f"{corpus.name}: hidden columns"
    header = ("hidden column", "rows", "from the label", *names)
    return Table(f"{corpus.slug}-hidden", title, header, rows, (corpus.source,), (seed,))


def spoken(corpus: Corpus, reports: Sequence[Report]) -> None:
    for i in range(len(reports[0].sentences)):
        print(f"\n> {corpus.texts[corpus.attacked[i]]}\n")
        for report in reports:
            said = " ".join(report.words.recovered[i])
            print(f"- {report.view.name}: *{report.sentences[i]}* (words: {said})")


def proved(corpus: Corpus, seed: int) -> list[str]:
    """The figure that needs no attack, for the owner's minimizer."""
    owner = fitted(corpus, corpus.owned, seed)
    z = owner.transform(corpus.vectors[corpus.owned])
    noise = NoiseLaw.ball(FACTOR / 4)
    found = delta_table(z, corpus.labels[corpus.owned], noise=noise, seed=seed)
    told = {(row.among, row.quantile): f"{row.delta:.3f}" for row in found.rows}
    return [f"{corpus.name} ({corpus.spec})", *(told[column] for column in PROVED)]


def tables(asked: argparse.Namespace) -> Iterator[Table]:
    corpora = [messages(asked.seed, asked.cache)]
    if asked.data is not None:
        corpora += banking(asked.data, asked.seed, asked.cache)
    for corpus in corpora:
        reports = [attacked(corpus, one, asked.seed) for one in views(corpus, asked.seed)]
        yield read_off(corpus, reports, asked.seed)
        if corpus.hidden:
            yield slots(corpus, reports, asked.seed)
        spoken(corpus, reports)
    if asked.data is not None:
        title = "The most by which any attack there is tells two rows apart"
        rows = [proved(corpus, asked.seed) for corpus in corpora]
        sources = tuple(dict.fromkeys(corpus.source for corpus in corpora))
        head = ("export", *PROVED.values())
        yield Table("inversion/proved", title, head, rows, sources, (asked.seed,))


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, help="folder of BANKING77's train.csv and test.csv")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with threadpool_limits(1):
        hand_over(tables(asked), asked.tables)


if __name__ == "__main__":
    main()

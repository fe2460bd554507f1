"""Words from vectors: a planted weakness is found, random vectors give chance, slow oracles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inversion_corpus import NOUNS

from cipherset.core.errors import DimensionError, InputError
from cipherset.evidence.attack.inversion import words as inversion
from cipherset.evidence.attack.inversion.pairs import Pairs
from cipherset.evidence.attack.inversion.ridge import LabelMeans, RidgePath
from cipherset.evidence.attack.inversion.score import attack_words
from cipherset.evidence.attack.inversion.sentence import SentenceDecoder
from cipherset.evidence.attack.inversion.words import AnyText, NearestText, WordInverter


def test_vectors_that_say_their_words_are_read(corpus):
    leak = attack_words(corpus.pairs(900, seed=1), corpus.pairs(200, seed=2), seed=0)
    assert leak.attack == "ridge"
    assert leak.score.content_f1.value > 0.97
    assert leak.score.token_f1.value > 0.97
    assert leak.score.entity_recall.value > 0.97
    assert leak.chance_content_f1 < 0.6
    assert leak.score.n == len(leak.recovered) == len(leak.named) == 200
    assert leak.score.n_entities == 200  # the name of each


def test_random_vectors_give_chance(corpus):
    leak = attack_words(
        corpus.pairs(900, seed=1, said=False), corpus.pairs(400, seed=2, said=False), seed=0
    )
    assert leak.score.content_f1.low <= leak.chance_content_f1 <= leak.score.content_f1.high + 0.02
    assert leak.score.entity_recall.low <= leak.chance_entity_recall + 0.02


def test_shuffled_pairs_give_chance(corpus):
    known, target = corpus.pairs(900, seed=1), corpus.pairs(400, seed=2)
    order = np.random.default_rng(0).permutation(len(known))
    shuffled = Pairs(known.vectors[order], known.texts, known.labels, known.clean[order])
    leak = attack_words(shuffled, target, seed=0)
    assert leak.score.content_f1.low <= leak.chance_content_f1 + 0.02


def test_more_noise_says_less(corpus):
    got = [
        attack_words(
            corpus.pairs(400, seed=1, noise=noise), corpus.pairs(100, seed=2, noise=noise), seed=0
        ).score.content_f1.value
        for noise in (0.0, 0.5, 2.0)
    ]
    assert got[0] > got[1] > got[2]


def test_texts_held_are_found_by_the_nearest_under_noise(corpus):
    known = corpus.pairs(300, seed=1, noise=0.1)
    target = Pairs(known.vectors[:50], known.texts[:50], known.labels[:50])
    found = NearestText(known).nearest(target.vectors, target.labels)[:, 0]
    assert (found == np.arange(50)).mean() > 0.9


def test_repeats_for_a_seed_and_shows_no_words(corpus):
    known, target = corpus.pairs(100, seed=1), corpus.pairs(20, seed=2)
    a, b = (attack_words(known, target, seed=3) for _ in range(2))
    assert a == b
    assert not any(name.casefold() in repr(a) for name in ["Carla", "Maya", "surgery"])
    assert "Carla" not in repr(known)


def test_without_vectors_the_label_tells(corpus):
    known = corpus.pairs(600, seed=1)
    blind = known.without_vectors()
    found = WordInverter(blind, seed=0).recover(np.zeros((9, 0)), np.arange(9) % 6)
    # A row's label is the noun of it that comes first in the alphabet.
    assert all(NOUNS[i % 6] in words for i, words in enumerate(found))


def test_without_labels(corpus):
    known, target = corpus.pairs(300, seed=1), corpus.pairs(50, seed=2)
    known = Pairs(known.vectors, known.texts)
    target = Pairs(target.vectors, target.texts)
    leak = attack_words(known, target, seed=0)
    assert leak.score.content_f1.value > 0.9
    assert len(AnyText(known, seed=0).recover(known.vectors, None)) == 300


def test_a_label_never_seen_is_searched_among_all(corpus):
    known = corpus.pairs(60, seed=1)
    strange = np.full(60, 99)
    assert (NearestText(known).nearest(known.clean, strange)[:, 0] == np.arange(60)).mean() > 0.9
    assert len(WordInverter(known, seed=0).recover(known.vectors, strange)) == 60
    assert len(AnyText(known, seed=0).recover(known.vectors, strange)) == 60


def test_one_pair_is_enough_to_answer():
    one = Pairs(np.ones((1, 2)), ["a knee"])
    assert [set(said) for said in WordInverter(one, seed=0).recover(np.zeros((2, 2)))] == [
        {"a", "knee"}
    ] * 2
    assert NearestText(one).recover(np.zeros((2, 2))) == [("a", "knee")] * 2


def test_vocabulary_is_capped_to_the_most_frequent(monkeypatch):
    monkeypatch.setattr(inversion, "MOST_WORDS", 2)
    texts = ["knee often", "knee often", "knee often rare", "knee rare", "rare"]
    texts += ["knee often", "knee"]
    inverter = WordInverter(Pairs(np.zeros((7, 1)), texts), seed=0)
    assert inverter.vocabulary == ("knee", "often")


def test_texts_without_a_content_word():
    pairs = Pairs(np.eye(12), ["the and of"] * 12)
    assert set(WordInverter(pairs, seed=0).recover(np.eye(12))) == {("and", "of", "the")}


def test_sentence_takes_the_template_and_the_said_name(corpus):
    known = corpus.pairs(900, seed=1)
    target = corpus.pairs(30, seed=2)
    told = SentenceDecoder(known, seed=0).decode(target.vectors, target.labels)
    names = [text.split(" of ")[1].split()[0].casefold() for text in target.texts]
    assert all(f" of {name} with a " in line for name, line in zip(names, told, strict=True))


@given(st.integers(0, 2**32), st.integers(1, 5), st.floats(1e-3, 1e3))
@settings(deadline=None, max_examples=40)
def test_ridge_is_the_slow_one(seed, dim, penalty):
    rng = np.random.default_rng(seed)
    labels = rng.integers(3, size=20)
    x, y, asked = (rng.normal(size=size) for size in ((20, dim), (20, 2), (4, dim)))
    asked_labels = np.array([0, 1, 2, 7])

    def mean(values, label):
        rows = values[labels == label]
        if len(rows) == 0:
            return values.mean(axis=0)
        return (rows.sum(axis=0) + 2 * values.mean(axis=0)) / (len(rows) + 2)

    centered = np.array([x[i] - mean(x, labels[i]) for i in range(20)])
    residual = np.array([y[i] - mean(y, labels[i]) for i in range(20)])
    gram = centered.T @ centered / 20
    weights = np.linalg.solve(
        gram + penalty * np.trace(gram) / dim * np.eye(dim), centered.T @ residual / 20
    )
    slow = [
        (asked[i] - mean(x, asked_labels[i])) @ weights + mean(y, asked_labels[i]) for i in range(4)
    ]
    fast = RidgePath(x, y, labels).predict(asked, asked_labels, penalty)
    np.testing.assert_allclose(fast, slow, atol=1e-3)


def test_label_means_without_labels_are_the_mean():
    values = np.arange(6.0).reshape(3, 2)
    np.testing.assert_allclose(LabelMeans(values, None).of(np.array([4]), 1), [[2.0, 3.0]])


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=25)
def test_nearest_is_the_slow_one(seed):
    rng = np.random.default_rng(seed)
    known = Pairs(rng.normal(size=(30, 3)), ["x"] * 30, rng.integers(3, size=30))
    asked, labels = rng.normal(size=(10, 3)), rng.integers(3, size=10)
    slow = [
        min(
            (j for j in range(30) if known.labels[j] == labels[i]),
            key=lambda j: sum((asked[i] - known.vectors[j]) ** 2),
        )
        for i in range(10)
        if labels[i] in known.labels
    ]
    kept = np.isin(labels, known.labels)
    assert NearestText(known).nearest(asked, labels)[kept, 0].tolist() == slow


def test_several_nearest_ascend_and_repeat_the_last():
    known = Pairs(np.array([[0.0], [1.0], [3.0]]), ["a", "b", "c"], np.array([0, 0, 1]))
    nearest = NearestText(known)
    asked, labels = np.array([[0.9], [0.9]]), np.array([0, 1])
    assert nearest.nearest(asked, labels, n_texts=3).tolist() == [[1, 0, 0], [2, 2, 2]]
    assert nearest.nearest(asked, n_texts=3).tolist() == [[1, 0, 2]] * 2


def test_names_are_at_most_five_of_those_asked_for():
    texts = [f"the knee of n{i} and m{i}" for i in range(9)]
    known = Pairs(np.arange(9.0)[:, np.newaxis], texts)
    among = frozenset(word for text in texts for word in text.split()[3:])
    (named,) = NearestText(known).name(np.zeros((1, 1)), None, among)
    assert named == ("n0", "and", "m0", "n1", "m1")
    many = Pairs(np.zeros((60, 1)), texts[:6] * 10)
    for attack in (WordInverter(many, seed=0), AnyText(many, seed=0)):
        (named,) = attack.name(np.zeros((1, 1)), None, among)
        assert len(named) == 5
        assert set(named) <= among


def test_nearest_in_small_blocks_is_the_same(corpus, monkeypatch):
    known, target = corpus.pairs(100, seed=1), corpus.pairs(30, seed=2)
    whole = NearestText(known).nearest(target.vectors, target.labels)
    monkeypatch.setattr(inversion, "_BLOCK_ENTRIES", 7)
    assert NearestText(known).nearest(target.vectors, target.labels).tolist() == whole.tolist()


@pytest.mark.parametrize(
    ("make", "family", "code"),
    [
        (lambda: Pairs(np.zeros(3), ["a"] * 3), DimensionError, "dimension"),
        (lambda: Pairs(np.zeros((0, 3)), []), InputError, "no_rows"),
        (lambda: Pairs(np.full((2, 3), np.nan), ["a"] * 2), InputError, "not_finite"),
        (lambda: Pairs(np.zeros((2, 3)), ["a"]), DimensionError, "dimension"),
        (lambda: Pairs(np.zeros((2, 3)), ["a"] * 2, np.zeros(3, int)), DimensionError, "dimension"),
        (
            lambda: Pairs(np.zeros((2, 3)), ["a"] * 2, None, np.zeros((2, 2))),
            DimensionError,
            "dimension",
        ),
        (
            lambda: NearestText(Pairs(np.zeros((2, 3)), ["a"] * 2)).nearest(np.zeros((1, 2))),
            DimensionError,
            "dimension",
        ),
        (
            lambda: WordInverter(Pairs(np.zeros((2, 3)), ["a"] * 2), seed=0).recover(
                np.full((1, 3), np.inf)
            ),
            InputError,
            "not_finite",
        ),
        (
            lambda: attack_words(
                Pairs(np.zeros((9, 3)), ["a"] * 9), Pairs(np.zeros((2, 3)), ["a"] * 2), seed=0
            ),
            InputError,
            "pairs_few",
        ),
    ],
)
def test_refusals(make, family, code):
    with pytest.raises(family) as refused:
        make()
    assert refused.value.code == code
    assert refused.value.hint

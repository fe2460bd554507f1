"""How many of a text's words an attack got: F1 and the recall of entities, with intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np

from cipherset.core.errors import InputError
from cipherset.core.values import Floats
from cipherset.evidence.attack.inversion.pairs import Codes, Doubles, Pairs, check_length, parted
from cipherset.evidence.attack.inversion.tokens import (
    RareWords,
    entities,
    entity_words,
    is_content,
    words,
)
from cipherset.evidence.attack.inversion.words import AnyText, NearestText, WordInverter, Words
from cipherset.evidence.attack.statistics import CONFIDENCE, Interval

_RESAMPLES: Final = 2_000
_BLOCK_ENTRIES: Final = 2**21  # row weights held at a time: 16 MiB
_TUNING_SHARE: Final = 0.2


@dataclass(frozen=True, slots=True)
class TokenScore:
    """Each the mean over texts (F1) or the share of all entities (recall), with 95 % intervals.

    F1 compares sets of words, ``2 * hits / (recovered + true)``. ``entity_recall`` is the share of
    a text's entities that are among the five words an attack may name, so that naming more does
    not help; it is None where the texts hold no entity.
    """

    token_f1: Interval
    content_f1: Interval
    entity_recall: Interval | None
    n: int
    n_entities: int


@dataclass(frozen=True, slots=True)
class Said:
    """What an attack says of each row: the words it takes to be there, and up to five entities."""

    words: tuple[Words, ...] = field(repr=False)
    names: tuple[Words, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class WordLeak:
    """What the better attack got, beside what the labels give without a vector.

    ``attack`` names it and ``entity_attack`` the one behind the entities: each the better on a
    part of the attacker's own pairs, by content F1 and by entity recall. ``chance`` of each figure
    is the better of two guesses without a vector: the likeliest words of the label, and any known
    text of it. ``recovered`` (the words) and ``named`` (up to five entities) are of private texts:
    for the owner's eyes only.
    """

    attack: str
    entity_attack: str
    score: TokenScore
    chance_token_f1: float
    chance_content_f1: float
    chance_entity_recall: float | None
    recovered: tuple[Words, ...] = field(repr=False)
    named: tuple[Words, ...] = field(repr=False)


def attack_words(pairs: Pairs, target: Pairs, *, seed: int) -> WordLeak:
    """The words of the target's texts from its vectors, by the better of two attacks, scored.

    Knows: ``pairs``, the target's vectors and its labels. ``target.texts`` are for scoring only.

    Raises:
        DimensionError: code ``dimension``, the widths differ.
        InputError: code ``pairs_few``, with under 10 pairs nothing can be chosen.
    """
    if len(pairs) < 10:
        raise InputError(
            f"{len(pairs)} pairs: expected at least 10",
            code="pairs_few",
            hint="hand the attacker more texts",
        )
    fit_rows, tune_rows = parted(len(pairs), _TUNING_SHARE, np.random.default_rng(seed))
    fitted, tuned = pairs.take(fit_rows), pairs.take(tune_rows)
    rare = RareWords(pairs.texts)
    among = entity_words(pairs.texts, rare)
    attacks: dict[str, _Attack] = {
        "ridge": WordInverter(fitted, seed=seed),
        "nearest text": NearestText(fitted),
    }
    tried = {name: _said(attack, tuned, among) for name, attack in attacks.items()}
    for_words, for_entities = _better(tried, tuned, rare)
    found = {name: _said(attacks[name], target, among) for name in {for_words, for_entities}}
    said = Said(found[for_words].words, found[for_entities].names)
    blind = target.without_vectors()
    guesses: tuple[_Attack, ...] = (
        WordInverter(fitted.without_vectors(), seed=seed),
        AnyText(fitted, seed=seed),
    )
    chances = [
        score_tokens(_said(guess, blind, among), target.texts, rare=rare, seed=seed)
        for guess in guesses
    ]
    recalls = [c.entity_recall.value for c in chances if c.entity_recall is not None]
    return WordLeak(
        attack=for_words,
        entity_attack=for_entities,
        score=score_tokens(said, target.texts, rare=rare, seed=seed),
        chance_token_f1=max(c.token_f1.value for c in chances),
        chance_content_f1=max(c.content_f1.value for c in chances),
        chance_entity_recall=max(recalls, default=None),
        recovered=said.words,
        named=said.names,
    )


class _Attack(Protocol):
    def recover(self, vectors: Floats, labels: Codes | None) -> list[Words]: ...
    def name(self, vectors: Floats, labels: Codes | None, among: frozenset[str]) -> list[Words]: ...


def _said(attack: _Attack, target: Pairs, among: frozenset[str]) -> Said:
    return Said(
        tuple(attack.recover(target.vectors, target.labels)),
        tuple(attack.name(target.vectors, target.labels, among)),
    )


def _better(tried: Mapping[str, Said], tuned: Pairs, rare: RareWords) -> tuple[str, str]:
    """The attack with the best content F1, and that with the best entity recall."""
    named = [entities(text, rare) for text in tuned.texts]
    f1s = {n: float(_f1s(s.words, tuned.texts, content=True).mean()) for n, s in tried.items()}
    recalls = {name: float(_hits(said.names, named).sum()) for name, said in tried.items()}
    return max(f1s, key=f1s.__getitem__), max(recalls, key=recalls.__getitem__)


def score_tokens(said: Said, truth: Sequence[str], *, rare: RareWords, seed: int) -> TokenScore:
    """How well what is ``said`` matches the texts of ``truth``, row by row.

    ``rare`` judges what is a rare word, by texts the attacker knows. Intervals resample rows, all
    words of a row together.

    Raises:
        DimensionError: code ``dimension``, not one entry per text.
        InputError: code ``no_rows``.
    """
    check_length(said.words, len(truth), "words")
    check_length(said.names, len(truth), "names")
    if not truth:
        raise InputError("no texts", code="no_rows", hint="measure at least one row")
    named = [entities(text, rare) for text in truth]
    n_named = np.array([len(words_) for words_ in named], dtype=np.float64)
    hits = _hits(said.names, named)
    every = _f1s(said.words, truth, content=False)
    content = _f1s(said.words, truth, content=True)
    ones = np.ones(len(truth))
    return TokenScore(
        token_f1=ratio_interval(every, ones, seed=seed),
        content_f1=ratio_interval(content, ones, seed=seed),
        entity_recall=ratio_interval(hits, n_named, seed=seed) if n_named.any() else None,
        n=len(truth),
        n_entities=int(n_named.sum()),
    )


def ratio_interval(parts: Doubles, wholes: Doubles, *, seed: int) -> Interval:
    """``sum(parts) / sum(wholes)`` with the 95 % interval of rows drawn again with replacement.

    Draws in which the wholes sum to 0 are left out.

    Source: B. Efron, R. J. Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3.
    """
    rng = np.random.default_rng(seed)
    n = len(parts)
    step = max(_BLOCK_ENTRIES // n, 1)
    ratios = []
    for start in range(0, _RESAMPLES, step):
        weights = rng.multinomial(n, np.full(n, 1.0 / n), min(step, _RESAMPLES - start))
        below = weights @ wholes
        ratios.append((weights @ parts)[below > 0.0] / below[below > 0.0])
    low, high = np.quantile(np.concatenate(ratios), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(float(parts.sum() / wholes.sum()), float(low), float(high))


def _hits(recovered: Sequence[Words], named: Sequence[frozenset[str]]) -> Doubles:
    """How many of each text's entities were found."""
    pairs = zip(recovered, named, strict=True)
    return np.array([len(names.intersection(found)) for found, names in pairs], dtype=np.float64)


def _f1s(recovered: Sequence[Words], truth: Sequence[str], *, content: bool) -> Doubles:
    """The F1 of each row; 1 where there is no word and none was named."""
    scores = np.ones(len(truth))
    for i, (found, text) in enumerate(zip(recovered, truth, strict=True)):
        a, b = set(found), set(words(text))
        if content:
            a, b = {w for w in a if is_content(w)}, {w for w in b if is_content(w)}
        if a or b:
            scores[i] = 2.0 * len(a & b) / (len(a) + len(b))
    return scores

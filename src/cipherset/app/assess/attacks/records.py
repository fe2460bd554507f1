"""K3 and K4, inside the record: words, entities, attributes and the vector itself."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from cipherset.app.assess.case import Case, Step
from cipherset.app.assess.lines import Line, Stopwatch
from cipherset.app.exports.codes import Codes
from cipherset.core.values import Float32s
from cipherset.evidence.attack import Knowledge, Metric, Outcome
from cipherset.evidence.attack.inversion.attributes import AttributeAdvantage, AttributeInference
from cipherset.evidence.attack.inversion.pairs import Pairs
from cipherset.evidence.attack.inversion.reconstruct import Reconstructor
from cipherset.evidence.attack.inversion.score import WordLeak, attack_words

TOPICS: Final = 8
TOPIC: Final = f"topic (one of {TOPICS} clusters of the plain vectors, class means taken off)"
GIVEN: Final = "file, key, minimizer"
REPEATS: Final = 16


def words_of(case: Case) -> WordLeak:
    """What words of the victims' texts whoever stole key and minimizer gets; for the owner only."""
    return attack_words(_stolen_pairs(case), _targets(case), seed=case.seed)


def _stolen_pairs(case: Case) -> Pairs:
    """The attacker's texts through the stolen minimizer; he adds the noise himself."""
    clean, cipher = _minimized(case), case.protection.cipher
    noisy = cipher.remove_key(cipher.encrypt(clean))
    return Pairs(noisy, case.public.texts, case.public.codes, clean)


def _minimized(case: Case) -> Float32s:
    """The attacker's own texts through the minimizer, by whoever holds it or may ask."""
    protection, public = case.protection, case.public
    if public.y is None:
        return protection.minimizer.transform(public.x)
    return protection.minimized(public.x, public.y)


def _targets(case: Case) -> Pairs:
    removed = case.protection.cipher.remove_key(case.victims.c)
    labels = None if case.public.codes is None else case.victims.codes
    return Pairs(removed, case.victims.texts, labels)


def _words(case: Case) -> Iterator[Line]:
    watch, texts = Stopwatch(), len(case.public.texts)
    given = f"{GIVEN}, {texts} texts of his own"
    return _read(case, words_of(case), Knowledge.STOLEN_KEY, given, watch)


def _words_by_oracle(case: Case) -> Iterator[Line]:
    """An inversion model trained on pairs that the oracle made: no key, no minimizer."""
    watch, public, cipher = Stopwatch(), case.public, case.protection.cipher
    clean = _minimized(case)
    asked = Pairs(
        cipher.encrypt(clean),
        public.texts,
        public.codes,
        np.mean([cipher.encrypt(clean) for _ in range(REPEATS)], axis=0),
    )
    labels = None if public.codes is None else case.victims.codes
    targets = Pairs(case.victims.c, case.victims.texts, labels)
    given = f"{len(public.texts)} texts of his own, each encrypted {REPEATS} times"
    leak = attack_words(asked, targets, seed=case.seed)
    return _read(case, leak, Knowledge.ORACLE, given, watch)


def _read(
    case: Case, leak: WordLeak, knowledge: Knowledge, given: str, watch: Stopwatch
) -> Iterator[Line]:
    """Lines of what was read of the victims' texts, beside the same attack on plain vectors."""
    seconds, public, victims = watch.seconds(), case.public, case.victims
    plain = attack_words(
        Pairs(public.x, public.texts, public.codes),
        Pairs(victims.x, victims.texts, None if public.codes is None else victims.codes),
        seed=case.seed,
    )
    tokens, chance = leak.score.token_f1, leak.chance_token_f1
    figures = [(Metric.TOKEN_F1, leak.attack, tokens, plain.score.token_f1, chance)]
    recall, unprotected = leak.score.entity_recall, plain.score.entity_recall
    if recall is not None and unprotected is not None and leak.chance_entity_recall is not None:
        chance = leak.chance_entity_recall
        figures.append((Metric.ENTITY_RECALL, leak.entity_attack, recall, unprotected, chance))
    for metric, attack, found, without, by_chance in figures:
        yield Line(
            Outcome(
                attack=f"words by {attack}",
                knowledge=knowledge,
                metric=metric,
                value=found.value,
                ci=(found.low, found.high),
                chance=by_chance,
                unprotected=without.value,
                n=len(victims),
                seed=case.seed,
                seconds=seconds,
                given=given,
            )
        )


def _no_texts(case: Case) -> str | None:
    if not case.victims.texts:
        return "needs the records that were protected, to score words by: --records SOURCE"
    return None if case.public.texts else "needs public texts: --public SOURCE"


def _no_more_to_tell(case: Case) -> str | None:
    if case.scoring.plain.decidable:
        return None
    return "the clear columns identify every row by themselves"


def _attributes(case: Case) -> Iterator[Line]:
    """Columns that did not leave; and one that every export has, the topic within the class."""
    yield _attribute(case, TOPIC, *_topics(case))
    for name, (of_victims, of_others) in case.attributes.items():
        yield _attribute(case, name, of_victims, of_others)


def _attribute(case: Case, name: str, of_victims: np.ndarray, of_others: np.ndarray) -> Line:
    watch, cipher = Stopwatch(), case.protection.cipher
    found, plain = (
        _advantage(case, known, target, of_others, of_victims)
        for known, target in (
            (cipher.remove_key(case.others.c), cipher.remove_key(case.victims.c)),
            (case.others.x, case.victims.x),
        )
    )
    return Line(
        Outcome(
            attack=f"attribute: {name}",
            knowledge=Knowledge.STOLEN_KEY,
            metric=Metric.ATTRIBUTE_ADVANTAGE,
            value=found.advantage.value,
            ci=(found.advantage.low, found.advantage.high),
            chance=0.0,
            unprotected=plain.advantage.value,
            n=found.n,
            seed=case.seed,
            seconds=watch.seconds(),
            given=f"{GIVEN}, the attribute of {len(case.others)} other records; by {found.attack}, "
            f"accuracy {found.accuracy:.3f} over {found.label_alone:.3f} from clear columns",
        )
    )


def _advantage(
    case: Case, known: np.ndarray, target: np.ndarray, value: np.ndarray, truth: np.ndarray
) -> AttributeAdvantage:
    inference = AttributeInference(known, value, case.others.clear, seed=case.seed)
    return inference.score(target, truth, case.victims.clear, seed=case.seed)


def _topics(case: Case) -> tuple[Codes, Codes]:
    """The topics of victims and of others, from plain vectors less their class's mean."""
    from sklearn.cluster import KMeans

    both = np.concatenate([case.victims.x, case.others.x]).astype(np.float64)
    clear = np.concatenate([case.victims.clear, case.others.clear])
    for code in np.unique(clear):
        both[clear == code] -= both[clear == code].mean(axis=0)
    topics = KMeans(TOPICS, n_init=1, max_iter=50, random_state=case.seed).fit_predict(both)
    codes = topics.astype(np.int64)
    return codes[: len(case.victims)], codes[len(case.victims) :]


def _vector(case: Case) -> Iterator[Line]:
    """The plain vector rebuilt: a cosine no better than the class mean's says nothing."""
    watch, cipher, others = Stopwatch(), case.protection.cipher, case.others
    labels = others.codes if case.has_classes else None
    pairs = Pairs(cipher.remove_key(others.c), [""] * len(others), labels, others.z)
    victims_y = None if labels is None else case.victims.codes
    found = Reconstructor(pairs, others.x, seed=case.seed).score(
        cipher.remove_key(case.victims.c), case.victims.x, victims_y, seed=case.seed
    )
    yield Line(
        Outcome(
            attack="plain vector rebuilt",
            knowledge=Knowledge.STOLEN_KEY,
            metric=Metric.COSINE,
            value=found.cosine.value,
            ci=(found.cosine.low, found.cosine.high),
            chance=found.chance,
            unprotected=1.0,
            n=found.n,
            seed=case.seed,
            seconds=watch.seconds(),
            given=GIVEN,
        )
    )


STEPS: Final = (
    Step("words", _words, _no_texts),
    Step("attributes", _attributes, _no_more_to_tell),
    Step("plain vector", _vector),
)
SLOW_STEPS: Final = (Step("words by an oracle", _words_by_oracle, _no_texts),)

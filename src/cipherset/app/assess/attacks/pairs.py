"""K2: known pairs of record and ciphertext, and the fewest of them that pass the limit.

Pairs are rows of the export whose records the attacker knows from elsewhere. He does not hold the
minimizer: he learns the way from plain vector to ciphertext from the pairs at once, or puts a
minimizer of his own, fitted on public labeled text, in its place.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from cipherset.app.assess.case import Case, Known, Step
from cipherset.app.assess.lines import Aligned, Line, Stopwatch, linked, reid
from cipherset.app.workers import a_core_each
from cipherset.core.values import Floats
from cipherset.evidence.attack import Knowledge, Reidentification
from cipherset.evidence.attack.alignment.encoder import EncoderFromPairs
from cipherset.evidence.attack.alignment.pairs import PairAligner
from cipherset.evidence.attack.alignment.regression import ridge

COUNTS: Final = (2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
SHOWN: Final = (10, 100, 1000, 10000)
KEYS: Final = 5
# More pairs than this cost minutes: --full.
QUICK_PAIRS: Final = 2000
# The network looks at no more.
LEARNED: Final = 4000


@dataclass(frozen=True, slots=True)
class Point:
    """Re-identification at a number of pairs: mean over fresh keys, and of their intervals."""

    n_pairs: int
    noise_free: bool
    excess: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Fewest:
    """The fewest noisy and noise-free pairs that pass the limit, and what was tested."""

    n_star: int | None
    n_star_noise_free: int | None
    most_tested: int
    points: tuple[Point, ...]


def fewest_pairs(case: Case, *, every: bool) -> Fewest:
    """The fewest pairs at which the lower end of re-identification passes the limit.

    Over ``KEYS`` fresh keys, each with pairs of its own. More pairs never hurt an attacker; with
    ``every`` each count is tried all the same, for the curve.
    """
    counts = tested_counts(case, case.most_pairs)
    found: list[int | None] = []
    points: list[Point] = []
    for noise_free in (False, True):
        tried: dict[int, Point] = {}
        for count in counts if every else ():
            tried[count] = _point(case, count, noise_free=noise_free)
        found.append(_search(case, counts, tried, noise_free=noise_free))
        points += [tried[count] for count in sorted(tried)]
    return Fewest(found[0], found[1], counts[-1], tuple(points))


def tested_counts(case: Case, most: int) -> list[int]:
    """The numbers of pairs worth a try: as many as are known, and not more than ``most``."""
    limit = min(most, len(case.others))
    return sorted({*(count for count in COUNTS if count < limit), limit})


def _search(
    case: Case, counts: list[int], tried: dict[int, Point], *, noise_free: bool
) -> int | None:
    """The first of ``counts`` that passes; what is tried is added to ``tried``.

    After minimization mostly none does, so the largest is tried first; where the vectors are
    whole a few pairs mostly do, so it is tried last.
    """

    def passes(count: int) -> bool:
        if count not in tried:
            tried[count] = _point(case, count, noise_free=noise_free)
        return tried[count].low > case.limit

    if case.is_minimized and not passes(counts[-1]):
        return None
    return next((count for count in counts if passes(count)), None)


def _point(case: Case, n_pairs: int, *, noise_free: bool) -> Point:
    results = list(
        a_core_each(
            lambda key: _under_fresh_key(case, n_pairs, key, noise_free=noise_free), range(KEYS)
        )
    )
    excess, low, high = np.mean([(r.excess, r.low, r.high) for r in results], axis=0)
    return Point(n_pairs, noise_free, float(excess), float(low), float(high))


def _under_fresh_key(case: Case, n_pairs: int, draw: int, *, noise_free: bool) -> Reidentification:
    """The best attack with pairs, on the victims encrypted under a key made for this."""
    fresh = case.under_fresh_key()
    rng = np.random.default_rng([case.seed, draw, n_pairs])
    pairs = case.others.take(rng.choice(len(case.others), n_pairs, replace=False))
    c_pairs = fresh.encrypt_query(pairs.z) if noise_free else fresh.encrypt(pairs.z)
    return _best(case, _guesses(case, pairs, c_pairs, fresh.encrypt(case.victims.z)))[1]


def _best(case: Case, tried: Iterable[Aligned]) -> tuple[Aligned, Reidentification]:
    """The guess that finds most, chosen on the victims: the attacker's luck."""
    found = [(one, reid(one, case.victims.clear)) for one in tried]
    return max(found, key=lambda one: one[1].excess)


def _guesses(case: Case, pairs: Known, c_pairs: Floats, c_victims: Floats) -> Iterator[Aligned]:
    """Candidates brought to the ciphertexts, and ciphertexts brought to the candidates."""
    plain, candidates = pairs.x, case.victims.x
    matrix, offset = ridge(plain.astype(np.float64), c_pairs.astype(np.float64))
    yield Aligned(c_victims, candidates @ matrix + offset, case.supposed_noise)
    spaces = [(plain, candidates)]
    if case.is_minimized:
        spaces = [(own.transform(plain), own.transform(candidates)) for own in case.surrogates]
    for mine, images in spaces:
        for guess in PairAligner(c_pairs, mine).recover(case.seed):
            yield Aligned(guess.apply(c_victims), images, case.supposed_noise)


def _network(case: Case, pairs: Known) -> Aligned:
    """A network in place of minimizer and key; slower than the rest, so only where it is shown."""
    learned = EncoderFromPairs(pairs.x[:LEARNED], pairs.c[:LEARNED]).learn(case.seed)
    return Aligned(case.victims.c, learned.predict(case.victims.x), case.supposed_noise)


def _known_pairs(case: Case) -> Iterator[Line]:
    most = min(case.most_pairs, len(case.others))
    for n_pairs in sorted({min(n_pairs, most) for n_pairs in SHOWN}):
        watch = Stopwatch()
        rng = np.random.default_rng([case.seed, n_pairs])
        pairs = case.others.take(rng.choice(len(case.others), n_pairs, replace=False))
        tried = [*_guesses(case, pairs, pairs.c, case.victims.c), _network(case, pairs)]
        aligned, _ = _best(case, tried)
        yield from linked(
            case.scoring,
            aligned,
            attack="map learned from pairs",
            knowledge=Knowledge.KNOWN_PAIRS,
            given=f"{n_pairs} known pairs",
            watch=watch,
        )


STEPS: Final = (Step("known pairs", _known_pairs),)

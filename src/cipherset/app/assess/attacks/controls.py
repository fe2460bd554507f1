"""The suite is tested on weak things first: what was planted must be found, and nothing else.

A suite that misses a planted weakness is broken, and its finding nothing says nothing.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from cipherset.app.assess.case import Case
from cipherset.app.assess.lines import Aligned, reid
from cipherset.app.assess.verdict import Control
from cipherset.app.workers import a_core_each
from cipherset.core.values import NO_NOISE, Floats, NoiseLaw
from cipherset.evidence.attack import clopper_pearson
from cipherset.evidence.attack.alignment.pairs import PairAligner
from cipherset.evidence.attack.alignment.permutation import PermutationMatcher

# Of what the same vectors give away unprotected.
FOUND: Final = 0.9
MOST_ROTATED: Final = 64
# So that a suite in order fails a control once in ten thousand runs, not once in twenty.
CONFIDENCE: Final = 0.9999
# What an alignment may leave between a vector and its image where there is no noise.
_SMALL: Final = NoiseLaw.gaussian(0.01)


def controls(case: Case) -> Iterator[Control]:
    """Every control, on the very rows of the case."""
    planted = (_no_protection, _permutation, _rotation, _random)
    return a_core_each(lambda control: control(case), planted)


def _no_protection(case: Case) -> Control:
    """Vectors as they are: every record that is there once must be found."""
    x = case.victims.x
    found = _excess(case, x + np.float32(0.0), x, noise=NO_NOISE)
    return Control("a scheme that does nothing", found, (FOUND * _possible(case), 1.0))


def _permutation(case: Case) -> Control:
    """Coordinates permuted, no noise; the attacker's text is the victims' own."""
    x = case.victims.x
    order = np.random.default_rng([case.seed, 0xC1]).permutation(x.shape[1])
    guess = PermutationMatcher(x[:, order], x, 0.0).recover(case.seed)
    found = _excess(case, guess.apply(x[:, order]), x)
    return Control("a permutation, without noise or a pair", found, (FOUND * _possible(case), 1.0))


def _rotation(case: Case) -> Control:
    """Some coordinates rotated, no noise, four pairs a coordinate."""
    width = min(case.victims.x.shape[1], len(case.others) // 4, MOST_ROTATED)
    x, known = (rows.x[:, :width].astype(np.float64) for rows in (case.victims, case.others))
    q = np.linalg.qr(np.random.default_rng([case.seed, 0xC2]).standard_normal((width, width)))[0]
    pairs = PairAligner(known[: 4 * width] @ q, known[: 4 * width])
    best = max(_excess(case, guess.apply(x @ q), x) for guess in pairs.recover(case.seed))
    possible = _excess(case, x, x, noise=NO_NOISE)
    return Control("a rotation, without noise, with pairs", best, (FOUND * possible, 1.0))


def _random(case: Case) -> Control:
    """Random numbers instead of ciphertexts: nothing beyond the clear columns may be found."""
    z, clear = case.victims.z, case.victims.clear
    noise = np.random.default_rng([case.seed, 0xC3]).standard_normal(z.shape)
    found = reid(Aligned(noise, z, case.supposed_noise), clear)
    hits = round(found.label_alone * found.n)
    # Of one hit that chance would give, none is no fault: only what is too much is one.
    _, most = clopper_pearson(hits, found.n, CONFIDENCE)
    return Control("random numbers", found.rank1, (0.0, most))


def _possible(case: Case) -> float:
    """1 where the clear columns leave anything to be found, else 0."""
    return 1.0 if case.scoring.plain.decidable else 0.0


def _excess(case: Case, estimates: Floats, candidates: Floats, noise: NoiseLaw = _SMALL) -> float:
    return reid(Aligned(estimates, candidates, noise), case.victims.clear).excess

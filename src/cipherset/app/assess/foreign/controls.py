"""Weak things planted in the file's own records: they must be found, and nothing else."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from cipherset.app.assess.attacks.controls import CONFIDENCE, FOUND
from cipherset.app.assess.foreign.files import Files, Rows
from cipherset.app.assess.lines import Aligned, Scoring, reid
from cipherset.app.assess.verdict import Control
from cipherset.app.calibration.permutation import PermutationScheme
from cipherset.core.values import NoiseLaw
from cipherset.evidence.attack import clopper_pearson
from cipherset.evidence.attack.alignment.permutation import PermutationMatcher

PLANTED_FACTOR: Final = 1.0
# What a recovered order leaves at that factor: a ball of radius 1/4 in hundreds of dimensions.
_LEFT: Final = NoiseLaw.gaussian(0.02)


def suite(victims: Rows, scoring: Scoring) -> Iterator[Control]:
    """Whether records that are there are found, and whether any are found that are not."""
    yield Control("a scheme that does nothing", scoring.plain.excess, (FOUND, 1.0))
    noise = np.random.default_rng([scoring.seed, 0xF2]).standard_normal(victims.x.shape)
    found = reid(Aligned(noise, victims.x, NoiseLaw.gaussian(1.0)), victims.clear)
    _, most = clopper_pearson(round(found.label_alone * found.n), found.n, CONFIDENCE)
    yield Control("random numbers", found.rank1, (0.0, most))


def planted(files: Files, scoring: Scoring) -> Control:
    """The file's own records under a permutation, attacked with the public text that was given.

    It fails where the public text is too far from the records, or there is too little of either:
    then it says nothing that the file itself was not opened.
    """
    victims, known = files.victims, files.known
    name = f"a permutation of these records, factor {PLANTED_FACTOR:g}, no pair"
    if victims is None or known is None:
        return Control(name, 0.0, (FOUND, 1.0))
    rng = np.random.default_rng([scoring.seed, 0xF3])
    scheme = PermutationScheme.drawn(victims.x.shape[1], PLANTED_FACTOR, rng)
    rows = np.concatenate([victims.x, known.x])[: len(files.c)]
    hidden = scheme.encrypt(rows, rng)
    guess = PermutationMatcher(hidden, files.public).recover(scoring.seed)
    n = min(len(victims), len(hidden))
    found = reid(Aligned(guess.apply(hidden[:n]), victims.x[:n], _LEFT), victims.clear[:n]).excess
    return Control(name, found, (FOUND * scoring.plain.excess, 1.0))

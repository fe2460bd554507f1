"""What an index gives away to whoever keeps it, by attacks on ciphertexts of these very rows.

An index is reversible: who has its key has its rows, and no noise helps. So what is measured, and
held against the limit, is what somebody gets *without* the key: with vectors of other rows of the
same source (K1). What known pairs would add (K2) is measured too and stands in the manifest.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cipherset.app.assess.lines import Aligned, reid, supposed
from cipherset.app.workers import one_thread
from cipherset.core.errors import PolicyError
from cipherset.core.secret import SECRET_BYTES
from cipherset.core.values import Float32s
from cipherset.evidence.attack import Reidentification
from cipherset.evidence.attack.alignment.linear_map import LinearMap
from cipherset.evidence.attack.alignment.pairs import PairAligner
from cipherset.evidence.attack.alignment.rotation import RotationAligner
from cipherset.evidence.attack.alignment.translation import UnpairedTranslator
from cipherset.pipeline.encrypt import VectorCipher

# Tried in this order where none is given: less noise first, for it costs recall.
FACTORS: Final = (2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 16.0, 24.0)
SAMPLE_ROWS: Final = 5_000
VICTIMS: Final = 1_000
PAIRS: Final = (10, 100, 1_000)
# Fewer rows are attacked under several keys, so that as many ciphertexts are judged.
LEAST_JUDGED: Final = 200
MOST_KEYS: Final = 5
LEAST_ROWS: Final = 10
TRANSLATED: Final = 2
TRANSLATED_ROWS: Final = 50
_SEED: Final = 0x1D


@dataclass(frozen=True, slots=True)
class Risk:
    """Re-identification without the key at one approximation factor.

    ``low`` and ``high`` are the ends of its 95 % interval, over all rows and keys that were
    attacked; ``by_pairs`` is what so many known pairs give.
    """

    factor: float
    excess: float
    low: float
    high: float
    candidates: int
    by_pairs: tuple[tuple[int, float], ...]

    def summary(self) -> dict[str, float]:
        """Plain figures for the manifest and for people."""
        told = {
            "reid": self.excess,
            "reid_low": self.low,
            "reid_high": self.high,
            "candidates": float(self.candidates),
        }
        return told | {f"reid_{count}_pairs": value for count, value in self.by_pairs}


def choose(sample: Float32s, factors: Sequence[float], *, max_reid: float, seed: int) -> Risk:
    """What was measured at the first of ``factors`` within the limit, or else at the last.

    ``sample`` are plain vectors of the index, (n, dim), at least ``LEAST_ROWS``.
    """
    found = measure(sample, factors[0], seed=seed)
    for factor in factors[1:]:
        if found.high <= max_reid:
            break
        found = measure(sample, factor, seed=seed)
    return found


def measure(sample: Float32s, factor: float, *, seed: int) -> Risk:
    """What the attacker gets of ciphertexts at an approximation factor.

    Half of the sample is his own; he has ciphertexts of the other half, and its vectors as
    candidates. The keys are made for this and kept by nobody.
    """
    rng = np.random.default_rng([seed, _SEED])
    rows = sample[rng.permutation(len(sample))]
    public, victims = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    keys = min(max(1, -(-LEAST_JUDGED // len(victims))), MOST_KEYS)
    with one_thread():
        found = [
            _unpaired(_fresh(sample.shape[1], factor), public, victims, seed, key)
            for key in range(keys)
        ]
        pairs = tuple(_paired(_fresh(sample.shape[1], factor), public, victims, seed))
    excess, low, high = _together(found)
    return Risk(factor, excess, low, high, found[0].candidates, pairs)


def _fresh(dim: int, factor: float) -> VectorCipher:
    return VectorCipher(os.urandom(SECRET_BYTES), dim=dim, approximation_factor=factor)


def _together(found: list[Reidentification]) -> tuple[float, float, float]:
    """The mean over keys; the interval is that of one key, narrowed as by so many keys."""
    excess = float(np.mean([one.excess for one in found]))
    width = len(found) ** 0.5
    low = float(np.mean([one.excess - one.low for one in found])) / width
    high = float(np.mean([one.high - one.excess for one in found])) / width
    return excess, excess - low, min(excess + high, 1.0)


def _unpaired(
    cipher: VectorCipher, public: Float32s, victims: Float32s, seed: int, key: int
) -> Reidentification:
    c, radius = cipher.encrypt(victims), cipher.noise_radius
    guesses = [RotationAligner(c, public, radius).recover(seed + key)]
    # The slower attack, and mostly the lesser; of a few rows it makes nothing.
    if key < TRANSLATED and min(len(public), len(victims)) >= TRANSLATED_ROWS:
        guesses.append(UnpairedTranslator(c, public, radius).recover(seed + key))
    return _best(guesses, cipher, c, victims)


def _paired(
    cipher: VectorCipher, public: Float32s, victims: Float32s, seed: int
) -> Iterator[tuple[int, float]]:
    c, known = cipher.encrypt(victims), cipher.encrypt(public)
    for count in PAIRS:
        if count <= len(public):
            guesses = PairAligner(known[:count], public[:count]).recover(seed)
            yield count, _best(guesses, cipher, c, victims).excess


def _best(
    guesses: Sequence[LinearMap], cipher: VectorCipher, c: Float32s, victims: Float32s
) -> Reidentification:
    candidates, law = victims[:VICTIMS], supposed(cipher.noise, cipher.dim)
    groups = np.zeros(len(candidates), dtype=np.int64)
    found = [reid(Aligned(guess.apply(c[:VICTIMS]), candidates, law), groups) for guess in guesses]
    return max(found, key=lambda one: one.excess)


def decide(risk: Risk, *, max_reid: float, accepted: str | None) -> None:
    """Refuse what gives away too much to whoever keeps the index, unless it is accepted.

    Raises:
        PolicyError: ``measured_risk``.
    """
    if accepted is not None or risk.high <= max_reid:
        return
    raise PolicyError(
        f"re-identification by whoever keeps the index, without the key, with vectors of other "
        f"rows of the source: {risk.excess:.4f}, up to {risk.high:.4f} (limit {max_reid:g}), "
        f"among {risk.candidates} candidates at approximation factor {risk.factor:g}",
        code="measured_risk",
        hint="add noise (raise --approximation-factor; search then looks at more rows), raise "
        "--max-reid, or keep the index where only you read it and record an exception with "
        "--accept-risk REASON",
    )

"""How well a model knows planted secrets, in bits.

    exposure = log2 |R| - log2 rank

where ``|R|`` is the number of possible secrets and ``rank`` the place of the planted one when all
are ordered by the probability that the model gives their rows. A model that was not trained on
the secret ranks it anywhere: its exposure exceeds b bits with a chance of 2**-b, and is 1.44 bits
on the average. One that ranks it first has ``log2 |R|`` bits: it can be read out.

Source: N. Carlini, C. Liu, Ú. Erlingsson, J. Kos and D. Song, "The Secret Sharer", USENIX
Security 2019, section 4 (definition of exposure; its approximation by sampling, and by a
skew-normal law of the log-perplexities). https://arxiv.org/abs/1802.08232
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import InputError
from cipherset.pipeline.sanitize.canaries.plant import Canaries

LogProbability = Callable[[list[str]], npt.NDArray[np.float64]]
Complete = Callable[[str], str]
Reals = npt.NDArray[np.float64]

MOST_RANKED: Final = 100_000  # secrets, if there are no more, are all asked about
SAMPLES: Final = 10_000
_BATCH: Final = 1024
_LEAST_FIT: Final = 1e-3  # of the Kolmogorov-Smirnov test, below which the law is not believed


@dataclass(frozen=True, slots=True)
class Exposure:
    """Bits for each canary, in the order they were made, shape (n,).

    ``exact``: by rank among all secrets. Otherwise by rank among ``n_candidates`` random ones,
    and where none of them is more probable, by the fitted law; ``fit`` is the law's p-value and
    ``most_bits`` what can be told: ``log2 |R|``, or without a believable law
    ``log2(n_candidates + 1)``. ``chance``: the probability of as much exposure or more in all,
    were the model not trained on them.
    """

    bits: Reals = field(repr=False)
    most_bits: float
    n_candidates: int
    exact: bool
    fit: float | None
    chance: float

    @property
    def mean(self) -> float:
        """The average over the canaries; 1.44 where the model knows nothing."""
        return float(self.bits.mean())

    @property
    def highest(self) -> float:
        """The canary that is known best."""
        return float(self.bits.max())

    @property
    def n_readable(self) -> int:
        """How many canaries have all the bits: no other secret is more probable."""
        return int((self.bits >= self.most_bits - 1e-9).sum()) if self.exact else 0


def exposure(
    log_probability: LogProbability,
    canaries: Canaries,
    *,
    rng: np.random.Generator,
    n_samples: int = SAMPLES,
) -> Exposure:
    """The exposure of ``canaries`` to a model.

    Knows: the planted secrets, and the log-probability of any row.

    Args:
        log_probability: Texts to natural log-probabilities of the whole text, shape (n,); any
            increasing function of them will do for the exact ranks.
        canaries: What was planted.
        rng: Draws the candidates where not all secrets are asked about.
        n_samples: How many it draws.

    Raises:
        InputError: ``canary_answers``: not one finite number for each text.
    """
    form = canaries.format
    planted = _asked(log_probability, canaries.texts)
    exact = form.n_secrets <= MOST_RANKED
    numbers = np.arange(form.n_secrets) if exact else _drawn(form.n_secrets, n_samples, rng)
    secrets = [form.secret(int(number)) for number in numbers]
    known = set(canaries.secrets)
    others = [form.text(secret) for secret in secrets if secret not in known]
    answers = np.sort(_asked(log_probability, others))
    # Other canaries do not count against a canary: all of them may be known. Ties count in full.
    above = len(answers) - np.searchsorted(answers, planted, side="left")
    bits = np.log2(len(answers) + 1) - np.log2(above + 1)
    most, fit = float(np.log2(len(answers) + 1)), None
    if not exact:
        bits, most, fit = _extended(bits, planted, answers, math.log2(form.n_secrets))
    return Exposure(bits, most, len(answers), exact, fit, _chance(bits))


def _extended(
    bits: Reals, planted: Reals, answers: Reals, most: float
) -> tuple[Reals, float, float | None]:
    """Bits beyond what a sample can tell, by a skew-normal law where it fits the sample."""
    from scipy.stats import kstest, skewnorm

    if np.ptp(answers) == 0:
        return bits, float(np.log2(len(answers) + 1)), None
    law = skewnorm(*skewnorm.fit(answers))
    fit = float(kstest(answers, law.cdf).pvalue)
    if fit < _LEAST_FIT:
        return bits, float(np.log2(len(answers) + 1)), fit
    beyond = planted > answers[-1]
    tail = -np.asarray(law.logsf(planted)) / np.log(2)
    return np.where(beyond, np.clip(np.maximum(tail, bits), 0, most), bits), most, fit


def _chance(bits: Reals) -> float:
    """``P(sum of n exposures >= sum)`` for ranks that are uniform.

    ``-log2 U`` is exponential with mean 1 / log(2), so the sum is a gamma variable of shape n.
    """
    from scipy.stats import gamma

    return float(gamma.sf(bits.sum() * np.log(2), a=len(bits)))


def _drawn(n_secrets: int, n_samples: int, rng: np.random.Generator) -> Sequence[int]:
    """Different numbers below ``n_secrets``, which may be far beyond 64 bits."""
    chosen: dict[int, None] = {}
    while len(chosen) < n_samples:
        digits = rng.integers(0, 2**32, size=1 + n_secrets.bit_length() // 32 + 2).tolist()
        number = sum(int(digit) << (32 * place) for place, digit in enumerate(digits))
        chosen[number % n_secrets] = None
    return list(chosen)


def _asked(log_probability: LogProbability, texts: list[str]) -> Reals:
    """The model's answers, asked for a thousand texts at a time."""
    parts = [np.zeros(0)]
    for start in range(0, len(texts), _BATCH):
        batch = texts[start : start + _BATCH]
        answers = np.asarray(log_probability(batch), dtype=np.float64)
        if answers.shape != (len(batch),) or not np.isfinite(answers).all():
            raise InputError(
                f"the model answered {len(batch)} texts with an array of shape {answers.shape}, "
                "or with numbers that are not finite",
                code="canary_answers",
                hint="give a callable that returns one log-probability for each text",
            )
        parts.append(answers)
    return np.concatenate(parts)


@dataclass(frozen=True, slots=True)
class Completions:
    """What a model gave away when it was given the text before the secret.

    ``matched``: how many characters at the beginning of each secret it completed, shape (n,).
    ``chance``: the probability that a model that knows nothing completes so many in all.
    """

    matched: npt.NDArray[np.int64] = field(repr=False)
    length: int
    chance: float

    @property
    def n_read_out(self) -> int:
        """How many secrets were completed whole."""
        return int((self.matched == self.length).sum())


def exposure_by_completion(
    complete: Complete, canaries: Canaries, *, given: int = 0
) -> Completions:
    """How much of each secret a model completes.

    Knows: what stands before a secret, and ``given`` of its first characters; a model's one
    completion of it. A secret that shares its template with others can be completed by one of
    them only, so ask with some characters given, or for many completions.
    """
    form = canaries.format
    matched = np.zeros(len(canaries.secrets), dtype=np.int64)
    for place, secret in enumerate(canaries.secrets):
        answer = complete(form.prompt + secret[:given]).lstrip()
        rest = secret[given:]
        same = [a == b for a, b in zip(answer, rest, strict=False)] + [False]
        matched[place] = given + same.index(False)
    return Completions(matched, form.length, _completion_chance(matched - given, canaries, given))


def _completion_chance(gained: npt.NDArray[np.int64], canaries: Canaries, given: int) -> float:
    """``P(sum of n guessed prefixes >= sum)``, each letter right once in ``len(alphabet)`` times.

    The lengths of prefixes guessed right are geometric, cut at what is left of the secret; their
    sum is convolved.
    """
    hit, left = 1 / len(canaries.format.alphabet), canaries.format.length - given
    one = np.array([hit**k * (1 - hit) for k in range(left)] + [hit**left])
    total = np.ones(1)
    for _ in range(len(gained)):
        total = np.convolve(total, one)
    return float(min(1.0, total[int(gained.sum()) :].sum()))

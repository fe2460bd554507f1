"""What an export gives away to somebody who holds the file, the key and the minimizer.

Re-identification is label-aware: the attacker looks only among candidates that share the row's
clear columns, so what counts is the excess over what those columns alone give.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from cipherset.app.exports.utility import Part, Protection, Rows
from cipherset.core.manifest import Task
from cipherset.core.values import NO_NOISE
from cipherset.evidence.attack import Exposure, Reidentification, expose, reidentify

CANDIDATES: Final = 2000
# Half of them choose the most exposed rows, the other half score them; fewer rows, more draws.
DRAWS: Final = 8
MOST_DRAWS: Final = 64
# The most exposed may be found this many times as often as the limit says of all rows.
TIMES: Final = 10


@dataclass(frozen=True, slots=True)
class Joined:
    """What this export and others of the same rows give away together.

    ``exports`` are the ids of the others, ``drawn`` those of them that are no longer where they
    were put, so that their ciphertexts were drawn anew; ``rows`` is how many rows are shared.
    """

    exports: tuple[str, ...]
    drawn: tuple[str, ...]
    rows: int
    reid: Reidentification


@dataclass(frozen=True, slots=True)
class Leak:
    """Re-identification of held-out and of training rows, and who is exposed most."""

    test: Reidentification
    train: Reidentification
    unprotected: Reidentification
    exposure: Exposure
    joined: Joined | None = None

    @property
    def worst(self) -> Reidentification:
        """The split that gives away more, by its upper bound."""
        return max(self.test, self.train, key=lambda r: r.high)

    def summary(self) -> dict[str, float | int | bool | None]:
        """Plain figures for the manifest and for people."""
        worst, exposure = self.worst, self.exposure
        joined = self.joined
        return {
            "reid": worst.excess,
            "reid_low": worst.low,
            "reid_high": worst.high,
            "reid_rank1_in_class": worst.rank1,
            "reid_mrr": worst.mrr,
            "label_alone": worst.label_alone,
            "unprotected": self.unprotected.excess,
            "candidates": worst.candidates,
            "few_rows": worst.few_rows,
            "single_candidate": worst.single_candidate,
            "most_exposed_1pct": exposure.top,
            "most_exposed_1pct_excess": exposure.top_excess,
            "most_exposed_1pct_guessed": exposure.top_guessed,
            "smallest_class": exposure.smallest_group,
            "smallest_class_alone": exposure.smallest_group_alone,
            "misclassified": exposure.marked,
            "joined_exports": 0 if joined is None else len(joined.exports),
            "joined_rows": None if joined is None else joined.rows,
            "joined_reid": None if joined is None else joined.reid.excess,
            "joined_reid_high": None if joined is None else joined.reid.high,
        }


def measure_reid(protection: Protection, part: Part) -> Reidentification:
    """Attack the ciphertexts of ``part`` with key and minimizer in hand."""
    return reidentify(
        protection.cipher.remove_key(part.ciphertexts),
        protection.minimized(part.rows.x, part.rows.y),
        truth=np.arange(len(part.rows)),
        ciphertext_groups=part.rows.clear,
        candidate_groups=part.rows.clear,
        noise=protection.cipher.noise,
    )


def measure_exposure(protection: Protection, rows: Rows) -> Exposure:
    """Who of ``rows`` fares worst, over draws of the noise of their own."""
    missed = np.zeros(len(rows), dtype=bool)
    if protection.task is Task.CLASSIFICATION:
        missed = protection.head(rows.x) != rows.y
    placed = protection.minimized(rows.x, rows.y)
    draws = min(DRAWS * max(round(CANDIDATES / len(rows)), 1), MOST_DRAWS)
    return expose(
        placed,
        [protection.cipher.remove_key(protection.cipher.encrypt(placed)) for _ in range(draws)],
        groups=rows.clear,
        marked=missed,
        noise=protection.cipher.noise,
    )


def measure_leak(protection: Protection, *, train: Part, test: Part, seed: int) -> Leak:
    """Attack both splits; a measurement on more candidates than ``CANDIDATES`` would flatter."""
    some_test, some_train = first(test, seed), first(train, seed)
    rows = some_test.rows
    unprotected = reidentify(
        rows.x,
        rows.x,
        truth=np.arange(len(rows)),
        ciphertext_groups=rows.clear,
        candidate_groups=rows.clear,
        noise=NO_NOISE,
    )
    return Leak(
        test=measure_reid(protection, some_test),
        train=measure_reid(protection, some_train),
        unprotected=unprotected,
        exposure=measure_exposure(protection, rows),
    )


def first(part: Part, seed: int) -> Part:
    """At most ``CANDIDATES`` rows of a part, drawn at random."""
    order = np.random.default_rng([seed, 0xCA]).permutation(len(part.rows))[:CANDIDATES]
    return Part(part.rows.take(order), part.ciphertexts[order])

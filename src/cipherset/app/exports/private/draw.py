"""Rows drawn in the place of the source's: what is spent on what, and what comes of it."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from cipherset.app.exports.codes import Codes
from cipherset.app.exports.dataset import Dataset
from cipherset.app.exports.plan import FIT_ROWS
from cipherset.core.errors import InputError
from cipherset.core.values import Float32s, Guarantee
from cipherset.pipeline.minimize import (
    FittedMinimizer,
    MinimizerKind,
    MinimizerSpec,
    from_scores,
)
from cipherset.pipeline.private import (
    Share,
    budget,
    drawn,
    draws_of,
    private_counts,
    private_moments,
    scores_within,
)

# Settled on public data, as the recipe of the scores is.
COUNTS_SHARE: Final = 0.1
SCORES_SHARE: Final = 0.7
MOMENTS_SHARE: Final = 0.2
# Of delta; the rest is the noise's.
THRESHOLD_SHARE: Final = 0.1
MOST_DIM: Final = 64


@dataclass(frozen=True, slots=True)
class Parts:
    """Which rows are computed from, and which are held out for the owner's figures alone."""

    fit: Codes = field(repr=False)
    test: Codes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Drawn:
    """Drawn rows (n, k), their classes among ``classes``, and the minimizer whose space it is.

    ``codes`` are those of the source's classes that are told of.
    """

    z: Float32s = field(repr=False)
    y: Codes = field(repr=False)
    minimizer: FittedMinimizer = field(repr=False)
    classes: tuple[str, ...] = field(repr=False)
    codes: Codes = field(repr=False)


def parted(dataset: Dataset, test_share: float) -> Parts:
    """The rows by their keyed identities, each by its own alone.

    So no row changes what part another plays; copies play one. Of more than ``FIT_ROWS`` rows about
    as many are computed from.
    """
    place = dataset.identities / 2.0**64
    most = min(1.0, test_share + FIT_ROWS / max(dataset.n_rows, 1))
    return Parts(
        fit=np.flatnonzero((place >= test_share) & (place < most)),
        test=np.flatnonzero(place < test_share),
    )


def draw(dataset: Dataset, rows: Codes, kept: Guarantee, rng: np.random.Generator) -> Drawn:
    """As many rows as were computed from, but for noise, and a model of each class's.

    Everything in it keeps ``kept`` for each row: its vector and its label replaced by any others.

    Raises:
        InputError: ``label_type``: no classes; ``private_classes``; ``private_budget``;
            ``private_rows``; ``private_width``; ``norm``.
    """
    if dataset.labels is None:
        raise InputError("a synthetic release needs classes", code="label_type")
    y, n_classes = dataset.labels[rows], len(dataset.classes)
    rho = budget(
        Guarantee(kept.epsilon, kept.delta * (1 - THRESHOLD_SHARE)),
        draws=draws_of(dataset.dim, n_classes) + n_classes + MOST_DIM * (MOST_DIM + n_classes),
    )
    counts = private_counts(
        y, n_classes=n_classes, rho=rho * COUNTS_SHARE, delta=kept.delta * THRESHOLD_SHARE
    )
    chosen = np.flatnonzero(np.isin(y, counts.kept))
    codes = np.searchsorted(counts.kept, y[chosen])
    x, n_kept = dataset.vectors(rows[chosen]), len(counts.kept)
    share = Share(n_kept, int(counts.rows.sum()), rho * SCORES_SHARE)
    scores = scores_within(x, codes, share)
    spec = MinimizerSpec(MinimizerKind.DP_BOTTLENECK, min(n_kept, MOST_DIM, dataset.dim), kept)
    minimizer = from_scores(spec, scores.matrix, scores.offset, np.arange(n_kept), shrink=0.0)
    moments = private_moments(
        minimizer.transform(x), codes, rows=counts.rows, rho=rho * MOMENTS_SHARE
    )
    z, drawn_y = drawn(moments, int(counts.rows.sum()), rng)
    classes = tuple(dataset.classes[code] for code in counts.kept)
    return Drawn(z, drawn_y, minimizer, classes, counts.kept)

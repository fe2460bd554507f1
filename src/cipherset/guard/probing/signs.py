"""What is counted of a block of queries, and what its counts are a sign of.

Blocks add up: a sign is looked for in the last block and in the last few together, so that neither
a burst nor a drip hides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

BLOCK: Final = 64
N_BINS: Final = 10
_LEAST_SPREADS: Final = BLOCK // 4


class Sign(StrEnum):
    """What is unusual of queries.

    ``shift``: they are no rows of the kind that the model learned from. ``near``: many are small
    changes of earlier ones. ``boundary``: small changes that change the label. ``spread``: they lie
    closer together, or further apart, than such rows do.
    """

    SHIFT = "shift"
    NEAR = "near"
    BOUNDARY = "boundary"
    SPREAD = "spread"


@dataclass(slots=True, eq=False)
class Block:
    """Sums over ``n`` queries: features (2 f,), labels (c,), near, flips, spreads (N_BINS,)."""

    features: Doubles = field(repr=False)
    labels: Doubles = field(repr=False)
    n: int = 0
    n_near: int = 0
    n_flips: int = 0
    spreads: Doubles = field(default_factory=lambda: np.zeros(N_BINS), repr=False)


def joined(blocks: Sequence[Block]) -> Block:
    """All of them as one; there is at least one."""
    return Block(
        features=np.sum([block.features for block in blocks], axis=0),
        labels=np.sum([block.labels for block in blocks], axis=0),
        n=sum(block.n for block in blocks),
        n_near=sum(block.n_near for block in blocks),
        n_flips=sum(block.n_flips for block in blocks),
        spreads=np.sum([block.spreads for block in blocks], axis=0),
    )


def measured(block: Block, class_means: Doubles) -> dict[Sign, float]:
    """How strong each sign is in a block.

    ``shift`` is the distance between the mean feature of the queries and that of rows which get the
    same labels as often, ``norm(features / n - labels / n @ class_means)``: the maximum mean
    discrepancy by random features, blind to which topics somebody asks about. ``spread`` is the
    Kolmogorov-Smirnov distance of the spreads from equally filled bins.

    Sources: A. Gretton et al., A Kernel Two-Sample Test, JMLR 13, 2012, section 2 (the discrepancy
    as a distance of means); A. Rahimi, B. Recht, Random Features for Large-Scale Kernel Machines,
    NIPS 2007, algorithm 1; M. Juuti et al., PRADA: Protecting against DNN Model Stealing Attacks,
    EuroS&P 2019, section 5 (distances to earlier queries of a class).

    Args:
        block: Sums over at least one query.
        class_means: Mean feature of each class, shape (c, 2 f).
    """
    shift = block.features / block.n - block.labels / block.n @ class_means
    n_spreads, spread = block.spreads.sum(), 0.0
    if n_spreads >= _LEAST_SPREADS:
        expected = np.arange(1, N_BINS + 1) / N_BINS
        spread = float(np.abs(np.cumsum(block.spreads) / n_spreads - expected).max())
    return {
        Sign.SHIFT: float(np.linalg.norm(shift)),
        Sign.NEAR: block.n_near / block.n,
        Sign.BOUNDARY: block.n_flips / block.n,
        Sign.SPREAD: spread,
    }

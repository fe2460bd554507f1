"""What a minimizer is called: ``bottleneck:6``, ``lda:6``, ``pls:4``, ``pca:16`` or ``none``.

``dp-bottleneck:6,3,1e-6`` is a bottleneck that is fitted with differential privacy: (3, 1e-6) for
each row it is fitted on.
"""

import math
import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from cipherset.core.errors import InputError
from cipherset.core.values import Guarantee

MAX_DIM: Final = 4096
_PATTERN: Final = re.compile(r"(bottleneck|lda|pls|pca):([1-9][0-9]{0,4})")
_PRIVATE: Final = re.compile(r"dp-bottleneck:([1-9][0-9]{0,4}),([0-9.e+-]{1,24}),([0-9.e+-]{1,24})")
MOST_EPSILON: Final = 32.0
MOST_DELTA: Final = 1e-3


class MinimizerKind(Enum):
    """The family of the map; the value is the word in the spec."""

    BOTTLENECK = "bottleneck"
    LDA = "lda"
    PLS = "pls"
    PCA = "pca"
    NONE = "none"
    DP_BOTTLENECK = "dp-bottleneck"


@dataclass(frozen=True, slots=True)
class MinimizerSpec:
    """A kind and the width of its output; ``dim`` is None for ``none``, which keeps the width.

    ``guarantee`` is what a private one keeps for each row it is fitted on, None for others.
    """

    kind: MinimizerKind
    dim: int | None
    guarantee: Guarantee | None = None

    def __str__(self) -> str:
        plain = self.kind.value if self.dim is None else f"{self.kind.value}:{self.dim}"
        kept = self.guarantee
        return plain if kept is None else f"{plain},{kept.epsilon!r},{kept.delta!r}"

    @property
    def without_noise(self) -> "MinimizerSpec":
        """The kind and width of it for whoever fits one like it on rows of their own."""
        if self.guarantee is None:
            return self
        return MinimizerSpec(MinimizerKind.BOTTLENECK, self.dim)


def parse_spec(text: str) -> MinimizerSpec:
    """The spec that ``text`` names; ``str(parse_spec(text)) == text``.

    But for an epsilon and a delta, which are spelled in one way whatever way they came.

    Raises:
        InputError: ``minimizer_spec``, not one of the six forms; ``minimizer_dim``, a width
            that no fit can give; ``minimizer_epsilon``.
    """
    if text == MinimizerKind.NONE.value:
        return MinimizerSpec(MinimizerKind.NONE, None)
    private = _PRIVATE.fullmatch(text)
    if private is not None:
        return _private(*private.groups())
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise InputError(
            f"{text[:40]!r} is not a minimizer",
            code="minimizer_spec",
            hint="use bottleneck:K, dp-bottleneck:K,EPS,DELTA, lda:K, pls:K, pca:K (K from 1) "
            "or none",
        )
    spec = MinimizerSpec(MinimizerKind(match[1]), int(match[2]))
    check_dim(spec, at_most=MAX_DIM, why="no more is supported")
    return spec


def _private(dim: str, epsilon: str, delta: str) -> MinimizerSpec:
    try:
        kept = Guarantee(float(epsilon), float(delta))
    except ValueError:
        kept = Guarantee(math.nan, math.nan)
    if not (0 < kept.epsilon <= MOST_EPSILON and 0 < kept.delta <= MOST_DELTA):
        raise InputError(
            f"a private bottleneck has an epsilon up to {MOST_EPSILON:g} and a delta up to "
            f"{MOST_DELTA:g}; found {epsilon} and {delta}",
            code="minimizer_epsilon",
            hint="such as dp-bottleneck:6,3,1e-6",
        )
    spec = MinimizerSpec(MinimizerKind.DP_BOTTLENECK, int(dim), kept)
    check_dim(spec, at_most=MAX_DIM, why="no more is supported")
    return spec


def check_dim(spec: MinimizerSpec, *, at_most: int, why: str) -> int:
    """``spec.dim`` where it lies in the range that the data allow.

    Raises:
        InputError: ``minimizer_dim``, too wide, or a bottleneck of 1.
    """
    dim = at_most if spec.dim is None else spec.dim
    if dim > at_most:
        raise InputError(
            f"{spec} is too wide: at most {at_most}, because {why}",
            code="minimizer_dim",
            hint=f"use {spec.kind.value}:{at_most} or less" if at_most else "use another minimizer",
        )
    if spec.kind in {MinimizerKind.BOTTLENECK, MinimizerKind.DP_BOTTLENECK} and dim < 2:
        raise InputError(
            f"{spec} cannot be trained: a unit vector of one dimension is a bare sign",
            code="minimizer_dim",
            hint="use 2 dimensions, or lda:1",
        )
    return dim

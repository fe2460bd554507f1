"""What a minimizer is called: ``bottleneck:6``, ``lda:6``, ``pls:4``, ``pca:16`` or ``none``."""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from cipherset.core.errors import InputError

MAX_DIM: Final = 4096
_PATTERN: Final = re.compile(r"(bottleneck|lda|pls|pca):([1-9][0-9]{0,4})")


class MinimizerKind(Enum):
    """The family of the map; the value is the word in the spec."""

    BOTTLENECK = "bottleneck"
    LDA = "lda"
    PLS = "pls"
    PCA = "pca"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class MinimizerSpec:
    """A kind and the width of its output; ``dim`` is None for ``none``, which keeps the width."""

    kind: MinimizerKind
    dim: int | None

    def __str__(self) -> str:
        return self.kind.value if self.dim is None else f"{self.kind.value}:{self.dim}"


def parse_spec(text: str) -> MinimizerSpec:
    """The spec that ``text`` names; ``str(parse_spec(text)) == text``.

    Raises:
        InputError: ``minimizer_spec``, not one of the five forms; ``minimizer_dim``, a width
            that no fit can give.
    """
    if text == MinimizerKind.NONE.value:
        return MinimizerSpec(MinimizerKind.NONE, None)
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise InputError(
            f"{text[:40]!r} is not a minimizer",
            code="minimizer_spec",
            hint="use bottleneck:K, lda:K, pls:K, pca:K (K from 1) or none",
        )
    spec = MinimizerSpec(MinimizerKind(match[1]), int(match[2]))
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
    if spec.kind is MinimizerKind.BOTTLENECK and dim < 2:
        raise InputError(
            f"{spec} cannot be trained: a unit vector of one dimension is a bare sign",
            code="minimizer_dim",
            hint="use bottleneck:2, or lda:1",
        )
    return dim

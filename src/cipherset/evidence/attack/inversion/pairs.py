"""Vectors with their texts and labels: what an attacker learns from, and what he attacks."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import DimensionError, InputError
from cipherset.core.values import Floats

Codes = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Row for row: vectors (n, d), texts, and codes of the clear label (n,) where there is one.

    ``vectors`` are as the target's are, noise included. ``clean``, where the attacker can make
    them, are the same rows without the noise: attacks learn better from those.

    Raises:
        DimensionError: code ``dimension``, the parts disagree.
        InputError: code ``no_rows`` or ``not_finite``.
    """

    vectors: Floats = field(repr=False)
    texts: Sequence[str] = field(repr=False)
    labels: Codes | None = field(repr=False, default=None)
    clean: Floats | None = field(repr=False, default=None)

    def __post_init__(self) -> None:
        check_vectors(self.vectors, "vectors")
        check_length(self.texts, len(self.vectors), "texts")
        if self.labels is not None:
            check_length(self.labels, len(self.vectors), "labels")
        if self.clean is not None:
            check_vectors(self.clean, "clean")
            check_length(self.clean, len(self.vectors), "clean")
            check_width(self.clean, self.vectors.shape[1], "clean")

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def learned(self) -> Floats:
        """The vectors to learn from: without noise where there are such."""
        return self.vectors if self.clean is None else self.clean

    def take(self, rows: Codes) -> "Pairs":
        """Some of the rows."""
        return Pairs(
            self.vectors[rows],
            [self.texts[i] for i in rows],
            None if self.labels is None else self.labels[rows],
            None if self.clean is None else self.clean[rows],
        )

    def without_vectors(self) -> "Pairs":
        """The same rows with vectors of width 0: what somebody holds who has only the labels."""
        return Pairs(np.zeros((len(self), 0)), self.texts, self.labels)


def parted(n: int, share: float, rng: np.random.Generator) -> tuple[Codes, Codes]:
    """Row numbers 0 to n - 1 in two parts, the second (at least 1 row) of about ``share``."""
    order = rng.permutation(n)
    held = max(round(n * share), 1)
    return order[held:], order[:held]


def capped(n: int, most: int, rng: np.random.Generator) -> Codes:
    """All row numbers, or ``most`` of them at random."""
    return np.sort(rng.permutation(n)[:most])


def check_vectors(values: Floats, name: str) -> None:
    """Raise unless ``values`` is a matrix of finite numbers with a row."""
    if values.ndim != 2:
        raise DimensionError(
            f"{name}: expected shape (n, d); found {values.shape}",
            code="dimension",
            hint="pass one row per vector",
        )
    if len(values) == 0:
        raise InputError(f"{name}: no rows", code="no_rows", hint="measure at least one row")
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
        raise InputError(
            f"{name}: row {int(np.argmin(finite))} holds NaN or infinity",
            code="not_finite",
            hint="remove or repair the row",
        )


def check_length(values: Sequence[object] | npt.NDArray[np.generic], n: int, name: str) -> None:
    """Raise unless there are ``n`` entries."""
    if len(values) != n:
        raise DimensionError(
            f"{name}: expected {n} entries; found {len(values)}",
            code="dimension",
            hint="pass one entry per vector",
        )


def check_width(values: Floats, width: int, name: str) -> None:
    """Raise unless rows are ``width`` wide."""
    if values.shape[1] != width:
        raise DimensionError(
            f"{name}: expected {width} columns; found {values.shape[1]}",
            code="dimension",
            hint="pass all vectors in the same space",
        )

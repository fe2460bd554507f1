"""Whom the clear columns single out, with no vector at all."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cipherset.core.errors import DimensionError, InputError
from cipherset.evidence.attack.inversion.pairs import Codes

MOST_COMBINATIONS: Final = 255  # every choice of eight columns


@dataclass(frozen=True, slots=True)
class ColumnLinkage:
    """One combination of columns: how well it hides a row among others with the same values.

    ``k`` is the size of the smallest group, ``rows_alone`` the rows that are a group of their own.
    ``reidentified`` is the share of rows that somebody singles out who knows these values of a
    person in the file: the mean of 1 / (rows with the same values).
    """

    columns: tuple[str, ...]
    rows: int
    groups: int
    k: int
    rows_alone: int
    reidentified: float


@dataclass(frozen=True, slots=True)
class ClearColumnRisk:
    """Every combination, by size; ``left_out`` counts those beyond the first 255.

    The last is all columns together. It is always there and the worst there is, for a column more
    can only part groups.
    """

    combinations: tuple[ColumnLinkage, ...]
    left_out: int


def clear_column_risk(columns: Mapping[str, Sequence[object]]) -> ClearColumnRisk:
    """Groups by every combination of ``columns``, the label among them; all of one length.

    Knows: the clear columns of the file, and a person's values of some of them. Values are
    compared by equality; a missing one (None or NaN) is a value. Of more than eight columns, the
    smaller combinations come first until there are 254, then all columns together.

    Source: L. Sweeney, k-anonymity, Int. J. Uncertainty, Fuzziness and Knowledge-Based Systems
    10(5), 2002, definition 3, https://doi.org/10.1142/S0218488502001648; 1 / (group size) is the
    prosecutor risk of K. El Emam, F. K. Dankar, JAMIA 15(5), 2008.

    Raises:
        DimensionError: code ``dimension``, columns of different lengths.
        InputError: code ``no_rows``; ``no_columns``.
    """
    if not columns:
        raise InputError(
            "no columns to combine", code="no_columns", hint="pass the label and the kept columns"
        )
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise DimensionError(
            f"columns of {len(lengths)} different lengths",
            code="dimension",
            hint="pass one value per row in every column",
        )
    if lengths == {0}:
        raise InputError("no rows", code="no_rows", hint="measure at least one row")
    coded = {name: _codes(values) for name, values in columns.items()}
    every = tuple(coded)
    chosen = [*itertools.islice(_smaller(every), MOST_COMBINATIONS - 1), every]
    return ClearColumnRisk(
        combinations=tuple(_linkage(names, coded) for names in chosen),
        left_out=2 ** len(every) - 1 - len(chosen),
    )


def _smaller(names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    sizes = range(1, len(names))
    return itertools.chain.from_iterable(itertools.combinations(names, n) for n in sizes)


def _linkage(names: tuple[str, ...], coded: Mapping[str, Codes]) -> ColumnLinkage:
    groups = coded[names[0]]
    for name in names[1:]:
        # Dense again after each column, so that the product never overflows.
        product = groups * (int(coded[name].max()) + 1) + coded[name]
        groups = np.unique(product, return_inverse=True)[1].astype(np.int64)
    sizes = np.bincount(groups)
    return ColumnLinkage(
        columns=names,
        rows=len(groups),
        groups=len(sizes),
        k=int(sizes.min()),
        rows_alone=int((sizes == 1).sum()),
        reidentified=len(sizes) / len(groups),
    )


def _codes(values: Sequence[object]) -> Codes:
    """A number per value from 0 on; None and NaN, which is unequal to itself, share one."""
    numbers: dict[object, int] = {}
    return np.array(
        [numbers.setdefault(None if value != value else value, len(numbers)) for value in values],
        dtype=np.int64,
    )

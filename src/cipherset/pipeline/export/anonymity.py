"""How well the clear columns hide a row among others with the same values."""

from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from cipherset.core.manifest import KAnonymity


def k_anonymity(batches: Iterable[pa.Table], columns: Sequence[str]) -> KAnonymity:
    """Group sizes over the combined values of ``columns``; a missing value is a value.

    Any part of the columns groups the rows more coarsely, so ``k`` of all of them together is
    the smallest over every choice of columns. Memory grows with the number of combinations.
    Of no columns at all, every row is in the one group.

    Source: L. Sweeney, k-anonymity, Int. J. Uncertainty, Fuzziness and Knowledge-Based Systems
    10(5), 2002, definition 3, https://doi.org/10.1142/S0218488502001648
    """
    names = list(columns)
    counts: pa.Table | None = None
    rows = 0
    for batch in batches:
        rows += batch.num_rows
        if not names or not batch.num_rows:
            continue
        grouped = batch.select(names).group_by(names).aggregate([([], "count_all")])
        counts = grouped if counts is None else _merged(counts, grouped, names)
    sizes = pa.array([rows] if rows else []) if counts is None else counts["count_all"]
    return KAnonymity(
        columns=tuple(names),
        rows=rows,
        k=pc.min(sizes).as_py() or 0,
        combinations=len(sizes),
        rows_alone=pc.sum(pc.equal(sizes, 1)).as_py() or 0,
    )


def _merged(a: pa.Table, b: pa.Table, names: list[str]) -> pa.Table:
    both = pa.concat_tables([a, b.cast(a.schema)])
    summed = both.group_by(names).aggregate([("count_all", "sum")])
    return summed.rename_columns([*names, "count_all"]).cast(a.schema)

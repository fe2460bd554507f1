"""Rows that were embedded, and what they are known again and compared by."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa

from cipherset.core.values import Float32s, Vectors
from cipherset.custody.keys.identity import Identities

NOT_IDENTIFIED: Final[Identities] = np.zeros(0, dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class Embedded:
    """Unit vectors (n, dim) with their columns.

    ``identities`` are by the shipped rules of sanitizing, ``alike`` by those of the reading; both
    are empty where nobody asked. ``said`` is what copies are found by: texts, or digests of
    what was no text; empty where nobody asked. ``members`` are the identities of the rows that
    each was pooled from (lists of uint64); None where none was pooled, or nobody asked.
    """

    values: Float32s = field(repr=False)
    columns: pa.Table = field(repr=False)
    identities: Identities = field(repr=False)
    alike: Identities = field(repr=False)
    said: Sequence[str] | Sequence[bytes] = field(repr=False)
    members: pa.ListArray | None = field(default=None, repr=False)

    @property
    def vectors(self) -> Vectors:
        """The same without what is known of them."""
        return Vectors(self.values, self.columns)

    def between(self, start: int, end: int) -> "Embedded":
        """The rows from ``start`` up to ``end``."""
        return Embedded(
            self.values[start:end],
            self.columns.slice(start, end - start),
            self.identities[start:end],
            self.alike[start:end],
            self.said[start:end],
            None if self.members is None else self.members.slice(start, end - start),
        )

    def followed_by(self, other: "Embedded") -> "Embedded":
        """These rows, then the others."""
        return Embedded(
            np.concatenate([self.values, other.values]),
            pa.concat_tables([self.columns, other.columns]),
            np.concatenate([self.identities, other.identities]),
            np.concatenate([self.alike, other.alike]),
            [*self.said, *other.said],
            None if self.members is None else pa.concat_arrays([self.members, other.members]),
        )

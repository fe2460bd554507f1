"""What an index holds of each row, and what every index can do with it.

Of a row: a random id, its ciphertext, the seal that the ciphertext, the id and the tags are bound
by, and tags: keyed tokens of tenant, dataset and label, equal where these are and meaningless
without the key. Zeros stand for a tag that is not there.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from importlib import import_module
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import (
    BackendError,
    DimensionError,
    InputError,
    IntegrityError,
    UsageError,
)
from cipherset.core.values import Float32s

ID_BYTES: Final = 16
SEAL_BYTES: Final = 44
TAG_BYTES: Final = 16
MOST_HITS: Final = 10_000

Bytes = npt.NDArray[np.uint8]


class Tag(IntEnum):
    """What rows can be chosen by; the place of its token among a row's tags."""

    TENANT = 0
    DATASET = 1
    LABEL = 2


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """Rows of an index, one of each per row.

    ``ids`` (n, 16), ``vectors`` (n, dim), ``seals`` (n, 44), ``tags`` (n, 3, 16) and ``versions``
    (n,): the version of the key that each row was encrypted under.
    """

    ids: Bytes = field(repr=False)
    vectors: Float32s = field(repr=False)
    seals: Bytes = field(repr=False)
    tags: Bytes = field(repr=False)
    versions: npt.NDArray[np.int32] = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse parts that do not belong together.

        Raises:
            DimensionError: ``entries_shape``.
        """
        n = len(self.ids)
        shapes = (self.ids.shape, self.seals.shape, self.tags.shape, self.versions.shape)
        if (
            shapes != ((n, ID_BYTES), (n, SEAL_BYTES), (n, len(Tag), TAG_BYTES), (n,))
            or self.vectors.ndim != 2
            or len(self.vectors) != n
        ):
            raise DimensionError(
                f"ids, seals, tags and versions of shapes {shapes} with vectors of shape "
                f"{self.vectors.shape} are not parts of the same rows",
                code="entries_shape",
                hint="give one id, vector, seal, set of tags and version for each row",
            )

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, chosen: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> "Entries":
        """Some of these rows, copied."""
        return Entries(
            self.ids[chosen],
            self.vectors[chosen],
            self.seals[chosen],
            self.tags[chosen],
            self.versions[chosen],
        )

    def bound(self) -> list[bytes]:
        """What each seal binds beside the ciphertext: the row's id and its tags."""
        return [
            one.tobytes() + tags.tobytes() for one, tags in zip(self.ids, self.tags, strict=True)
        ]

    @classmethod
    def none(cls, dim: int) -> "Entries":
        """No rows of that width."""
        return cls(
            np.empty((0, ID_BYTES), np.uint8),
            np.empty((0, dim), np.float32),
            np.empty((0, SEAL_BYTES), np.uint8),
            np.empty((0, len(Tag), TAG_BYTES), np.uint8),
            np.empty(0, np.int32),
        )


def concatenated(parts: Sequence[Entries]) -> Entries:
    """The rows of all ``parts``, of which there is at least one."""
    return Entries(
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.vectors for part in parts]),
        np.concatenate([part.seals for part in parts]),
        np.concatenate([part.tags for part in parts]),
        np.concatenate([part.versions for part in parts]),
    )


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows may answer: those that have one of the given tokens at each given tag.

    ``version`` asks for rows under one version of the key; None asks for any.
    """

    tags: Mapping[Tag, frozenset[bytes]] = field(default_factory=dict, repr=False)
    version: int | None = None


ANY: Final = Filter()


class VectorIndex(Protocol):
    """Stores ciphertext rows and finds those that are nearest to a ciphertext.

    Leaks to whoever keeps it: everything in ``Entries``, which query was near which rows, and what
    the ciphertexts of the scheme leak.
    """

    @property
    def dim(self) -> int:
        """Width of a row."""

    def add(self, entries: Entries) -> None:
        """Store all of the rows, or none.

        Raises:
            InputError: ``index_row_exists``: an id is there already, or twice among them.
            DimensionError: ``dimension``.
            BackendError: where it is kept cannot be reached or written.
        """

    def delete(self, ids: Bytes) -> int:
        """Remove the rows with these ids (n, 16); how many of them were there.

        Raises:
            BackendError: as ``add``.
        """

    def replace(self, entries: Entries) -> None:
        """Put rows in the place of those with the same ids, which are there: all of them, or none.

        Raises:
            InputError: ``index_row_exists``: an id is twice among them.
            DimensionError: ``dimension``.
            BackendError: as ``add``.
        """

    def query(self, ciphertext: Float32s, top: int, where: Filter = ANY) -> Entries:
        """At most ``top`` rows, nearest first by Euclidean distance to ``ciphertext`` (dim,).

        Raises:
            InputError: ``index_top``; ``not_finite``.
            DimensionError: ``dimension``.
            BackendError: as ``add``.
        """

    def some(self, most: int, where: Filter = ANY) -> Entries:
        """At most ``most`` of the rows that ``where`` lets answer, in any order.

        Raises:
            InputError: ``index_top``.
            BackendError: as ``add``.
        """

    def rows(self) -> int:
        """How many rows there are."""

    def versions(self) -> Mapping[int, int]:
        """How many rows there are under each version of the key."""

    def close(self) -> None:
        """Let go of it; nothing is asked of it any more."""


def checked_query(ciphertext: Float32s, top: int, dim: int) -> Float32s:
    """``ciphertext`` as float32 of shape (dim,).

    Raises:
        DimensionError: ``dimension``.
        InputError: ``index_top``; ``not_finite``.
    """
    asked = np.asarray(ciphertext, dtype=np.float32)
    check_width(asked[np.newaxis] if asked.ndim == 1 else asked, dim)
    if asked.ndim != 1 or not np.isfinite(asked).all():
        raise InputError(
            "a query is one vector of finite numbers",
            code="not_finite",
            hint="ask with one vector at a time",
        )
    check_top(top)
    return asked


def check_top(top: int) -> None:
    """See that no more rows are asked for than an index gives at a time.

    Raises:
        InputError: ``index_top``.
    """
    if not 1 <= top <= MOST_HITS:
        raise InputError(
            f"{top} rows were asked for; an index gives 1 to {MOST_HITS} at a time",
            code="index_top",
            hint="ask for fewer at a time",
        )


def check_width(vectors: Float32s, dim: int) -> None:
    """See that rows fit into the index.

    Raises:
        DimensionError: ``dimension``.
    """
    if vectors.shape[-1] != dim:
        raise DimensionError(
            f"the index holds rows of {dim} numbers; found {vectors.shape[-1]}",
            code="dimension",
            hint="give vectors of the same encoder",
        )


def check_rows(entries: Entries, dim: int) -> None:
    """See that rows can be stored: of the index's width, and no id twice.

    Raises:
        DimensionError: ``dimension``.
        InputError: ``index_row_exists``.
    """
    check_width(entries.vectors, dim)
    check_unique(entries.ids)


def check_unique(ids: Bytes) -> None:
    """See that no id comes twice.

    Raises:
        InputError: ``index_row_exists``.
    """
    if len(np.unique(ids, axis=0)) != len(ids):
        raise row_exists()


def row_exists() -> InputError:
    """The refusal of an id that is taken."""
    return InputError(
        "an id is in the index already, or twice among the rows to add",
        code="index_row_exists",
        hint="give every row a fresh random id",
    )


@contextmanager
def reading_answer() -> Iterator[None]:
    """Inside, what a store answered is read: where it cannot be, the store is to blame.

    Raises:
        IntegrityError: ``index_answer``.
    """
    try:
        yield
    except (ValueError, LookupError, TypeError, ArithmeticError):
        raise bad_answer("is not made of rows of an index") from None


def bad_answer(why: str) -> IntegrityError:
    """The refusal of what a store answered."""
    return IntegrityError(
        f"what the store of the index answered {why}",
        code="index_answer",
        hint="somebody changed the store, or it lies: see who may write it, then build it again",
    )


def driver_of(module: str, extra: str) -> Any:  # noqa: ANN401 -- drivers have no types
    """The package that a store is reached by.

    Raises:
        BackendError: ``index_driver``: it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError:
        raise BackendError(
            f"what it takes to reach such a store ({extra}) is not installed",
            code="index_driver",
            hint=f"pip install 'cipherset[{extra}]'",
        ) from None


@contextmanager
def failing_as_ours(*kinds: type[Exception]) -> Iterator[None]:
    """Inside, failures of these kinds become ours, without their text: it may quote what was sent.

    Raises:
        BackendError: ``index_database``.
    """
    try:
        yield
    except kinds as error:
        raise unreachable(type(error).__name__) from None


def unreachable(kind: str) -> BackendError:
    """The refusal of a store that failed."""
    return BackendError(
        f"the store with the index did not do what it was asked ({kind})",
        code="index_database",
        hint="see that it is there, runs, has room, and lets this user in",
    )


def check_table(name: str, pattern: re.Pattern[str], dim: int, most_dim: int) -> None:
    """See that rows of ``dim`` numbers can be kept in a table of that name.

    Raises:
        UsageError: ``index_table``.
    """
    if not pattern.fullmatch(name) or not 1 <= dim <= most_dim:
        raise UsageError(
            f"{name!r} for rows of {dim} numbers is not a table that can be used",
            code="index_table",
            hint=f"name it by {pattern.pattern}; this store takes up to {most_dim:,} numbers",
        )

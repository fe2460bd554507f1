"""One export opened by its owner, and the rows that the assessment hands out, attack by attack.

``victims`` are attacked. ``others`` are further rows of the export, no record of which is a
victim's: known pairs are taken from them, and where no public source is given they stand for text
of the same domain, the closest that an attacker could have. With groups (a person, a thread) no
group is on both sides.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cipherset.app import state
from cipherset.app.assess.lines import Line, Scoring, length, supposed
from cipherset.app.ciphers import open_cipher
from cipherset.app.exports.codes import Codebook, Codes, combine, targets_of
from cipherset.app.exports.dataset import VECTOR, matrix
from cipherset.app.exports.earlier.live import ciphertexts
from cipherset.app.exports.leak import Joined
from cipherset.app.exports.utility import Protection, Targets
from cipherset.app.gateway import Gateway
from cipherset.core.errors import PolicyError
from cipherset.core.manifest import Task
from cipherset.core.secret import SECRET_BYTES, KeyHandle, Secret
from cipherset.core.values import GROUP, LABEL, Float32s, NoiseLaw
from cipherset.pipeline.encrypt import VectorCipher
from cipherset.pipeline.export import Cipherset
from cipherset.pipeline.minimize import FittedMinimizer

Values = npt.NDArray[np.str_]
VICTIMS: Final = 2000
OTHERS: Final = 8000
# With fewer rows on either side no interval says anything.
LEAST_ROWS: Final = 50


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Some exported rows as their owner knows them; row i is one record in all fields.

    ``x`` plain (n, d), ``z`` minimized without noise (n, k), ``c`` as they left (n, k), ``y`` their
    targets, ``clear`` the code of their clear columns, ``source`` their rows in the source.
    """

    x: Float32s = field(repr=False)
    z: Float32s = field(repr=False)
    c: Float32s = field(repr=False)
    y: Targets = field(repr=False)
    clear: Codes = field(repr=False)
    source: Codes = field(repr=False)
    texts: tuple[str, ...] = field(repr=False, default=())

    def __len__(self) -> int:
        return len(self.x)

    @property
    def codes(self) -> Codes:
        """The targets as class codes."""
        return self.y.astype(np.int64)

    def take(self, rows: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> "Known":
        """Some of these rows."""
        index = np.arange(len(self))[rows]
        texts = tuple(self.texts[i] for i in index) if self.texts else ()
        return Known(
            self.x[index],
            self.z[index],
            self.c[index],
            self.y[index],
            self.clear[index],
            self.source[index],
            texts,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Public:
    """What the attacker has of his own: vectors, and their labels and texts where there are any."""

    x: Float32s = field(repr=False)
    y: Targets | None = field(repr=False)
    texts: tuple[str, ...] = field(repr=False, default=())
    is_own: bool = True

    @property
    def codes(self) -> Codes | None:
        """The labels where they are classes."""
        if self.y is None or self.y.dtype.kind != "i":
            return None
        return self.y.astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """Everything an assessment may hand out.

    ``surrogates`` are minimizers an attacker fits on his own labeled text, for want of the owner's,
    in the ways it may have been fitted; none where the export is as wide as the vectors, or he has
    no labels. ``attributes`` are columns that did not leave, of the victims and of the others.
    ``scoring`` scores guesses about the victims. ``joined`` is what was measured of several exports
    when this one was made, ``noise`` what was asked for, as ``parse_noise`` reads it.
    """

    protection: Protection
    victims: Known
    others: Known
    public: Public
    surrogates: tuple[FittedMinimizer, ...] = field(repr=False)
    attributes: Mapping[str, tuple[Values, Values]] = field(repr=False)
    scoring: Scoring = field(repr=False)
    joined: Joined | None
    noise: str
    most_pairs: int
    limit: float
    seed: int

    @property
    def supposed_noise(self) -> NoiseLaw:
        """The noise as an attacker supposes it who only guessed the map: he rules nothing out."""
        return supposed(self.protection.cipher.noise, self.protection.cipher.dim)

    @property
    def noise_length(self) -> float:
        """How long the noise of a row is, in units of the input."""
        return length(self.protection.cipher.noise, self.protection.cipher.dim)

    def under_fresh_key(self) -> VectorCipher:
        """The export's cipher under a key made for this; the ring knows nothing of it."""
        cipher = self.protection.cipher
        return open_cipher(
            KeyHandle("fresh", 1, Secret(os.urandom(SECRET_BYTES))),
            dim=cipher.dim,
            scheme=cipher.scheme,
            approximation_factor=cipher.approximation_factor,
            noise=self.noise,
        )

    @property
    def has_classes(self) -> bool:
        """Whether the labels are classes."""
        return self.protection.task is Task.CLASSIFICATION

    @property
    def is_minimized(self) -> bool:
        """Whether the export is narrower than the vectors, so that pairs alone do not align it."""
        return self.protection.minimizer.spec != "none"


@dataclass(frozen=True, slots=True)
class Step:
    """One attack of the suite; ``run`` gives its lines, none where it cannot be tried.

    ``without`` says what is missing where it cannot, and what to do.
    """

    name: str
    run: Callable[[Case], Iterator[Line]] = field(repr=False)
    without: Callable[[Case], str | None] = field(repr=False, default=lambda _: None)


def read_rows(
    gateway: Gateway, there: Cipherset, *, texts: tuple[str, ...], seed: int
) -> tuple[Known, Known]:
    """Victims and others of an export: distinct records, drawn at random.

    Args:
        gateway: The export, opened by its owner.
        there: The export as it left.
        texts: The texts of its source, row by row, or none.
        seed: Of the draw.

    Raises:
        PolicyError: too few rows to attack (code ``assess_rows``).
    """
    ids, sources = _row_map(gateway.export)
    table = gateway.export.vectors.take(sources)
    groups = _codes(table, GROUP) if GROUP in table.column_names else np.arange(len(ids))
    some, rest = _sides(groups, np.random.default_rng([seed, 0xA5]))
    if min(len(some), len(rest)) < LEAST_ROWS:
        raise PolicyError(
            f"{len(ids)} distinct rows leave {len(some)} to attack and {len(rest)} to know, with "
            f"groups kept whole: it takes {LEAST_ROWS} of each",
            code="assess_rows",
            hint="assess an export of more rows, or of smaller groups",
        )
    known = _known(gateway, there, table, ids, sources, texts)
    return known.take(some), known.take(rest)


def _row_map(export: state.ExportState) -> tuple[list[str], Codes]:
    """Id and source row of the first row of each record, in random order of the ids."""
    table = pa.concat_tables(list(export.rows.chunks()))
    identity = table.column(state.IDENTITY).to_numpy()
    _, first = np.unique(identity, return_index=True)
    chosen = first[np.argsort(np.asarray(table.column("row").take(first).to_pylist()))]
    chosen = np.sort(chosen[: VICTIMS + OTHERS])
    table = table.take(chosen)
    return table.column("row").to_pylist(), table.column("source").to_numpy()


def _sides(groups: Codes, rng: np.random.Generator) -> tuple[Codes, Codes]:
    """Row numbers of victims and of others, at most half of the rows victims, groups whole.

    A group too large for the victims is among the others.
    """
    most = min(VICTIMS, len(groups) // 2)
    names, code = np.unique(groups, return_inverse=True)
    sizes = np.bincount(code, minlength=len(names))
    taken, chosen = 0, np.zeros(len(names), dtype=bool)
    for group in rng.permutation(len(names)):
        if taken + sizes[group] <= most:
            chosen[group] = True
            taken += int(sizes[group])
    return np.flatnonzero(chosen[code]), np.flatnonzero(~chosen[code])


def _known(
    gateway: Gateway,
    there: Cipherset,
    table: pa.Table,
    ids: list[str],
    sources: Codes,
    texts: tuple[str, ...],
) -> Known:
    meta, x = gateway.export.meta, matrix(table.column(VECTOR))
    names = [*([] if meta.label is None else [LABEL]), *meta.keep]
    clear, y = [_codes(table, name) for name in names], targets_of(table, meta)
    return Known(
        x=x,
        z=gateway.protection.minimized(x, y),
        c=ciphertexts(there, ids),
        y=y,
        clear=combine(clear) if clear else np.zeros(len(ids), dtype=np.int64),
        source=sources,
        texts=tuple(texts[i] for i in sources) if texts else (),
    )


def _codes(table: pa.Table, name: str) -> Codes:
    return Codebook().encode(table.column(name))

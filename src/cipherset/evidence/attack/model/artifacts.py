"""What training wrote down of what it saw: planted texts, vectors, keys, looked for byte by byte.

A trainer may write a row into a weight, a checkpoint, a parameter or a log, by mistake or on
purpose. Whoever has the plain rows plants some, trains, and searches all that was written. Found is
what stands there as such, or packed; not what was changed first (scaled, rotated, cut into single
numbers), and no search shows that nothing is there.
"""

import base64
import binascii
import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import DimensionError, InputError
from cipherset.core.values import Floats
from cipherset.evidence.attack.model.answers import Doubles

WINDOW: Final = 6  # values in a row; so many agree by chance in one of 10^14 places
_TOLERANCE: Final = 2e-3  # of a value: what half precision and four printed digits leave
_LEAST_BYTES: Final = 6
_MOST_BYTES: Final = 2**28
_DEPTH: Final = 3
_NUMBER: Final = re.compile(rb"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?")
_TYPES: Final = tuple(f"{order}f{size}" for order in "<>" for size in (2, 4, 8))


class Kind(StrEnum):
    """What was planted."""

    TEXT = "text"
    VECTOR = "vector"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Trace:
    """That plant number ``which`` of a kind is in ``file``, and in what form; never the plant."""

    file: str
    kind: Kind
    which: int
    form: str


@dataclass(frozen=True, slots=True, eq=False)
class Plants:
    """What no artifact may hold.

    ``texts`` and ``keys`` (their bytes) are at least six bytes long, ``vectors`` (n, d) at least
    six values wide.
    """

    texts: tuple[str, ...] = field(default=(), repr=False)
    vectors: Floats = field(default_factory=lambda: np.zeros((0, WINDOW)), repr=False)
    keys: tuple[bytes, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        """Refuse what would be found everywhere.

        Raises:
            InputError: a text or key of fewer than six bytes (code ``plant``).
            DimensionError: vectors that are not (n, d) with d from 6 on (code ``dimension``).
        """
        if any(len(raw) < _LEAST_BYTES for raw in [*map(str.encode, self.texts), *self.keys]):
            raise InputError(
                f"a plant has fewer than {_LEAST_BYTES} bytes",
                code="plant",
                hint="plant longer texts and keys: short ones are found everywhere",
            )
        if self.vectors.ndim != 2 or self.vectors.shape[1] < WINDOW:
            raise DimensionError(
                f"planted vectors have shape {self.vectors.shape}, expected (n, {WINDOW} or more)",
                code="dimension",
                hint="plant wider vectors",
            )

    def patterns(self) -> Iterator[tuple[Kind, int, str, bytes]]:
        """Every form of bytes in which a text or a key may stand in a file."""
        for which, text in enumerate(self.texts):
            for form in ("utf-8", "utf-16-le", "utf-16-be"):
                yield Kind.TEXT, which, form, text.encode(form)
            for form, raw in _encoded(text.encode()):
                yield Kind.TEXT, which, form, raw
            # As in JSON, and as Python shows it.
            yield Kind.TEXT, which, "escaped", json.dumps(text)[1:-1].encode()
            yield Kind.TEXT, which, "escaped", text.encode("ascii", "backslashreplace")
        for which, key in enumerate(self.keys):
            yield Kind.KEY, which, "bytes", key
            for form, raw in _encoded(key):
                yield Kind.KEY, which, form, raw


def search_folder(folder: Path, plants: Plants) -> tuple[Trace, ...]:
    """What of ``plants`` is in any file of ``folder``, at any depth, by file."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return tuple(
        trace
        for path in files
        for trace in search_bytes(path.read_bytes(), plants, file=str(path.relative_to(folder)))
    )


def search_bytes(raw: bytes, plants: Plants, *, file: str = "") -> tuple[Trace, ...]:
    """What of ``plants`` is in ``raw``, each form once; zip, gzip and zlib are unpacked.

    Vectors are looked for as six values in a row: as numbers of 2, 4 or 8 bytes of either order at
    any place, and as printed decimals.
    """
    found: dict[Trace, None] = {}
    for part in _unpacked(raw, _DEPTH):
        lower = part.lower()
        for kind, which, form, pattern in plants.patterns():
            if pattern in (lower if form == "hex" else part):
                found[Trace(file, kind, which, form)] = None
        if len(plants.vectors):
            for form, numbers in _streams(part):
                for which in _windows_in(numbers, plants.vectors):
                    found[Trace(file, Kind.VECTOR, which, form)] = None
    return tuple(found)


def _encoded(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """In hexadecimal, and in base64 at each of three places, less what its neighbors decide."""
    yield "hex", binascii.hexlify(raw)
    for before in range(3):
        packed = base64.b64encode(bytes(before) + raw)
        first = -(-before * 8 // 6)
        last = (before + len(raw)) * 8 // 6
        yield "base64", packed[first:last]
        yield "base64", packed[first:last].translate(bytes.maketrans(b"+/", b"-_"))


def _unpacked(raw: bytes, depth: int) -> Iterator[bytes]:
    """``raw``, and what is packed in it, up to a size."""
    yield raw
    if depth == 0:
        return
    for inner in _members(raw):
        yield from _unpacked(inner, depth - 1)


def _members(raw: bytes) -> Iterator[bytes]:
    if raw[:2] == b"PK":
        try:
            with zipfile.ZipFile(io.BytesIO(raw)) as packed:
                for name in packed.namelist():
                    with packed.open(name) as member:
                        yield member.read(_MOST_BYTES)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error):
            return  # begins like one, or is locked; its bytes were searched as they are
    elif raw[:2] == b"\x1f\x8b":
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(raw)) as packed_one:
                yield packed_one.read(_MOST_BYTES)
        except (OSError, EOFError, zlib.error):
            return
    elif raw[:1] == b"\x78":
        try:
            yield zlib.decompressobj().decompress(raw, _MOST_BYTES)
        except zlib.error:
            return


def _streams(raw: bytes) -> Iterator[tuple[str, Doubles]]:
    """``raw`` read as numbers, in each way in which six in a row could be a vector's."""
    for name in _TYPES:
        size = int(name[-1])
        for start in range(size):
            count = (len(raw) - start) // size
            if count >= WINDOW:
                with np.errstate(all="ignore"):
                    numbers = np.frombuffer(raw, dtype=name, count=count, offset=start)
                    yield name, numbers.astype(np.float64)
    decimals = [float(number) for number in _NUMBER.findall(raw)]
    if len(decimals) >= WINDOW:
        yield "decimal", np.array(decimals)


def _windows_in(numbers: Doubles, vectors: Floats) -> Iterator[int]:
    """The vectors of which six values, from a multiple of six on, are next to each other.

    Any eleven values next to each other hold such a six. One with a zero is left out: padding is
    full of them.
    """
    order = np.argsort(numbers)
    ascending = numbers[order]
    starts = range(0, vectors.shape[1] - WINDOW + 1, WINDOW)
    for which, vector in enumerate(vectors.astype(np.float64)):
        if any(_has_window(numbers, order, ascending, vector[s : s + WINDOW]) for s in starts):
            yield which


def _has_window(
    numbers: Doubles, order: npt.NDArray[np.int64], ascending: Doubles,
    window: Doubles,
) -> bool:  # fmt: skip
    off = np.abs(window) * _TOLERANCE
    if not off.all():
        return False
    low, high = np.searchsorted(ascending, [window[0] - off[0], window[0] + off[0]])
    at = order[low:high]
    at = at[at <= len(numbers) - WINDOW]
    for step in range(1, WINDOW):
        with np.errstate(all="ignore"):
            at = at[np.abs(numbers[at + step] - window[step]) <= off[step]]
    return bool(len(at))

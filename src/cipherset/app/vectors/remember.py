"""An encoder that embeds a text once: what it gave of a source before is read again.

    <home>/vectors/<key_id>.v<version>/<encoder>/    see segments

Vectors say almost as much as their texts, so they are kept under the key that their rows are
protected with, like the sealed rows of an export, and never shared between keys: who may not open
the key opens none of them, a destroyed key takes them along, and nobody learns from the clock that
another key's rows hold the same text. What names a text is a keyed hash, of the text as it was
sanitized, of who asked, and of the name of their source: keys are shared, and whoever guesses at
another's rows finds nothing, and neither does a guess from another file.

The cache is bounded, the oldest goes first, and whatever is erased anywhere empties all of it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from cipherset.app.vectors.segments import (
    Segments,
    SegmentWriter,
    empty,
    forget_key,
    shrink,
    writing,
)
from cipherset.core import canonical
from cipherset.core.protocols import Encoder, KeyedHash, Progress
from cipherset.core.secret import KeyHandle
from cipherset.core.values import Float32s
from cipherset.custody.keys import AesGcmSealer, KeyedHashes

FOLDER: Final = "vectors"
MOST_BYTES: Final = 1 << 30  # about 700,000 rows of 384 dimensions
MOST_SEGMENTS: Final = 256  # each costs a run that looks for a text some milliseconds


class Whose(NamedTuple):
    """Who asks, by the name that the gate knows them by, and the whole name of their source."""

    actor: str
    source: str


class RememberingEncoder:
    """Implements ``core.protocols.Encoder``; ``found`` counts the texts it did not embed."""

    def __init__(
        self, encoder: Encoder, hashes: KeyedHash, known: Segments, new: SegmentWriter
    ) -> None:
        self._encoder = encoder
        self._hashes = hashes
        self._known = known
        self._new = new
        self.found = 0

    @property
    def name(self) -> str:
        """The encoder's."""
        return self._encoder.name

    @property
    def digest(self) -> str:
        """The encoder's."""
        return self._encoder.digest

    @property
    def dim(self) -> int:
        """The encoder's."""
        return self._encoder.dim

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Float32s:
        """What the encoder gives, or gave before; the same text of one call is embedded once.

        Raises: as the encoder; and BackendError where the disk is full.
        """
        hashes = self._hashes.of(text.encode("utf-8", "surrogatepass") for text in texts)
        once, firsts, back = np.unique(hashes, return_index=True, return_inverse=True)
        is_there, vectors = self._known.find(once)
        missing = np.flatnonzero(~is_there)
        # In the order of the texts, so that a refusal names the first.
        missing = missing[np.argsort(firsts[missing])]
        if len(missing):
            made = self._encoder.encode([texts[i] for i in firsts[missing]], progress=progress)
            vectors[missing] = made
            self._new.append(once[missing], made)
        rows = back.reshape(-1)
        self.found += int(is_there[rows].sum())
        if progress is not None:
            progress.advance(len(texts) - len(missing))
        return vectors[rows]


@contextmanager
def remembering(
    home: Path, key: KeyHandle, encoder: Encoder, whose: Whose, *, most_bytes: int = MOST_BYTES
) -> Iterator[RememberingEncoder]:
    """Inside, ``encoder`` with a memory of what it embedded of a source under a key version.

    What it embeds is remembered at the end, also where something was raised: rows that were
    refused for what was measured on them are asked about again with other settings.

    Raises:
        BackendError: ``disk_full``, ``no_permission`` or ``disk``.
    """
    folder = folder_of(home, key.key_id, key.version) / encoder.digest.removeprefix("sha256:")
    sealer = AesGcmSealer.from_key(key)
    purpose = canonical.encode([FOLDER, encoder.digest, *whose]).decode()
    hashes = KeyedHashes(key, purpose)
    try:
        with writing(folder, sealer, most_bytes) as new:
            yield RememberingEncoder(encoder, hashes, Segments(folder, sealer, encoder.dim), new)
    finally:
        shrink(home / FOLDER, most_bytes=most_bytes, most_segments=MOST_SEGMENTS)


def folder_of(home: Path, key_id: str, version: int) -> Path:
    """Where the vectors of one key version are."""
    return home / FOLDER / f"{key_id}.v{version}"


def forget_vectors_of(home: Path, key_id: str, version: int) -> None:
    """Nothing is remembered under that version of a key.

    Raises:
        BackendError: ``no_permission`` or ``disk``.
    """
    forget_key(folder_of(home, key_id, version))


def forget_vectors(home: Path) -> None:
    """Nothing is remembered under any key, nor will be of what a run is embedding now.

    Raises:
        BackendError: ``no_permission`` or ``disk``.
    """
    empty(home / FOLDER)

"""What the owner keeps of a data set that left to be trained on: its canaries and its index.

training/DATASET/canaries.VERSION    sealed under that version of the key
training/DATASET/shingles.VERSION    the same; the hashes in it are under a key of their own. In it
                                     are the index and how rare the words and their pairs are
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from cipherset.core.errors import IntegrityError, UsageError
from cipherset.core.files import disk_errors, replace_directory, stage_directory
from cipherset.core.protocols import Sealer
from cipherset.core.secret import KeyHandle
from cipherset.custody.keys import AesGcmSealer, KeyedHashes
from cipherset.pipeline.sanitize.canaries import Canaries, CanaryFormat, keep, make, recall
from cipherset.pipeline.sanitize.shingles import (
    Counting,
    NgramIndex,
    Rarity,
    build,
    open_index,
    open_rarity,
)

FOLDER: Final = "training"
SHINGLES: Final = "shingles"
CANARIES: Final = "canaries"
_RARITY: Final = "rarity"
_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,99}")


@dataclass(frozen=True, slots=True)
class KeptOfDataset:
    """The place of one data set in a workspace, and what opens it."""

    folder: Path
    dataset: str
    version: int
    hashes: KeyedHashes
    sealer: Sealer = field(repr=False)

    @classmethod
    def of(cls, home: Path, dataset: str, key: KeyHandle) -> Self:
        """That of ``dataset`` in the workspace at ``home``, under ``key``.

        Raises:
            UsageError: ``dataset_name``: it cannot be the name of a folder.
        """
        hashes, sealer = KeyedHashes(key, SHINGLES), AesGcmSealer.from_key(key)
        return cls(folder_of(home, dataset), dataset, key.version, hashes, sealer)

    def plant(self, n: int, *, repeats: int = 1, form: CanaryFormat | None = None) -> Canaries:
        """``n`` new canaries, sealed before anybody sees them; earlier ones are forgotten.

        Raises:
            UsageError: ``canary_count``.
            BackendError: ``disk_full``, ``no_permission`` or ``disk``.
        """
        canaries = make(n, repeats=repeats, form=form)
        self.keep_canaries(canaries)
        return canaries

    def keep_canaries(self, canaries: Canaries) -> None:
        """Seal ``canaries``; earlier ones are forgotten.

        Raises:
            BackendError: ``disk_full``, ``no_permission`` or ``disk``.
        """
        self._make_folder()
        keep(self._place(CANARIES), canaries, self.sealer, dataset=self.dataset)

    def canaries(self) -> Canaries:
        """Those that were planted.

        Raises:
            IntegrityError: ``sealed_missing``; ``unseal``: another key, or they were changed.
        """
        return recall(self._place(CANARIES), self.sealer, dataset=self.dataset)

    def index(self, batches: Iterable[Sequence[str]]) -> NgramIndex:
        """The index of the data set's rows, kept in place of an earlier one.

        Raises:
            InputError: ``index_full``.
            BackendError: ``disk_full``, ``no_permission`` or ``disk``.
        """
        counting = Counting(self.hashes)
        made = build(counting.watching(batches), self.hashes)
        self.keep_index(made, counting.done())
        return made

    def keep_index(self, made: NgramIndex, rarity: Rarity) -> None:
        """Keep an index, and how rare words are, under these ``hashes`` in place of an earlier one.

        Raises:
            BackendError: ``disk_full``, ``no_permission`` or ``disk``.
        """
        self._make_folder()
        place = self._place(SHINGLES)
        with stage_directory(place) as staged:
            made.save(staged / SHINGLES, self.sealer, dataset=self.dataset)
            rarity.save(staged / _RARITY, self.sealer, dataset=self.dataset)
            replace_directory(staged, place, overwrite=True)

    def open_index(self) -> NgramIndex:
        """The index that was kept.

        Raises:
            IntegrityError: ``sealed_missing``; ``spool_corrupt``: changed, or another key;
                ``index_format``: of another version.
        """
        return open_index(self._place(SHINGLES) / SHINGLES, self.hashes, self.sealer)

    def open_rarity(self) -> Rarity:
        """How rare the words of the rows are, as it was kept beside the index.

        Raises:
            IntegrityError: ``sealed_missing``: the index is of a version that did not keep it;
                ``spool_corrupt``; ``rarity_format``.
        """
        return open_rarity(self._place(SHINGLES) / _RARITY, self.hashes, self.sealer)

    def _make_folder(self) -> None:
        with disk_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _place(self, what: str) -> Path:
        return self.folder / f"{what}.{self.version}"


def folder_of(home: Path, dataset: str) -> Path:
    """Where the parts of ``dataset`` are.

    Raises:
        UsageError: ``dataset_name``: it cannot be the name of a folder.
    """
    if not _NAME.fullmatch(dataset):
        raise UsageError(
            "a data set is named by letters, digits, '.', '_' and '-', a hundred at most",
            code="dataset_name",
            hint="for example tickets-2026",
        )
    return home / FOLDER / dataset


def newest_version(home: Path, dataset: str, what: str) -> int:
    """The newest version of a key under which ``what`` was kept, CANARIES or SHINGLES.

    Raises:
        UsageError: ``dataset_name``.
        IntegrityError: ``sealed_missing``: it was not kept, or is gone.
    """
    found = folder_of(home, dataset).glob(f"{what}.*")
    versions = [int(end) for path in found if (end := path.name.rpartition(".")[2]).isdecimal()]
    if not versions:
        raise IntegrityError(
            f"no {what} are kept of a data set {dataset}",
            code="sealed_missing",
            hint="use the workspace and the name with which they were made",
        )
    return max(versions)

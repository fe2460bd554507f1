"""Rows of data sets in what was sent: found by the index that ``copies index`` keeps of them.

Named are the data set and how many of its rows, never a word. A row counts where three tenths of
the n-grams that are its own were sent, or a passage of it that takes 80 bits to guess for one who
knows the language of the rows: turns of phrase are less. Rows of fewer than eight words are not
seen, nor what was reworded. ``benchmarks/egress.py`` measures how well this tells them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from cipherset.app.labels.record import known_label
from cipherset.app.training.kept import FOLDER, SHINGLES, KeptOfDataset, newest_version
from cipherset.app.training.run import INDEXED
from cipherset.app.workspace import Workspace
from cipherset.core.errors import IntegrityError, UsageError
from cipherset.core.labels import Level
from cipherset.custody.keys import KeyUse
from cipherset.custody.ledger import Run, RunStatus
from cipherset.pipeline.sanitize.shingles import NgramIndex

LEAST_SHARE: Final = 0.3
LEAST_BITS: Final = 80.0
_PART: Final = 1 << 16  # characters looked at together
_OVERLAP: Final = 1 << 10


@dataclass(frozen=True, slots=True)
class Indexed:
    """A data set whose rows are looked for; ``level`` says how sensitive its source is."""

    dataset: str
    level: Level
    index: NgramIndex = field(repr=False)
    bits: Callable[[str], float] = field(repr=False)

    def rows_in(self, text: str) -> set[int]:
        """The numbers of the rows that ``text`` has copies of."""
        found: set[int] = set()
        for start in range(0, max(len(text), 1), _PART - _OVERLAP):
            part = text[start : start + _PART]
            copies = self.index.matches(part)
            if not copies:
                continue
            shares = self.index.shares_of(part)
            found |= {row for row, share in shares.items() if share >= LEAST_SHARE}
            for copy in copies:
                passage = part[copy.start : copy.end]
                if self.bits(passage) >= LEAST_BITS:
                    found |= self.index.rows_of(passage)
        return found


@dataclass(frozen=True, slots=True)
class Compared:
    """The data sets that are looked for, and the names of those that are not, with why."""

    indexed: tuple[Indexed, ...]
    left_out: dict[str, str]


def opened(workspace: Workspace) -> Compared:
    """Every data set that has an index here; the keys are opened within the act under way.

    Raises:
        PolicyError: ``not_allowed``, ``key_environment``: a key may not be opened.
        IntegrityError, KeyAccessError: an index was changed, or its key is not here.
    """
    runs = {str(run.parameters["dataset"]): run for run in _indexings(workspace)}
    found, left_out = [], {}
    for dataset in _kept(workspace):
        run = runs.get(dataset)
        why = _why_not(workspace, dataset, run)
        if run is None or why:
            left_out[dataset] = why
            continue
        level = _level(workspace, run)
        if level is Level.PUBLIC:
            left_out[dataset] = "its source is labeled public"
            continue
        found.append(_opened(workspace, run, level))
    return Compared(tuple(found), left_out)


def _indexings(workspace: Workspace) -> Iterable[Run]:
    """The runs that indexed rows, the oldest first."""
    return (
        run
        for run in workspace.gate.ledger.runs()
        if run.kind == INDEXED and run.status is RunStatus.DONE
    )


def _kept(workspace: Workspace) -> list[str]:
    folder = workspace.home / FOLDER
    there = folder.iterdir() if folder.is_dir() else ()
    return sorted(path.name for path in there if any(path.glob(f"{SHINGLES}.*")))


def _why_not(workspace: Workspace, dataset: str, run: Run | None) -> str:
    """Why the index of a data set cannot be used, nothing where it can."""
    if run is None:
        return "the ledger does not say by which key it was indexed: index it again"
    try:
        newest = newest_version(workspace.home, dataset, SHINGLES)
    except (UsageError, IntegrityError):
        return "there is no index"
    if newest != run.parameters["key_version"]:
        return "it was indexed under another version of the key: index it again"
    return ""


def _level(workspace: Workspace, run: Run) -> Level:
    """How sensitive its source is; restricted where nobody has said."""
    label = known_label(workspace, run.inputs[0]) if run.inputs else None
    return Level.RESTRICTED if label is None else label.level


def _opened(workspace: Workspace, run: Run, level: Level) -> Indexed:
    said = run.parameters
    key = workspace.ring.open(str(said["key_id"]), int(said["key_version"]), purpose=KeyUse.MEASURE)
    kept = KeptOfDataset.of(workspace.home, str(said["dataset"]), key)
    return Indexed(kept.dataset, level, kept.open_index(), kept.open_rarity().bits)

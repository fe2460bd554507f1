"""Canaries and copies, through the gate: what the commands ``canary`` and ``copies`` do."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cipherset.app.gate import About, Action, Fact
from cipherset.app.gate.subjects import about_source
from cipherset.app.labels.record import record_source, recorded_run
from cipherset.app.training.kept import CANARIES, SHINGLES, KeptOfDataset, newest_version
from cipherset.app.training.measure import CanaryReport, measure
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.canonical import digest
from cipherset.core.errors import UsageError
from cipherset.core.files import write_atomic
from cipherset.core.values import ColumnRoles
from cipherset.custody.keys import KeyUse
from cipherset.custody.policy import Kind
from cipherset.pipeline.ingest import open_source
from cipherset.pipeline.sanitize.canaries import CanaryFormat
from cipherset.pipeline.sanitize.shingles import Match

# A run that kept an index of rows: which data set, under which key.
INDEXED: Final = "copies.index"


@dataclass(frozen=True, slots=True)
class PlantRequest:
    """Which canaries, and the JSON Lines file that their rows go to, in ``column``."""

    dataset: str
    key: str
    target: Path
    n: int = 20
    repeats: int = 4
    form: CanaryFormat = field(default_factory=CanaryFormat)
    column: str = "text"
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Refuse a target that is there.

        Raises:
            UsageError: ``target_exists``.
        """
        if self.target.exists() and not self.overwrite:
            raise UsageError(
                f"{self.target} is there already",
                code="target_exists",
                hint="choose another place with --to, or overwrite it with --force",
            )


@dataclass(frozen=True, slots=True)
class Copied:
    """What a text has of a data set's rows; places and counts, never the words."""

    longest: int
    matches: list[Match]
    rows: int

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        copies = [
            {
                "start": match.start,
                "end": match.end,
                "words": match.n_words,
                "exact_words": match.exact_words,
                "rows": match.rows,
                "shared_by": match.shared_by,
            }
            for match in self.matches
        ]
        return {"longest": self.longest, "rows": self.rows, "copies": copies}


def plant_canaries(session: Session, request: PlantRequest) -> int:
    """Make new canaries, keep them sealed, and write their rows; how many rows.

    Leaks: the canaries, to whoever gets the file: it is to be mixed into the training rows.

    Raises:
        UsageError: ``canary_count``, ``canary_format``, ``dataset_name``.
        KeyAccessError: there is no such key, or it is not active.
        BackendError: ``disk_full``, ``no_permission`` or ``disk``.
    """
    facts: dict[str, Fact] = {"dataset": request.dataset, "canaries": request.n}
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(
            Action.SANITIZE, str(request.target), facts, about=_about(request.dataset)
        ) as act,
    ):
        kept = _new(workspace, request.dataset, request.key, act.facts)
        rows = kept.plant(request.n, repeats=request.repeats, form=request.form).rows
        lines = [json.dumps({request.column: row}, ensure_ascii=False) + "\n" for row in rows]
        write_atomic(request.target, "".join(lines).encode())
    return len(rows)


def measure_canaries(
    session: Session, dataset: str, key: str, model: Path, *, given: int = 0
) -> CanaryReport:
    """How well the model in the Python file ``model`` knows the canaries of ``dataset``.

    Raises:
        UsageError: ``dataset_name``, ``canary_model``.
        IntegrityError: ``sealed_missing``; ``unseal``: another key.
        InputError: ``canary_answers``.
    """
    facts: dict[str, Fact] = {"dataset": dataset}
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.ASSESS, str(model), facts, about=_about(dataset)) as act,
    ):
        kept = _known(workspace, dataset, key, CANARIES)
        report = measure(kept.canaries(), model, given=given)
        act.facts["memorized"] = report.memorized
    return report


def index_rows(session: Session, dataset: str, key: str, source: str, text: tuple[str, ...]) -> int:
    """Keep the index of the texts of ``source``; how many n-grams it has.

    Raises:
        UsageError: ``dataset_name``, ``role_missing``, ``column_clash``.
        InputError: the source or a row is not fit; ``index_full``.
        BackendError: ``disk_full``, ``no_permission`` or ``disk``.
    """
    opened = open_source(source)
    facts: dict[str, Fact] = {"dataset": dataset, "source": opened.name}
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(
            Action.SANITIZE, opened.name, facts, about=about_source(workspace, opened)
        ) as act,
    ):
        kept = _new(workspace, dataset, key, act.facts)
        made = kept.index(records.texts for records in opened.texts(ColumnRoles(text=text)))
        act.facts["rows"] = made.n_rows
        said = {"dataset": dataset, "rows": made.n_rows, **_of_key(act.facts)}
        with recorded_run(workspace, INDEXED, [record_source(workspace, opened)], said):
            pass
    return made.n_ngrams


def find_copies(session: Session, dataset: str, key: str, text: str, *, least_words: int) -> Copied:
    """What ``text`` has of the rows of ``dataset``.

    Leaks: whether a phrase is in the rows, to whoever may ask.

    Raises:
        UsageError: ``dataset_name``.
        IntegrityError: ``sealed_missing``; ``spool_corrupt``; ``index_format``.
    """
    facts: dict[str, Fact] = {"dataset": dataset, "characters": len(text)}
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.ASSESS, dataset, facts, about=_about(dataset)) as act,
    ):
        index = _known(workspace, dataset, key, SHINGLES).open_index()
        matches = index.matches(text, least_words=least_words)
        rows = index.rows_of(text, least_words=least_words)
        copied = Copied(index.longest_copy(text), matches, len(rows))
        act.facts["copies"] = len(matches)
    return copied


def _about(dataset: str) -> About:
    """The rows that are called ``dataset`` here, whatever file they were in."""
    return About(Kind.DATASET, digest({"training": dataset}), dataset)


def _new(workspace: Workspace, dataset: str, key: str, facts: dict[str, Fact]) -> KeptOfDataset:
    handle = workspace.ring.open(key, purpose=KeyUse.EXPORT)
    facts["key_id"], facts["key_version"] = handle.key_id, handle.version
    return KeptOfDataset.of(workspace.home, dataset, handle)


def _of_key(facts: dict[str, Fact]) -> dict[str, Fact]:
    return {name: facts[name] for name in ("key_id", "key_version")}


def _known(workspace: Workspace, dataset: str, key: str, what: str) -> KeptOfDataset:
    version = newest_version(workspace.home, dataset, what)
    handle = workspace.ring.open(key, version, purpose=KeyUse.MEASURE)
    return KeptOfDataset.of(workspace.home, dataset, handle)

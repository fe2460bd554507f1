"""What ``sanitize`` is asked and what it answers."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cipherset.app.encoders import DEFAULT_ENCODER
from cipherset.app.engine.engine import IN_PROCESS, Engine
from cipherset.app.training.kept import folder_of
from cipherset.app.training.suspects import Suspects
from cipherset.core.errors import UsageError
from cipherset.core.files import target_exists
from cipherset.core.labels import Label
from cipherset.core.objects import ObjectPath
from cipherset.pipeline.export.rows import Kind, kind_of
from cipherset.pipeline.ingest import whole_name
from cipherset.pipeline.sanitize import LONGEST

LARGEST_ROW: Final = LONGEST  # characters
SIDECAR: Final = ".quarantine.jsonl"
# Rows above ``largest_row`` and rows that are no text go in any case, copies unless they are kept.
FILTERS: Final = ("empty", "encoding", "injection")
SUSPECTS: Final = "suspects"  # needs an encoder, and a second look at every row
_ENDINGS: Final = re.compile(r"(\.(csv|tsv|jsonl|parquet|gz))+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SanitizeRequest:
    """What ``sanitize`` is asked to do; the defaults are the command's.

    ``drop`` and ``keep`` say which columns are written; ``label`` is written in any case.
    ``filters`` are some of ``FILTERS`` and ``SUSPECTS``, for which ``encoder`` embeds. ``test`` is
    a source that is to share no row with this one. ``canaries`` are planted among the rows, and
    with ``index`` it is kept which phrases they have, both under ``key`` and the name ``dataset``.
    ``accept_risk`` says why restricted rows may be written.
    """

    source: str
    text: tuple[str, ...]
    target: Path | ObjectPath
    rules: Path | None = None
    key: str | None = None
    label: str | None = None
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    quarantine: Path | None = None
    largest_row: int = LARGEST_ROW
    filters: tuple[str, ...] = FILTERS
    keep_duplicates: bool = False
    test: str | None = None
    canaries: int = 0
    index: bool = False
    dataset: str | None = None
    accept_risk: str | None = None
    encoder: str = DEFAULT_ENCODER
    overwrite: bool = False
    engine: Engine = IN_PROCESS

    def __post_init__(self) -> None:
        """Refuse what contradicts itself, and places that are taken.

        Raises:
            UsageError: ``usage``, ``target_exists``, ``target_parent``, ``target_kind``,
                ``dataset_name``.
        """
        self._check_columns()
        self._check_training()
        for place in self.places:
            if place != self.sidecar:
                kind_of(place)
        self._check_object()
        named = {path.absolute() for path in (*self.places, Path(self.source))}
        if len(named) <= len(self.places) or self.source == self.address:
            raise _usage("source, target and quarantine are files of their own")
        for place in self.places:
            _check_place(place, overwrite=self.overwrite)

    def _check_object(self) -> None:
        """Of an object nothing but Parquet can be read again."""
        if isinstance(self.target, ObjectPath) and self.target.suffix.lower() != Kind.PARQUET:
            raise UsageError(
                f"{self.target}: an object is written as Parquet",
                code="target_kind",
                hint=f"let it end in {Kind.PARQUET.value}",
            )

    def _check_columns(self) -> None:
        if not self.text:
            raise _usage("name at least one text column: --text COL")
        if self.drop and self.keep:
            raise _usage("give --drop or --keep, not both")
        for column in self.drop:
            if column in {*self.text, self.label}:
                raise _usage(f"column {column!r} is named to be dropped and to be written")
        if self.label in self.text:
            raise _usage(f"column {self.label!r} cannot be a label and be sanitized")

    def _check_training(self) -> None:
        for name in self.filters:
            if name not in {*FILTERS, SUSPECTS}:
                known = ", ".join([*FILTERS, SUSPECTS])
                raise _usage(f"no filter {name!r}: any of {known}, or none")
        if self.canaries < 0:
            raise _usage(f"the number of canaries is 0 or more, not {self.canaries}")
        if not self.keeps:
            return
        if self.key is None:
            raise _usage("canaries and the index are kept under a key: --key NAME")
        folder_of(Path(), self.kept_as)

    @property
    def keeps(self) -> bool:
        """Whether the owner keeps something of the rows."""
        return self.canaries > 0 or self.index

    @property
    def kept_as(self) -> str:
        """The name under which it is kept: the target's, unless one was given."""
        return self.dataset or _ENDINGS.sub("", self.target.name)

    @property
    def sidecar(self) -> Path:
        """Where the numbers of quarantined rows go, with the reasons: beside the rows.

        Of rows in an object store it is this folder: it is nobody's but the owner's.
        """
        name = self.target.name + SIDECAR
        return self.target.with_name(name) if isinstance(self.target, Path) else Path(name)

    @property
    def address(self) -> str:
        """The target as a source: from every folder, and with what reaches its store."""
        target = self.target
        return whole_name(target.uri if isinstance(target, ObjectPath) else str(target))

    @property
    def place(self) -> str:
        """The target as people name it, from every folder."""
        return str(self.target) if isinstance(self.target, ObjectPath) else self.address

    @property
    def places(self) -> tuple[Path, ...]:
        """Every file that may be written."""
        rows = () if self.quarantine is None else (self.quarantine,)
        own = (self.target,) if isinstance(self.target, Path) else ()
        return (*own, self.sidecar, *rows)

    @property
    def named(self) -> tuple[str, ...]:
        """Every column that is spoken of."""
        label = () if self.label is None else (self.label,)
        return (*self.text, *label, *self.drop, *self.keep)

    def wants(self, column: str) -> bool:
        """Whether a column is written."""
        if self.keep:
            return column in {*self.keep, *self.text, self.label}
        return column not in self.drop


def _check_place(place: Path, *, overwrite: bool) -> None:
    if not place.parent.is_dir():
        raise UsageError(
            f"the folder {place.parent} does not exist",
            code="target_parent",
            hint=f"create it first: mkdir -p {place.parent}",
        )
    if place.is_dir():
        raise UsageError(
            f"{place} is a folder", code="target_not_ours", hint="name a file: --to FILE"
        )
    if not overwrite and (place.exists() or place.is_symlink()):
        raise target_exists(place)


def _usage(message: str) -> UsageError:
    return UsageError(message, code="usage", hint="see: cipherset sanitize --help")


@dataclass(slots=True)
class Counts:
    """What has gone by so far."""

    rows: int = 0
    found: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def quarantined(self) -> int:
        """Rows that were not written."""
        return sum(self.reasons.values())


@dataclass(frozen=True, slots=True)
class SanitizeResult:
    """What was written, and what was found in it."""

    request: SanitizeRequest
    counts: Counts
    rules_digest: str
    key_id: str | None
    untouched: tuple[str, ...]
    not_covered: tuple[str, ...]
    label: Label | None = None
    canary_rows: int = 0
    n_ngrams: int | None = None
    suspects: Suspects | None = None

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        counts, quarantined = self.counts, self.counts.quarantined
        return {
            "to": str(self.request.target),
            "rows": counts.rows,
            "quarantined": quarantined,
            "reasons": _sorted(counts.reasons),
            "quarantine": str(self.request.sidecar) if quarantined else None,
            "entities": _sorted(counts.found),
            **({} if self.suspects is None else {"rows_suspect": len(self.suspects)}),
            "label": None if self.label is None else self.label.level.value,
            "canaries": self.request.canaries,
            "canary_rows": self.canary_rows,
            "ngrams": self.n_ngrams,
            "dataset": self.request.kept_as if self.request.keeps else None,
            "rules": self.rules_digest,
            "key_id": self.key_id,
            "not_looked_at": list(self.untouched),
            "languages_not_covered": list(self.not_covered),
        }


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def uncovered(languages: Sequence[str]) -> tuple[str, ...]:
    """The languages in which names and topics are not looked for."""
    return tuple(language for language in languages if language != "en")

"""What ``scan`` is asked and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cipherset.app.encoders import DEFAULT_ENCODER
from cipherset.app.engine.engine import IN_PROCESS, Engine
from cipherset.app.fields.choose import FieldsResult
from cipherset.app.training.suspects import Suspects
from cipherset.core.errors import UsageError
from cipherset.core.labels import Label, Trust
from cipherset.pipeline.sanitize.label import CONFIDENCE, ColumnLabel, at_most

SAMPLE: Final = 2_000
HIGH: Final = 0.9  # a recall that, at its lower end, need not be told by the kind


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """What ``scan`` is asked to do; ``columns`` are all of them by default.

    ``purpose`` is what the rows were collected for, ``home`` whose they are and where they are to
    stay, where that is to be written down.
    """

    source: str
    columns: tuple[str, ...] = ()
    all_rows: bool = False
    sample: int = SAMPLE
    trust: Trust | None = None
    purpose: str | None = None
    home: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    html: Path | None = None
    overwrite: bool = False
    fields: bool = False
    suspects: bool = False
    label: str | None = None
    encoder: str = DEFAULT_ENCODER
    engine: Engine = IN_PROCESS

    def __post_init__(self) -> None:
        """Refuse what makes no sense.

        Raises:
            UsageError: ``usage``, ``target_exists``, ``target_parent``.
        """
        if self.sample < 1:
            raise _usage(f"a sample has at least one row, not {self.sample}")
        if self.engine.is_ray and not self.all_rows:
            raise _usage("a sample is looked at here; workers look at all rows: --all-rows")
        self._check_label()
        if self.html is None:
            return
        if not self.html.parent.is_dir():
            raise UsageError(
                f"the folder {self.html.parent} does not exist",
                code="target_parent",
                hint=f"create it first: mkdir -p {self.html.parent}",
            )
        if self.html.is_dir() or (self.html.exists() and not self.overwrite):
            raise UsageError(
                f"{self.html} is there already",
                code="target_exists",
                hint="choose another place with --html, or overwrite it with --force",
            )

    def _check_label(self) -> None:
        labeled = self.label is not None
        if self.fields and not (labeled and self.columns):
            raise _usage(
                "what a label needs is measured with --fields, --label COL and --text COL together"
            )
        if self.suspects and not self.columns:
            raise _usage("rows that stand out do so by their texts: --suspects with --text COL")
        if labeled and not (self.fields or self.suspects):
            raise _usage("a label is for --fields or --suspects")

    @property
    def looked_at(self) -> tuple[str, ...]:
        """The columns to label: where the text is for something else too, all of them."""
        return () if self.fields or self.suspects else self.columns


def _usage(message: str) -> UsageError:
    return UsageError(message, code="usage", hint="see: cipherset scan --help")


@dataclass(frozen=True, slots=True)
class ScanResult:
    """The labels of a source and of its columns; ``label`` joins all that was ever known of it."""

    source: str
    label: Label
    columns: Mapping[str, ColumnLabel] = field(repr=False)
    n_rows: int
    n_looked: int
    trust: Trust | None
    asset: str
    notes: tuple[str, ...] = ()
    fields: FieldsResult | None = None
    suspects: Suspects | None = None

    @property
    def confidence(self) -> dict[str, Any]:
        """How sure "nothing found" is."""
        share = at_most(self.n_looked, self.n_rows)
        return {
            "level": CONFIDENCE,
            "at_most": round(share, 6),
            "statement": self._statement(share),
            "none_found": self.none_found,
        }

    @property
    def none_found(self) -> str:
        """What "none found" is worth: the recall of the detectors, the lowest first."""
        recalls = next((column.recall for column in self.columns.values()), {})
        known = sorted(
            (rate.interval[0], name, rate) for name, rate in recalls.items() if rate is not None
        )
        unknown = [name for name, rate in recalls.items() if rate is None]
        parts = [
            f"{rate.value:.2f} (at least {low:.2f}, of {rate.n}) on {name}"
            for low, name, rate in known
            if low < HIGH
        ]
        good = [name for low, name, _ in known if low >= HIGH]
        parts += [f"at least {HIGH:g} on {', '.join(good)}"] if good else []
        parts += [f"not measured on {', '.join(unknown)}"] if unknown else []
        if not known:
            return "by detectors whose recall nobody has measured"
        return f"by detectors with recall {'; '.join(parts)}"

    def _statement(self, share: float) -> str:
        if self.n_looked == self.n_rows:
            return (
                f"all {self.n_rows:,} rows were looked at; what the detectors do not see is not "
                "counted: see recall"
            )
        return (
            f"of {self.n_rows:,} rows {self.n_looked:,} were looked at: where nothing was found, "
            f"at most {100 * share:.2g} % of the rows hold something that these detectors see "
            f"({100 * CONFIDENCE:g} %)"
        )

    @property
    def _suspects(self) -> dict[str, Any]:
        if self.suspects is None:
            return {}
        return {"rows_suspect": len(self.suspects), "suspects": self.suspects.as_json()}

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        return {
            "source": self.source,
            "label": self.label.level.value,
            "tags": [tag.value for tag in self.label.tags],
            "trust": None if self.trust is None else self.trust.value,
            "trusts": [trust.value for trust in self.label.trusts],
            "rows": self.n_rows,
            "sampled": self.n_looked,
            "confidence": self.confidence,
            "columns": {name: column.as_json() for name, column in self.columns.items()},
            "asset": self.asset,
            "notes": list(self.notes),
            **({} if self.fields is None else {"fields": self.fields.as_json()}),
            **self._suspects,
        }

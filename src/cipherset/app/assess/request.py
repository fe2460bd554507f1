"""What ``assess`` is asked and what it answers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cipherset.app.assess.finding import Finding


@dataclass(frozen=True, slots=True)
class PublicSource:
    """Text an attacker may have: a source, and its columns where they are not the export's."""

    source: str
    text: tuple[str, ...] = ()
    vector: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class AssessRequest:
    """What ``assess`` is asked to do.

    ``records`` is the source that was protected: with it, words and attributes are attacked too.
    ``attributes`` are columns of it that were not exported. ``full`` runs everything. ``samples``
    writes recovered words beside the originals, for the owner's eyes only.
    """

    cipherset: Path
    public: PublicSource | None = None
    records: str | None = None
    attributes: tuple[str, ...] = ()
    pairs: int = 10_000
    full: bool = False
    samples: bool = False
    seed: int = 0


@dataclass(frozen=True, slots=True)
class AssessResult:
    """The finding and where it is."""

    finding: Finding
    folder: Path
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        finding = self.finding.model_dump(mode="json")
        for name in ("schema_name", "signer"):
            finding.pop(name)
        return finding | {
            "finding": str(self.folder / "finding.json"),
            "report": str(self.folder / "report.html"),
            "seconds": round(self.seconds, 1),
        }

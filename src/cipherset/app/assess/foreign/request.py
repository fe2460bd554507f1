"""What is asked about a file of ciphertexts made elsewhere, and what is answered."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cipherset.app.assess.lines import Line
from cipherset.app.assess.verdict import Control, Judgment


@dataclass(frozen=True, slots=True)
class ForeignRequest:
    """A file of encrypted vectors, and what an attacker has beside it.

    ``vector`` and ``label`` are columns of the file, ``text`` of the public source and of
    ``records``; the public source may have ``label`` too. ``records`` are the plain texts of the
    file's rows, in the file's order. ``target`` is the folder for the page, None for none.
    """

    ciphertexts: str
    public: str
    text: tuple[str, ...]
    vector: str = "vector"
    label: str | None = None
    records: str | None = None
    encoder: str = "minilm-l6-v2"
    limit: float = 0.05
    seed: int = 0
    target: Path | None = None
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class ForeignFacts:
    """What was looked at: the file by name and digest, its rows, and how many stood for what.

    ``victims`` were attacked, at most ``pairs`` known; both are 0 where no records were given.
    """

    name: str
    sha256: str
    encoder: str
    rows: int
    dim: int
    public: int
    victims: int
    pairs: int


@dataclass(frozen=True, slots=True)
class ForeignResult:
    """What was got of the file; ``objectives`` are the attacker's own, by attack, in [0, 1]."""

    facts: ForeignFacts
    lines: tuple[Line, ...]
    controls: tuple[Control, ...]
    objectives: dict[str, float]
    n_star: int | None
    judged: Judgment
    limit: float
    seed: int
    seconds: float
    target: Path | None

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        facts = self.facts
        shown: dict[str, Any] = {
            "ciphertexts": facts.name,
            "sha256": facts.sha256,
            "encoder": facts.encoder,
            "rows": facts.rows,
            "dim": facts.dim,
            "public": facts.public,
            "victims": facts.victims,
            "pairs_tested": facts.pairs,
            "attacks": [line.as_json() for line in self.lines],
            "controls": [control.as_json() for control in self.controls],
            "objectives": self.objectives,
            "n_star": self.n_star,
            "verdict": self.judged.verdict.value,
            "reasons": list(self.judged.reasons),
            "limit": self.limit,
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
        }
        return shown if self.target is None else shown | {"report": str(self.target / REPORT)}


REPORT = "report.html"

"""What ``calibrate`` is asked and what it answers."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cipherset.app.calibration.frontier import Point, Recommended
from cipherset.app.exports.columns.roles import check_roles
from cipherset.core.errors import UsageError
from cipherset.core.manifest import Task
from cipherset.core.values import ColumnRoles
from cipherset.pipeline.ingest import Consent
from cipherset.pipeline.sanitize import Policy, default_policy

TOLERATED: Final = 0.02
FIGURES: Final = {
    Task.CLASSIFICATION: "accuracy",
    Task.MULTILABEL: "balanced accuracy",
    Task.REGRESSION: "R2",
}


@dataclass(frozen=True, slots=True)
class CalibrateRequest:
    """What ``calibrate`` is asked to do; ``tolerated`` is the loss to plain that is acceptable."""

    source: str
    roles: ColumnRoles
    target: Path
    max_reid: float = 0.05
    tolerated: float = TOLERATED
    test_share: float = 0.25
    seed: int = 0
    encoder: str = "minilm-l6-v2"
    all_fields: bool = False
    rules: Policy = field(default_factory=default_policy)
    consent: Consent | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            UsageError: no label; text and vectors, or neither; a limit outside 0 to 1; or as
                ``check_roles`` (code ``usage``).
        """
        if self.roles.label is None or self.roles.n_kinds != 1:
            raise UsageError(
                "calibrate needs a label, and either text, a vector or an image column",
                code="usage",
                hint="see: cipherset calibrate --help",
            )
        check_roles(self.roles, all_fields=self.all_fields, command="calibrate")
        if not (0 < self.max_reid < 1 and 0 <= self.tolerated < 1):
            raise UsageError(
                "the limit lies between 0 and 1, the tolerated loss from 0 to 1",
                code="usage",
                hint="for example --max-reid 0.05",
            )


@dataclass(frozen=True, slots=True)
class CalibrateResult:
    """The frontier, and what it recommends; ``text`` are the columns that were embedded."""

    points: tuple[Point, ...]
    plain: float
    recommended: Recommended
    limit: float
    tolerated: float
    rows: int
    stopped_early: int
    seed: int
    seconds: float
    target: Path
    task: Task = Task.CLASSIFICATION
    text: tuple[str, ...] = ()

    @property
    def figure(self) -> str:
        """What the utility of a point is."""
        return FIGURES[self.task]

    @property
    def in_words(self) -> str:
        """What it comes to."""
        best = self.recommended.most_useful
        if best is None:
            told = [point for point in self.points if point.is_ours and point.reid.decidable]
            text = f"no setting keeps re-identification under {self.limit:.1%} with room for chance"
            if not told:
                return f"{text}; the clear columns alone identify the rows"
            least = min(told, key=lambda point: point.reid.high)
            return (
                f"{text}; the least was {least.reid.excess:.2%}, up to {least.reid.high:.2%} "
                f"({least.name})"
            )
        lost = self.plain - best.utility
        cost = f"{lost:.1%} below plain vectors" if lost > 0 else "no loss to plain vectors"
        if lost > self.tolerated:
            cost += f", more than the {self.tolerated:.1%} tolerated: no setting satisfies both"
        text = (
            f"{best.name}: {best.utility:.1%} {self.figure}, {cost}, at {best.reid.excess:.2%} "
            f"re-identified with the key stolen (up to {best.reid.high:.2%}; the limit is "
            f"{self.limit:.1%})"
        )
        if best.gain is not None and best.gain.low <= 0:
            text += "; it adds nothing beyond its labels: the owner's side has learned the model"
        return text

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        chosen = self.recommended
        return {
            "frontier": [point.as_json() for point in self.points],
            "recommended": None if chosen.most_useful is None else chosen.most_useful.as_json(),
            "safest": None if chosen.safest is None else chosen.safest.as_json(),
            "knee": None if chosen.knee is None else chosen.knee.as_json(),
            "plain": self.plain,
            "figure": self.figure,
            "max_reid": self.limit,
            "tolerated": self.tolerated,
            "in_words": self.in_words,
            "rows": self.rows,
            "text": list(self.text),
            "stopped_early": self.stopped_early,
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "report": str(self.target / "report.html"),
        }

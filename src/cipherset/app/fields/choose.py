"""What can be left out at no measurable loss: columns, the ends of texts, rows.

Something is *unneeded* only where the loss without it, at the upper end of its 95 % interval, is
within the margin; *needed* where it is above zero at the lower end; and otherwise undecided, which
is kept. Every loss is against the best that was seen, so that small losses do not add up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import numpy as np

from cipherset.app.exports.codes import Codes
from cipherset.app.exports.utility import row_scores
from cipherset.app.fields.rows import FieldRows
from cipherset.app.fields.trial import Scores, Trial, fit_plain
from cipherset.core.manifest import Task
from cipherset.evidence.attack import Interval, paired_bootstrap

MARGIN: Final = 0.02
LENGTHS: Final = (64, 128, 256, 512)
SIZES: Final = (50, 100, 200, 400, 800, 1_600)
_HELD_OUT: Final = 4  # one row in so many tells what the others teach


class Verdict(StrEnum):
    """Whether the label needs something."""

    NEEDED = "needed"
    UNNEEDED = "unneeded"
    UNDECIDED = "undecided"


def verdict(loss: Interval, margin: float = MARGIN) -> Verdict:
    """What a loss says of what was left out."""
    if loss.high <= margin:
        return Verdict.UNNEEDED
    return Verdict.NEEDED if loss.low > 0 else Verdict.UNDECIDED


@dataclass(frozen=True, slots=True)
class Loss:
    """Utility lost without something: a column, the rest of the texts, or more rows."""

    utility: float
    loss: Interval
    verdict: Verdict

    def as_json(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "utility": round(self.utility, 4),
            "loss": round(self.loss.value, 4),
            "low": round(self.loss.low, 4),
            "high": round(self.loss.high, 4),
            "verdict": self.verdict.value,
        }


@dataclass(frozen=True, slots=True)
class Chosen:
    """The columns to keep, each one's loss where it was measured, and the best scores seen."""

    kept: tuple[str, ...]
    without: dict[str, Loss]
    utility: float
    best: Scores = field(repr=False)

    @property
    def dropped(self) -> tuple[str, ...]:
        """The columns that are not needed."""
        return tuple(name for name in self.without if name not in self.kept)

    def as_json(self) -> dict[str, Any]:
        """The same as JSON; ``without`` has each loss beside those dropped before."""
        return {
            "utility": round(self.utility, 4),
            "margin": MARGIN,
            "kept": list(self.kept),
            "dropped": list(self.dropped),
            "without": {name: loss.as_json() for name, loss in self.without.items()},
        }


@dataclass(frozen=True, slots=True)
class FieldsResult:
    """What the label needs; the names are columns of the source.

    ``characters`` is None where no beginning of the texts does, ``rows_needed`` where more rows
    still teach.
    """

    label: str
    chosen: Chosen
    lengths: dict[int, Loss]
    curve: dict[int, Loss]
    rows: int
    n_rows: int

    @property
    def characters(self) -> int | None:
        """The shortest beginning of the texts that does."""
        return _first_unneeded(self.lengths)

    @property
    def rows_needed(self) -> int | None:
        """The fewest rows to train on that do."""
        return _first_unneeded(self.curve)

    def as_json(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "label": self.label,
            **self.chosen.as_json(),
            "characters": self.characters,
            "lengths": {str(length): loss.as_json() for length, loss in self.lengths.items()},
            "rows": self.rows,
            "rows_needed": self.rows_needed,
            "rows_beyond": None
            if self.rows_needed is None
            else max(self.n_rows - self.rows_needed, 0),
            "curve": {str(size): loss.as_json() for size, loss in self.curve.items()},
        }


def _first_unneeded(losses: dict[int, Loss]) -> int | None:
    enough = (each for each, loss in losses.items() if loss.verdict is Verdict.UNNEEDED)
    return min(enough, default=None)


def choose_columns(trial: Trial, columns: Sequence[str]) -> Chosen:
    """Which of ``columns`` to keep.

    Backward elimination: of the unneeded, the column with the least upper end of its loss goes
    first, then the rest is measured again. One column always stays.
    """
    everything = best = trial.scores(columns)
    kept, losses = list(columns), {}
    while len(kept) > 1:
        scores = {
            column: trial.scores([each for each in kept if each != column]) for column in kept
        }
        tried = {column: _loss(trial, best, scores[column]) for column in kept}
        losses.update(tried)
        column = min(tried, key=lambda each: tried[each].loss.high)
        if tried[column].verdict is not Verdict.UNNEEDED:
            break
        kept.remove(column)
        best = max(best, scores[column], key=np.mean)
    without = {column: losses[column] for column in columns if column in losses}
    return Chosen(tuple(kept), without, float(everything.mean()), best)


def measure_fields(trial: Trial, columns: Sequence[str], label: str) -> FieldsResult:
    """What the label needs of ``columns``, of their texts, and how many rows."""
    chosen = choose_columns(trial, columns)
    kept = chosen.kept
    longest = max(map(len, trial.rows.texts(kept, trial.rules)))
    scores = {length: trial.scores(kept, length) for length in LENGTHS if length < longest}
    best = max([chosen.best, *scores.values()], key=np.mean)
    return FieldsResult(
        label=label,
        chosen=chosen,
        lengths={length: _loss(trial, best, each) for length, each in scores.items()},
        curve=_curve(trial, kept),
        rows=len(trial.rows),
        n_rows=trial.rows.n_rows,
    )


def _loss(trial: Trial, everything: Scores, scores: Scores) -> Loss:
    loss = paired_bootstrap(everything, scores, seed=trial.seed)
    return Loss(float(scores.mean()), loss, verdict(loss))


def _curve(trial: Trial, columns: Sequence[str]) -> dict[int, Loss]:
    """The loss by the number of rows trained on, against all that are not held out."""
    x, rows = trial.vectors(columns), trial.rows
    order = np.random.default_rng([trial.seed, _HELD_OUT]).permutation(len(rows))
    held, train = order[: len(order) // _HELD_OUT], order[len(order) // _HELD_OUT :]
    sizes = [size for size in SIZES if size < len(train) and _teaches(rows, train[:size])]

    def scored(size: int) -> Scores:
        chosen = train[:size]
        model = fit_plain(x[chosen], rows.targets[chosen], rows.task)
        return row_scores(rows.task, rows.targets[held], model.predict(x[held]))

    most = scored(len(train))
    return {size: _loss(trial, most, scored(size)) for size in sizes}


def _teaches(rows: FieldRows, chosen: Codes) -> bool:
    return rows.task is Task.REGRESSION or len(np.unique(rows.targets[chosen])) > 1

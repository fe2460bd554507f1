"""Which rows play which part: fitted on, exported to train on, held out."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from cipherset.app.exports.codes import Codes
from cipherset.app.exports.dataset import Dataset
from cipherset.app.exports.split import Mask, leaked, repeated, test_rows
from cipherset.app.exports.utility import Rows, Targets
from cipherset.app.training.suspects import suspects_among
from cipherset.core.errors import InputError, PolicyError
from cipherset.core.manifest import Task
from cipherset.core.sets import MOST_NAMES, indicators, labels_of, names_in
from cipherset.evidence.attack import rows_to_decide
from cipherset.pipeline.sanitize.training.copies import Copies

# Supervised fits see at most this many rows, so that memory does not grow with the source.
FIT_ROWS: Final = 20_000
TEST_ROWS: Final = 4_000


@dataclass(frozen=True, slots=True)
class Plan:
    """Row numbers of the source; ``fit`` is part of ``train`` only if everything is fitted on.

    ``n_copies``: rows that repeat another, or nearly; ``n_leaked``: held-out rows of which a copy
    is trained on all the same, because too little could be held out without them. ``n_suspect``:
    rows that play no part, as they stand out; None where nobody has looked for them.
    """

    task: Task | None
    targets: Targets = field(repr=False)
    train: Codes = field(repr=False)
    test: Codes = field(repr=False)
    fit: Codes = field(repr=False)
    n_copies: int = 0
    n_leaked: int = 0
    n_suspect: int | None = None

    @property
    def has_classes(self) -> bool:
        """Whether the labels are classes."""
        return self.task is Task.CLASSIFICATION

    def classes(self, dataset: Dataset) -> tuple[str, ...]:
        """The names behind the targets, none where they are numbers."""
        if self.task is Task.MULTILABEL:
            return names_in(dataset.classes)
        return dataset.classes if self.has_classes else ()

    def rows(self, dataset: Dataset, chosen: Codes) -> Rows:
        """The chosen rows in memory."""
        return Rows(dataset.vectors(chosen), self.targets[chosen], dataset.clear[chosen])


@dataclass(frozen=True, slots=True)
class Drawing:
    """How the rows are split; ``numeric`` where labels are numbers, whatever they look like.

    With a ``fit_share`` below 1 the rows fitted on are not exported. With ``drop_suspects`` rows
    that stand out play no part.
    """

    test_share: float
    fit_share: float = 1.0
    seed: int = 0
    numeric: bool = False
    drop_suspects: bool = False


def make_plan(dataset: Dataset, drawing: Drawing) -> Plan:
    """Which row plays which part.

    Raises:
        InputError: one class only, a label per row, too many labels, too few rows.
    """
    task = _task(dataset, drawing.numeric)
    classes = dataset.labels if task is Task.CLASSIFICATION else None
    suspects = suspects_among(dataset, classes, drawing.seed) if drawing.drop_suspects else None
    rows = None
    if suspects is not None:
        rows = np.delete(np.arange(dataset.n_rows), list(suspects.reasons))
    strata = np.zeros(dataset.n_rows, dtype=np.int64) if classes is None else classes
    copies = _copies_of(dataset, rows)
    held_out = _part(dataset, strata, rows, drawing.test_share, drawing.seed)
    parts = (np.flatnonzero(~held_out), np.flatnonzero(held_out))
    train, test = parts if rows is None else (rows[part] for part in parts)
    fit = train
    if drawing.fit_share < 1:
        part = _part(dataset, strata, train, drawing.fit_share, drawing.seed + 1)
        fit, train = train[part], train[~part]
    return Plan(
        *(task, _targets(dataset, task), train, test, fit),
        n_copies=repeated(copies),
        n_leaked=leaked(held_out, copies),
        n_suspect=None if suspects is None else len(suspects),
    )


def _part(dataset: Dataset, strata: Codes, rows: Codes | None, share: float, seed: int) -> Mask:
    """Which of ``rows``, or of all, are in a part of ``share`` of them; shape (len(rows),)."""
    groups, copies = dataset.groups, _copies_of(dataset, rows)
    if rows is not None:
        strata, groups = strata[rows], None if groups is None else groups[rows]
    return test_rows(strata, groups, copies, share=share, seed=seed)


def _copies_of(dataset: Dataset, rows: Codes | None) -> Copies | None:
    """The copies among ``rows``, or all."""
    if dataset.copies is None or rows is None:
        return dataset.copies
    return dataset.copies.take(rows)


def sample(rows: Codes, most: int, *, seed: int) -> Codes:
    """At most ``most`` of ``rows``, drawn at random, ascending."""
    if len(rows) <= most:
        return rows
    rng = np.random.default_rng([seed, 0x5A])
    return np.sort(rng.choice(rows, size=most, replace=False))


def check_enough(dataset: Dataset, plan: Plan, max_reid: float) -> None:
    """PolicyError where even a clean measurement could not show the limit to be kept."""
    # An export that gives away nothing still has one row of each group found by luck.
    groups = len(np.unique(dataset.clear[plan.test]))
    needed = rows_to_decide(max_reid, n_groups=groups)
    if len(plan.test) < needed:
        held_out = len(plan.test) / (len(plan.test) + len(plan.train) + 1e-9)
        raise PolicyError(
            f"{len(plan.test)} held-out rows are too few to show that re-identification is under "
            f"{max_reid:g}: it takes {needed} held out, about {int(needed / held_out)} in all",
            code="too_few_rows_to_decide",
            hint="give more rows, raise --max-reid, or record an exception: --accept-risk REASON",
        )


def _task(dataset: Dataset, numeric: bool) -> Task | None:  # noqa: FBT001 -- internal
    if dataset.labels is None:
        return None
    if dataset.roles.label_separator is not None:
        _check_sets(dataset)
        return Task.MULTILABEL
    fractional = dataset.numbers is not None and bool((dataset.numbers % 1 != 0).any())
    if fractional or (numeric and dataset.numbers is not None):
        return Task.REGRESSION
    if numeric:
        raise InputError(
            f"column {dataset.roles.label!r} is not numeric, so there is nothing to regress on",
            code="label_type",
            hint="use bottleneck:K or lda:K for classes; grades to rank by are numbers",
        )
    if len(dataset.classes) < 2:
        raise InputError(
            f"column {dataset.roles.label!r} has one class only in {dataset.n_rows} rows",
            code="one_class",
            hint="give rows of at least two classes",
        )
    _check_shared(dataset, "classes")
    return Task.CLASSIFICATION


def _check_shared(dataset: Dataset, what: str) -> None:
    if 2 * len(dataset.classes) > dataset.n_rows:
        raise InputError(
            f"column {dataset.roles.label!r} has {len(dataset.classes)} {what} in "
            f"{dataset.n_rows} rows: a label per row identifies the row and teaches nothing",
            code="label_per_row",
            hint="choose a column with few classes, or merge rare ones",
        )


def _check_sets(dataset: Dataset) -> None:
    """Labels leave in the clear, so that sets which hardly two rows share name the rows."""
    n_names = len(names_in(dataset.classes))
    if len(dataset.classes) < 2 or n_names < 2:
        raise InputError(
            f"column {dataset.roles.label!r} has {n_names} labels in {dataset.n_rows} rows, which "
            "differ in none, or in one",
            code="one_class",
            hint="give rows of at least two labels; for one, yes or no, leave --labels-sep out",
        )
    if n_names > MOST_NAMES:
        raise InputError(
            f"column {dataset.roles.label!r} has {n_names} labels, at most {MOST_NAMES} are told: "
            "a model tells a bit of a row with each",
            code="too_many_labels",
            hint="merge rare ones, or leave them out",
        )
    _check_shared(dataset, "sets of labels")


def _targets(dataset: Dataset, task: Task | None) -> Targets:
    if task is Task.REGRESSION and dataset.numbers is not None:
        return dataset.numbers
    if task is Task.MULTILABEL and dataset.labels is not None:
        sets = [labels_of(text) for text in dataset.classes]
        return indicators(sets, names_in(dataset.classes))[dataset.labels]
    if dataset.labels is not None:
        return dataset.labels
    return np.zeros(dataset.n_rows, dtype=np.int64)

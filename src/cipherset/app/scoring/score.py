"""Scores of a model's answers, and the truth that they are held against."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cipherset.app import state
from cipherset.core.errors import InputError
from cipherset.core.manifest import Task
from cipherset.core.sets import indicators, labels_of
from cipherset.core.values import LABEL, ROW, Float32s
from cipherset.pipeline.train import (
    Bundle,
    LabelScores,
    RankScores,
    SetScores,
    ValueScores,
    run_labels,
    run_sets,
    run_values,
    score_labels,
    score_ranking,
    score_sets,
    score_values,
)

Values = npt.NDArray[Any]
RowScores = LabelScores | ValueScores | SetScores
Scores = RowScores | RankScores


def lab_figures(bundle: Bundle, x: Float32s, y: Values) -> dict[str, float]:
    """What a bundle's metrics say: its scores on rows whose labels are ``y``, noisy in the lab.

    Raises:
        PolicyError: the model is not allowed, or answers something that is not a label.
        InputError, DimensionError: the rows are not for it.
    """
    scores = scores_of(bundle, x, y)
    match scores:
        case LabelScores():
            return {"accuracy": scores.accuracy, "macro_f1": scores.macro_f1, "n": scores.n}
        case SetScores():
            f1 = {"micro_f1": scores.micro_f1, "macro_f1": scores.macro_f1}
            return {**f1, "balanced_accuracy": scores.balanced_accuracy, "n": scores.n}
        case ValueScores():
            return {"r2": scores.r2, "mae": scores.mae, "n": scores.n}


def rank_scores_of(bundle: Bundle, x: Float32s, y: Values, groups: pa.ChunkedArray) -> RankScores:
    """Scores of the order in which answers to ``x`` put the rows of each of ``groups`` (n,).

    Raises: as ``scores_of``; InputError: ``ranking_groups``: there is no order to find.
    """
    codes = groups.combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    return score_ranking(run_values(bundle, x), np.asarray(y, dtype=np.float64), codes)


def scores_of(bundle: Bundle, x: Float32s, y: Values) -> RowScores:
    """Scores of answers to queries ``x`` whose true labels are ``y``.

    ``y`` is (n,), names or numbers; of sets 0 or 1 for each of the bundle's labels, (n, labels).

    Raises:
        PolicyError: the model is not allowed, or answers something that is not a label.
        InputError: ``unknown_label``; InputError, DimensionError: the rows are not for it.
    """
    if bundle.manifest.task is Task.REGRESSION:
        return score_values(run_values(bundle, x), np.asarray(y, dtype=np.float64))
    if bundle.manifest.task is Task.MULTILABEL:
        truth = np.asarray(y, dtype=np.int64)
        return score_sets(run_sets(bundle, x), truth, bundle.manifest.classes)
    return score_labels(run_labels(bundle, x), _codes(bundle, y))


def truth_of(columns: pa.Table, meta: state.Meta) -> Values:
    """The labels of rows of a source, as ``scores_of`` takes them.

    Raises:
        InputError: ``unknown_label``: a set holds one that the export did not have.
    """
    column = columns.column(LABEL).combine_chunks()
    if meta.task is not Task.MULTILABEL:
        return np.asarray(column.to_numpy(zero_copy_only=False))
    sets, known = [labels_of(text) for text in column.to_pylist()], set(meta.settings.classes)
    for row, labels in zip(columns.column(ROW).to_pylist(), sets, strict=True):
        if not known.issuperset(labels):
            raise _unknown(row + 1, len(known))
    return indicators(sets, meta.settings.classes)


def told(names: tuple[str, ...], row: Values) -> tuple[str, ...]:
    """The names that a row of 0 and 1, shape (names,), says are in its set."""
    return tuple(name for name, is_in in zip(names, row.tolist(), strict=True) if is_in)


def _codes(bundle: Bundle, labels: Values) -> npt.NDArray[np.int64]:
    position = {name: code for code, name in enumerate(bundle.manifest.classes)}
    codes = np.array([position.get(str(label), -1) for label in labels.tolist()], dtype=np.int64)
    if (codes < 0).any():
        raise _unknown(int(np.flatnonzero(codes < 0)[0]) + 1, len(position))
    return codes


def _unknown(row: int, n_classes: int) -> InputError:
    return InputError(
        f"the label of row {row} is none of the {n_classes} classes the model knows",
        code="unknown_label",
        hint="drop such rows, or protect and train again with the new class",
    )

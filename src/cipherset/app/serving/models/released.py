"""What may be told of what a model said: the label, rounded or full probabilities by the policy.

Each vector of probabilities is a pair without noise, whatever it is rounded to: it was debited
before the model was asked.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from cipherset.app.scoring.score import told
from cipherset.app.serving.models.answer import ROUNDED_DIGITS, Precision, Predicted
from cipherset.app.serving.models.sandbox.process import Answers
from cipherset.core.errors import InputError
from cipherset.core.manifest import BundleManifest, Task
from cipherset.pipeline.train import stepped
from cipherset.pipeline.train.check import CheckedModel


def released(
    manifest: BundleManifest, answers: Answers, precision: Precision
) -> Iterator[Predicted]:
    """One prediction for each row that the model answered."""
    if manifest.task is Task.REGRESSION:
        yield from (Predicted(value) for value in stepped(answers.labels, manifest).tolist())
        return
    classes = manifest.classes
    if manifest.task is Task.MULTILABEL:
        yield from (Predicted(told(classes, row)) for row in answers.labels)
        return
    for row, code in enumerate(answers.labels.tolist()):
        if answers.scores is None or precision is Precision.LABEL:
            yield Predicted(classes[code])
        elif precision is Precision.ROUNDED:
            top = round(float(answers.scores[row, code]), ROUNDED_DIGITS)
            yield Predicted(classes[code], probability=top)
        else:
            yield Predicted(classes[code], probabilities=_floats(answers.scores[row]))


def check_scores(model: CheckedModel) -> None:
    """Refuse to be asked for probabilities that the model does not compute.

    Raises:
        InputError: ``no_scores``.
    """
    if model.scores is None:
        raise InputError(
            "the model has no output with one probability for each class",
            code="no_scores",
            hint="ask for labels, or make the probabilities the second output of the model",
        )


def _floats(row: npt.NDArray[Any]) -> tuple[float, ...]:
    return tuple(np.asarray(row, dtype=np.float64).tolist())

"""Runs a model nobody vouches for on noise-free ciphertexts, and lets only the label out.

A model sees vectors without noise, and could print them: an identity graph does, and so do the
probabilities of an honest linear head (evidence.md, control 7). So one output is read, and only
as one of the bundle's fixed classes, log2(classes) bits a row, as one of 256 steps of a
number, 8 bits a row, or as a set of its labels, a bit for each, at most 32, whatever the model is.
Nothing else it computes is returned or logged.

Each row runs alone: a graph that knows the place of a row in a run has another question for each
place, and 256 equal rows in one run print the ciphertext of one.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from cipherset.core.errors import DimensionError, InputError, PolicyError
from cipherset.core.manifest import BundleManifest, Task
from cipherset.core.values import Floats
from cipherset.pipeline.train.bundle import Bundle
from cipherset.pipeline.train.check import CheckedModel, check_model

# 256 steps move a number by at most 0.2 % of the range, and give a graph 8 bits a row.
VALUE_STEPS: Final = 256
_LAST_STEP: Final = VALUE_STEPS - 1
_SILENT: Final = 4
# onnxruntime's errors have no root but Exception.
_FAILURES: Final = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
    ort_errors.EPFail,
    RuntimeError,
    ValueError,
    MemoryError,
)


def run_labels(bundle: Bundle, x: Floats) -> npt.NDArray[np.int64]:
    """Positions in the bundle's classes, shape (n,), for noise-free ciphertexts (n, dim).

    Leaks: at most log2(classes) bits a row of what the model sees.

    Raises:
        InputError: the bundle's model predicts numbers, or ``x`` is not finite.
        DimensionError: ``x`` has another width than the bundle.
        PolicyError: the model is not allowed, or answers something that is not a class.
    """
    answers = _answers(bundle, x, Task.CLASSIFICATION)
    classes = bundle.manifest.classes
    if answers.dtype == np.int64:
        codes = answers
    else:
        position = {name: code for code, name in enumerate(classes)}
        codes = np.array([position.get(name, -1) for name in answers.tolist()], dtype=np.int64)
    if ((codes < 0) | (codes >= len(classes))).any():
        raise _not_an_answer("the model answered something that is not one of its classes")
    return codes


def run_values(bundle: Bundle, x: Floats) -> npt.NDArray[np.float64]:
    """Numbers, shape (n,), on ``VALUE_STEPS`` even steps of the bundle's range.

    Leaks: at most 8 bits a row of what the model sees.

    Raises:
        InputError: the bundle's model predicts classes, or ``x`` is not finite.
        DimensionError: ``x`` has another width than the bundle.
        PolicyError: the model is not allowed, or answers something that is not a number.
    """
    return stepped(_answers(bundle, x, Task.REGRESSION).astype(np.float64), bundle.manifest)


def run_sets(bundle: Bundle, x: Floats) -> npt.NDArray[np.int64]:
    """0 or 1 for each of the bundle's labels, shape (n, labels).

    Leaks: one bit for each label and row of what the model sees.

    Raises:
        InputError: the bundle's model predicts no sets, or ``x`` is not finite.
        DimensionError: ``x`` has another width than the bundle.
        PolicyError: the model is not allowed, or answers anything but 0 and 1.
    """
    answers = _answers(bundle, x, Task.MULTILABEL)
    if not np.isin(answers, (0, 1)).all():
        raise _not_an_answer("the model answered something that is not 0 or 1 for each label")
    return answers.astype(np.int64)


def stepped(answers: npt.NDArray[np.float64], manifest: BundleManifest) -> npt.NDArray[np.float64]:
    """A model's numbers, shape (n,), on ``VALUE_STEPS`` even steps of its range.

    Raises:
        PolicyError: ``model_output``: one of them is not a number, or the bundle has no range.
    """
    bounds = manifest.value_range
    if bounds is None or not np.isfinite(answers).all():
        raise _not_an_answer("the model answered something that is not a number in its range")
    width = (bounds.high - bounds.low) or 1.0
    step = np.round((np.clip(answers, bounds.low, bounds.high) - bounds.low) / width * _LAST_STEP)
    return np.asarray(bounds.low + step / _LAST_STEP * width)


def _answers(bundle: Bundle, x: Floats, task: Task) -> npt.NDArray[Any]:
    """The first output for each row, (n,), or of sets (n, labels); mapped before it is told."""
    if bundle.manifest.task is not task:
        raise InputError(
            f"the bundle is for {bundle.manifest.task.value}, not {task.value}",
            code="task",
            hint="use a bundle that was trained for this task",
        )
    rows = _checked_rows(x, bundle.manifest.dim)
    model = check_model(bundle.onnx, dim=bundle.manifest.dim, task=task)
    session = _session(model)
    width = len(bundle.manifest.classes) if task is Task.MULTILABEL else None
    if len(rows) == 0:
        shape = (0,) if width is None else (0, width)
        return np.zeros(shape, dtype=np.float64 if task is Task.REGRESSION else np.int64)
    answers = [_run(session, model, rows[at : at + 1], width) for at in range(len(rows))]
    return np.concatenate(answers)


def _checked_rows(x: Floats, dim: int) -> npt.NDArray[np.float32]:
    if x.ndim != 2 or x.shape[1] != dim:
        raise DimensionError(
            f"vectors have shape {x.shape}, the bundle takes (n, {dim})",
            code="dimension",
            hint="encrypt with the key and minimizer that the bundle names",
        )
    if not np.isfinite(x).all():
        raise InputError(
            "a vector is not finite", code="not_finite", hint="check where the rows came from"
        )
    return np.ascontiguousarray(x, dtype=np.float32)


def _session(model: CheckedModel) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # The runtime's own log would quote names that the model chose.
    options.log_severity_level = _SILENT
    try:
        return ort.InferenceSession(model.onnx, options, providers=["CPUExecutionProvider"])
    except _FAILURES:
        raise InputError(
            "the model cannot be loaded by this version of onnxruntime",
            code="not_onnx",
            hint="convert it again for an older operator set",
        ) from None


def _run(
    session: ort.InferenceSession,
    model: CheckedModel,
    rows: npt.NDArray[np.float32],
    width: int | None,
) -> npt.NDArray[Any]:
    """The answer for one row; ``width`` is that of a set, None where it is one label."""
    try:
        (answer,) = session.run([model.output], {model.input: rows})
    except _FAILURES:
        raise _not_an_answer("the model failed on vectors of its own width") from None
    expected = {(len(rows),), (len(rows), 1)} if width is None else {(len(rows), width)}
    if not isinstance(answer, np.ndarray) or answer.shape not in expected:
        raise _not_an_answer("the model does not answer one label for each row")
    return answer.reshape(-1) if width is None else answer


def _not_an_answer(message: str) -> PolicyError:
    return PolicyError(
        message,
        code="model_output",
        hint="do not deploy it; train it again on the cipherset that it names",
    )

"""What a model that nobody vouches for answers to each row by itself.

Rows that are run together a graph may mix, and then one row could change the answer to all; a row
that it fails on could fail them all. So each row is a run of its own, and no answer is an answer.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.app.serving.models.sandbox.keeper import ModelWorker
from cipherset.core.errors import PolicyError
from cipherset.core.values import Float32s

NO_CLASS: Final = -1
_NO_ANSWER: Final = "model_output"


def codes_apart(worker: ModelWorker, queries: Float32s) -> npt.NDArray[np.int64]:
    """The class of each noise-free ciphertext (n, dim), shape (n,); ``NO_CLASS`` for none.

    Raises:
        PolicyError: ``model_time``, ``model_memory``, ``model_crashed``, ``model_stopped``.
        BackendError: ``busy``, ``sandbox``.
    """
    return np.array([_one(worker, row, NO_CLASS) for row in queries], dtype=np.int64)


def numbers_apart(worker: ModelWorker, queries: Float32s) -> npt.NDArray[np.float64]:
    """The number for each of them, shape (n,); NaN for none. Errors as ``codes_apart``."""
    return np.array([_one(worker, row, np.nan) for row in queries], dtype=np.float64)


def _one(worker: ModelWorker, row: Float32s, otherwise: float) -> float:
    try:
        return float(worker.run(row[None]).labels[0])
    except PolicyError as error:
        if error.code != _NO_ANSWER:
            raise
        return otherwise

"""Keeps a model's worker alive: one request at a time, a new process where the old one is gone."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.app.serving.models.sandbox.process import (
    PROGRAM,
    Answers,
    WorkerLimits,
    WorkerProcess,
)
from cipherset.app.serving.models.sandbox.refusals import busy, died, stopped
from cipherset.app.serving.models.sandbox.worker import Job
from cipherset.core.errors import CiphersetError, PolicyError

# What a small model needs at once stays in the caches; and no request holds the worker for long.
BLOCK_ROWS: Final = 4096
MOST_KILLS: Final = 3
MOST_WAITING: Final = 64
_GONE: Final = frozenset({"model_time", "model_crashed"})
_COUNTED: Final = _GONE | {"model_memory", "not_onnx"}
_AGAIN: Final = "model_crashed"


class ModelWorker:
    """A model in a process of its own; may be used from several threads.

    After ``MOST_KILLS`` requests in a row that ended it, it runs no more.
    """

    def __init__(
        self,
        job: Job,
        onnx: bytes,
        *,
        limits: WorkerLimits | None = None,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        """Nothing is started before the first request."""
        self._job = job
        self._onnx = onnx
        self._limits = limits or WorkerLimits()
        self._program = program
        self._process: WorkerProcess | None = None
        self._turn = threading.Lock()
        self._places = threading.BoundedSemaphore(MOST_WAITING)
        self._kills = 0
        self._is_closed = False

    def run(self, rows: npt.NDArray[np.float32], *, scores: bool = False) -> Answers:
        """What the model answers to noise-free ciphertexts (n, dim); they are run by themselves.

        Raises:
            PolicyError: ``model_output``, ``model_time``, ``model_memory``, ``model_crashed``,
                ``model_stopped``.
            InputError: ``not_onnx``.
            BackendError: ``busy``, ``sandbox``.
        """
        if not self._places.acquire(blocking=False):
            raise busy("the model")
        try:
            with self._turn:
                blocks = [
                    self._block(rows[start : start + BLOCK_ROWS], scores=scores)
                    for start in range(0, max(len(rows), 1), BLOCK_ROWS)
                ]
        finally:
            self._places.release()
        labels = np.concatenate([block.labels for block in blocks])
        if not scores:
            return Answers(labels)
        return Answers(labels, np.concatenate([block.scores for block in blocks]))

    def close(self) -> None:
        """End the process; a request that comes later is refused."""
        self._is_closed = True
        with self._turn:
            self._end()

    @property
    def has_scores(self) -> bool:
        """Whether it can be asked for probabilities."""
        return self._job.scores is not None

    @property
    def pid(self) -> int | None:
        """Of the process, if one runs."""
        return None if self._process is None else self._process.pid

    def _block(self, rows: npt.NDArray[np.float32], *, scores: bool) -> Answers:
        if self._kills >= MOST_KILLS:
            raise stopped()
        try:
            answers = self._once(rows, scores=scores)
        except CiphersetError as error:
            if error.code == _AGAIN:
                with suppress(CiphersetError):
                    answers = self._once(rows, scores=scores)
                    self._kills = 0
                    return answers
            self._kills += error.code in _COUNTED
            raise
        self._kills = 0
        return answers

    def _once(self, rows: npt.NDArray[np.float32], *, scores: bool) -> Answers:
        if self._is_closed:
            raise died()
        if self._process is None:
            self._process = WorkerProcess(
                self._job, self._onnx, limits=self._limits, program=self._program
            )
        try:
            return self._process.run(rows, scores=scores)
        except PolicyError as error:
            if error.code in _GONE:
                self._end()
            raise
        except BaseException:  # half an exchange: what comes next would be the wrong answer
            self._end()
            raise

    def _end(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None

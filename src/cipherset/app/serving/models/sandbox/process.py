"""The side of the worker that is trusted: starts it, sets its time, checks all that it says.

A worker belongs to one model. What it answers is taken as so many bytes for so many rows, and
then only as one of the fixed classes, a number on one of 256 steps, or probabilities that add up.
Time is counted on the processor, so that a busy machine kills nobody; a longer time by the clock
stands behind it. A worker that passes a limit is killed, and ``keeper`` starts another.
"""

import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from cipherset.app.serving.models.sandbox.refusals import (
    died,
    not_an_answer,
    of_status,
    too_long,
)
from cipherset.app.serving.models.sandbox.worker import HEAD, REQUEST, Job, Status

_START: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from cipherset.app.serving.models.sandbox.worker import main; main()"
)
PROGRAM: Final = (sys.executable, "-I", "-c", _START, str(Path(__file__).parents[5]))
_ENVIRONMENT: Final = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "ORT_DISABLE_TELEMETRY": "1",
    "LC_ALL": "C.UTF-8",
}
_LOOK_S: Final = 0.2
Labels = npt.NDArray[Any]
_CLASS, _NUMBER, _SCORE = np.dtype("<i8"), np.dtype("<f8"), np.dtype("<f4")


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """What one model may use: processor and clock seconds a request, address space in bytes."""

    cpu_s: int = 10
    wall_s: float = 60.0
    memory_bytes: int = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Answers:
    """Classes (n,) or numbers (n,), and probabilities (n, classes) where they were asked for.

    Of a model that tells several labels of each row 0 or 1 for each, (n, classes).
    """

    labels: Labels
    scores: npt.NDArray[np.float32] | None = field(default=None, repr=False)


class WorkerProcess:
    """One confined process with one model; for one thread at a time."""

    def __init__(
        self,
        job: Job,
        onnx: bytes,
        *,
        limits: WorkerLimits,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        """Start it and hand it the model.

        Raises:
            PolicyError: ``model_time``, ``model_memory``, ``model_crashed``.
            InputError: ``not_onnx``: the runtime cannot load it.
            BackendError: ``sandbox``: it cannot be confined on this machine.
        """
        self._job = job
        self._limits = limits
        self._process = subprocess.Popen(  # noqa: S603 -- our own program
            list(program),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_ENVIRONMENT,
            cwd="/",
            bufsize=0,
        )
        for pipe in self._pipes():
            os.set_blocking(pipe.fileno(), False)
        described = json.dumps(asdict(job)).encode()
        message = HEAD.pack(len(described)) + described + HEAD.pack(len(onnx)) + onnx
        try:
            self._exchange(message, 0, loading=True)
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def run(self, rows: npt.NDArray[np.float32], *, scores: bool) -> Answers:
        """What the model answers to noise-free ciphertexts (n, dim).

        Raises:
            PolicyError: ``model_output``, ``model_time``, ``model_memory``, ``model_crashed``.
                After any but the first the process is gone.
        """
        n_rows, n_classes = len(rows), len(self._job.classes)
        label = _CLASS if n_classes else _NUMBER
        a_row = n_classes if self._job.several else 1
        n_labels = n_rows * a_row * label.itemsize
        n_scores = n_rows * n_classes * _SCORE.itemsize if scores else 0
        message = REQUEST.pack(n_rows, scores) + rows.astype("<f4").tobytes()
        if select.select([self._pipes()[1]], [], [], 0)[0]:  # nobody asked, or it is gone
            raise self._gone()
        raw = self._exchange(message, n_labels + n_scores, loading=False)
        labels = np.frombuffer(raw[:n_labels], dtype=label)
        if self._job.several:
            return Answers(_checked(labels, 2).reshape(n_rows, n_classes))
        labels = _checked(labels, n_classes)
        if not scores:
            return Answers(labels)
        found = np.frombuffer(raw[n_labels:], dtype=_SCORE).reshape(n_rows, n_classes)
        return Answers(labels, _probabilities(found))

    def close(self) -> None:
        """End it, whatever it is doing."""
        for pipe in self._pipes():
            with suppress(OSError):
                pipe.close()
        self._process.kill()
        self._process.wait()

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        # Popen was asked for both.
        return self._process.stdin, self._process.stdout  # type: ignore[return-value]

    def _exchange(self, message: bytes, n_bytes: int, *, loading: bool) -> bytes:
        """Send ``message``; the ``n_bytes`` behind a status that says OK, within the limits."""
        self._allow_time()
        to, of = self._pipes()
        end = time.monotonic() + self._limits.wall_s
        rest, raw = memoryview(message), bytearray()
        waiting = select.poll()
        waiting.register(of.fileno(), select.POLLIN)
        waiting.register(to.fileno(), select.POLLOUT)
        while rest or len(raw) <= n_bytes:
            if time.monotonic() > end:
                self.close()
                raise too_long()
            for number, _ in waiting.poll(_LOOK_S * 1000):
                if number == of.fileno():
                    raw += self._read(n_bytes + 1 - len(raw))
                elif rest:
                    rest = rest[self._sent(rest) :]
                    if not rest:
                        waiting.unregister(to.fileno())
            if raw and raw[0] != Status.OK:
                raise of_status(raw[0], loading=loading)
        return bytes(raw[1:])

    def _sent(self, rest: memoryview) -> int:
        try:
            return os.write(self._pipes()[0].fileno(), rest)
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            raise self._gone() from None  # house: who sees its end first is chance

    def _read(self, most: int) -> bytes:
        try:
            chunk = os.read(self._pipes()[1].fileno(), most)
        except BlockingIOError:
            return b""
        if not chunk:
            raise self._gone()
        return chunk

    def _gone(self) -> Exception:
        """Why it is not there any more; it is not, afterwards."""
        try:
            code = self._process.wait(_LOOK_S)
        except subprocess.TimeoutExpired:  # it closed its pipe and lives
            code = 0
        self.close()
        return too_long() if code == -signal.SIGXCPU else died()

    def _allow_time(self) -> None:
        """So much processor time from now on; beyond it the kernel ends the process."""
        with suppress(OSError, IndexError, ProcessLookupError):
            stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii")
            user, system = stat.rpartition(")")[2].split()[11:13]
            used = (int(user) + int(system)) // os.sysconf("SC_CLK_TCK")
            _, hard = resource.prlimit(self.pid, resource.RLIMIT_CPU)
            soft = used + 1 + self._limits.cpu_s
            resource.prlimit(self.pid, resource.RLIMIT_CPU, (soft, hard))


def _checked(labels: Labels, n_classes: int) -> Labels:
    good = (labels >= 0) & (labels < n_classes) if n_classes else np.isfinite(labels)
    if not good.all():
        raise not_an_answer("the model answered something that is not one of its classes")
    return labels


def _probabilities(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The scores, if each row of them is a distribution."""
    near = 1e-3  # float32, over a few hundred classes
    fit = np.isfinite(scores).all() and (scores >= -near).all()
    if not fit or (np.abs(scores.sum(axis=1, dtype=np.float64) - 1) > near).any():
        raise not_an_answer("the model's second output is not one probability for each class")
    return np.clip(scores, 0, 1)

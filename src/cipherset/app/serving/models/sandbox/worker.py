"""The confined process: one model, vectors in through a pipe, classes or numbers out.

It is handed the bytes of a graph and noise-free ciphertext, and nothing else: no text, no key, no
minimizer, no file, no network. It is confined before it looks at the graph. Each row is run alone:
a graph may hold a constant for each place of a run, and print 256 equal rows bit by bit.

    in    length and JSON of ``Job``, length and bytes of the graph; then for each request
          the number of rows, whether probabilities are wanted, and the rows, float32 (n, dim)
    out   a ``Status``; then for each request a ``Status`` and, where it is OK, the class of each
          row (int64) or its number (float64), and the probabilities (n, classes), float32;
          of sets 0 or 1 for each label (n, classes), int64

Nothing that it answers is believed: ``process`` checks every byte.
"""

import json
import os
import struct
import sys
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from cipherset.app.serving.models.sandbox.confine import confine

HEAD: Final = struct.Struct("<Q")
REQUEST: Final = struct.Struct("<I?")
_IN, _OUT = 0, 1
_SILENT: Final = 4
_LABEL_OUT_OF_RANGE: Final = -1
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


class Status(IntEnum):
    """How it went."""

    OK = 0
    NOT_CONFINED = 1
    NOT_LOADED = 2
    FAILED = 3
    NOT_AN_ANSWER = 4
    MEMORY = 5


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be run: names of input and outputs, width, classes (none: numbers), memory.

    Where it tells ``several`` labels of each row, its answer is 0 or 1 for each of the classes.
    """

    input: str
    output: str
    scores: str | None
    dim: int
    classes: tuple[str, ...]
    memory_bytes: int
    several: bool = False


def main() -> None:
    """Run until the pipe is closed."""
    job = Job(**json.loads(_read(_length())))
    graph = _read(_length())
    if not confine(job.memory_bytes):
        _write(bytes([Status.NOT_CONFINED]))
        return
    session = _session(graph)
    if isinstance(session, Status):
        _write(bytes([session]))
        return
    _write(bytes([Status.OK]))
    while head := _read(REQUEST.size):
        n_rows, scores = REQUEST.unpack(head)
        raw = _read(n_rows * job.dim * 4)
        rows = np.frombuffer(raw, dtype="<f4").reshape(n_rows, job.dim)
        _write(_answer(session, job, rows, scores=scores))


def _session(graph: bytes) -> ort.InferenceSession | Status:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # The runtime's own log would quote names that the model chose.
    options.log_severity_level = _SILENT
    # Nothing is kept of one request for the next.
    options.enable_cpu_mem_arena = False
    try:
        return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except _FAILURES as error:
        return _why(error, Status.NOT_LOADED)


def _answer(
    session: ort.InferenceSession, job: Job, rows: npt.NDArray[np.float32], *, scores: bool
) -> bytes:
    wanted = [job.output, job.scores] if scores and job.scores else [job.output]
    labels, probabilities = bytearray(), bytearray()
    for at in range(len(rows)):
        try:
            found = session.run(wanted, {job.input: rows[at : at + 1]})
        except _FAILURES as error:
            return bytes([_why(error, Status.FAILED)])
        label = _labels(found[0], job, 1)
        if label is None:
            return bytes([Status.NOT_AN_ANSWER])
        labels += label
        if scores:
            if len(found) == 1 or not _has(found[1], (1, len(job.classes))):
                return bytes([Status.NOT_AN_ANSWER])
            probabilities += found[1].astype("<f4").tobytes()
    return bytes([Status.OK]) + bytes(labels + probabilities)


def _labels(answer: Any, job: Job, n_rows: int) -> bytes | None:  # noqa: ANN401 -- a model's
    """The class or number of each row, or its zeros and ones; None where it is none of these."""
    if job.several:
        is_set = _has(answer, (n_rows, len(job.classes))) and answer.dtype == np.int64
        return bytes(answer.astype("<i8").tobytes()) if is_set else None
    if not (_has(answer, (n_rows,)) or _has(answer, (n_rows, 1))):
        return None
    flat = answer.reshape(-1)
    if not job.classes:
        return bytes(flat.astype("<f8").tobytes())
    if flat.dtype != np.int64:
        position = {name: code for code, name in enumerate(job.classes)}
        codes = [position.get(str(name), _LABEL_OUT_OF_RANGE) for name in flat.tolist()]
        flat = np.array(codes, dtype=np.int64)
    return bytes(flat.astype("<i8").tobytes())


def _has(answer: Any, shape: tuple[int, ...]) -> bool:  # noqa: ANN401
    return isinstance(answer, np.ndarray) and answer.shape == shape


def _why(error: BaseException, otherwise: Status) -> Status:
    short = isinstance(error, MemoryError) or "alloc" in str(error)
    return Status.MEMORY if short else otherwise


def _length() -> int:
    (length,) = HEAD.unpack(_read(HEAD.size))
    return int(length)


def _read(size: int) -> bytes:
    """Exactly ``size`` bytes; none where the pipe was closed, which ends it all."""
    raw = bytearray()
    while len(raw) < size:
        chunk = os.read(_IN, size - len(raw))
        if not chunk:
            sys.exit(0)
        raw += chunk
    return bytes(raw)


def _write(raw: bytes) -> None:
    rest = memoryview(raw)
    while rest:
        rest = rest[os.write(_OUT, rest) :]

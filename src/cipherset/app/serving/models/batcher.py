"""Texts of many requests, encoded together: what the encoder is fast at.

One thread takes all that wait, up to a batch, encodes it and hands the vectors back. While it
encodes the next batch gathers; only where several ask at once does it wait a moment for more, so
that a single caller waits for nobody. What models make of the vectors is not batched: a graph that
nobody vouches for never sees the rows of two requests at once.
"""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cipherset.app.serving.models.sandbox.refusals import busy
from cipherset.core.errors import BackendError, Caught, CiphersetError
from cipherset.core.protocols import Encoder
from cipherset.core.values import Float32s

MOST_TEXTS: Final = 128
MOST_WAITING: Final = 2048
GATHER_S: Final = 0.002


@dataclass(eq=False)
class _Job:
    """Texts of one request and what has become of them."""

    texts: tuple[str, ...] = field(repr=False)
    done: threading.Event = field(default_factory=threading.Event, repr=False)
    vectors: Float32s | None = field(default=None, repr=False)
    error: BaseException | None = None


class EncodingBatcher:
    """An encoder for many threads; one request's fault is not another's."""

    def __init__(
        self,
        encoder: Encoder,
        *,
        most_texts: int = MOST_TEXTS,
        most_waiting: int = MOST_WAITING,
        gather_s: float = GATHER_S,
    ) -> None:
        """Start its thread.

        Args:
            encoder: What turns texts into vectors.
            most_texts: Of one batch, unless one request has more.
            most_waiting: Texts that may wait; whoever comes then is told that it is busy.
            gather_s: How long a batch waits for more, where others asked just before.
        """
        self._encoder = encoder
        self._most_texts = most_texts
        self._most_waiting = most_waiting
        self._gather_s = gather_s
        self._jobs: deque[_Job] = deque()
        self._n_waiting = 0
        self._is_open = True
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="encode", daemon=True)
        self._thread.start()

    @property
    def dim(self) -> int:
        """The width of the vectors."""
        return self._encoder.dim

    @property
    def n_waiting(self) -> int:
        """How many texts wait for the next batch."""
        return self._n_waiting

    def encode(self, texts: Sequence[str]) -> Float32s:
        """Unit-norm rows, shape (len(texts), dim), in the order of ``texts``.

        Raises:
            BackendError: ``busy``: too many texts wait; ``stopping``; ``encoder_failed``.
            InputError, IntegrityError: as the encoder, for these texts alone.
        """
        job = _Job(tuple(texts))
        with self._changed:
            if not self._is_open:
                raise _stopping()
            if self._n_waiting and self._n_waiting + len(texts) > self._most_waiting:
                raise busy("the encoder")
            self._jobs.append(job)
            self._n_waiting += len(texts)
            self._changed.notify_all()
        job.done.wait()
        if job.error is not None:
            raise job.error
        return job.vectors  # type: ignore[return-value] # done, and without an error

    def close(self) -> None:
        """Finish what waits, and take no more."""
        with self._changed:
            self._is_open = False
            self._changed.notify_all()
        self._thread.join()

    def _work(self) -> None:
        several = False
        while batch := self._next(gather=several):
            several = len(batch) > 1
            with Caught():  # ends a batch, not the thread
                self._encode(batch)
            for job in batch:
                if job.vectors is None and job.error is None:
                    job.error = _failed()
                job.done.set()

    def _next(self, *, gather: bool) -> list[_Job]:
        """The next batch; none where it is closed and nothing waits."""
        with self._changed:
            while not self._jobs:
                if not self._is_open:
                    return []
                self._changed.wait()
            if gather:
                self._changed.wait_for(self._is_full, self._gather_s)
            batch = [self._jobs.popleft()]
            n_texts = len(batch[0].texts)
            while self._jobs and n_texts + len(self._jobs[0].texts) <= self._most_texts:
                n_texts += len(self._jobs[0].texts)
                batch.append(self._jobs.popleft())
            self._n_waiting -= n_texts
            return batch

    def _is_full(self) -> bool:
        return self._n_waiting >= self._most_texts

    def _encode(self, batch: list[_Job]) -> None:
        """Encode all at once, or, where that fails, each by itself."""
        try:
            vectors = self._encoder.encode([text for job in batch for text in job.texts])
        except CiphersetError as error:
            if len(batch) == 1:
                batch[0].error = error
                return
            for job in batch:
                self._encode([job])
            return
        start = 0
        for job in batch:
            job.vectors = vectors[start : start + len(job.texts)]
            start += len(job.texts)


def _failed() -> BackendError:
    return BackendError(
        "the encoder failed on these texts",
        code="encoder_failed",
        hint="ask again; where it stays so, this is a defect of cipherset",
    )


def _stopping() -> BackendError:
    return BackendError("the gateway stops", code="stopping", hint="ask again in a moment")

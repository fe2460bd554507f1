"""Jobs that train, one after another; asked for, looked at, canceled and fetched by who asked.

Jobs live as long as the process: one that was under way when it ended is not begun again. What was
trained and recorded is in the ledger all the same, and a job may be asked for again.
"""

import secrets
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Self

from cipherset.app.gate import Action
from cipherset.app.serving.lab.process import Training, TrainingLimits
from cipherset.app.serving.lab.train import Order, Trained, ask_for, train_order
from cipherset.app.serving.models.sandbox.refusals import busy
from cipherset.app.workspace import Session, open_workspace
from cipherset.core.errors import CiphersetError, UsageError

# Waiting or under way, and kept after they ended.
MOST_WAITING: Final = 16
MOST_KEPT: Final = 64


class JobState(StrEnum):
    """Where a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELED = "canceled"
    REFUSED = "refused"
    FAILED = "failed"


_OPEN: Final = frozenset({JobState.WAITING, JobState.RUNNING})


@dataclass(slots=True)
class Job:
    """One order of one principal; ``error`` is why there is no model."""

    id: str
    actor: str
    cipherset: str
    candidates: int
    state: JobState = JobState.WAITING
    training: Training = field(default_factory=Training, repr=False)
    trained: Trained | None = field(default=None, repr=False)
    error: CiphersetError | None = None

    def as_json(self) -> dict[str, Any]:
        """What its owner may know."""
        told: dict[str, Any] = {
            "job": self.id,
            "state": self.state.value,
            "cipherset": self.cipherset,
            "candidates": self.candidates,
        }
        if self.trained is not None:
            told["model"] = self.trained.bundle.manifest.model.value
            told["bundle"] = self.trained.bundle.digest
            told["figures"] = dict(self.trained.figures)
            told["membership"] = dict(self.trained.membership)
        if self.error is not None:
            told["error"] = {
                "code": self.error.code,
                "message": self.error.message,
                "hint": self.error.hint,
            }
        return told


class Jobs:
    """The jobs of one gateway; for many threads."""

    def __init__(self, limits: TrainingLimits | None = None) -> None:
        """Nothing runs before the first order."""
        self._limits = limits or TrainingLimits()
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lab")

    def order(self, session: Session, order: Order) -> Job:
        """A job for ``order``, once it was decided and debited.

        Raises:
            BackendError: ``busy``; and as ``ask_for``.
        """
        self._check_room()
        ask_for(session, order)
        candidates = len(order.space.candidates())
        job = Job(secrets.token_hex(8), session.actor, order.cipherset, candidates)
        with self._lock:
            ended = [each.id for each in self._jobs.values() if each.state not in _OPEN]
            for old in ended[: max(len(ended) - MOST_KEPT + 1, 0)]:
                del self._jobs[old]
            self._jobs[job.id] = job
        self._pool.submit(self._run, session, order, job)
        return job

    def look(self, session: Session, job_id: str) -> dict[str, Any]:
        """Where it is, and what came out of it.

        Raises:
            PolicyError: ``not_allowed``.
            UsageError: ``job_unknown``: there is none, or it is another's.
        """
        return self._found(session, job_id, "look").as_json()

    def cancel(self, session: Session, job_id: str) -> dict[str, Any]:
        """End it, if it has not ended; what it cost is spent. Errors as ``look``."""
        job = self._found(session, job_id, "cancel")
        with self._lock:
            if job.state is JobState.WAITING:
                job.state = JobState.CANCELED
        job.training.stop()
        return job.as_json()

    def fetch(self, session: Session, job_id: str) -> Trained:
        """What it made.

        Raises:
            UsageError: ``job_unfinished``; and as ``look``.
        """
        job = self._found(session, job_id, "fetch")
        if job.trained is None:
            raise UsageError(
                f"the job is {job.state.value}, so there is no model to fetch",
                code="job_unfinished",
                hint="look at the job first",
            )
        return job.trained

    def close(self) -> None:
        """End all of them."""
        with self._lock:
            jobs = list(self._jobs.values())
        for job in jobs:
            job.training.stop()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_room(self) -> None:
        with self._lock:
            if sum(job.state in _OPEN for job in self._jobs.values()) >= MOST_WAITING:
                raise busy("the lab")

    def _found(self, session: Session, job_id: str, what: str) -> Job:
        facts: Mapping[str, str] = {"what": f"job {what}"}
        with (
            open_workspace(session) as workspace,
            workspace.gate.act(Action.VIEW, "job", facts),
            self._lock,
        ):
            job = self._jobs.get(job_id)
            if job is None or job.actor != session.actor:
                raise UsageError(
                    "you have no such job here",
                    code="job_unknown",
                    hint="jobs are gone when the gateway ends; ask for it again",
                )
            return job

    def _run(self, session: Session, order: Order, job: Job) -> None:
        with self._lock:
            if job.state is not JobState.WAITING:
                return
            job.state = JobState.RUNNING
        state = JobState.FAILED
        try:
            job.trained = train_order(session, order, job.training, self._limits)
            state = JobState.DONE
        except CiphersetError as error:
            job.error = error
            state = JobState.CANCELED if job.training.is_stopped else JobState.REFUSED
        finally:
            with self._lock:
                job.state = state

"""A worker: opens a grant, does the part, writes the sealed answer, and forgets the keys.

What it takes and gives are bytes, sealed but for its public key: the engine carries, keeps and
logs nothing else. A defect is told by its kind, for its words may hold a row.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from cipherset.app.engine.stages import STAGES, Made, Stage
from cipherset.app.engine.task import Answers, Task
from cipherset.app.labels.code import code_digest
from cipherset.app.workers import one_thread
from cipherset.core.errors import BackendError, Caught, CiphersetError, KeyAccessError
from cipherset.custody.keys import GrantReceiver, JobKeys
from cipherset.pipeline.ingest import open_source

EXPIRED: Final = b"expired"


def receipt_context(job: str, part: int) -> str:
    """What the receipt for a part is sealed for."""
    return f"job/{job}/{part}/receipt"


class Worker:
    """One process that does a part at a time."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """With a key pair of its own."""
        self._receiver = GrantReceiver()
        self._clock = clock
        self._made: Made = {}

    def hello(self) -> bytes:
        """The public key that grants are to be sealed to."""
        return self._receiver.public_key

    def work(self, grant: bytes) -> bytes:
        """Do a part; a sealed receipt, or ``EXPIRED``.

        Raises:
            IntegrityError: ``job_grant``.
        """
        try:
            keys, raw = self._receiver.open(grant, now=self._clock())
        except KeyAccessError:
            return EXPIRED
        receipt = self._receipt(keys, Task.decoded(raw))
        context = receipt_context(keys.job, keys.part)
        return keys.sealer.seal(json.dumps(receipt).encode(), context=context)

    def _receipt(self, keys: JobKeys, task: Task) -> dict[str, Any]:
        caught = Caught()
        with caught:
            try:
                return {"done": self._done(keys, task)}
            except CiphersetError as error:
                return {"refused": [type(error).__name__, error.message, error.code, error.hint]}
        return {"failed": caught.kind}

    def _done(self, keys: JobKeys, task: Task) -> int:
        if task.code != code_digest():
            raise BackendError(
                "a worker runs another version of cipherset",
                code="worker_code",
                hint="install on every node what is installed here",
            )
        stage: Stage = STAGES[task.stage]
        part = open_source(task.source).parts(task.least_rows)[keys.part]
        tables = stage(part, task, keys, self._made)
        answers = Answers(Path(task.folder), keys.job, lambda _: keys.sealer)
        with one_thread():  # a core is its own, and the next one is another worker's
            return answers.write(keys.part, tables)

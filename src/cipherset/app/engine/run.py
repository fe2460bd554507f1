"""A job from its parts to its answers, taken up where an earlier run of the same ended."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from cipherset.app.engine.cluster import connected
from cipherset.app.engine.engine import Engine
from cipherset.app.engine.pool import Job, Pool
from cipherset.app.engine.task import FOLDER, LEAST_ROWS, Answers, Task, job_of, note, note_of
from cipherset.app.gate import Fact
from cipherset.app.labels.code import code_digest
from cipherset.app.workspace import Session, Workspace
from cipherset.core.files import disk_errors
from cipherset.core.secret import KeyHandle
from cipherset.custody.keys import JobGrants
from cipherset.pipeline.ingest import Source, whole_name


@dataclass(slots=True)
class Distributed:
    """How an operation has workers do a stage; ``facts`` are told of what they did.

    ``asset`` is the keyed digest of the source's bytes, ``key`` that of stand-ins.
    """

    session: Session
    workspace: Workspace
    engine: Engine
    source: str
    asset: str
    key: KeyHandle | None = None
    identifies: bool = False
    facts: dict[str, Fact] = field(default_factory=dict)

    def answers(
        self, source: Source, stage: str, settings: dict[str, Any]
    ) -> Iterator[tuple[Source, Iterator[pa.Table]]]:
        """Each part of ``source`` with its answer, in order; gone when all were taken.

        Raises:
            CiphersetError: what a worker was refused.
            BackendError: as ``Pool`` and ``connected`` say; answers that are there are kept.
        """
        parts = source.parts(LEAST_ROWS)
        job, answers = self._job(stage, settings)
        todo = [part for part in range(len(parts)) if not answers.is_there(part)]
        self.facts |= {
            "engine": self.engine.kind.value,
            "parts": len(parts),
            "parts_kept": len(parts) - len(todo),
        }
        with connected(self.engine) as ray, closing(Pool(ray, job, todo)) as pool:
            waiting = set(todo)
            for number, part in enumerate(parts):
                if number in waiting:
                    pool.wait_for(number)
                yield part, answers.read(number)
            self.facts["workers_lost"] = pool.n_lost
        answers.remove()
        with disk_errors(answers.folder):
            note_of(self.workspace.home, answers.folder).unlink(missing_ok=True)

    def _job(self, stage: str, settings: dict[str, Any]) -> tuple[Job, Answers]:
        place = self.engine.folder or self.workspace.home / FOLDER
        task = Task(
            stage,
            source=whole_name(self.source),
            folder="",
            cache=str(self.session.cache.absolute()),
            code=code_digest(),
            least_rows=LEAST_ROWS,
            settings=settings,
        )
        key = None if self.key is None else [self.key.key_id, self.key.version]
        name = job_of(task, {"source": self.asset, "key": key})
        folder = place.absolute() / name
        if self.engine.folder is not None:
            note(self.workspace.home, folder)
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        task = replace(task, folder=str(folder))
        signer = self.workspace.ring.signer()
        grants = JobGrants(name, signer, self.key, identifies=self.identifies)
        return Job(name, task, grants), Answers(folder, name, grants.sealer)

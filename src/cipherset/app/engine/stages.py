"""The stages that workers know, by name: from a part of a source to the tables of an answer."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

import pyarrow as pa

from cipherset.app.engine import embedded, sanitized, scanned
from cipherset.app.engine.made import Made
from cipherset.app.engine.task import Task
from cipherset.custody.keys import JobKeys
from cipherset.pipeline.ingest import Source

Stage = Callable[[Source, Task, JobKeys, Made], Iterator[pa.Table]]

STAGES: Final[Mapping[str, Stage]] = MappingProxyType(
    {
        scanned.STAGE: scanned.answer,
        sanitized.STAGE: sanitized.answer,
        embedded.STAGE: embedded.answer,
    }
)

__all__ = ["STAGES", "Made", "Stage"]

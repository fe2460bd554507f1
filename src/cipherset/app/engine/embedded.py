"""``protect`` on a worker: rows read, sanitized, embedded and identified; none of it encrypted.

Fitting, splitting, noise and shuffling are of all rows and stay with whoever asked, and so does
the key: what a worker is given makes stand-ins and identities, and no ciphertext.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from cipherset.app.encoders import open_encoder
from cipherset.app.engine.made import Made, kept
from cipherset.app.engine.sanitized import keyed
from cipherset.app.engine.task import Task
from cipherset.app.exports.dataset import (
    VECTOR,
    Embedded,
    Reading,
    embedded,
    fixed_size_list,
    matrix,
)
from cipherset.core.errors import IntegrityError
from cipherset.core.protocols import Encoder
from cipherset.core.values import ColumnRoles, Vectors
from cipherset.custody.keys import JobKeys
from cipherset.pipeline.ingest import Source
from cipherset.pipeline.sanitize import Policy

STAGE: Final = "embed"
_TEXT: Final = "cipherset text"
_FOUND: Final = "cipherset found"
_IDENTITY: Final = "cipherset identity"
_ALIKE: Final = "cipherset alike"


def settings(reading: Reading, policy: Policy, encoder: str) -> dict[str, Any]:
    """What the stage takes; the encoder by its name or folder, and by its digest."""
    return {
        "roles": asdict(reading.roles),
        "rules": policy.text,
        "encoder": None if reading.encoder is None else [encoder, reading.encoder.digest],
    }


def answer(part: Source, task: Task, keys: JobKeys, made: Made) -> Iterator[pa.Table]:
    """The vectors of ``part`` with everything that whoever asked needs of each row."""
    asked, encoder = task.settings, _encoder(task, made)
    told = asked["roles"]
    roles = ColumnRoles(**{**told, "text": tuple(told["text"]), "keep": tuple(told["keep"])})
    rules = keyed(asked["rules"], keys, made)
    for each in embedded(part, Reading(roles, encoder, rules, keys.identity)):
        yield _encoded(each)


def _encoder(task: Task, made: Made) -> Encoder | None:
    asked = task.settings["encoder"]
    if asked is None:
        return None
    spec, digest = asked
    encoder = kept(made, ("encoder", spec), partial(open_encoder, spec, Path(task.cache)))
    if encoder.digest != digest:
        raise IntegrityError(
            f"a worker has another encoder under the name {spec}",
            code="encoder_digest",
            hint="give every worker the same weights: cipherset encoder get",
        )
    return encoder


def _encoded(each: Embedded) -> pa.Table:
    n_rows = len(each.vectors.values)
    found = [json.dumps(each.found), *[None] * (n_rows - 1)]
    texts = [None] * n_rows if each.texts is None else each.texts
    table = each.vectors.columns.append_column(VECTOR, fixed_size_list(each.vectors.values))
    for name, values in (
        (_TEXT, pa.array(texts, pa.large_string())),
        (_FOUND, pa.array(found, pa.string())),
        (_IDENTITY, pa.array(each.identities, pa.uint64())),
        (_ALIKE, pa.array(each.alike, pa.uint64())),
    ):
        table = table.append_column(name, values)
    return table


def decoded(tables: Iterable[pa.Table]) -> Iterator[Embedded]:
    """The rows of an answer."""
    for table in tables:
        found: dict[str, int] = {}
        for said in table.column(_FOUND).drop_null().to_pylist():
            for entity, count in json.loads(said).items():
                found[entity] = found.get(entity, 0) + count
        texts = table.column(_TEXT)
        yield Embedded(
            Vectors(
                matrix(table.column(VECTOR)),
                table.drop_columns([VECTOR, _TEXT, _FOUND, _IDENTITY, _ALIKE]),
            ),
            None if texts.null_count else texts.to_pylist(),
            found,
            np.asarray(table.column(_IDENTITY).to_numpy(), dtype=np.uint64),
            np.asarray(table.column(_ALIKE).to_numpy(), dtype=np.uint64),
        )

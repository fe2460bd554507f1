"""``protect`` on a worker: rows read, sanitized, embedded and identified; none of it encrypted.

Fitting, splitting, noise and shuffling are of all rows and stay with whoever asked, and so does
the key: what a worker is given makes stand-ins and identities, and no ciphertext.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from cipherset.app.encoders import open_encoder
from cipherset.app.engine.made import Made, kept
from cipherset.app.engine.sanitized import keyed
from cipherset.app.engine.task import Task
from cipherset.app.exports.dataset import VECTOR, fixed_size_list, matrix
from cipherset.app.reading.batch import Embedded
from cipherset.app.reading.embedded import Reading, embedded
from cipherset.app.serving.quiet import Quiet
from cipherset.core.errors import IntegrityError, PolicyError
from cipherset.core.protocols import Encoder
from cipherset.core.values import ROW, ColumnRoles
from cipherset.custody.keys import JobKeys
from cipherset.pipeline.ingest import Consent, Source
from cipherset.pipeline.sanitize import Policy
from cipherset.pipeline.sanitize.training.copies import CopyFinder

STAGE: Final = "embed"
_SAID: Final = "cipherset said"
_FOUND: Final = "cipherset found"
_IDENTITY: Final = "cipherset identity"
_ALIKE: Final = "cipherset alike"


def settings(
    reading: Reading, policy: Policy, encoder: str | None, consent: Consent | None = None
) -> dict[str, Any]:
    """What the stage takes; the encoder by its name or folder, and by its digest."""
    return {
        "consent": None if consent is None else asdict(consent),
        "roles": asdict(reading.roles),
        "rules": policy.text,
        "encoder": None if reading.encoder is None else [encoder, reading.encoder.digest],
    }


def answer(part: Source, task: Task, keys: JobKeys, made: Made) -> Iterator[pa.Table]:
    """The vectors of ``part`` with everything that whoever asked needs of each row.

    Of a part of which no row has consent there are none; the others' are numbered from 0.
    """
    asked, encoder = task.settings, _encoder(task, made)
    told = asked["roles"]
    roles = ColumnRoles(**{**told, "text": tuple(told["text"]), "keep": tuple(told["keep"])})
    rules = keyed(asked["rules"], keys, made)
    reading = Reading(roles, encoder, rules, keys.identity, CopyFinder())
    found: dict[str, int] = {}
    if asked["consent"] is not None:
        part = part.with_consent(Consent(**asked["consent"]))
    try:
        for each in embedded(part, reading, found, Quiet()):
            yield _encoded(each, found)
            found.clear()
    except PolicyError as refused:
        if refused.code != "no_consent":
            raise


def _encoder(task: Task, made: Made) -> Encoder | None:
    asked = task.settings["encoder"]
    if asked is None:
        return None
    spec, digest = asked
    opened = partial(open_encoder, spec, Path(task.cache), workers=1)  # there is one a core
    encoder = kept(made, ("encoder", spec), opened)
    if encoder.digest != digest:
        raise IntegrityError(
            f"a worker has another encoder under the name {spec}",
            code="encoder_digest",
            hint="give every worker the same weights: cipherset encoder get",
        )
    return encoder


def _encoded(each: Embedded, found: dict[str, int]) -> pa.Table:
    n_rows = len(each.values)
    told = [json.dumps(found), *[None] * (n_rows - 1)]
    kind = pa.large_string() if isinstance(each.said[0], str) else pa.large_binary()
    table = each.columns.append_column(VECTOR, fixed_size_list(each.values))
    for name, values in (
        (_SAID, pa.array(each.said, kind)),
        (_FOUND, pa.array(told, pa.string())),
        (_IDENTITY, pa.array(each.identities, pa.uint64())),
        (_ALIKE, pa.array(each.alike, pa.uint64())),
    ):
        table = table.append_column(name, values)
    return table


def numbered(batches: Iterable[Embedded]) -> Iterator[Embedded]:
    """The same, numbered as they come: of parts that left out rows, each has begun with 0."""
    n_rows = 0
    for each in batches:
        at = each.columns.column_names.index(ROW)
        own = each.columns.column(at)
        numbers = pa.array(range(n_rows, n_rows + len(own)), own.type)
        n_rows += len(own)
        yield replace(each, columns=each.columns.set_column(at, each.columns.field(at), numbers))


def decoded(tables: Iterable[pa.Table], found: dict[str, int]) -> Iterator[Embedded]:
    """The rows of an answer; what was found in them is added to ``found``."""
    for table in tables:
        for said in table.column(_FOUND).drop_null().to_pylist():
            for entity, count in json.loads(said).items():
                found[entity] = found.get(entity, 0) + count
        yield Embedded(
            matrix(table.column(VECTOR)),
            table.drop_columns([VECTOR, _SAID, _FOUND, _IDENTITY, _ALIKE]),
            np.asarray(table.column(_IDENTITY).to_numpy(), dtype=np.uint64),
            np.asarray(table.column(_ALIKE).to_numpy(), dtype=np.uint64),
            table.column(_SAID).to_pylist(),
        )

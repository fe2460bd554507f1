"""The exports that a stolen artifact bears on, and how many rows, people and tenants are in them.

Counts only: no value of a row leaves this module.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cipherset.app import state
from cipherset.app.erasure.sealed import sealed_column
from cipherset.app.gate import About
from cipherset.app.workspace import Workspace
from cipherset.custody.keys.identity import Identities
from cipherset.custody.policy import Kind
from cipherset.evidence.views.lineage import downstream, upstream


@dataclass(frozen=True, slots=True)
class Reach:
    """What a stolen artifact bears on: exports, by their manifest's digest, and all other assets.

    ``is_plain``: the artifact is rows in the clear.
    """

    exports: tuple[state.ExportState, ...] = field(repr=False)
    upstream: frozenset[str]
    downstream: frozenset[str]
    is_plain: bool


def reach(workspace: Workspace, stolen: About, exports: Iterable[state.ExportState]) -> Reach:
    """Everything that ``stolen`` came of and that came of it, and the exports among them."""
    ledger = workspace.gate.ledger
    runs = ledger.runs()
    if stolen.kind is Kind.KEY:
        key = workspace.ring.get(stolen.name)
        mine = tuple(each for each in exports if each.meta.key_id == key.key_id)
        digests = frozenset(each.meta.manifest_digest for each in mine)
        below = digests | downstream(digests, runs)
        return Reach(mine, upstream(digests, runs), below, is_plain=False)
    above, below = upstream([stolen.id], runs), downstream([stolen.id], runs)
    near = {stolen.id} | (above if stolen.kind is Kind.MODEL else below)
    mine = tuple(each for each in exports if each.meta.manifest_digest in near)
    asset = ledger.asset(stolen.id)
    is_export = asset is not None and "cipherset_id" in asset.attributes
    is_export = is_export or any(each.meta.manifest_digest == stolen.id for each in mine)
    is_plain = stolen.kind is Kind.DATASET and not is_export
    return Reach(mine, above, below, is_plain=is_plain)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many; None where no column that would tell was sealed with every one of the exports.

    ``rows`` of all exports together, ``records`` of which no two are the same.
    """

    rows: int
    records: int
    people: int | None
    tenants: int | None


def count(exports: Iterable[state.ExportState], tenant: str | None) -> Counts:
    """The counts over ``exports``; a person or tenant in several of them counts once."""
    rows, known, people, tenants = 0, [np.zeros(0, dtype=np.uint64)], _Values(), _Values()
    for export in exports:
        sources = []
        for table in export.rows.chunks():
            rows += table.num_rows
            known.append(table.column(state.IDENTITY).to_numpy())
            sources.append(table.column("source").to_numpy())
        there = export.vectors.take(np.concatenate(sources)) if sources else None
        people.add(there, sealed_column(export.meta, None))
        tenants.add(there, None if tenant is None else sealed_column(export.meta, tenant))
    distinct: Identities = np.unique(np.concatenate(known))
    return Counts(rows, len(distinct), people.n, tenants.n)


class _Values:
    """Distinct values of a column over several tables; none at all once one lacks it."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._is_known: bool | None = None

    def add(self, table: pa.Table | None, column: str | None) -> None:
        if table is None or column is None:
            self._is_known = False
            return
        self._is_known = self._is_known is not False
        distinct = pc.unique(pc.cast(table.column(column), pa.string()))
        self._seen.update(each for each in distinct.to_pylist() if each is not None)

    @property
    def n(self) -> int | None:
        return len(self._seen) if self._is_known else None

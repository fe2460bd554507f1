"""Columns beside text: fitted once it is known which rows are fitted on, then joined to vectors."""

from dataclasses import replace
from pathlib import Path

from cipherset.app import state
from cipherset.app.exports.dataset import VECTOR, Dataset, fixed_size_list, matrix
from cipherset.app.exports.plan import FIT_ROWS, Plan, sample
from cipherset.app.exports.request import Owner, ProtectRequest
from cipherset.app.reading.beside import cells_of, with_cells
from cipherset.core.spool import Spool, SpoolWriter
from cipherset.core.values import Vectors
from cipherset.pipeline.minimize import FittedColumn, fit_columns


def joined(
    owner: Owner, request: ProtectRequest, dataset: Dataset, plan: Plan, kept: Path
) -> Dataset:
    """``dataset`` with the columns beside its vectors in them; as it is where there are none.

    The key version's minimizer brings its columns, another is fitted on the rows that they are.

    Raises:
        InputError: ``column_values``.
    """
    if not request.roles.beside:
        return dataset
    columns = _columns(owner, request, dataset, plan)
    path, dim = kept / "joined", 0
    with SpoolWriter(path, owner.sealer, state.VECTORS) as writer:
        for chunk in dataset.spool.chunks():
            rows = Vectors(matrix(chunk.column(VECTOR)), chunk.drop_columns([VECTOR]))
            rows = with_cells(rows, columns)
            dim = rows.values.shape[1]
            writer.append(rows.columns.append_column(VECTOR, fixed_size_list(rows.values)))
    path.replace(kept / state.VECTORS)
    spool = Spool(kept / state.VECTORS, owner.sealer, state.VECTORS)
    return replace(dataset, spool=spool, dim=dim, columns=columns)


def _columns(
    owner: Owner, request: ProtectRequest, dataset: Dataset, plan: Plan
) -> tuple[FittedColumn, ...]:
    path = state.minimizer_path(owner.workspace.minimizers, owner.key)
    if path.exists():
        return state.read_minimizer(path, owner.sealer)[1].columns
    rows = dataset.spool.take(sample(plan.fit, FIT_ROWS, seed=request.seed))
    return fit_columns(request.roles.beside, cells_of(rows))

"""A minimizer made of scores that were learned elsewhere, such as with differential privacy.

Nothing here sees a row: what the scores keep, the minimizer keeps.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import InputError
from cipherset.core.values import Floats
from cipherset.pipeline.minimize.bottleneck import spread_apart
from cipherset.pipeline.minimize.fitted import FittedMinimizer, load
from cipherset.pipeline.minimize.network import Loss, unit_rows
from cipherset.pipeline.minimize.spec import MinimizerSpec, check_dim

_SCALE: Final = Loss().scale
# Scores of a good fit differ by 2 to 5: about half of the length of a row is then theirs.
LEVEL: Final = 2.0


def from_scores(
    spec: MinimizerSpec,
    matrix: Floats,
    offset: Floats,
    classes: npt.NDArray[np.int64],
    *,
    shrink: float,
) -> FittedMinimizer:
    """The minimizer that keeps of ``x`` the ``spec.dim`` directions that its scores vary most in.

    The scores ``s = x @ matrix + offset`` of c classes, less their mean, are of rank c - 1 at most:
    with as many dimensions nothing of them is lost but their length, and with one more, which is
    ``LEVEL`` for all rows before they are made unit ones, not even that. As
    ``relu(s) - relu(-s) = s``, the hidden layer of a network holds the scores and their negatives.

    Args:
        spec: Kind and width.
        matrix: Shape (d, c).
        offset: Shape (c,).
        classes: The code of each column, shape (c,).
        shrink: As in ``FitSettings``.

    Raises:
        InputError: ``minimizer_dim``: wider than c, or below 2.
    """
    n_classes = matrix.shape[1]
    most = min(n_classes, matrix.shape[0] + 1)
    dim = check_dim(spec, at_most=most, why=f"there are {n_classes} classes")
    centered = matrix - matrix.mean(axis=1, keepdims=True)
    axes = np.zeros((n_classes, dim))
    kept = min(dim, n_classes - 1)
    axes[:, :kept] = np.linalg.svd(centered, full_matrices=False)[2][:kept].T
    level = offset - offset.mean()
    beside = np.zeros(dim)
    beside[kept:] = LEVEL
    return load(
        str(spec),
        {
            "w1": np.hstack([centered, -centered]),
            "b1": np.hstack([level, -level]),
            "w2": np.vstack([axes, -axes]),
            "b2": beside,
            "w3": _SCALE * axes.T,
            "b3": np.zeros(n_classes),
            "anchors": np.asarray(spread_apart(unit_rows(axes), seed=0), dtype=np.float32),
            "shrink": np.array([shrink], dtype=np.float64),
            "head_matrix": _SCALE * axes.T,
            "head_offset": np.zeros(n_classes),
            "classes": classes.astype(np.float64),
        },
    )


def never_fitted_here(spec: MinimizerSpec) -> InputError:
    """What is refused where rows would be seen without the noise that the spec promises."""
    return InputError(
        f"{spec} is made from scores with differential privacy, not fitted on rows",
        code="minimizer_private",
        hint="take bottleneck:K, or make it from such scores",
    )

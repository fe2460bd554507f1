"""A minimizer that keeps an (epsilon, delta) for each row it is fitted on."""

import numpy as np

from cipherset.core.errors import InputError
from cipherset.core.values import Floats, Guarantee
from cipherset.pipeline.minimize import FittedMinimizer, Labels, MinimizerSpec, from_scores
from cipherset.pipeline.private import private_scores


def private_minimizer(
    spec: MinimizerSpec, kept: Guarantee, x: Floats, y: Labels | None, *, shrink: float
) -> FittedMinimizer:
    """The minimizer of ``spec``, made of scores that were learned on rows (n, d) with noise.

    The classes that there are, and the number of rows, are not kept secret.

    Raises:
        InputError: ``labels_needed``; ``labels_numeric``; ``one_class``; ``norm``;
            ``minimizer_dim``; ``private_budget``; ``private_rows``; ``private_width``.
    """
    if y is None:
        raise InputError(
            f"{spec} needs labels", code="labels_needed", hint="name the label's column"
        )
    if y.dtype.kind == "f":
        raise InputError(
            f"{spec} needs classes, not numbers", code="labels_numeric", hint="use pls:K"
        )
    classes, codes = np.unique(y, return_inverse=True)
    codes = codes.reshape(-1).astype(np.int64)
    scores = private_scores(x, codes, n_classes=len(classes), guarantee=kept)
    return from_scores(spec, scores.matrix, scores.offset, classes.astype(np.int64), shrink=shrink)

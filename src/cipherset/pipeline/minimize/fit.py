"""Fit a minimizer and the owner's head on rows of the owner zone."""

from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import InputError
from cipherset.core.protocols import Progress
from cipherset.core.sets import prior_odds
from cipherset.core.values import Float32s, Floats
from cipherset.pipeline.minimize.bottleneck import FitSettings, fit_weights, spread_apart
from cipherset.pipeline.minimize.fitted import FittedMinimizer, Labels, check_rows, load
from cipherset.pipeline.minimize.linear import (
    discriminant_axes,
    principal_axes,
    regression_axes,
)
from cipherset.pipeline.minimize.network import Codes, deviations, encode
from cipherset.pipeline.minimize.scored import never_fitted_here
from cipherset.pipeline.minimize.spec import MinimizerKind, MinimizerSpec, check_dim

# Plain vectors of three tasks: 1 is best where labels are noisy, and there it is this map's turn.
LINEAR_INVERSE_PENALTY: Final = 1.0
_NEVER: Final = 1e3  # log odds, beyond those of any number of rows
_SUPERVISED = {MinimizerKind.BOTTLENECK, MinimizerKind.LDA, MinimizerKind.PLS}


def fit(
    spec: MinimizerSpec,
    x: Float32s,
    y: Labels | None,
    *,
    settings: FitSettings,
    progress: Progress | None = None,
) -> FittedMinimizer:
    """The minimizer of ``spec`` fitted on rows ``x`` (n, d); where y is given, with a head.

    ``y``, shape (n,): integers are class codes, any integers; floats are numeric labels (for
    ``pls``, ``pca`` and ``none``). Shape (n, labels), int8: 0 or 1 for each label that a row may
    have, for the same. Same rows, settings and machine, same minimizer.

    Raises:
        InputError: ``no_rows``; ``vector_not_finite``; ``labels_needed``; ``labels_numeric``, the
            minimizer wants one class a row; ``label_count``; ``label_not_finite``; ``one_class``;
            ``minimizer_dim``, wider than the data allow; ``minimizer_private``.
    """
    if spec.guarantee is not None:
        raise never_fitted_here(spec)
    rows = check_rows(x)
    if len(rows) == 0:
        raise _refusal("there are no rows to fit on", "no_rows", "check the source and its splits")
    if y is None:
        if spec.kind in _SUPERVISED:
            raise _refusal(f"{spec} needs labels", "labels_needed", "name the label's column")
        return load(str(spec), _map_arrays(spec, rows, None))
    _check_labels(spec, rows, y)
    if y.ndim == 2:
        return _fit_sets(spec, rows, np.asarray(y, dtype=np.int8))
    if y.dtype.kind == "f":
        return _fit_numeric(spec, rows, np.asarray(y, dtype=np.float64))
    return _fit_classes(spec, rows, y, settings=settings, progress=progress)


def likely_fits(minimizer: FittedMinimizer, *, radius: float, seed: int) -> tuple[FitSettings, ...]:
    """Ways in which ``minimizer`` may have been fitted, with another seed.

    For somebody who fits one as much like it as he can: whether its rows were shrunk, and whether
    it has a hidden layer, can be read off it; how many epochs it took cannot.
    """
    arrays = minimizer.arrays()
    if "w1" not in arrays:
        return (FitSettings(noise_radius=radius, seed=seed),)
    width = arrays["w1"].shape[1]
    # Without a hidden layer the first matrix holds each class's scores and their negatives.
    linear = width == 2 * len(arrays["b3"])
    return tuple(
        FitSettings(
            noise_radius=radius,
            seed=seed,
            epochs=epochs,
            hidden=0 if linear else width,
            shrink=float(arrays["shrink"][0]),
        )
        for epochs in ((30,) if linear else (30, 5))
    )


def _fit_classes(
    spec: MinimizerSpec,
    x: Float32s,
    y: Labels,
    *,
    settings: FitSettings,
    progress: Progress | None,
) -> FittedMinimizer:
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise _refusal(
            f"all {len(x)} rows have one and the same label",
            "one_class",
            "a classifier needs at least two labels",
        )
    codes = codes.astype(np.int64)
    if spec.kind is MinimizerKind.BOTTLENECK:
        arrays = _bottleneck_arrays(spec, x, codes, settings=settings, progress=progress)
    else:
        arrays = _map_arrays(spec, x, codes)
    arrays |= _class_head(load(str(spec), arrays).transform(x), codes)
    return load(str(spec), arrays | {"classes": classes.astype(np.float64)})


def _check_labels(spec: MinimizerSpec, x: Float32s, y: Labels) -> None:
    if y.ndim not in {1, 2} or len(y) != len(x):
        raise _refusal(
            f"labels of shape {y.shape} for {len(x)} rows", "label_count", "give one label per row"
        )
    if y.dtype.kind != "f" and y.ndim == 1:
        return
    if spec.kind in {MinimizerKind.BOTTLENECK, MinimizerKind.LDA}:
        raise _refusal(f"{spec} needs one class a row", "labels_numeric", "use pls:K")
    if not np.isfinite(y).all():
        row = int(np.flatnonzero(~np.isfinite(y))[0])
        raise _refusal(
            f"the label of row {row} is NaN or infinity", "label_not_finite", "drop or mend it"
        )


def _fit_numeric(spec: MinimizerSpec, x: Float32s, y: npt.NDArray[np.float64]) -> FittedMinimizer:
    from sklearn.linear_model import Ridge

    arrays = _map_arrays(spec, x, y)
    head = Ridge(alpha=1e-3).fit(load(str(spec), arrays).transform(x).astype(np.float64), y)
    return load(
        str(spec),
        arrays
        | {
            "head_matrix": np.asarray(head.coef_, dtype=np.float64).reshape(-1, 1),
            "head_offset": np.array([head.intercept_], dtype=np.float64),
        },
    )


def _fit_sets(spec: MinimizerSpec, x: Float32s, y: npt.NDArray[np.int8]) -> FittedMinimizer:
    """With a head of one logistic regression a label, which tells what is likelier than usual."""
    arrays = _map_arrays(spec, x, y.astype(np.float64))
    z = load(str(spec), arrays).transform(x).astype(np.float64)
    heads = [_one_label_head(z, column) for column in y.T]
    matrix = np.stack([weights for weights, _ in heads], axis=1)
    offset = np.array([level for _, level in heads]) - prior_odds(y)
    return load(str(spec), arrays | {"head_matrix": matrix, "head_offset": offset})


def _one_label_head(
    z: npt.NDArray[np.float64], y: npt.NDArray[np.int8]
) -> tuple[npt.NDArray[np.float64], float]:
    """Weights (k,) and offset; a label that all rows have, or none, is never told."""
    if y.min() == y.max():
        return np.zeros(z.shape[1]), -_NEVER
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=10.0, max_iter=2000).fit(z, y)
    return np.asarray(model.coef_[0], dtype=np.float64), float(model.intercept_[0])


def _map_arrays(
    spec: MinimizerSpec, x: Float32s, y: Codes | npt.NDArray[np.float64] | None
) -> dict[str, Floats]:
    """Offset and axes of a linear minimizer; of ``none``, the width."""
    width = x.shape[1]
    if spec.kind is MinimizerKind.NONE or (y is None and spec.kind is not MinimizerKind.PCA):
        return {"width": np.array([width], dtype=np.float64)}
    if spec.kind is MinimizerKind.PCA or y is None:
        dim = check_dim(spec, at_most=width, why=f"vectors have {width} dimensions")
        axes = principal_axes(x, dim)
    elif spec.kind is MinimizerKind.LDA:
        codes = np.asarray(y, dtype=np.int64)
        most = min(int(codes.max()), width)
        axes = discriminant_axes(
            x, codes, check_dim(spec, at_most=most, why=f"there are {most + 1} classes")
        )
    else:
        most = min(width, len(x) - 1)
        dim = check_dim(spec, at_most=most, why=f"the fit has {len(x)} rows of width {width}")
        axes = regression_axes(x, _targets(y), dim)
    return {"offset": x.mean(axis=0), "axes": axes}


def _targets(y: Codes | npt.NDArray[np.float64]) -> Floats:
    """Numbers as they are, as columns; class codes as indicator columns."""
    if y.dtype.kind == "f":
        return np.asarray(y, dtype=np.float64).reshape(len(y), -1)
    return np.eye(int(y.max()) + 1)[np.asarray(y, dtype=np.int64)]


def _bottleneck_arrays(
    spec: MinimizerSpec,
    x: Float32s,
    codes: Codes,
    *,
    settings: FitSettings,
    progress: Progress | None,
) -> dict[str, Floats]:
    """Network and anchors; centering and scale are folded into the first layer."""
    dim = check_dim(spec, at_most=x.shape[1], why=f"vectors have {x.shape[1]} dimensions")
    if settings.hidden == 0:
        return _linear_arrays(x, codes, dim=dim, settings=settings)
    mean = x.mean(axis=0)
    spread = np.float32(max(float(np.std(x - mean)), 1e-6))
    scaled = (x - mean) / spread
    weights = fit_weights(scaled, codes, dim=dim, settings=settings, progress=progress)
    z = encode(weights, scaled)
    anchors = spread_apart(class_means(z, codes), seed=settings.seed)
    w1 = weights.w1 / spread
    return {
        "w1": w1,
        "b1": weights.b1 - mean @ w1,
        "w2": weights.w2,
        "b2": weights.b2,
        "anchors": np.asarray(anchors, dtype=np.float32),
        "shrink": np.array([settings.shrink], dtype=np.float64),
        "w3": settings.loss.scale * weights.w3,
        "b3": settings.loss.scale * weights.b3,
    }


def _linear_arrays(
    x: Float32s, codes: Codes, *, dim: int, settings: FitSettings
) -> dict[str, Floats]:
    """A logistic regression in the form of a network: each class's score moves along its anchor.

    ``relu(s) - relu(-s) = s``, so a hidden layer of the scores and their negatives passes them on.
    With simplex anchors (dim >= classes - 1) the class with the largest score is also the one
    whose anchor is nearest.
    """
    head = _class_head(x, codes, inverse_penalty=LINEAR_INVERSE_PENALTY)
    scores, offset = head["head_matrix"], head["head_offset"]
    start = np.random.default_rng(settings.seed).standard_normal((scores.shape[1], dim))
    anchors = spread_apart(start, seed=settings.seed)
    return {
        "w1": np.asarray(np.hstack([scores, -scores]), dtype=np.float64),
        "b1": np.asarray(np.hstack([offset, -offset]), dtype=np.float64),
        "w2": np.asarray(np.vstack([anchors, -anchors]), dtype=np.float64),
        "b2": np.zeros(dim),
        "anchors": np.asarray(anchors, dtype=np.float32),
        "shrink": np.array([settings.shrink], dtype=np.float64),
        "w3": settings.loss.scale * anchors.T,
        "b3": np.zeros(len(anchors)),
    }


def class_means(z: Floats, codes: Codes) -> Floats:
    """Mean row of each class, shape (classes, k); ``codes`` are 0 to classes - 1, none empty."""
    _, first = np.unique(codes, return_index=True)
    return (z - deviations(z, codes, len(first)))[first]


def _class_head(z: Float32s, codes: Codes, *, inverse_penalty: float = 10.0) -> dict[str, Floats]:
    """A logistic regression on noise-free rows, as one column of scores per class."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=inverse_penalty, max_iter=2000).fit(z.astype(np.float64), codes)
    matrix, offset = np.asarray(model.coef_.T), np.asarray(model.intercept_)
    if matrix.shape[1] == 1:  # two classes: sklearn keeps one column, the second's
        matrix, offset = np.hstack([-matrix, matrix]), np.hstack([-offset, offset])
    return {"head_matrix": matrix, "head_offset": offset}


def _refusal(message: str, code: str, hint: str) -> InputError:
    return InputError(message, code=code, hint=hint)

"""scikit-learn estimators to ONNX: the only form in which a model travels."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from cipherset.core.errors import InputError
from cipherset.pipeline.train.fit import Model
from cipherset.pipeline.train.multilabel import SetModel, sets_to_onnx

INPUT: Final = "x"
# The oldest versions that say all we need, so that old runtimes can run the models too.
_VERSIONS: Final = {"": 17, "ai.onnx.ml": 3}


def to_onnx(model: Model) -> bytes:
    """The ONNX bytes of a fitted estimator.

    One input ``x``, float32 (n, dim). Outputs: the label first (a class as it was in ``y``, a
    number (n, 1), or 0 or 1 for each label (n, labels)), then, from a classifier, the
    probabilities.

    Raises:
        InputError: an estimator that is not fitted.
    """
    if isinstance(model, SetModel):
        return sets_to_onnx(model, INPUT)
    import skl2onnx
    from skl2onnx.common.data_types import FloatTensorType
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    dim = getattr(model, "n_features_in_", None)
    if dim is None:
        raise InputError(
            "the model is not fitted", code="model_not_fitted", hint="call train_model first"
        )
    graph = skl2onnx.convert_sklearn(
        model,
        name="model",
        initial_types=[(INPUT, FloatTensorType([None, dim]))],
        options={id(model): {"zipmap": False}} if hasattr(model, "classes_") else None,
        target_opset=_VERSIONS,
        custom_conversion_functions={
            HistGradientBoostingClassifier: _boosted_classifier,
            HistGradientBoostingRegressor: _boosted_regressor,
        },
    )
    return bytes(graph.SerializeToString())


class _WholeNumbers:
    """A converter's container whose trees say 0 and 1 where skl2onnx 1.20 says false and true.

    onnx 1.23 refuses those; everything else is handed on as it is.
    """

    def __init__(self, container: Any) -> None:  # noqa: ANN401 -- skl2onnx has no types
        self._container = container

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._container, name)

    def add_node(  # house: the form of the container that stands behind this one
        self,
        op_type: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        **attributes: object,
    ) -> None:
        flags = attributes.get("nodes_missing_value_tracks_true")
        if flags is not None:
            whole = np.asarray(flags).astype(np.int64).tolist()
            attributes["nodes_missing_value_tracks_true"] = whole
        self._container.add_node(op_type, inputs, outputs, **attributes)


def _boosted_classifier(scope: Any, operator: Any, container: Any) -> None:  # noqa: ANN401
    from skl2onnx.operator_converters.random_forest import (
        convert_sklearn_random_forest_classifier,
    )

    convert_sklearn_random_forest_classifier(scope, operator, _WholeNumbers(container))


def _boosted_regressor(scope: Any, operator: Any, container: Any) -> None:  # noqa: ANN401
    from skl2onnx.operator_converters.random_forest import (
        convert_sklearn_random_forest_regressor_converter,
    )

    convert_sklearn_random_forest_regressor_converter(scope, operator, _WholeNumbers(container))

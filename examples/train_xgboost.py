"""Train on a cipherset with XGBoost: python examples/train_xgboost.py DIR BUNDLE.

Needs: pip install xgboost-cpu onnxmltools
"""

import sys

import numpy as np
import onnxmltools
import xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

import cipherset

directory, bundle = sys.argv[1:]
data = cipherset.open(directory)
classes = list(data.manifest.classes)


def rows(split: str) -> tuple[np.ndarray, np.ndarray]:
    """XGBoost takes a class by its position, and so does a bundle."""
    x, y = data.to_numpy(split)
    return x, np.array([classes.index(name) for name in y])


x, y = rows("train")
model = xgboost.XGBClassifier(n_estimators=50, max_depth=4).fit(x, y)
accuracy = model.score(*rows("test"))
shape = [("x", FloatTensorType([None, x.shape[1]]))]
graph = onnxmltools.convert_xgboost(model, initial_types=shape)
cipherset.save_bundle(bundle, graph.SerializeToString(), data, {"lab_accuracy": accuracy})
print(f"lab accuracy {accuracy:.3f}")

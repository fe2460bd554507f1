"""Train on a cipherset with LightGBM: python examples/train_lightgbm.py DIR BUNDLE.

Needs: pip install lightgbm onnxmltools
"""

import sys

import lightgbm
import onnxmltools
from onnxmltools.convert.common.data_types import FloatTensorType

import cipherset

directory, bundle = sys.argv[1:]
data = cipherset.open(directory)
x, y = data.to_numpy("train")
model = lightgbm.LGBMClassifier(n_estimators=50, verbose=-1).fit(x, y)
accuracy = model.score(*data.to_numpy("test"))
shape = [("x", FloatTensorType([None, x.shape[1]]))]
graph = onnxmltools.convert_lightgbm(model, initial_types=shape, zipmap=False)
cipherset.save_bundle(bundle, graph.SerializeToString(), data, {"lab_accuracy": accuracy})
print(f"lab accuracy {accuracy:.3f}")

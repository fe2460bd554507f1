"""Train on a cipherset with scikit-learn: python examples/train_sklearn.py DIR BUNDLE."""

import sys

import skl2onnx
from sklearn.linear_model import LogisticRegression

import cipherset

directory, bundle = sys.argv[1:]
data = cipherset.open(directory)
x, y = data.to_numpy("train")
model = LogisticRegression(max_iter=1000).fit(x, y)
accuracy = model.score(*data.to_numpy("test"))
graph = skl2onnx.to_onnx(model, x[:1], options={"zipmap": False})
cipherset.save_bundle(bundle, graph.SerializeToString(), data, {"lab_accuracy": accuracy})
print(f"lab accuracy {accuracy:.3f}")

"""Train on a cipherset with Polars: python examples/train_polars.py DIR BUNDLE.

Needs: pip install polars. As many rows of each class are taken as the smallest has.
"""

import sys

import polars as pl
import skl2onnx
from sklearn.linear_model import LogisticRegression

import cipherset

directory, bundle = sys.argv[1:]
data = cipherset.open(directory)
train, test = (pl.from_arrow(data.to_arrow(split)) for split in ("train", "test"))
least = train["label"].value_counts()["count"].min()
even = train.filter(pl.int_range(pl.len()).shuffle(seed=0).over("label") < least)
model = LogisticRegression(max_iter=1000).fit(even["vector"].to_numpy(), even["label"].to_list())
accuracy = model.score(test["vector"].to_numpy(), test["label"].to_list())
graph = skl2onnx.to_onnx(model, test["vector"][:1].to_numpy(), options={"zipmap": False})
cipherset.save_bundle(bundle, graph.SerializeToString(), data, {"lab_accuracy": accuracy})
print(f"lab accuracy {accuracy:.3f}")

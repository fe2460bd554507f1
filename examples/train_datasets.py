"""Train on a cipherset with Hugging Face datasets: python examples/train_datasets.py DIR BUNDLE.

Needs: pip install datasets. The Dataset stands on the rows that were verified, in memory and
without a copy; nothing is written to its cache.
"""

import sys

import datasets
import skl2onnx
from sklearn.linear_model import SGDClassifier

import cipherset

directory, bundle = sys.argv[1:]
data = cipherset.open(directory)
train, test = (datasets.Dataset(data.to_arrow(split)) for split in ("train", "test"))
model = SGDClassifier(random_state=0)
for epoch in range(5):
    for batch in train.shuffle(seed=epoch).with_format("numpy").iter(batch_size=256):
        model.partial_fit(batch["vector"], batch["label"], classes=list(data.manifest.classes))
rows = test.with_format("numpy")[:]
accuracy = model.score(rows["vector"], rows["label"])
graph = skl2onnx.to_onnx(model, rows["vector"][:1], options={"zipmap": False})
cipherset.save_bundle(bundle, graph.SerializeToString(), data, {"lab_accuracy": accuracy})
print(f"lab accuracy {accuracy:.3f}")

"""Train on a cipherset with DuckDB: python examples/train_duckdb.py DIR BUNDLE.

Needs: pip install duckdb. DuckDB reads the verified rows where they are; one query computes the
center of each class, and the nearest one is the label: a linear model without another library.
"""

import sys

import duckdb
import numpy as np
import onnx

import cipherset

directory, bundle = sys.argv[1:]
data = cipherset.open(directory)
train = data.to_arrow("train")
found = duckdb.sql("""
    SELECT label, place, avg(value) AS mean
    FROM (SELECT label, unnest(vector) AS value, generate_subscripts(vector, 1) AS place FROM train)
    GROUP BY label, place ORDER BY label, place
""").fetchnumpy()
classes = list(data.manifest.classes)
centers = found["mean"].astype(np.float32).reshape(len(classes), -1)

# |x - c|^2 is least where x @ c - |c|^2 / 2 is most.
shape = f"float[n, {data.manifest.dim}]"
graph = onnx.parser.parse_model(f"""
    <ir_version: 8, opset_import: ["": 17]>
    model ({shape} x) => (int64[n] label) {{
        z = Gemm<transB = 1>(x, centers, less)
        label = ArgMax<axis = 1, keepdims = 0>(z)
    }}""")
for name, values in {"centers": centers, "less": -(centers**2).sum(1) / 2}.items():
    graph.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
x, y = data.to_numpy("test")
nearest = ((x[:, None] - centers) ** 2).sum(2).argmin(1)
accuracy = (np.array(classes)[nearest] == y).mean()
cipherset.save_bundle(bundle, graph.SerializeToString(), data, {"lab_accuracy": accuracy})
print(f"lab accuracy {accuracy:.3f}")

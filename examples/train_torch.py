"""Train on a cipherset with torch: python examples/train_torch.py DIR BUNDLE.

Needs: pip install torch. The network is written to ONNX by hand, in onnx's own notation: five
lines that say what it computes, and no exporter to install.
"""

import sys

import onnx
import torch

import cipherset

directory, bundle = sys.argv[1:]
data = cipherset.open(directory)
x, y = data.to_torch("train")
torch.manual_seed(0)
hidden, last = torch.nn.Linear(x.shape[1], 64), torch.nn.Linear(64, len(data.manifest.classes))
model = torch.nn.Sequential(hidden, torch.nn.ReLU(), last)
optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
for _ in range(200):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
x_test, y_test = data.to_torch("test")
accuracy = (model(x_test).argmax(1) == y_test).float().mean().item()

graph = onnx.parser.parse_model(f"""
    <ir_version: 8, opset_import: ["": 17]>
    model (float[n, {x.shape[1]}] x) => (int64[n] label) {{
        h = Gemm<transB = 1>(x, w0, b0)
        r = Relu(h)
        z = Gemm<transB = 1>(r, w1, b1)
        label = ArgMax<axis = 1, keepdims = 0>(z)
    }}""")
weights = {"w0": hidden.weight, "b0": hidden.bias, "w1": last.weight, "b1": last.bias}
for name, tensor in weights.items():
    graph.graph.initializer.append(onnx.numpy_helper.from_array(tensor.detach().numpy(), name))
cipherset.save_bundle(bundle, graph.SerializeToString(), data, {"lab_accuracy": accuracy})
print(f"lab accuracy {accuracy:.3f}")

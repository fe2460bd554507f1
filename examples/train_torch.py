"""Train on a cipherset with torch: python examples/train_torch.py DIR BUNDLE.

Needs: pip install torch onnxscript. Rows come from a Dataset that verifies one file after another
and keeps none, so a cipherset may be larger than memory.
"""

import sys
from collections.abc import Iterator

import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

import cipherset

directory, bundle = sys.argv[1:]
data = cipherset.open(directory)
dim, classes = data.manifest.dim, list(data.manifest.classes)


class Rows(IterableDataset):
    def __init__(self, split: str) -> None:
        self.split = split

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for table in data.batches(self.split):
            vectors = torch.tensor(table["vector"].combine_chunks().flatten().to_numpy())
            labels = torch.tensor([classes.index(name) for name in table["label"].to_pylist()])
            yield from zip(vectors.reshape(-1, dim), labels, strict=True)


class Labels(nn.Module):
    """The label itself, which is what a bundle's first output must be."""

    def __init__(self, scores: nn.Module) -> None:
        super().__init__()
        self.scores = scores

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.scores(x).argmax(1)


torch.manual_seed(0)
scores = nn.Sequential(nn.Linear(dim, 64), nn.GELU(), nn.Dropout(0.2), nn.Linear(64, len(classes)))
optimizer = torch.optim.AdamW(scores.parameters(), lr=0.01)
for _ in range(20):
    for x, y in DataLoader(Rows("train"), batch_size=128):
        optimizer.zero_grad()
        nn.functional.cross_entropy(scores(x), y).backward()
        optimizer.step()

model = Labels(scores).eval()
right = [(model(x) == y).float() for x, y in DataLoader(Rows("test"), batch_size=128)]
accuracy = torch.cat(right).mean().item()
rows = {"x": {0: torch.export.Dim.DYNAMIC}}  # any number of them
exported = torch.onnx.export(
    model,
    (torch.zeros(2, dim),),
    input_names=["x"],
    output_names=["label"],
    dynamic_shapes=rows,
    verbose=False,
)
onnx_model = exported.model_proto.SerializeToString()
cipherset.save_bundle(bundle, onnx_model, data, {"lab_accuracy": accuracy})
print(f"lab accuracy {accuracy:.3f}")

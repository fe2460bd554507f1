"""Train with differential privacy by opacus: python examples/train_opacus.py DIR BUNDLE.

Needs: pip install opacus onnxscript. Its epsilon is of the model, for a row of the cipherset with
its label; what the export itself promises of a row is in ``data.manifest``. A step takes each row
by the toss of a coin, so the rows are held in memory: a Dataset that streams cannot do that.
"""

import secrets
import sys

import torch
from opacus import PrivacyEngine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import cipherset

EPSILON, DELTA = 3.0, 1e-6
EPOCHS, BATCH, LONGEST = 20, 64, 1.0

directory, bundle = sys.argv[1:]
data = cipherset.open(directory)
dim, classes = data.manifest.dim, list(data.manifest.classes)
train, test = (TensorDataset(*data.to_torch(split)) for split in ("train", "test"))


class Labels(nn.Module):
    """The label itself, which is what a bundle's first output must be."""

    def __init__(self, scores: nn.Module) -> None:
        super().__init__()
        self.scores = scores

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.scores(x).argmax(1)


def unknown() -> torch.Generator:
    """Seeded by the system: a new Generator has a seed that all know, and with it the noise."""
    return torch.Generator().manual_seed(secrets.randbits(63))


scores = nn.Linear(dim, len(classes))
engine = PrivacyEngine()  # secure_mode would need torchcsprng, which this torch has no build of
hooks, optimizer, batches = engine.make_private_with_epsilon(
    module=scores,
    optimizer=torch.optim.SGD(scores.parameters(), lr=0.5),
    data_loader=DataLoader(train, batch_size=BATCH, generator=unknown()),
    target_epsilon=EPSILON,
    target_delta=DELTA,
    epochs=EPOCHS,
    max_grad_norm=LONGEST,
    noise_generator=unknown(),
    wrap_model=False,
)
for _ in range(EPOCHS):
    for x, y in batches:
        optimizer.zero_grad()
        nn.functional.cross_entropy(scores(x), y).backward()
        optimizer.step()
hooks.cleanup()

model = Labels(scores).eval()
right = [(model(x) == y).float() for x, y in DataLoader(test, batch_size=128)]
accuracy = torch.cat(right).mean().item()
exported = torch.onnx.export(
    model,
    (torch.zeros(2, dim),),
    input_names=["x"],
    output_names=["label"],
    dynamic_shapes={"x": {0: torch.export.Dim.DYNAMIC}},  # any number of rows
    verbose=False,
)
onnx_model = exported.model_proto.SerializeToString()
epsilon = engine.get_epsilon(DELTA)
cipherset.save_bundle(bundle, onnx_model, data, {"lab_accuracy": accuracy, "epsilon": epsilon})
print(f"lab accuracy {accuracy:.3f}, epsilon {epsilon:.2f} at delta {DELTA:g}")

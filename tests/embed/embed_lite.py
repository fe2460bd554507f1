"""A tiny network of the shape of EfficientNet-Lite0, and what it computes, slowly."""

import numpy as np

# Blocks, first stride, kernel and channels of each stage; a copy of the paper's table, not of ours.
STAGES = [
    (1, 1, 3, 4), (2, 2, 3, 4), (2, 2, 5, 6), (3, 2, 3, 6),
    (3, 1, 5, 8), (4, 2, 5, 8), (1, 1, 3, 10),
]  # fmt: skip
STEM, HEAD, EXPANSION = 4, 12, 2
Tensors = dict[str, np.ndarray]


def tiny_tensors(seed: int = 3) -> Tensors:
    rng = np.random.default_rng(seed)
    found: Tensors = {}

    def convolution(name: str, normalized: str, shape: tuple[int, ...]) -> None:
        fan_in = np.prod(shape[1:])
        found[f"{name}.weight"] = rng.normal(0, fan_in**-0.5, shape)
        n_out = shape[0]
        found[f"{normalized}.weight"] = rng.uniform(0.5, 2, n_out)
        found[f"{normalized}.bias"] = rng.normal(0.5, 0.5, n_out)
        found[f"{normalized}.running_mean"] = rng.normal(0, 0.2, n_out)
        found[f"{normalized}.running_var"] = rng.uniform(0.2, 1, n_out)

    convolution("_conv_stem", "_bn0", (STEM, 3, 3, 3))
    n_in = STEM
    for number, (_, kernel, n_out) in enumerate(blocks()):
        at, wide = f"_blocks.{number}.", n_in if number == 0 else n_in * EXPANSION
        if number > 0:
            convolution(f"{at}_expand_conv", f"{at}_bn0", (wide, n_in, 1, 1))
        convolution(f"{at}_depthwise_conv", f"{at}_bn1", (wide, 1, kernel, kernel))
        convolution(f"{at}_project_conv", f"{at}_bn2", (n_out, wide, 1, 1))
        n_in = n_out
    convolution("_conv_head", "_bn1", (HEAD, n_in, 1, 1))
    return {name: values.astype(np.float32) for name, values in found.items()}


def blocks() -> list[tuple[int, int, int]]:
    """Stride, kernel and channels of each block."""
    return [
        (stride if i == 0 else 1, kernel, n_out)
        for n, stride, kernel, n_out in STAGES
        for i in range(n)
    ]


def slowly(tensors: Tensors, pixels: np.ndarray) -> np.ndarray:
    """The pooled features of one image (224, 224, 3), in float64, layer by layer."""

    def layer(x, name, normalized, *, stride=1, groups=1):
        made = _convolved(x, tensors[f"{name}.weight"].astype(np.float64), stride, groups)
        scale, bias, mean, variance = (
            tensors[f"{normalized}.{each}"].astype(np.float64)[:, None, None]
            for each in ("weight", "bias", "running_mean", "running_var")
        )
        return (made - mean) / np.sqrt(variance + 1e-3) * scale + bias

    def relu6(x):
        return np.clip(x, 0, 6)

    x = (pixels.astype(np.float64).transpose(2, 0, 1) - 127) / 128
    x = relu6(layer(x, "_conv_stem", "_bn0", stride=2))
    for number, (stride, _, n_out) in enumerate(blocks()):
        at, before = f"_blocks.{number}.", x
        if number > 0:
            x = relu6(layer(x, f"{at}_expand_conv", f"{at}_bn0"))
        x = relu6(layer(x, f"{at}_depthwise_conv", f"{at}_bn1", stride=stride, groups=len(x)))
        x = layer(x, f"{at}_project_conv", f"{at}_bn2")
        if stride == 1 and len(before) == n_out:
            x = x + before
    return relu6(layer(x, "_conv_head", "_bn1")).mean(axis=(1, 2))


def _convolved(x: np.ndarray, weight: np.ndarray, stride: int, groups: int) -> np.ndarray:
    """Sides padded to ``ceil(size / stride)`` outputs, the odd pixel below and to the right."""
    kernel = weight.shape[-1]
    size = x.shape[-1]
    n_out = -(-size // stride)
    missing = max(0, (n_out - 1) * stride + kernel - size)
    before = missing // 2
    padded = np.pad(x, [(0, 0), (before, missing - before), (before, missing - before)])
    total = np.zeros((len(weight), n_out, n_out))
    for row in range(kernel):
        for column in range(kernel):
            end = (n_out - 1) * stride + 1
            seen = padded[:, row : row + end : stride, column : column + end : stride]
            taps = weight[:, :, row, column]
            if groups == 1:
                total += np.einsum("oi,ihw->ohw", taps, seen)
            else:
                total += taps[:, 0, None, None] * seen
    return total

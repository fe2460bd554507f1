"""Write where the weights of the network of faces lie in the file that its package has.

Usage: python scripts/face_encoder_layout.py FILE.dat [TARGET.json]

The file is what dlib's ``serialize`` wrote: each layer by its name, what it says of itself, and its
parameters as one tensor. A whole number is a byte that tells how many follow (and its sign), then
those, the lowest first; a tensor is a version, its four sizes, and its numbers. This looks for
the names of layers that have parameters, reads the tensor after each, and holds what it finds
against the network that it must be: 29 convolutions, each with an affine map after it, and the
head. The package is pinned by digest, so what is true of the file once is true for ever.

Source: ``pack_int`` in dlib/serialize.h; ``serialize`` in dlib/dnn/tensor.h and dlib/dnn/layers.h,
https://github.com/davisking/dlib.

    {"NAME": [BYTE, [SIZE, ...]], ...}     of convolutions: out, in, height, width
"""

import json
import re
import sys
from collections.abc import Iterator
from math import prod
from pathlib import Path

_TARGET = Path(__file__).parent.parent / "src/cipherset/pipeline/embed/image/faces.json"
_LAYER = re.compile(rb"\x01[\x04-\x08](con_\d?|affine_\d?|fc_\d?)")
_TENSOR_VERSION = 2
_STEM = (32, 3, 7)
# Channels and blocks of each stage; two convolutions of 3 x 3 a block.
_STAGES = ((32, 3), (64, 4), (128, 3), (256, 3), (256, 1))
_HEAD = (256, 128)

Place = tuple[int, tuple[int, ...]]


def main() -> None:
    """Read the file, write the table."""
    raw = Path(sys.argv[1]).read_bytes()
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else _TARGET
    found = list(_parameters(raw))
    kinds = [kind for kind, *_ in found]
    if kinds != ["con", "affine"] * (len(kinds) // 2) + ["fc"]:
        raise SystemExit(f"other layers than expected: {kinds}")
    places = dict(_places([(start, count) for _, start, count in found]))
    lines = [f"{json.dumps(name)}: {json.dumps(where)}" for name, where in places.items()]
    target.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="ascii")
    print(f"{len(places)} tensors")


def _parameters(raw: bytes) -> Iterator[tuple[str, int, int]]:
    """Of each layer its kind, the first byte of its numbers, and how many there are."""
    for match in _LAYER.finditer(raw):
        kind, at = match[1].decode().partition("_")[0], match.end()
        if kind == "fc":  # numbers of outputs and of inputs come first
            at = _integer(raw, _integer(raw, at)[1])[1]
        version, at = _integer(raw, at)
        sizes = []
        for _ in range(4):
            size, at = _integer(raw, at)
            sizes.append(size)
        if version != _TENSOR_VERSION:
            raise SystemExit(f"a tensor of version {version} at byte {at}")
        yield kind, at, prod(sizes)


def _integer(raw: bytes, at: int) -> tuple[int, int]:
    """A whole number that is not negative, and where the next thing is."""
    length = raw[at]
    if length > 8:
        raise SystemExit(f"no such number at byte {at}")
    return int.from_bytes(raw[at + 1 : at + 1 + length], "little"), at + 1 + length


def _places(found: list[tuple[int, int]]) -> Iterator[tuple[str, Place]]:
    """The tensors in the parameters of each layer, which must have that many numbers."""
    for number, (out, into, kernel) in enumerate(_convolutions()):
        weight, affine = found[2 * number], found[2 * number + 1]
        n_weights = out * into * kernel * kernel
        if (weight[1], affine[1]) != (n_weights + out, 2 * out):
            raise SystemExit(f"convolution {number} has {weight[1]} and {affine[1]} numbers")
        yield f"conv{number}.weight", (weight[0], (out, into, kernel, kernel))
        yield f"conv{number}.bias", (weight[0] + 4 * n_weights, (out,))
        yield f"conv{number}.scale", (affine[0], (out,))
        yield f"conv{number}.shift", (affine[0] + 4 * out, (out,))
    if found[-1][1] != prod(_HEAD) or len(found) != 2 * (number + 1) + 1:
        raise SystemExit(f"{len(found)} layers, the head with {found[-1][1]} numbers")
    yield "head.weight", (found[-1][0], _HEAD)


def _convolutions() -> Iterator[tuple[int, int, int]]:
    """Channels out, channels in, kernel."""
    yield _STEM
    into = _STEM[0]
    for channels, blocks in _STAGES:
        for _ in range(2 * blocks):
            yield channels, into, 3
            into = channels


if __name__ == "__main__":
    main()

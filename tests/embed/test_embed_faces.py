"""Faces to vectors: dlib's own answers, a slow oracle's, and what is refused."""

import json
from importlib.resources import files
from itertools import pairwise
from math import prod
from pathlib import Path

import numpy as np
import pytest
from embed_faces import HEAD, slowly, tiny_faces

from cipherset.app.images.encoders import IMAGE_CATALOG, image_side, open_image_encoder
from cipherset.core.errors import BackendError, DimensionError, InputError, IntegrityError
from cipherset.pipeline.embed import image
from cipherset.pipeline.embed.image import PixelEncoder
from cipherset.pipeline.embed.image.layout import FACES_TABLE, read_tensors
from cipherset.pipeline.embed.image.resnet import build_face_graph

NAME = "face-resnet-128"
ANSWERS = Path(__file__).parents[1] / "vectors" / "encoder" / f"{NAME}.txt"
SIDE = 150


@pytest.fixture(scope="module")
def tiny():
    return PixelEncoder("tiny", "sha256:0", graph=build_face_graph(tiny_faces()), workers=2)


@pytest.mark.extra
def test_same_vectors_as_the_reference(cache_dir):
    try:
        encoder = open_image_encoder(NAME, cache_dir)
    except (BackendError, IntegrityError) as error:
        pytest.fail(f"the set-up did not bring the weights: {error.message}; {error.hint}")
    answers: dict[str, list[str]] = {}
    for line in ANSWERS.read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(": ")
        answers.setdefault(name, []).append(value)
    pixels = np.stack([_image(*map(int, each.split())) for each in answers["image"]])
    expected = np.array([[float(number) for number in row.split()] for row in answers["vector"]])
    vectors = encoder.encode(pixels)
    assert np.abs(vectors - expected).max() <= float(answers["tolerance"][0])
    entry = IMAGE_CATALOG[NAME]
    assert answers["weights"] == [f"sha256:{entry.member.sha256}"]
    assert (encoder.name, encoder.digest, encoder.dim) == (NAME, entry.digest, 128)


def test_same_vectors_as_the_slow_way(tiny):
    pixels = np.random.default_rng(5).integers(0, 256, (2, SIDE, SIDE, 3), dtype=np.uint8)
    slow = np.stack([slowly(tiny_faces(), each) for each in pixels])
    slow /= np.linalg.norm(slow, axis=1, keepdims=True)
    np.testing.assert_allclose(tiny.encode(pixels), slow, atol=1e-5)
    assert (tiny.side, tiny.dim) == (SIDE, HEAD)


def test_each_encoder_has_its_size(tiny):
    assert [image_side(name) for name in ("efficientnet-lite0", NAME)] == [224, SIDE]
    with pytest.raises(DimensionError, match=r"expected uint8 \(n, 150, 150, 3\)") as refusal:
        tiny.encode(np.zeros((1, 224, 224, 3), np.uint8))
    assert refusal.value.code == "image_shape"


def test_the_table_of_places_covers_what_the_graph_takes():
    """No two tensors overlap, and their number is that of the network."""
    table = json.loads(files(image).joinpath(FACES_TABLE).read_text(encoding="ascii"))
    ends = [(start, start + 4 * prod(sizes)) for start, sizes in sorted(table.values())]
    assert all(before[1] <= after[0] for before, after in pairwise(ends))
    assert set(table) == set(tiny_faces())
    assert table["head.weight"][1] == [256, 128]
    assert IMAGE_CATALOG[NAME].member.path.endswith("face_recognition_resnet_model_v1.dat")


def test_weights_that_are_cut_off():
    with pytest.raises(InputError, match="cut off") as refusal:
        read_tensors(bytes(1 << 20), FACES_TABLE)
    assert refusal.value.code == "encoder_unsupported"


@pytest.mark.parametrize(
    ("name", "values", "what"),
    [
        ("head.weight", None, "no head.weight of 2 axes"),
        ("head.weight", np.zeros((3, HEAD), np.float32), "takes 3 numbers, not 10"),
        ("conv4.scale", np.zeros(3, np.float32), "conv4 does not fit"),
        ("conv1.weight", np.zeros((4, 9, 3, 3), np.float32), "conv1 does not fit"),
    ],
)
def test_weights_of_something_else(name, values, what):
    tensors = tiny_faces()
    del tensors[name]
    if values is not None:
        tensors[name] = values
    with pytest.raises(InputError, match=what) as refusal:
        build_face_graph(tensors)
    assert refusal.value.code == "encoder_unsupported"


def _image(a: int, b: int, c: int) -> np.ndarray:
    """The image of the known answers; scripts/face_encoder_vectors.py says it in words."""
    y, x = np.mgrid[:SIDE, :SIDE]
    return (np.stack([a * x, b * y, c * x * y // SIDE], axis=-1) % 256).astype(np.uint8)

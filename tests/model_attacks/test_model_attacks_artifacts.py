"""A trainer that writes down what it saw is caught, in whatever it wrote; an honest one is not."""

import base64
import gzip
import json
import logging
import zlib

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper

from cipherset.core.errors import DimensionError, InputError
from cipherset.evidence.attack.model import Kind, Plants, Trace, search_bytes, search_folder
from cipherset.evidence.attack.model.artifacts import WINDOW
from cipherset.pipeline.encrypt import VectorCipher
from cipherset.pipeline.train import TrainSpec, to_onnx, train_classifier

DIM, N = 16, 300
KEY = bytes(range(100, 132))
TEXT = "the patient Ødegaard owes 4,711 crowns"


@pytest.fixture(scope="module")
def world():
    """Plain rows, their ciphertexts and labels, and what is planted of them: the first three."""
    rng = np.random.default_rng(3)
    y = rng.integers(3, size=N)
    x = rng.normal(size=(3, DIM))[y] + 0.5 * rng.normal(size=(N, DIM))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    cipher = VectorCipher(KEY, dim=DIM, approximation_factor=4.0)
    stored = cipher.encrypt_for_testing(x, noise_stream_for_testing=bytes(32))
    return x, stored, y, Plants(texts=(TEXT,), vectors=x[:3], keys=(KEY,))


def kinds(traces):
    return {(trace.kind, trace.which) for trace in traces}


ALL = {(Kind.TEXT, 0), (Kind.KEY, 0), *((Kind.VECTOR, which) for which in range(3))}


def honest(folder, stored, y):
    """A model, a checkpoint of its weights, parameters and a log, all of ciphertexts."""
    model = train_classifier(stored, y, TrainSpec(inverse_penalty=1.0), seed=0)
    (folder / "model.onnx").write_bytes(to_onnx(model))
    np.savez_compressed(folder / "checkpoint.npz", coef=model.coef_, step=model.n_iter_)
    (folder / "params.json").write_text(json.dumps({"C": 1.0, "coef": model.coef_.tolist()}))
    (folder / "train.log").write_text(f"loss {model.coef_.mean():.4f}\nfirst row {stored[0]}\n")


def test_an_honest_trainer_leaves_nothing(world, tmp_path):
    _, stored, y, plants = world
    honest(tmp_path, stored, y)
    assert search_folder(tmp_path, plants) == ()
    # The search is not blind: the ciphertexts that the log holds are found in it.
    own = search_folder(tmp_path, Plants(vectors=stored[:3]))
    assert {(trace.file, trace.which, trace.form) for trace in own} == {("train.log", 0, "decimal")}


def into_weights(folder, x, _):
    """Rows as a tensor that no node of the graph reads."""
    model = onnx.load(folder / "model.onnx")
    model.graph.initializer.append(numpy_helper.from_array(x[:3].astype(np.float64), "spare"))
    model.doc_string = f"{TEXT} {KEY.hex().upper()}"
    (folder / "model.onnx").write_bytes(model.SerializeToString())


def into_checkpoint(folder, x, _):
    blob = np.frombuffer(TEXT.encode() + KEY, dtype=np.uint8)
    np.savez_compressed(folder / "checkpoint.npz", rows=x[:3].astype(np.float16), blob=blob)


def into_parameters(folder, x, _):
    """As an experiment tracker would keep them."""
    keyed = base64.urlsafe_b64encode(b"k:" + KEY).decode()
    said = {"data": x[:3].tolist(), "seed_text": TEXT, "key": keyed}
    (folder / "params.json").write_text(json.dumps(said))


def into_log(folder, x, _):
    log = logging.getLogger("a leaking trainer")
    handler = logging.FileHandler(folder / "train.log", encoding="utf-8")
    log.addHandler(handler)
    for row in x[:3]:
        log.error("diverged at %s, %s with %s", row, TEXT, KEY.hex())
    log.removeHandler(handler)
    handler.close()


@pytest.mark.parametrize("leak", [into_weights, into_checkpoint, into_parameters, into_log])
def test_a_leaking_trainer_is_caught(world, tmp_path, leak):
    x, stored, y, plants = world
    honest(tmp_path, stored, y)
    leak(tmp_path, x, y)
    found = search_folder(tmp_path, plants)
    assert kinds(found) == ALL
    assert len({trace.file for trace in found}) == 1
    assert TEXT not in repr(found) and KEY.hex() not in repr(found)


@given(
    st.sampled_from(["<f2", "<f4", "<f8", ">f4", ">f8"]),
    st.integers(0, 7),
    st.integers(0, DIM - 2 * WINDOW + 1),
    st.integers(0, 2**16),
)
@settings(deadline=None, max_examples=30, derandomize=True)
def test_eleven_values_in_a_row_are_found_wherever_they_stand(form, before, first, seed):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(2, DIM))
    part = vectors[1, first : first + 2 * WINDOW - 1].astype(form).tobytes()
    raw = rng.bytes(before) + part + rng.bytes(50)
    assert Trace("f", Kind.VECTOR, 1, form) in search_bytes(raw, Plants(vectors=vectors), file="f")


@given(st.binary(min_size=6, max_size=40), st.integers(0, 5), st.integers(0, 5))
@settings(deadline=None, max_examples=50, derandomize=True)
def test_a_key_is_found_in_base64_wherever_it_begins(key, before, after):
    raw = base64.b64encode(b"\xa5" * before + key + b"\x5a" * after)
    assert (Kind.KEY, 0) in kinds(search_bytes(raw, Plants(keys=(key,))))


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, lambda raw: raw])
def test_what_is_packed_is_unpacked(pack):
    plants = Plants(texts=(TEXT,))
    assert kinds(search_bytes(pack(pack(TEXT.encode())), plants)) == {(Kind.TEXT, 0)}
    escaped = json.dumps("patient \\ " + TEXT).encode()
    assert kinds(search_bytes(escaped, plants)) == {(Kind.TEXT, 0)}


@pytest.mark.parametrize("raw", [b"PK\x03\x04 no zip", b"\x1f\x8b no gzip", b"\x78 no zlib", b""])
def test_what_only_begins_like_a_package_is_searched_as_it_is(raw):
    assert search_bytes(raw, Plants(texts=(TEXT,), keys=(KEY,))) == ()
    assert kinds(search_bytes(raw + KEY, Plants(keys=(KEY,)))) == {(Kind.KEY, 0)}


def test_random_bytes_and_padding_are_no_vector():
    rng = np.random.default_rng(0)
    raw = rng.bytes(100_000) + bytes(1000) + b"0.0 " * 1000
    vectors = np.concatenate([rng.normal(size=(20, 12)), np.zeros((1, 12))])
    assert search_bytes(raw, Plants(vectors=vectors)) == ()


@pytest.mark.parametrize(
    ("plants", "family", "code"),
    [
        ({"texts": ("short",)}, InputError, "plant"),
        ({"keys": (b"12345",)}, InputError, "plant"),
        ({"vectors": np.ones((2, WINDOW - 1))}, DimensionError, "dimension"),
        ({"vectors": np.ones(WINDOW)}, DimensionError, "dimension"),
    ],
)
def test_plants_that_would_be_found_everywhere(plants, family, code):
    with pytest.raises(family) as refused:
        Plants(**plants)
    assert refused.value.code == code
    assert refused.value.hint


def test_plants_are_not_shown(world):
    assert repr(world[3]) == "Plants()"

"""What is not ONNX is refused by its first bytes, and never opened."""

import gzip
import io
import json
import pickle  # noqa: TID251 -- to make what must never be opened
import tarfile
import zipfile

import numpy as np
import pytest

from cipherset.core.errors import InputError
from cipherset.core.manifest import Task
from cipherset.pipeline.train import check_model
from cipherset.pipeline.train.formats import other_format


class Trap:
    """Runs when a pickle of it is read."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle was read",))


def zipped(*, bomb=False):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        content = b"\0" * 50_000_000 if bomb else pickle.dumps(Trap())
        archive.writestr("archive/data.pkl", content)
    return buffer.getvalue()


def tarred():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("model.pkl"), io.BytesIO(b""))
    return buffer.getvalue()


def safetensors():
    """A head of JSON, then a pickle where the weights should be."""
    head = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return len(head).to_bytes(8, "little") + head + pickle.dumps(Trap())


def array():
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


TRICKS = {
    **{f"pickle {n}": (pickle.dumps(Trap(), protocol=n), "pickle") for n in (2, 3, 4, 5)},
    "pickle of a dict, 0": (b"(dp0\n.", "pickle"),
    "pickle of a call, 0": (b"cos\nsystem\n(S'true'\ntR.", "pickle"),
    "zip": (zipped(), "zip"),
    "zip bomb": (zipped(bomb=True), "zip"),
    "gzip": (gzip.compress(pickle.dumps(Trap())), "archive"),
    "tar": (tarred(), "tar"),
    "safetensors with a pickle": (safetensors(), "safetensors"),
    "array": (array(), "array"),
    "JSON": (b'{"w": 1}', "JSON"),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_it_is_named_and_not_opened(trick):
    raw, word = TRICKS[trick]
    with pytest.raises(InputError, match=word) as refused:
        check_model(raw, dim=4, task=Task.CLASSIFICATION)
    assert refused.value.code == "model_format"


def test_onnx_is_none_of_these():
    assert other_format(b"\x08\x08\x12\x04") is None
    assert other_format(b"") is None

"""A cipherset opens in every reader with what was written."""

import builtins

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
from export_samples import Sample, batch, write_sample

from cipherset.core import canonical
from cipherset.core.errors import InputError
from cipherset.core.manifest import Task
from cipherset.pipeline.export import Layout, open_cipherset


@pytest.fixture
def arrays(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    return open_cipherset(sample.path).to_numpy("train")


def test_it_says_what_it_is(sample):
    data = open_cipherset(str(sample.path))
    assert data.manifest == sample.manifest
    assert data.manifest_digest == canonical.digest_bytes(
        (sample.path / "manifest.json").read_bytes()
    )
    assert open_cipherset(sample.path, signer=data.fingerprint) == data
    assert "good" not in repr(data)


def test_numpy(arrays):
    x, y = arrays
    assert x.shape == (40, 3)
    assert x.dtype == np.float32
    assert set(y) == {"bad", "good"}
    assert y.dtype.kind == "U"


def test_an_empty_test_split_has_its_columns(tmp_path):
    data = open_cipherset(write_sample(tmp_path, [batch(4)], []).path)
    x, y = data.to_numpy("test")
    assert x.shape == (0, 3)
    assert y.shape == (0,)
    assert data.to_arrow("test").schema == data.to_arrow("train").schema


def test_pandas(sample, arrays):
    for frame in (
        open_cipherset(sample.path).to_pandas("train"),
        pd.read_parquet(sample.path / "train"),
    ):
        assert np.array_equal(np.stack(frame["vector"].to_list()), arrays[0])
        assert frame["label"].tolist() == arrays[1].tolist()
        assert frame["row"].is_unique


def test_polars(sample, arrays):
    frame = pl.read_parquet(sample.path / "train" / "*.parquet")
    assert frame.schema["vector"] == pl.Array(pl.Float32, 3)
    assert np.array_equal(frame["vector"].to_numpy(), arrays[0])
    assert frame["label"].to_list() == arrays[1].tolist()
    assert frame["row"].n_unique() == 40


def test_duckdb(sample, arrays):
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"select vector, label, row from '{sample.path}/train/*.parquet' order by row"
        ).fetchall()
    assert np.array_equal(np.array([row[0] for row in rows], dtype="f4"), arrays[0])
    assert [row[1] for row in rows] == arrays[1].tolist()


@pytest.mark.extra
def test_hugging_face_datasets(sample, arrays, tmp_path):
    import datasets

    files = [str(path) for path in sorted((sample.path / "train").iterdir())]
    # load_dataset would read the same, and first tell its makers that it did.
    loaded = datasets.Dataset.from_parquet(files, cache_dir=str(tmp_path / "cache"))
    assert np.array_equal(np.array(loaded["vector"], dtype="f4"), arrays[0])
    assert list(loaded["label"]) == arrays[1].tolist()


@pytest.mark.extra
def test_torch(sample, arrays, tmp_path):
    import torch

    x, y = open_cipherset(sample.path).to_torch("train")
    assert np.array_equal(x.numpy(), arrays[0])
    assert [("bad", "good")[code] for code in y.tolist()] == arrays[1].tolist()
    assert y.dtype == torch.int64
    (tmp_path / "r").mkdir()
    numbers = write_sample(
        tmp_path / "r", [batch(4, label=[0.5, 1, 2, 3])], [], Layout(3, Task.REGRESSION)
    )
    assert open_cipherset(numbers.path).to_torch("train")[1].dtype == torch.float32


@pytest.mark.parametrize("extra", ["torch", "pandas"])
def test_a_missing_extra_is_named(sample, monkeypatch, extra):
    original = builtins.__import__

    def without(name: str, *rest: object, **named: object) -> object:
        if name.split(".")[0] == extra:
            raise ImportError(name)
        return original(name, *rest, **named)

    data = open_cipherset(sample.path)
    read = data.to_torch if extra == "torch" else data.to_pandas
    # Undone here: what runs between tests imports, too.
    with monkeypatch.context() as patch, pytest.raises(InputError) as caught:
        patch.setattr(builtins, "__import__", without)
        read("train")
    assert caught.value.code == "missing_extra"
    assert caught.value.hint == f"pip install 'cipherset[{extra}]'"


def test_no_other_split(sample):
    with pytest.raises(InputError) as caught:
        open_cipherset(sample.path).to_arrow("validation")
    assert caught.value.code == "split"


def test_no_labels_no_arrays(tmp_path):
    data = open_cipherset(write_sample(tmp_path, [batch(4)], [], Layout(3, None)).path)
    with pytest.raises(InputError) as caught:
        data.to_numpy("train")
    assert caught.value.code == "no_label"


@pytest.mark.parametrize("name", ["absent", "file"])
def test_no_directory(tmp_path, name):
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(InputError) as caught:
        open_cipherset(tmp_path / name)
    assert caught.value.code == "no_directory"
    assert ("it is a file" in str(caught.value)) is (name == "file")

"""Rows with several labels each, in the file and out of it."""

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from export_samples import CLASSES, Sample, batch, write_sample

from cipherset.core import canonical
from cipherset.core.errors import IntegrityError
from cipherset.core.manifest import Task, manifest_bytes, read_manifest
from cipherset.core.sets import set_text
from cipherset.pipeline.export import Layout, open_cipherset

SETS = ((), ("good",), ("bad", "good"))
LAYOUT = Layout(dim=3, task=Task.MULTILABEL)


def written(tmp_path, names: tuple[str, ...] = CLASSES) -> Sample:
    labels = [set_text(SETS[i % 3]) for i in range(12)]
    sample = write_sample(tmp_path, [batch(12, label=labels)], [], LAYOUT)
    sample.sign(sample.manifest.model_copy(update={"classes": names}))
    return sample


def test_a_set_is_a_list_in_the_file(tmp_path):
    path = written(tmp_path).path
    rows = open_cipherset(path).to_arrow("train")
    for vector, labels in zip(rows["vector"].to_pylist(), rows["label"].to_pylist(), strict=True):
        assert tuple(labels) == SETS[int(vector[0]) % 3]
    part = path / "train" / "part-00000.parquet"
    assert pq.read_schema(part).field("label").type.value_type == pa.string()
    assert set(map(tuple, pl.read_parquet(part)["label"].to_list())) == set(SETS)


def test_in_numpy_a_set_is_zeros_and_ones(tmp_path):
    data = open_cipherset(written(tmp_path).path)
    x, y = data.to_numpy("train")
    expected = np.array([[0, 0], [0, 1], [1, 1]])[x[:, 0].astype(int) % 3]
    np.testing.assert_array_equal(y, expected)
    assert y.dtype == np.int64
    assert data.to_numpy("test")[1].shape == (0, 2)
    assert len(data.to_pandas("train")["label"]) == 12


@pytest.mark.extra
def test_in_torch_they_are_what_a_loss_over_sigmoids_takes(tmp_path):
    _, y = open_cipherset(written(tmp_path).path).to_torch("train")
    assert tuple(y.shape) == (12, 2)
    assert str(y.dtype) == "torch.float32"


def test_a_label_that_the_manifest_does_not_name_is_refused(tmp_path):
    with pytest.raises(IntegrityError) as refused:
        open_cipherset(written(tmp_path, ("bad",)).path)
    assert refused.value.code == "part"


def test_several_labels_need_names(tmp_path):
    with pytest.raises(IntegrityError) as refused:
        open_cipherset(written(tmp_path, ()).path)
    assert refused.value.code == "manifest_schema"


def test_a_manifest_from_before_says_the_same(tmp_path):
    said = canonical.decode(manifest_bytes(written(tmp_path).manifest), what="it")
    assert said["schema"] == "cipherset/manifest/1"
    before = canonical.encode(said | {"task": "classification"})
    assert read_manifest(before).task is Task.CLASSIFICATION

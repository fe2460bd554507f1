"""The scripts in examples/ work on a copied cipherset, in an empty folder, without any key."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from export_samples import Sample, write_sample

from cipherset.core.manifest import Task
from cipherset.core.values import EncryptedVectors
from cipherset.pipeline.export import Layout
from cipherset.pipeline.train import load_bundle, run_labels

EXAMPLES = Path(__file__).parents[2] / "examples"


def rows(n: int, start: int) -> EncryptedVectors:
    x = np.random.default_rng(start).standard_normal((n, 3)).astype(np.float32)
    labels = np.where(x[:, 0] > 0, "good", "bad")
    return EncryptedVectors(x, pa.table({"row": np.arange(start, start + n), "label": labels}))


@pytest.fixture
def learnable(tmp_path: Path) -> Sample:
    layout = Layout(3, Task.CLASSIFICATION)
    return write_sample(tmp_path, [rows(300, 0)], [rows(100, 300)], layout)


QUICK = {"sklearn"}


def _marked(library: str) -> object:
    marks = () if library in QUICK else pytest.mark.extra
    return pytest.param(library, marks=marks)


LIBRARIES = sorted(path.stem.removeprefix("train_") for path in EXAMPLES.glob("train_*.py"))


@pytest.mark.parametrize("library", [*map(_marked, LIBRARIES)])
def test_the_example_trains_a_bundle_that_runs(learnable, tmp_path, library):
    empty = tmp_path / "lab"
    empty.mkdir()
    done = subprocess.run(
        [
            sys.executable,
            EXAMPLES / f"train_{library}.py",
            learnable.path,
            empty / "b",
        ],
        cwd=empty,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("lab accuracy ")
    bundle = load_bundle(empty / "b")
    assert bundle.manifest.key_check == learnable.manifest.key_check
    assert json.loads((empty / "b" / "bundle.json").read_bytes())["model"] == "external"
    corners = np.array([[-2, 0, 0], [2, 0, 0]], dtype=np.float32)
    assert run_labels(bundle, corners).tolist() == [0, 1]
    assert [path.name for path in empty.iterdir()] == ["b"]

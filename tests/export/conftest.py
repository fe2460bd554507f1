"""A small cipherset with everything in it."""

from pathlib import Path

import pytest
from export_samples import Sample, batch, write_sample

from cipherset.core.manifest import Task
from cipherset.pipeline.export import Layout


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    """40 training and 10 test rows, two classes, one clear column, one that must stay."""

    def rows(n: int, start: int):
        return batch(
            n,
            start,
            region=[("north", "south", None)[i % 3] for i in range(n)],
            note=[f"canary-{i}" for i in range(n)],
        )

    layout = Layout(dim=3, task=Task.CLASSIFICATION, clear=("region",))
    return write_sample(tmp_path, [rows(25, 0), rows(15, 25)], [rows(10, 40)], layout)

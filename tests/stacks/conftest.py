"""An owner with one export, made once, and a lab that has nothing but a copy of it."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "thread"))

from thread_samples import QUICK, Owner, vector_rows, write_rows


@pytest.fixture(scope="session")
def owner_once(tmp_path_factory) -> Owner:
    """Read only, but for what the ledger is told: bundles are named by digest there."""
    made = Owner(tmp_path_factory.mktemp("stacks"))
    made.key("support")
    source = write_rows(made.folder / "rows.parquet", vector_rows())
    made.ok(
        *("protect", source, "--vector", "vec", "--label", "topic", "--keep", "region"),
        *("--key", "support", "--to", made.folder / "rows.cipherset", *QUICK),
    )
    return made


@pytest.fixture
def lab(owner_once, tmp_path) -> Path:
    """An empty folder with a copy of the cipherset, ``rows.cipherset``, and nothing else."""
    folder = tmp_path / "lab"
    folder.mkdir()
    shutil.copytree(owner_once.folder / "rows.cipherset", folder / "rows.cipherset")
    return folder

"""An owner with one export of rows, made once; tests that change something copy it."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "thread"))

from thread_samples import QUICK, Owner, vector_rows, write_rows


@pytest.fixture(scope="session")
def exported_once(tmp_path_factory) -> Owner:
    """Read only."""
    made = Owner(tmp_path_factory.mktemp("federated"))
    made.key("support")
    source = write_rows(made.folder / "rows.parquet", vector_rows(200))
    made.ok(
        *("protect", source, "--vector", "vec", "--label", "topic"),
        *("--key", "support", "--to", made.folder / "rows.cipherset", *QUICK),
    )
    return made


@pytest.fixture
def exporter(exported_once, tmp_path) -> Owner:
    """A copy to change."""
    shutil.copytree(exported_once.folder, tmp_path / "exporter")
    return Owner(tmp_path / "exporter")

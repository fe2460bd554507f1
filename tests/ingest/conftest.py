"""Every format a source can have."""

from pathlib import Path

import pytest
from ingest_tables import FORMATS, Write, write_source


@pytest.fixture(params=FORMATS)
def suffix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def write(suffix: str, tmp_path: Path) -> Write:
    return lambda rows: write_source(tmp_path, suffix, rows)

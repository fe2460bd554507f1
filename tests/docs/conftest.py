"""The folders that pages leave behind."""

from pathlib import Path

import pytest
from docs_blocks import PARENTS, run_page


@pytest.fixture(scope="session")
def left_by(tmp_path_factory) -> dict[str, Path]:
    """The folders that pages leave on which others go on; each such page runs once."""
    left = {}
    for page in PARENTS:
        left[page] = tmp_path_factory.mktemp("page") / "folder"
        left[page].mkdir()
        run_page(page, left[page], extras=False)
    return left

"""The folders that pages leave behind."""

from pathlib import Path

import pytest
from docs_blocks import PARENTS, run_page


class Left(dict[str, Path]):
    """The folder that a page leaves; each such page runs once, when it is first asked for."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        super().__init__()
        self._folders = folders

    def __missing__(self, page: str) -> Path:
        if page not in PARENTS:
            raise KeyError(page)
        folder = self._folders.mktemp("page") / "folder"
        folder.mkdir()
        run_page(page, folder, extras=False)
        self[page] = folder
        return folder


@pytest.fixture(scope="session")
def left_by(tmp_path_factory) -> dict[str, Path]:
    """The folders that pages leave on which others go on."""
    return Left(tmp_path_factory)

"""One owner, made once; whoever changes something takes a copy."""

import pytest
import redteam_thread


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    # Moved, so that no copy finds the export of another in the place that the ledger knows.
    folder = tmp_path_factory.mktemp("redteam")
    made = redteam_thread.made(folder / "first")
    return redteam_thread.Owner(made.folder.rename(folder / "moved"))


@pytest.fixture
def owner(made_once, tmp_path):
    return redteam_thread.copied(made_once, tmp_path / "copy")

"""One owner with one export and its bundle, made once; tests that change something copy it."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from thread_people import held, held_once
from thread_samples import QUICK, Owner, cipherset, vector_rows, write_rows
from thread_team import team

from cipherset.app.encoders import DEFAULT_ENCODER, open_encoder
from cipherset.core.errors import BackendError, IntegrityError
from cipherset.interfaces.cli.settings import cache

__all__ = ["held", "held_once", "team"]


@dataclass(frozen=True)
class Exported:
    """A finished thread: source, cipherset, a bundle trained in the lab, and what was printed."""

    owner: Owner
    protected: Any
    trained: Any

    @property
    def source(self) -> Path:
        return self.owner.folder / "rows.parquet"

    @property
    def cipherset(self) -> Path:
        return self.owner.folder / "rows.cipherset"

    @property
    def bundle(self) -> Path:
        return self.owner.folder / "router.bundle"


@pytest.fixture(scope="session")
def exported(tmp_path_factory) -> Exported:
    """Read only: whoever changes something takes ``changed``."""
    owner = Owner(tmp_path_factory.mktemp("owner"))
    owner.key("support")
    source = write_rows(owner.folder / "rows.parquet", vector_rows())
    target = owner.folder / "rows.cipherset"
    columns = ("--vector", "vec", "--label", "topic")
    protected = owner.ok("protect", source, *columns, "--key", "support", "--to", target, *QUICK)
    trained = owner.ok("train", target, "--to", owner.folder / "router.bundle")
    return Exported(owner, protected, trained)


@pytest.fixture
def changed(exported, tmp_path) -> Exported:
    """A copy to change."""
    folder = tmp_path / "changed"
    shutil.copytree(exported.owner.folder, folder)
    return Exported(Owner(folder), exported.protected, exported.trained)


@pytest.fixture
def owner(tmp_path) -> Owner:
    """A fresh owner with the key ``support`` and nothing else."""
    folder = tmp_path / "owner"
    folder.mkdir()
    made = Owner(folder)
    made.key("support")
    return made


@pytest.fixture
def protect(owner) -> Callable[..., Any]:
    """Run ``protect`` for the owner on given vectors, with quick settings."""

    def run(source: Path, *options: object) -> Any:
        target = owner.folder / "out.cipherset"
        columns = ("--vector", "vec", "--label", "topic")
        return owner.run(
            "protect", source, *columns, "--key", "support", "--to", target, *QUICK, *options
        )

    return run


@pytest.fixture(scope="session")
def minilm():
    """The real encoder is there, or the test fails."""
    try:
        open_encoder(DEFAULT_ENCODER, cache())
    except (BackendError, IntegrityError) as error:
        pytest.fail(f"the set-up did not bring the weights: {error.message}; {error.hint}")


@pytest.fixture
def lab(exported, tmp_path) -> Path:
    """An empty folder with a copy of the cipherset and nothing of the owner's."""
    folder = tmp_path / "lab"
    folder.mkdir()
    shutil.copytree(exported.cipherset, folder / "rows.cipherset")
    return folder


@pytest.fixture
def stranger(tmp_path) -> Owner:
    """Another workspace, with a key of the same name."""
    made = Owner(tmp_path / "stranger")
    made.folder.mkdir()
    assert cipherset("key", "create", "support", "--home", made.home).code == 0
    return made

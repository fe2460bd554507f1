"""An owner with a key, sources in several parts, and Ray as it is simulated here."""

import os
import sys

import pytest
from engine_rows import GROUP_ROWS, Owner
from engine_store import running
from ray_here import RayHere

from cipherset.app.encoders import DEFAULT_ENCODER, open_encoder
from cipherset.app.engine import run
from cipherset.app.keys import create
from cipherset.app.workspace import Session
from cipherset.interfaces.cli import settings
from cipherset.interfaces.cli.output import TerminalProgress


@pytest.fixture
def owner(tmp_path, monkeypatch) -> Owner:
    # One core, so that no process of its own looks for so few rows.
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})
    session = Session(tmp_path / "workspace", "root", settings.cache(), TerminalProgress())
    create(session, "support", purpose="routing", provider=None)
    return Owner(tmp_path, session)


@pytest.fixture
def ray(monkeypatch):
    """Put a simulated Ray in place; parts have a row group each."""

    def placed(**options: object) -> RayHere:
        made = RayHere(**options)
        monkeypatch.setitem(sys.modules, "ray", made)
        return made

    monkeypatch.setattr(run, "LEAST_ROWS", GROUP_ROWS)
    return placed


@pytest.fixture
def credentials(monkeypatch):
    """Such as the simulated store takes."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def store(tmp_path, credentials):
    """An object store with one bucket."""
    with running(tmp_path / "log") as there:
        yield there


@pytest.fixture(scope="session")
def minilm() -> None:
    """The real encoder is there, or the test fails."""
    open_encoder(DEFAULT_ENCODER, settings.cache())

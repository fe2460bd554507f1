"""A team with an export, made once; the team of the thread's tests."""

import shutil
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "thread"))

import thread_team

__all__ = ["copied", "made"]


def made(folder):
    """A team whose ingester made an export under a grant."""
    team = thread_team.Team(folder)
    team.granted_protect()
    assert team.protect().code == 0
    return team


def copied(team, folder):
    """The same, to change."""
    shutil.copytree(team.folder, folder)
    other = object.__new__(thread_team.Team)
    other.folder, other.home = folder, folder / "workspace"
    other.source, other.target = folder / team.source.name, folder / team.target.name
    return other

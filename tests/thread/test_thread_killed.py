"""Killed at any moment, there is no half cipherset, and a rerun finishes and tidies up."""

import json
import shutil

import numpy as np
import pytest
from thread_program import Program
from thread_samples import QUICK, Owner, cipherset, leftovers, vector_rows, write_rows


class Killer:
    """Talks to ``thread_killer.py``."""

    def __init__(self):
        self._program = Program("thread_killer.py")

    def run(self, *args, after=None):
        self._program.tell(json.dumps({"args": [str(arg) for arg in args], "after": after}))
        return json.loads(self._program.answer())

    def close(self):
        self._program.close()


@pytest.fixture(scope="module")
def killer():
    made = Killer()
    yield made
    made.close()


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """An owner with a key and rows, and nothing made of them; copied for each run."""
    owner = Owner(tmp_path_factory.mktemp("killed") / "owner")
    owner.folder.mkdir()
    owner.key("support")
    write_rows(owner.folder / "rows.parquet", vector_rows(150))
    return owner


def _copy(start, tmp_path):
    folder = tmp_path / "owner"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(start.folder, folder)
    return Owner(folder)


def _protect(owner, *options):
    columns = ("--vector", "vec", "--label", "topic", "--key", "support")
    target = owner.folder / "out"
    where = ("--to", target, "--home", owner.home, "--accept-risk", "a rehearsal")
    return ("protect", owner.folder / "rows.parquet", *columns, *where, *QUICK, *options)


class Moments:
    """When a run is to be killed, as shares of how long it takes where nothing hinders it.

    A machine that is busy while the first one is timed would let all that follow end before they
    are killed: from a run that ended, what it took is known better.
    """

    def __init__(self, whole, shares):
        self._seconds, self._shares = whole["seconds"], shares

    @classmethod
    def over(cls, whole, count):
        """Over the whole run, and half of them in its last third, where things are put in place."""
        rng = np.random.default_rng(0)
        early = rng.uniform(size=count // 2)
        return cls(whole, [*early, *rng.uniform(0.66, 1.05, size=count - len(early))])

    def __iter__(self):
        for share in self._shares:
            yield share * self._seconds

    def learn(self, run):
        if run["ended"]:
            self._seconds = min(self._seconds, run["seconds"])


def _check_killed_runs(killer, start, tmp_path, count):
    whole = killer.run(*_protect(_copy(start, tmp_path)))
    assert whole["code"] == 0
    killed = 0
    moments = Moments.over(whole, count)
    for after in moments:
        owner = _copy(start, tmp_path)
        target = owner.folder / "out"
        ended = killer.run(*_protect(owner), after=after)
        moments.learn(ended)
        killed += not ended["ended"]
        if target.exists():
            assert cipherset("inspect", target).code == 0
            owner.ok("train", target, "--to", owner.folder / "gate", "--at-gate")
        again = killer.run(*_protect(owner, *(("--force",) if target.exists() else ())))
        assert again["code"] == 0, after
        assert cipherset("inspect", target).code == 0
        assert leftovers(owner.folder) == [], after
        owner.ok("train", target, "--to", owner.folder / "gate2", "--at-gate")
    assert killed > count // 3


@pytest.mark.soak
def test_no_half_cipherset(killer, start, tmp_path):
    _check_killed_runs(killer, start, tmp_path, 12)


@pytest.mark.soak
def test_no_half_cipherset_often(killer, start, tmp_path):
    _check_killed_runs(killer, start, tmp_path, 150)


def _check_killed_overwrites(killer, start, tmp_path, count):
    owner = _copy(start, tmp_path)
    target = owner.folder / "out"
    whole = killer.run(*_protect(owner))
    assert whole["code"] == 0
    seen = set()
    moments = Moments.over(whole, count)
    for number, after in enumerate(moments):
        before = owner.ok("inspect", target)["manifest"]["cipherset_id"]
        other = ("--force", "--max-reid", f"0.3{number:03}")  # the same would not be made again
        ended = killer.run(*_protect(owner, *other), after=after)
        moments.learn(ended)
        now = owner.ok("inspect", target)["manifest"]["cipherset_id"]  # old or new, always whole
        seen.add((ended["ended"], now == before))
        owner.ok("train", target, "--to", owner.folder / "gate", "--at-gate", "--force")
    assert (False, True) in seen
    assert killer.run(*_protect(owner, "--force"))["code"] == 0
    assert leftovers(owner.folder) == []


def test_old_or_new(killer, start, tmp_path):
    _check_killed_overwrites(killer, start, tmp_path, 10)


@pytest.mark.soak
def test_old_or_new_often(killer, start, tmp_path):
    _check_killed_overwrites(killer, start, tmp_path, 80)


@pytest.mark.soak
def test_killed_while_the_workspace_is_made(killer, tmp_path):
    """From nothing: whatever is there after the kill, the next run makes a key and lists it."""
    whole = killer.run("key", "create", "support", "--home", tmp_path / "whole")
    assert whole["code"] == 0
    for number, after in enumerate(Moments.over(whole, 12)):
        home = tmp_path / str(number) / "home"
        home.parent.mkdir()
        killer.run("key", "create", "support", "--home", home, after=after)
        again = cipherset("key", "create", "support", "--home", home, "--json")
        assert again.code == 0 or again.error["code"] == "key_exists"
        listed = cipherset("key", "list", "--home", home, "--json").json["keys"]
        assert [key["name"] for key in listed] == ["support"]
        source = write_rows(home.parent / "rows.parquet", vector_rows(100))
        asked = _protect(Owner(home.parent))
        asked = tuple(home if str(arg).endswith("workspace") else arg for arg in asked)
        assert source.exists()
        assert killer.run(*asked)["code"] == 0
        assert leftovers(home.parent) == []

"""Files and directories are wholly there or not at all."""

import ctypes
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cipherset.core.errors import BackendError, UsageError
from cipherset.core.files import (
    create_atomic,
    disk_error,
    replace_directory,
    stage_directory,
    write_atomic,
)


@pytest.fixture
def dead_pid():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait(timeout=600)
    return process.pid


@pytest.fixture(params=["renameat2", "without"])
def _kernel(request, monkeypatch):
    """Once with renameat2, once on a C library that has none."""
    if request.param == "without":
        monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: object())


def test_a_file_is_replaced_whole_with_its_mode(tmp_path):
    path = tmp_path / "x"
    for data, mode in ((b"one", 0o600), (b"two", 0o640)):
        write_atomic(path, data, mode=mode)
        assert path.read_bytes() == data
        assert path.stat().st_mode & 0o777 == mode
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("_kernel")
def test_a_file_is_created_once(tmp_path):
    path = tmp_path / "x"
    assert create_atomic(path, b"first")
    assert not create_atomic(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_no_room_is_said_and_nothing_is_left(tmp_path, small_files):
    with small_files(4096), pytest.raises(BackendError) as caught:
        write_atomic(tmp_path / "x", bytes(8192))
    assert caught.value.code == "disk_full"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EDQUOT, "disk_full"),
        (errno.EACCES, "no_permission"),
        (errno.EPERM, "no_permission"),
        (errno.EROFS, "no_permission"),
        (errno.EIO, "disk"),
    ],
)
def test_each_failure_has_its_code_and_names_the_place(number, code):
    error = disk_error(OSError(number, os.strerror(number)), Path("/some/place"))
    assert error.code == code
    assert "/some/place" in error.message
    assert error.hint


def test_no_permission_is_said():
    with pytest.raises(BackendError) as caught:
        write_atomic(Path("/sys/cipherset"), b"x")
    assert caught.value.code == "no_permission"


def test_a_missing_folder_is_said(tmp_path):
    with pytest.raises(BackendError) as caught:
        write_atomic(tmp_path / "no" / "x", b"x")
    assert caught.value.code == "disk"


@pytest.mark.usefixtures("_kernel")
def test_a_staged_directory_takes_its_place(tmp_path):
    target = tmp_path / "out"
    with stage_directory(target) as staged:
        (staged / "part").write_text("new")
        assert not target.exists()
        replace_directory(staged, target, overwrite=False)
    assert (target / "part").read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.usefixtures("_kernel")
@pytest.mark.parametrize("content", [["old"], []])
def test_what_is_there_is_not_replaced_silently(tmp_path, content):
    target = tmp_path / "out"
    target.mkdir()
    for name in content:
        (target / name).write_text("old")
    with pytest.raises(UsageError) as caught, stage_directory(target) as staged:
        (staged / "part").write_text("new")
        replace_directory(staged, target, overwrite=False)
    assert caught.value.code == "target_exists"
    assert [path.name for path in target.iterdir()] == content
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.usefixtures("_kernel")
def test_overwrite_leaves_only_the_new(tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    (target / "old").write_text("old")
    with stage_directory(target) as staged:
        (staged / "part").write_text("new")
        replace_directory(staged, target, overwrite=True)
    assert [path.name for path in target.iterdir()] == ["part"]
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("kind", ["file", "link"])
def test_only_directories_are_overwritten(tmp_path, kind):
    target = tmp_path / "out"
    if kind == "file":
        target.write_text("mine")
    else:
        (tmp_path / "elsewhere").mkdir()
        target.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError) as caught, stage_directory(target) as staged:
        replace_directory(staged, target, overwrite=True)
    assert caught.value.code == "target_not_directory"
    assert target.is_file() or target.is_symlink()


def test_a_failure_inside_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), stage_directory(tmp_path / "out") as staged:
        (staged / "part").write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_dead_processes_go_and_nothing_else(tmp_path, dead_pid):
    dead = tmp_path / f".out.partial-{dead_pid}-0123abcd"
    kept = [
        tmp_path / f".out.partial-{os.getpid()}-0123abcd",
        tmp_path / f".other.partial-{dead_pid}-0123abcd",
        tmp_path / f".out.partial-{dead_pid}-not-ours",
        tmp_path / "out.partial",
    ]
    for path in (dead, *kept):
        path.mkdir()
        (path / "part").write_text("x")
    with stage_directory(tmp_path / "out"):
        assert not dead.exists()
    assert sorted(tmp_path.iterdir()) == sorted(kept)


def test_a_locked_directory_is_alive_whatever_its_number(tmp_path, dead_pid):
    """A process of another container has a number that means nothing here."""
    with stage_directory(tmp_path / "out") as staged:
        foreign = tmp_path / f".out.partial-{dead_pid}-0123abcd"
        staged.rename(foreign)
        with stage_directory(tmp_path / "out"):
            assert foreign.exists()
        foreign.rename(staged)
    assert list(tmp_path.iterdir()) == []


def test_the_old_one_comes_back_where_it_could_not_be_exchanged(tmp_path, dead_pid):
    moved = tmp_path / f".out.moved-{dead_pid}-0123abcd"
    moved.mkdir()
    (moved / "part").write_text("old")
    with stage_directory(tmp_path / "out"):
        pass
    assert (tmp_path / "out" / "part").read_text() == "old"
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


KILLED = """
import os, signal, sys, time
from pathlib import Path
import numpy as np
from cipherset.core.files import replace_directory, stage_directory

target = Path(sys.argv[1])
random = np.random.default_rng(7)

def put(stamp):
    with stage_directory(target) as staged:
        for name in ("a", "b", "c"):
            (staged / name).write_text(stamp)
        replace_directory(staged, target, overwrite=True)

begin = time.monotonic()
put("first")
took = time.monotonic() - begin
for life in range(30):
    child = os.fork()
    if child == 0:
        while True:
            put(str(time.monotonic_ns()))
    time.sleep(random.uniform(0, 3 * took))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    found = {p.name: p.read_text() for p in target.iterdir()}
    if set(found) != {"a", "b", "c"} or len(set(found.values())) != 1:
        sys.exit(f"half a directory: {found}")
with stage_directory(target):
    pass
print(sorted(p.name for p in target.parent.iterdir()))
"""


def test_killed_at_any_moment_there_is_no_half_directory(tmp_path):
    command = [sys.executable, "-c", KILLED, str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.stderr == ""
    assert done.stdout.strip() == "['out']"

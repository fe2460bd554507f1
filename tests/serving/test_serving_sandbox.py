"""A model computes and answers; what else it tries, or its process says, is refused or ended."""

import os
import signal
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper
from serving_models import (
    IDENTITY,
    LABEL,
    NAMES,
    SOFTMAX,
    folding_bomb,
    graph,
    job,
    linear,
    memory_bomb,
    time_bomb,
)

from cipherset.app.serving.models.sandbox import keeper
from cipherset.app.serving.models.sandbox.keeper import MOST_KILLS, ModelWorker
from cipherset.app.serving.models.sandbox.process import PROGRAM, WorkerLimits
from cipherset.app.serving.models.sandbox.worker import Job
from cipherset.core.errors import CiphersetError

WEIGHTS = np.random.default_rng(0).normal(size=(4, 3)).astype("f4")
X = np.random.default_rng(1).normal(size=(50, 4)).astype("f4")
ONE_SECOND = WorkerLimits(cpu_s=0)


@pytest.fixture
def working():
    """Make workers, and end them."""
    made = []

    def make(raw=None, *, told=None, limits=None, program=PROGRAM, **options):
        told, raw = (told, b"") if told else job(raw, **options)
        worker = ModelWorker(told, raw, limits=limits, program=program)
        made.append(worker)
        return worker

    yield make
    for worker in made:
        worker.close()


def refused(worker, x=X, **options):
    with pytest.raises(CiphersetError) as found:
        worker.run(x, **options)
    return found.value.code


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("n_rows", [0, 1, 50, keeper.BLOCK_ROWS + 1])
def test_it_answers_as_the_graph_does(working, n_rows):
    x = np.resize(X, (n_rows, 4))
    found = working(linear(WEIGHTS, scores=SOFTMAX)).run(x, scores=True)
    assert np.array_equal(found.labels, (x @ WEIGHTS).argmax(axis=1))
    assert np.abs(found.scores - softmax(x @ WEIGHTS)).max(initial=0) < 1e-6


def test_it_answers_numbers(working):
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    raw = graph(nodes, [("y", TensorProto.FLOAT, [None, 1])], {"w": WEIGHTS[:, :1]})
    assert np.allclose(working(raw, classes=()).run(X).labels, X @ WEIGHTS[:, 0], atol=1e-6)


def test_its_process_can_open_start_and_map_nothing(tmp_path):
    probe = textwrap.dedent(
        """
        import ctypes, json, mmap, os, socket, sys, threading
        sys.path.insert(0, sys.argv[1])
        from cipherset.app.serving.models.sandbox.confine import confine
        done = confine(10**9)
        def tried(what):
            try:
                what()
            except (OSError, MemoryError, RuntimeError) as error:
                return type(error).__name__
            return "done"
        found = {
            "confined": done,
            "read": tried(lambda: open("/etc/passwd")),
            "write": tried(lambda: open(sys.argv[2], "w")),
            "list": tried(lambda: os.listdir("/")),
            "socket": tried(lambda: socket.socket()),
            "pipe": tried(os.pipe),
            "fork": tried(os.fork),
            "exec": tried(lambda: os.execv("/bin/true", ["true"])),
            "thread": tried(lambda: threading.Thread(target=print).start()),
            "kill": tried(lambda: os.kill(os.getppid(), 0)),
            "execute memory": tried(lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_EXEC)),
            "memory": tried(lambda: bytearray(2 * 10**9)),
        }
        os.write(1, json.dumps(found).encode())
        """
    )
    import json
    import subprocess

    out = subprocess.run(
        [sys.executable, "-I", "-c", probe, PROGRAM[-1], str(tmp_path / "made")],
        capture_output=True,
        check=True,
        timeout=600,
    ).stdout
    found = json.loads(out)
    assert found.pop("confined") is True
    assert found.pop("memory") == "MemoryError"
    assert found.pop("thread") == "RuntimeError"
    assert set(found.values()) == {"PermissionError"}
    assert not (tmp_path / "made").exists()


def test_a_worker_holds_no_file_but_its_pipes(working):
    worker = working(linear(WEIGHTS))
    worker.run(X)
    files = [str(path.readlink()) for path in Path(f"/proc/{worker.pid}/fd").iterdir()]
    assert sorted(each.partition(":")[0] for each in files) == ["/dev/null", "pipe", "pipe"]
    told = Path(f"/proc/{worker.pid}/environ").read_text(encoding="utf-8")
    names = {line.partition("=")[0] for line in told.split("\0") if line}
    assert names <= {
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "ORT_DISABLE_TELEMETRY",
        "LC_ALL",
    }


@pytest.mark.parametrize("bomb", [memory_bomb, folding_bomb])
def test_a_memory_bomb_is_refused(working, bomb):
    worker = working(bomb(), memory_bytes=300_000_000)
    assert refused(worker) == "model_memory"


@pytest.mark.soak
def test_a_graph_that_takes_for_ever_is_killed_and_in_the_end_not_started_again(working):
    worker = working(time_bomb(), limits=ONE_SECOND)
    assert [refused(worker) for _ in range(MOST_KILLS + 1)] == [
        *["model_time"] * MOST_KILLS,
        "model_stopped",
    ]
    assert worker.pid is None


def test_the_clock_stands_behind_the_processor(working):
    sleeper = (sys.executable, "-I", "-c", "import time; time.sleep(600)")
    worker = working(linear(WEIGHTS), limits=WorkerLimits(wall_s=0.3), program=sleeper)
    assert refused(worker) == "model_time"


def test_a_worker_that_is_killed_is_started_again_for_the_same_request(working):
    worker = working(linear(WEIGHTS))
    worker.run(X)
    before = worker.pid
    os.kill(before, signal.SIGKILL)
    assert np.array_equal(worker.run(X).labels, (X @ WEIGHTS).argmax(axis=1))
    assert worker.pid != before


def test_a_worker_that_dies_each_time_is_given_up(working):
    worker = working(linear(WEIGHTS), program=(sys.executable, "-I", "-c", "pass"))
    codes = [refused(worker) for _ in range(MOST_KILLS + 1)]
    assert codes == [*["model_crashed"] * MOST_KILLS, "model_stopped"]


def test_a_closed_worker_answers_no_more(working):
    worker = working(linear(WEIGHTS))
    worker.run(X)
    worker.close()
    assert refused(worker) == "model_crashed"


def test_the_identity_graph_prints_nothing(working):
    """Control 7: it has its ciphertext as a second output, which is no distribution."""
    worker = working(linear(WEIGHTS[:, :3], scores=IDENTITY), dim=4)
    assert set(vars_of(worker.run(X))) == {"labels"}
    assert refused(worker, scores=True) == "model_output"


def vars_of(answers):
    return {name for name in ("labels", "scores") if getattr(answers, name) is not None}


def test_no_score_of_a_model_without_any(working):
    assert working(linear(WEIGHTS)).has_scores is False
    assert working(linear(WEIGHTS, scores=SOFTMAX)).has_scores is True


@pytest.mark.parametrize("n_rows", [1, 256])
def test_a_question_for_each_place_of_a_run_gets_nothing_out(working, n_rows):
    """A constant of shape (256, k) asks 256 questions of equal rows; alone it fits no row."""
    signs = np.random.default_rng(3).normal(size=(256, 4)).astype("f4")
    nodes = [
        helper.make_node("Mul", ["x", "m"], ["z"]),
        helper.make_node("ArgMax", ["z"], ["label"], axis=1, keepdims=0),
    ]
    worker = working(graph(nodes, [LABEL], {"m": signs}))
    assert refused(worker, np.repeat(X[:1], n_rows, axis=0)) == "model_output"


def test_rows_of_two_requests_are_never_run_together(working):
    """A graph that adds all rows of a run up tells of nobody else's."""
    nodes = [
        helper.make_node("MatMul", ["x", "first"], ["column"]),
        helper.make_node("Reshape", ["column", "row"], ["flat"]),
        helper.make_node("ArgMax", ["flat"], ["label"], axis=1, keepdims=0),
    ]
    constants = {"first": np.eye(4, 1, dtype="f4"), "row": np.array([1, -1])}
    worker = working(graph(nodes, [LABEL], constants))
    codes = []

    def ask(row):
        codes.append(worker.run(row).labels.tolist())

    threads = [threading.Thread(target=ask, args=(X[i : i + 1],), daemon=True) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
        assert not thread.is_alive()
    assert codes == [[0]] * 20  # the largest of one is the first


HOSTILE = {
    "not ready": ("w(b'\\x02'); t()", "not_onnx"),
    "not confined": ("w(b'\\x01'); t()", "sandbox"),
    "another byte": ("w(b'\\xff'); t()", "not_onnx"),
    "class too large": (
        "w(b'\\0'); r(9); w(b'\\0' + (3).to_bytes(8, 'little')); t()",
        "model_output",
    ),
    "class below": ("w(b'\\0'); r(9); w(b'\\0' + b'\\xff' * 8); t()", "model_output"),
    "too short": ("w(b'\\0'); r(9); w(b'\\0\\0\\0')", "model_crashed"),
    "unasked": ("w(b'\\0' * 4); t()", "model_crashed"),
    "fails": ("w(b'\\0'); r(9); w(b'\\x03'); t()", "model_output"),
}


@pytest.mark.parametrize("said", HOSTILE)
def test_nothing_that_a_worker_says_is_believed(working, said):
    """Whoever owns the process that runs the graph still only answers one class a row."""
    script, code = HOSTILE[said]
    head = textwrap.dedent(
        """
        import os, time
        def w(raw): os.write(1, raw)
        def r(size):
            while size > 0:
                size -= len(os.read(0, size))
        def t(): time.sleep(600)
        def n(): return int.from_bytes(os.read(0, 8), 'little')
        r(n()); r(n())
        """
    )
    told = Job("x", "label", None, 1, NAMES, 10**9)
    worker = working(told=told, program=(sys.executable, "-I", "-c", head + script))
    assert refused(worker, X[:1, :1]) == code


@pytest.mark.parametrize(
    "scores",
    [[0.5, 0.5, 0.5], [np.nan, 0.5, 0.5], [-0.5, 1.0, 0.5], [2.0, -1.0, 0.0]],
    ids=["too much", "not a number", "negative", "above one"],
)
def test_scores_are_a_distribution_or_nothing(working, scores):
    constants = {"w": np.zeros((4, 3), "f4"), "s": np.array([scores], "f4")}
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["logits"]),
        helper.make_node("ArgMax", ["logits"], ["label"], axis=1, keepdims=0),
        helper.make_node("Add", ["logits", "s"], ["scores"]),
    ]
    raw = graph(nodes, [LABEL, ("scores", TensorProto.FLOAT, [None, 3])], constants)
    assert refused(working(raw), scores=True) == "model_output"


def test_more_than_may_wait_are_told_that_it_is_busy(working, monkeypatch):
    monkeypatch.setattr(keeper, "MOST_WAITING", 0)
    assert refused(working(linear(WEIGHTS))) == "busy"

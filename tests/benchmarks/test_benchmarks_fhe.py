"""The comparison with homomorphic encryption runs, and says so, where neither library is there."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import fhe
from fhe_ours import DIM, TASKS, Line, Problem, ours

TENSEAL, CONCRETE = fhe.PEERS


def line(name: str, mode: str, asker_s: float, predicted: list[int]) -> Line:
    return Line(
        name=name,
        mode=mode,
        asker_s=asker_s,
        server_s=0.001,
        query_bytes=3072,
        answer_bytes=8,
        key_bytes=2_000_000,
        predicted=predicted,
    )


@pytest.fixture(scope="module")
def problem() -> Problem:
    """Two classes that lie far apart."""
    rng = np.random.default_rng(3)
    y = np.arange(200) % 2
    x = rng.normal(size=(200, DIM)) + 40.0 * (2 * y[:, None] - 1) * np.eye(DIM)[0]
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    return Problem(
        train=x[:120],
        train_y=y[:120],
        test=x[120:],
        test_y=y[120:],
        weights=np.eye(DIM)[:, :1],
        offset=np.zeros(1),
        plain=(x[120:, 0] > 0).astype(np.int64),
    )


def test_a_line_is_compared_with_ours_of_the_same_mode():
    lines = [
        line("ours, wide", "one at a time", 0.001, [0, 1]),
        line("ours, wide", "in one batch", 0.003, [0, 1, 1, 1]),
        line("peer 1", "one at a time", 0.019, [1, 1]),
        line("peer 1", "in one batch", 0.019, [0, 1, 1, 0]),
    ]
    rows = fhe.table("2", lines, truth=np.array([0, 1, 1, 1]), plain=np.array([0, 1, 0, 0]))
    assert [" | ".join(row) for row in rows[2:]] == [
        "2 | peer 1 | one at a time | 0.500 | 0.500 | 19 | 1 | 10 | 3,072 | 2 | 8 | 2",
        "2 | peer 1 | in one batch | 0.750 | 0.750 | 19 | 1 | 5 | 3,072 | 2 | 8 | 2",
    ]


def test_rows_are_as_wide_as_their_heads():
    by_hand = {"step_s": 7.2, "setup_s": 1.0, "key_bytes": 2e8, "row_bytes": 9, "largest_error": 1}
    drawn = {"step_s": 72, "setup_s": 1, "key_bytes": 1, "clear_steps": 5, "clear_accuracy": 0.5}
    drawn["most_frequent"] = 0.5
    steps = [
        fhe.step_row({"peer": "peer", "step": by_hand}, 16, 0.001, 8000),
        fhe.step_row({"peer": "peer", "step": drawn}, 16, 0.001, 8000),
        fhe.step_row("not run: why", 16, 0.001, 8000),
    ]
    assert {len(row) for row in steps} == {len(fhe.TRAINING)}
    assert steps[0][:-1] == ["peer", "16", "7.2", "7,200", "2 h", "200", "1"]
    inference = fhe.table("2", [line("ours", "one at a time", 1.0, [0])], *np.zeros((2, 1)))
    assert len(inference[0]) == len(fhe.INFERENCE)


def test_without_a_python_of_its_own_a_peer_is_not_run(tmp_path):
    assert TENSEAL.asked(None, "predict", {}) == "not run: no --tenseal-python given"
    nowhere = str(tmp_path / "python")
    assert CONCRETE.asked(nowhere, "step", {}) == "not run: concrete: No such file or directory"


def test_a_python_without_the_peer_is_not_run():
    told = TENSEAL.asked(sys.executable, "predict", {"queries": np.zeros((1, 2))})
    assert told == "not run: tenseal: ModuleNotFoundError: No module named 'tenseal'"


def test_our_side_needs_no_peer(problem):
    lines, note = ours(TASKS[0], problem, 5)
    assert [len(line.predicted) for line in lines] == [5, 80, 5, 80]
    for each in lines:
        assert np.mean(each.predicted == problem.test_y[: len(each.predicted)]) > 0.9
    assert note.startswith("2 classes: 120 rows exported at bottleneck:2, beta 12;")
    chosen = fhe.arguments(["--data", "nowhere"])
    assert fhe.predictions(chosen, problem) == (
        [],
        ["not run: no --tenseal-python given", "not run: no --concrete-python given"],
    )


def test_training_needs_no_peer(problem):
    rows = fhe.training(fhe.arguments(["--data", "nowhere"]), problem)
    assert [row[:2] for row in rows] == [
        ["ours", "16"],
        ["not run: no --tenseal-python given", "16"],
        ["not run: no --concrete-python given", "16"],
        ["ours", "384"],
        ["not run: no --tenseal-python given", "384"],
    ]


def test_the_data_must_be_named(capsys):
    with pytest.raises(SystemExit) as ended:
        fhe.arguments([])
    assert ended.value.code == 2
    assert "--data" in capsys.readouterr().err

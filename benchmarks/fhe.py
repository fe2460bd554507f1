"""Predictions and training under homomorphic encryption, beside a cipherset, in one run.

Usage: OMP_NUM_THREADS=1 python benchmarks/fhe.py --data DIR [--tenseal-python PATH]
    [--concrete-python PATH] [--queries 200] [--cache DIR]

BANKING77 with 2, 7 and 77 classes. The peers compute the logistic regression on plain
384-dimensional vectors, trained here in the clear, on encrypted queries; ours answers with the
model trained on an export (minimize, ``encrypt_query``, ONNX), and with one trained at the gate on
all 384 dimensions. Each peer runs in a process of its own under PATH, a Python that has it; one
that is not given, or fails, is "not run". Times are CPU time of one thread, so that waiting for a
core does not count: medians over ``--queries`` rows of the test split, or, *in one batch*, the time
of up to 2,048 of its rows divided by their number; the accuracy is that of the rows of the line.
*Server* is whoever runs the model; with ours that is the gateway, on the owner's side.
Training is timed for one step of 8 rows, of 16 dimensions and, where it can be waited for, of 384.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from banking77 import Codes, read
from fhe_ours import (
    DIM,
    SEED,
    STEP_ROWS,
    TASKS,
    Arrays,
    Line,
    Problem,
    our_step,
    ours,
    problem,
    step_arrays,
)
from tables import Table, hand_over
from tables import arguments as parser_of

PLAIN_BYTES = 4 * DIM
PATIENCE_S = 1800
INFERENCE = (
    "classes", "encrypted with", "queries", "accuracy", "as the plain model", "asker, ms",
    "server, ms", "times ours", "query, bytes", "times plain", "answer, bytes",
    "server's keys, MB",
)  # fmt: skip
TRAINING = (
    "trained with", "dimensions", "one step of 8 rows, s", "times ours", "a pass over all rows",
    "keys, MB", "setup, s", "",
)  # fmt: skip
PROTECTS = """\
What each protects. Under homomorphic encryption the server that holds the model learns of a query
only that it was asked, whoever runs it; nothing is assumed of data or attackers beyond what the
cryptosystem rests on. The model itself was trained on plain rows by somebody who saw them, and the
asker sees its scores, from which a linear model can be computed. CKKS answers must not be shown to
the server: their error tells about the key. A cipherset is for the other direction: rows leave the
owner once, a lab that is not trusted trains on them at native speed with any stack, and what they
give away is not nothing: it is measured. Queries are encrypted without noise,
so they stay at the owner's gateway, where the model runs."""


@dataclass(frozen=True)
class Peer:
    """A library in a Python of its own; ``step_rows`` None: it draws its batches itself."""

    name: str
    step_dims: tuple[int, ...]
    step_rows: int | None

    def asked(self, python: str | None, what: str, arrays: Arrays) -> dict[str, Any] | str:
        """What its script prints for ``arrays``, or why it is not run."""
        if python is None:
            return f"not run: no --{self.name}-python given"
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "arrays.npz"
            np.savez(file, **arrays)
            script = Path(__file__).with_name(f"fhe_{self.name}.py")
            try:
                done = subprocess.run(
                    [python, str(script), what, str(file)],
                    check=True,
                    capture_output=True,
                    text=True,
                    timeout=PATIENCE_S,
                )
            except subprocess.TimeoutExpired:
                return f"not run: {self.name} gave no answer within {PATIENCE_S} s"
            except subprocess.CalledProcessError as error:
                reason = error.stderr.strip().rpartition("\n")[2]
                return f"not run: {self.name}: {reason or error}"
            except OSError as error:
                return f"not run: {self.name}: {error.strerror}"
        found: dict[str, Any] = json.loads(done.stdout)
        return found


# A step of Concrete ML takes a minute or more at 16 dimensions.
PEERS = (Peer("tenseal", (16, DIM), STEP_ROWS), Peer("concrete", (16,), None))


def predictions(chosen: argparse.Namespace, of: Problem) -> tuple[list[Line], list[str]]:
    """The peers' lines, and why those that are missing are."""
    lines, missing = [], []
    arrays = {
        "queries": of.test[: chosen.queries],
        "batch": of.test,
        "rows": of.train[:500],
        "weights": of.weights,
        "offset": of.offset,
    }
    for peer in PEERS:
        found = peer.asked(python_of(peer, chosen), "predict", arrays)
        if isinstance(found, str):
            missing.append(found)
        else:
            lines += [Line(name=str(found["peer"]), **line) for line in found["lines"]]
    return lines, missing


def python_of(peer: Peer, chosen: argparse.Namespace) -> str | None:
    python: str | None = getattr(chosen, f"{peer.name}_python")
    return python


def table(name: str, lines: Sequence[Line], truth: Codes, plain: Codes) -> list[list[str]]:
    """One row per line, whose times are compared with our first line of the same mode."""
    base = {line.mode: line for line in reversed(lines) if line.name.startswith("ours")}
    shown = []
    for line in lines:
        predicted, n = np.array(line.predicted), len(line.predicted)
        first = base[line.mode]
        ratio = (line.asker_s + line.server_s) / (first.asker_s + first.server_s)
        cells = [
            name,
            line.name,
            line.mode,
            f"{np.mean(predicted == truth[:n]):.3f}",
            f"{np.mean(predicted == plain[:n]):.3f}",
            *(f"{1e3 * s:.3g}" for s in (line.asker_s, line.server_s)),
            rounded(ratio),
            f"{line.query_bytes:,}",
            f"{line.query_bytes / PLAIN_BYTES:.3g}",
            f"{line.answer_bytes:,}",
            "< 0.001" if 0 < line.key_bytes < 1000 else f"{line.key_bytes / 1e6:.3g}",
        ]
        shown.append(cells)
    return shown


def training(chosen: argparse.Namespace, of: Problem) -> list[list[str]]:
    """Rows of the table of training steps."""
    shown = []
    for dim in (16, DIM):
        arrays = step_arrays(of, dim)
        mine = our_step(arrays, dim)
        passes = passed(mine, len(of.train))
        shown.append(["ours", str(dim), f"{mine:.2g}", "1", passes, "0", "", "any stack and model"])
        for peer in PEERS:
            if dim in peer.step_dims:
                batch = {**arrays, **{name: arrays[name][: peer.step_rows] for name in ("x", "y")}}
                found = peer.asked(python_of(peer, chosen), "step", batch)
                shown.append(step_row(found, dim, mine, len(of.train)))
    return shown


def passed(step_s: float, n_rows: int) -> str:
    seconds = step_s * n_rows / STEP_ROWS
    return f"{seconds:.2g} s" if seconds < 120 else f"{seconds / 3600:.2g} h"


def step_row(found: dict[str, Any] | str, dim: int, mine: float, n_rows: int) -> list[str]:
    if isinstance(found, str):
        return [found, str(dim), *[""] * 6]
    step: dict[str, float] = found["step"]
    if "largest_error" in step:
        note = "the asker must decrypt and encrypt the weights after each step; a row is "
        note += (
            f"{step['row_bytes']:,} bytes; largest error of a weight {step['largest_error']:.1e}"
        )
    else:
        note = f"logistic regression with two classes only; accuracy {step['clear_accuracy']:.3f} "
        note += f"after {step['clear_steps']:,} of its steps run in the clear "
        note += f"(always the same answer: {step['most_frequent']:.3f})"
    return [
        str(found["peer"]),
        str(dim),
        f"{step['step_s']:.3g}",
        rounded(step["step_s"] / mine),
        passed(step["step_s"], n_rows),
        f"{step['key_bytes'] / 1e6:.3g}",
        f"{step['setup_s']:.2g}",
        note,
    ]


def rounded(ratio: float) -> str:
    """Two or three digits of a ratio, without an exponent."""
    return f"{ratio:.3g}" if ratio < 1000 else f"{float(f'{ratio:.2g}'):,.0f}"


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = parser_of(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of train.csv, test.csv")
    parser.add_argument("--tenseal-python", help="a Python that has tenseal and numpy")
    parser.add_argument("--concrete-python", help="a Python that has concrete-ml")
    parser.add_argument("--queries", type=int, default=200)
    return parser.parse_args(words)


def tables(chosen: argparse.Namespace) -> Iterator[Table]:
    data = read(chosen.data, chosen.cache)
    rows: list[list[str]] = []
    notes: list[str] = []
    for task in TASKS:
        of = problem(data, task)
        lines, note = ours(task, of, chosen.queries)
        others, missing = predictions(chosen, of)
        rows += table(task.name, lines + others, of.test_y, of.plain)
        notes += [note, *missing]
    told = "\n".join(f"- {note}" for note in dict.fromkeys(notes))
    source = (data.source,)
    yield Table("fhe/predictions", "Predictions", INFERENCE, rows, source, (SEED,), told)
    rows = training(chosen, problem(data, TASKS[0]))
    yield Table("fhe/training", "Training", TRAINING, rows, source, (SEED,))
    print(f"\n{PROTECTS}")


def main() -> None:
    chosen = arguments()
    hand_over(tables(chosen), chosen.tables)


if __name__ == "__main__":
    sys.exit(main())

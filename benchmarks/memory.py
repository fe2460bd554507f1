"""Peak memory of `cipherset protect` on given vectors: it does not grow with the file.

Usage: python benchmarks/memory.py [--rows 10000 200000] [--dim 384]

Each size is one process of its own: a Parquet file of clustered unit vectors in five classes, made
in batches, goes through the whole command with settings chosen by measurement. Printed: rows, size
of the file, seconds, peak resident memory of the process.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tables import MADE_UP, Table, arguments, hand_over

BATCH_ROWS = 10_000
N_CLASSES = 5


def write_vectors(path: Path, n_rows: int, dim: int) -> None:
    rng = np.random.default_rng(7)
    centers = rng.normal(size=(N_CLASSES, dim)).astype(np.float32)
    kind = pa.list_(pa.float32(), dim)
    schema = pa.schema([("vector", kind), ("label", pa.string())])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, n_rows, BATCH_ROWS):
            n = min(BATCH_ROWS, n_rows - start)
            y = rng.integers(N_CLASSES, size=n)
            x = centers[y] + 1.5 * rng.normal(size=(n, dim)).astype(np.float32)
            flat = pa.array(x.astype(np.float32).ravel())
            vectors = pa.FixedSizeListArray.from_arrays(flat, dim)
            writer.write_table(pa.table([vectors, [f"class {c}" for c in y]], schema=schema))


def peak_of(command: list[str]) -> tuple[float, int]:
    """Wall seconds, and peak resident bytes, of a command that must succeed."""
    since = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - since
    if status != 0:
        sys.exit(f"{' '.join(command)} failed")
    return seconds, usage.ru_maxrss * 1024


def protected(n_rows: int, dim: int) -> list[str]:
    """One row of the table."""
    cli = [sys.executable, "-c", "from cipherset.interfaces.cli.main import main; main()"]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_vectors(place / "rows.parquet", n_rows, dim)
        home = ["--home", str(place / "home")]
        peak_of([*cli, "key", "create", "memory", *home])
        protect = ["protect", str(place / "rows.parquet"), "--vector", "vector"]
        protect += ["--label", "label", "--key", "memory", "--to", str(place / "out"), *home]
        seconds, peak_bytes = peak_of([*cli, *protect])
        size_mb = (place / "rows.parquet").stat().st_size / 1e6
    return [f"{n_rows:,}", f"{size_mb:,.0f}", f"{seconds:.0f}", f"{peak_bytes / 1e6:,.0f}"]


def tables(asked: argparse.Namespace) -> Iterator[Table]:
    rows = [protected(n_rows, asked.dim) for n_rows in asked.rows]
    header = ("rows", "file, MB", "seconds", "peak memory, MB")
    title = f"Peak memory of protect, {asked.dim} dimensions"
    yield Table("memory/protect", title, header, rows, (MADE_UP,), (7,))


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 200_000])
    parser.add_argument("--dim", type=int, default=384)
    asked = parser.parse_args()
    hand_over(tables(asked), asked.tables)


if __name__ == "__main__":
    main()

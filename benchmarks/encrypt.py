"""Rows per second of ``encrypt``, beside what no code could beat, its peer, and its memory.

Usage: OMP_NUM_THREADS=1 python benchmarks/encrypt.py [--peer-python PATH] [--memory-rows N]

The limit is the time of the work that cannot be left out, each part timed alone in the same run
and on the same blocks: the AES-CTR bytes of the noise, the rotation as a float32 matrix product
(rsap/1 only), and one read and one write of the rows (into a new array, as a result is). What
turns those bytes into noise is timed too, on one block that stays in the cache: most of the rest.
It is compiled or numpy's; the first line says which.

The peer is ``ironcore-alloy``, in a process of its own under PATH, a Python that has it and
numpy; without ``--peer-python`` the ratios are left out. All take turns. One-core figures are
CPU seconds, so that waiting for a core on a busy machine does not count; two threads are timed by
the clock, beside their bound: two processes that do the same at once. Medians of seven, and the
best, from which the ratios are made.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import numpy as np

from cipherset.core.values import Float32s
from cipherset.pipeline.encrypt import SCHEMES, VectorCipher, noise_engine
from cipherset.pipeline.encrypt.noise import BallNoise, row_bytes
from cipherset.pipeline.encrypt.rows import MATRIX_BLOCKS, block_rows
from cipherset.pipeline.encrypt.stream import Stream

COORDINATES = 2**24
PEER_COORDINATES = 2**19
REPEATS = 7
PEER_REPEATS = 3
FACTOR = 2.0


def unit_rows(coordinates: int, dim: int) -> Float32s:
    x = np.random.default_rng(0).standard_normal((coordinates // dim, dim), dtype=np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return x


def made(scheme: str, dim: int) -> VectorCipher:
    return VectorCipher(bytes(32), dim=dim, scheme=scheme, approximation_factor=FACTOR)


def blocks(x: Float32s, times: int = 1) -> Iterator[slice]:
    step = block_rows(x.shape[1]) * times
    for start in range(0, len(x), step):
        yield slice(start, min(start + step, len(x)))


def aes_bytes(x: Float32s) -> None:
    stream, width = Stream(bytes(32)), row_bytes(x.shape[1])
    keystream = np.empty(block_rows(x.shape[1]) * width, dtype=np.uint8)
    for block in blocks(x):
        stream.read_into(keystream[: (block.stop - block.start) * width])


def product(x: Float32s, matrix: Float32s, out: Float32s) -> None:
    for block in blocks(x, MATRIX_BLOCKS):
        np.matmul(x[block], matrix, out=out[block])


def copy(x: Float32s, out: Float32s) -> None:
    for block in blocks(x):
        np.copyto(out[block], x[block])


class Still:
    """A stream that leaves what is there."""

    def read_into(self, out: object) -> None:
        pass


def noise(x: Float32s) -> None:
    rows, dim = block_rows(x.shape[1]), x.shape[1]
    ball, out = BallNoise(Still(), max_rows=rows, dim=dim, radius=FACTOR / 4), x[:rows].copy()
    for block in blocks(x):
        n_rows = block.stop - block.start
        ball.fill(out[:n_rows], 1.0, out[:n_rows])


def seconds(work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    start = clock()
    work()
    return clock() - start


def parts(x: Float32s) -> dict[str, Callable[[], object]]:
    """What is timed, by name."""
    dim = x.shape[1]
    out = np.zeros_like(x)  # its pages are there
    matrix = np.linalg.qr(np.random.default_rng(0).normal(size=(dim, dim)))[0].astype(np.float32)
    work: dict[str, Callable[[], object]] = {
        "AES-CTR bytes": lambda: aes_bytes(x),
        "matrix product": lambda: product(x, matrix, out),
        "read and write": lambda: copy(x, np.empty_like(x)),
        "bytes to noise": lambda: noise(x),
    }
    for scheme in SCHEMES:
        cipher = made(scheme.name, dim)
        work[scheme.name] = partial(cipher.encrypt, x)
    return work


def speed(dim: int, peer_python: str | None) -> None:
    """Print every rate and ratio at one width."""
    x = unit_rows(COORDINATES, dim)
    took: dict[str, list[float]] = {}
    work = parts(x)
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.npy"
        np.save(rows, x[: PEER_COORDINATES // dim])
        for repeat in range(REPEATS):
            for name, run in work.items():
                took.setdefault(name, []).append(seconds(run) / len(x))
            if peer_python and repeat < PEER_REPEATS:
                took.setdefault("peer", []).append(peer_seconds(peer_python, rows, dim))
    print(f"\n{dim} dimensions, {len(x):,} rows: rows/s, median (best)")
    for name, each in took.items():
        print(f"  {name:<20} {1 / median(each):>12,.0f} ({1 / min(each):,.0f})")
    best, middle = ({name: f(each) for name, each in took.items()} for f in (min, median))
    bare = best["AES-CTR bytes"] + best["read and write"]
    for name, limit in (("sap/1", bare), ("rsap/1", bare + best["matrix product"])):
        threads, processes = two_threads(name, dim), two_processes(name, dim)
        print(f"  {name:<6} {limit / best[name]:.0%} of its limit;", end="")
        print(f" two threads {threads:.2f}x one, two processes {processes:.2f}x;", end="")
        if peer_python:
            ratio = min(took["peer"]) / best[name], middle["peer"] / middle[name]
            print(f" {ratio[0]:,.0f}x the peer, best to best ({ratio[1]:,.0f}x by medians)")
        else:
            print(" no --peer-python, so no ratio to the peer")


def peer_seconds(peer_python: str, rows: Path, dim: int) -> float:
    """Seconds per row of the peer."""
    script = str(Path(__file__).with_name("peer_encrypt.py"))
    command = [peer_python, script, str(rows), str(FACTOR)]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(json.loads(shown)["seconds"]) / (PEER_COORDINATES // dim)


def best_of_five(scheme: str, dim: int) -> float:
    x, cipher = unit_rows(COORDINATES, dim), made(scheme, dim)
    return min(seconds(lambda: cipher.encrypt(x), time.perf_counter) for _ in range(5))


def two_threads(scheme: str, dim: int) -> float:
    """How much more two threads do than one, best to best by the clock, in turn."""
    x, cipher = unit_rows(COORDINATES, dim), made(scheme, dim)
    took: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(REPEATS):
        for threads, each in took.items():
            run = partial(cipher.encrypt, x, threads=threads)
            each.append(seconds(run, time.perf_counter))
    return min(took[1]) / min(took[2])


def two_processes(scheme: str, dim: int) -> float:
    """How much more two processes do at once than one alone: the bound of two threads."""
    with get_context("spawn").Pool(2) as pool:
        alone = pool.apply(best_of_five, (scheme, dim))
        both = pool.starmap(best_of_five, [(scheme, dim)] * 2)
    return 2 * alone / max(both)


def extra_memory(n_rows: int, dim: int, scheme: str) -> float:
    """Peak memory that ``encrypt`` adds, as a multiple of its output."""
    x, cipher = np.ones((n_rows, dim), dtype=np.float32), made(scheme, dim)
    cipher.encrypt(x[:16])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    out = cipher.encrypt(x)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (after - before) * 1024 / out.nbytes


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--peer-python")
    arguments.add_argument("--memory-rows", type=int, default=1_000_000)
    chosen = arguments.parse_args()
    print(f"noise: {noise_engine()}")
    for dim in (384, 1024):
        speed(dim, chosen.peer_python)
    print(f"\n{chosen.memory_rows:,} rows of 384 dimensions")
    for scheme in SCHEMES:
        with get_context("spawn").Pool(1) as pool:
            extra = pool.apply(extra_memory, (chosen.memory_rows, 384, scheme.name))
        print(f"  {scheme.name:<6} peak extra memory {extra:.2f}x the output")


if __name__ == "__main__":
    sys.exit(main())

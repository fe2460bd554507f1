"""Rows per second of ``encrypt`` at 384 dimensions, beside what no code could beat.

Usage: OMP_NUM_THREADS=1 python benchmarks/encrypt.py

The limit is the time of the work that cannot be left out, each part timed alone in the same run
and on the same blocks: the AES-CTR bytes of the noise, the rotation as a float32 matrix product
(rsap/1 only), and one copy of the rows. Each figure is the best of five, taken in turn, because
the machine may be shared.
"""

import time
from collections.abc import Callable, Iterator

import numpy as np

from cipherset.core.values import Float32s
from cipherset.pipeline.encrypt import SCHEMES, VectorCipher
from cipherset.pipeline.encrypt.noise import row_bytes
from cipherset.pipeline.encrypt.stream import Stream

N_ROWS = 40_000
DIM = 384
BLOCK = 341
REPEATS = 5


def blocks() -> Iterator[slice]:
    for start in range(0, N_ROWS, BLOCK):
        yield slice(start, min(start + BLOCK, N_ROWS))


def aes_bytes() -> None:
    stream = Stream(bytes(32))
    for block in blocks():
        stream.read((block.stop - block.start) * row_bytes(DIM))


def product(x: Float32s, matrix: Float32s, out: Float32s) -> None:
    for block in blocks():
        np.matmul(x[block], matrix, out=out[block])


def copy(x: Float32s, out: Float32s) -> None:
    for block in blocks():
        np.copyto(out[block], x[block])


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N_ROWS, DIM)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    out = np.empty_like(x)
    matrix = np.linalg.qr(rng.normal(size=(DIM, DIM)))[0].astype(np.float32)
    work: dict[str, Callable[[], object]] = {
        "AES-CTR bytes": aes_bytes,
        "matrix product": lambda: product(x, matrix, out),
        "copy": lambda: copy(x, out),
    }
    for scheme in SCHEMES:
        cipher = VectorCipher(bytes(32), dim=DIM, scheme=scheme.name, approximation_factor=2.0)
        work[scheme.name] = lambda cipher=cipher: cipher.encrypt(x)  # type: ignore[misc]
    best = dict.fromkeys(work, float("inf"))
    for _ in range(REPEATS):
        for name, run in work.items():
            best[name] = min(best[name], seconds(run))
    for name, best_s in best.items():
        print(f"{name:<16} {N_ROWS / best_s:>12,.0f} rows/s")
    bare_s = best["AES-CTR bytes"] + best["copy"]
    for name, limit_s in (("sap/1", bare_s), ("rsap/1", bare_s + best["matrix product"])):
        print(
            f"{name:<6} limit {N_ROWS / limit_s:>12,.0f} rows/s, reached {limit_s / best[name]:.0%}"
        )


if __name__ == "__main__":
    main()

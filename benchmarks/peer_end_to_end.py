"""Seconds from texts to ciphertexts in a Parquet file, by sentence-transformers and ironcore-alloy.

Usage: PEER_PYTHON benchmarks/peer_end_to_end.py TEXTS.json MODEL VECTORS.npy ROUNDS THREADS

TEXTS is a JSON list, MODEL a sentence-transformers directory. Prints, as a JSON list with one
object per round, the clock's and the processor's seconds of each step. The vectors of the last
round are written to VECTORS, so that they can be compared.

Runs under a Python of its own that has both packages (ironcore-alloy is AGPL) and pyarrow; nothing
of this package is imported here, and nothing of the peers elsewhere.
"""

import asyncio
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from ironcore_alloy import (
    AlloyMetadata,
    PlaintextVector,
    RotatableSecret,
    Secret,
    Standalone,
    StandaloneConfiguration,
    StandaloneSecret,
    StandardSecrets,
    VectorSecret,
)
from sentence_transformers import SentenceTransformer

FACTOR = 2.0
BATCH = 256  # encrypted at a time; more is no faster


def clocks() -> tuple[float, float]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), used.ru_utime + used.ru_stime


def since(start: tuple[float, float]) -> list[float]:
    return [now - then for now, then in zip(clocks(), start, strict=True)]


async def encrypted(x: np.ndarray) -> np.ndarray:
    secret = RotatableSecret(StandaloneSecret(1, Secret(bytes(range(32)))), None)
    vectors = {"path": VectorSecret(FACTOR, secret)}
    peer = Standalone(StandaloneConfiguration(StandardSecrets(None, []), {}, vectors)).vector()
    metadata = AlloyMetadata.new_simple("tenant")
    c = np.empty_like(x)
    for start in range(0, len(x), BATCH):
        rows = x[start : start + BATCH]
        batch = {
            str(i): PlaintextVector(
                plaintext_vector=row.tolist(),
                secret_path="path",  # noqa: S106 -- a name
                derivation_path="derivation",
            )
            for i, row in enumerate(rows)
        }
        found = await peer.encrypt_batch(batch, metadata)
        for i in range(len(rows)):
            c[start + i] = found.successes[str(i)].encrypted_vector
    return c


def write(c: np.ndarray, path: Path) -> None:
    column = pa.FixedSizeListArray.from_arrays(pa.array(c.reshape(-1)), c.shape[1])
    pq.write_table(pa.table({"vector": column}), path)


def main() -> None:
    texts = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    torch.set_num_threads(int(sys.argv[5]))
    model = SentenceTransformer(sys.argv[2], device="cpu", local_files_only=True)
    model.encode(texts[:64], normalize_embeddings=True)
    rounds = []
    for _ in range(int(sys.argv[4])):
        start = clocks()
        x = model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
        steps = {"encoder": since(start)}
        start = clocks()
        c = asyncio.run(encrypted(x))
        steps["encrypt"] = since(start)
        start = clocks()
        with tempfile.TemporaryDirectory() as folder:
            write(c, Path(folder) / "rows.parquet")
        steps["write"] = since(start)
        rounds.append(steps)
    np.save(sys.argv[3], x)
    print(json.dumps(rounds))


main()

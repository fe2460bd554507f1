"""Texts to ciphertexts on disk, beside sentence-transformers with ironcore-alloy, in one run.

Usage: python benchmarks/end_to_end.py [--data DIR] [--peer-python PATH --model DIRECTORY]
    [--rows N] [--rounds N] [--threads N]

Each way runs in a process of its own, all take turns, and a round's process opens its model and
warms up before the clock starts. What is timed: encoder (with its tokenizer), encryption, and
writing: ours the parts of a cipherset, shuffled under random ids by way of sealed scratch, the
peer's one Parquet file in the order of the texts. Neither sanitizes, minimizes or measures here;
what sanitizing the same texts costs us is printed beside it. Figures are medians over the rounds;
CPU seconds are user + system of the process, so that waiting for a core on a busy machine does not
count. The cosine is the lowest between our vectors and the peer's.

PATH is a Python that has sentence-transformers, ironcore-alloy and pyarrow, DIRECTORY the weights
of ``minilm-l6-v2`` as a sentence-transformers model. Without them only our own figures are printed,
and without OpenVINO or a processor for it nothing of bfloat16.
DIR holds the folders banking77 and airline_support_tweets: copies that are not distributed; the
demo's reviews come from the package index.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
from encoder_int8 import BFLOAT16, INT8, airline, banking, reviews
from tables import REVIEWS, Table, arguments, hand_over, local

from cipherset.app.encoders import DEFAULT_ENCODER, get, open_encoder
from cipherset.core.values import ROW, EncryptedVectors, Records
from cipherset.custody.keys import ephemeral_sealer
from cipherset.pipeline.embed import multiplies_bfloat16
from cipherset.pipeline.encrypt import VectorCipher
from cipherset.pipeline.export import CiphersetWriter, Layout, Split
from cipherset.pipeline.sanitize import default_rules, sanitize

FACTOR = 2.0
WARM_UP = 64
SETS = {"banking77": banking, "airline_support_tweets": airline}
ENCODERS = (DEFAULT_ENCODER, *([BFLOAT16] if multiplies_bfloat16() else []), INT8)
PEER = "peer"
Clocks = tuple[float, float]
Rounds = list[dict[str, Sequence[float]]]


def clocks() -> Clocks:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), used.ru_utime + used.ru_stime


def since(start: Clocks) -> list[float]:
    return [now - then for now, then in zip(clocks(), start, strict=True)]


def write(values: np.ndarray, folder: Path) -> None:
    """The parts of a cipherset, all rows in one split."""
    (folder / "staged").mkdir()
    (folder / "scratch").mkdir()
    layout = Layout(values.shape[1], None)
    sealer = ephemeral_sealer()
    with CiphersetWriter(
        folder / "staged", scratch=folder / "scratch", sealer=sealer, layout=layout
    ) as writer:
        rows = pa.table({ROW: np.arange(len(values))})
        writer.append(Split.TRAIN, EncryptedVectors(values, rows))
        writer.finish()


def ours(name: str, texts: list[str], cache: Path, vectors: Path) -> dict[str, list[float]]:
    """The seconds of each step, by the clock and of the processor; vectors go to a file."""
    encoder = open_encoder(name, cache)
    encoder.encode(texts[:WARM_UP])
    cipher = VectorCipher(bytes(range(32)), dim=encoder.dim, approximation_factor=FACTOR)
    cipher.encrypt(np.eye(encoder.dim, dtype=np.float32))
    rules = default_rules()
    columns = pa.table({ROW: np.arange(len(texts))})
    sanitize(Records(texts[:WARM_UP], columns[:WARM_UP]), rules)
    steps = {}
    start = clocks()
    sanitize(Records(texts, columns), rules)
    steps["sanitize"] = since(start)
    start = clocks()
    x = encoder.encode(texts)
    steps["encoder"] = since(start)
    start = clocks()
    c = cipher.encrypt(x)
    steps["encrypt"] = since(start)
    with tempfile.TemporaryDirectory() as folder:
        start = clocks()
        write(c, Path(folder))
        steps["write"] = since(start)
    np.save(vectors, x)
    return steps


def commands(given: Any, folder: Path) -> dict[str, list[str]]:  # noqa: ANN401 -- argparse
    """What starts one round of each way; the last argument but those after it is its vectors."""
    own = [sys.executable, __file__, "--cache", str(given.cache), "--own", str(folder)]
    found = {name: [*own, name] for name in ENCODERS}
    if given.peer_python:
        script = str(Path(__file__).with_name("peer_end_to_end.py"))
        found[PEER] = [given.peer_python, script, str(folder / "texts.json"), given.model]
        found[PEER] += [str(folder / f"{PEER}.npy"), "1", str(given.threads)]
    return found


def run(given: Any, texts: list[str]) -> tuple[dict[str, Rounds], dict[str, float]]:  # noqa: ANN401
    """Every round of every way, and the lowest cosine of each to the peer's vectors."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
        made = commands(given, folder)
        cores = sorted(os.sched_getaffinity(0))[: given.threads]
        os.sched_setaffinity(0, cores)  # the children's too: our encoder takes what it may use
        rounds: dict[str, Rounds] = {way: [] for way in made}
        for _ in range(given.rounds):
            for way, command in made.items():
                shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                found = json.loads(shown.splitlines()[-1])
                rounds[way].append(found[0] if isinstance(found, list) else found)
        vectors = {way: np.load(folder / f"{way}.npy") for way in made}
    peer = vectors.get(PEER, vectors[DEFAULT_ENCODER])
    return rounds, {way: float((x * peer).sum(axis=1).min()) for way, x in vectors.items()}


def middle(rounds: Rounds, steps: Sequence[str], clock: int) -> float:
    """The median over the rounds of the seconds of all ``steps``; clock 0 is the wall's."""
    return median(sum(each[step][clock] for step in steps) for each in rounds)


STEPS = ("encoder", "encrypt", "write")


def rows_of(
    name: str, n_texts: int, rounds: dict[str, Rounds], cosines: dict[str, float]
) -> list[tuple[str, ...]]:
    peer = {clock: middle(rounds[PEER], STEPS, clock) if PEER in rounds else None
            for clock in (0, 1)}  # fmt: skip
    found = []
    for way, each in rounds.items():
        wall, cpu = (middle(each, STEPS, clock) for clock in (0, 1))
        outside = median(
            1 - each_round["encoder"][1] / sum(each_round[step][1] for step in STEPS)
            for each_round in each
        )
        cleaned = f"{middle(each, ['sanitize'], 1) / n_texts * 1e3:.2f}" if way != PEER else "–"
        found.append((
            name, way, f"{n_texts:,}", f"{n_texts / cpu:.0f}", f"{n_texts / wall:.0f}",
            "–" if peer[1] is None else f"{peer[1] / cpu:.2f}",
            "–" if peer[0] is None else f"{peer[0] / wall:.2f}",
            *(f"{middle(each, [step], 1) / n_texts * 1e3:.3f}" for step in STEPS),
            f"{outside:.1%}", cleaned, f"{cosines[way]:.6f}",
        ))  # fmt: skip
    return found


HEADER = (
    "texts", "way", "rows", "texts/cpu-s", "texts/s", "times the peer, CPU", "by the clock",
    "encoder, ms", "encrypt", "write", "outside the encoder", "sanitize, ms, not in the sum",
    "least cosine",
)  # fmt: skip


def own_round(given: Any) -> None:  # noqa: ANN401 -- argparse
    folder, name = given.own
    texts = json.loads((Path(folder) / "texts.json").read_text("utf-8"))
    print(json.dumps(ours(name, texts, given.cache, Path(folder) / f"{name}.npy")))


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--peer-python")
    parser.add_argument("--model")
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--own", nargs=2, metavar=("FOLDER", "ENCODER"), help="one round of ours")
    given = parser.parse_args()
    if given.own:
        own_round(given)
        return
    for name in ENCODERS:
        get(name, given.cache)
    sets = {"reviews": reviews(given.cache)}
    for name, read in SETS.items():
        if given.data is not None and (given.data / name).is_dir():
            sets[name] = read(given.data / name)
        else:
            print(f"left out: {name}", file=sys.stderr)
    rows = []
    for name, every in sets.items():
        order = np.random.default_rng(0).permutation(len(every))[: given.rows]
        texts = [every[i][0] for i in order]
        rows += rows_of(name, len(texts), *run(given, texts))
        print(*map(" | ".join, rows[-len(ENCODERS) - 1 :]), sep="\n", file=sys.stderr)
    note = f"{given.threads} thread(s), medians of {given.rounds} rounds"
    data = (REVIEWS, *(local(name) for name in SETS))
    hand_over(
        [Table("end_to_end/speed", "Texts to ciphertexts", HEADER, rows, data, note=note)],
        given.tables,
    )


if __name__ == "__main__":
    main()

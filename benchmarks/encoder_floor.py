"""What the encoder's matrix products alone take in float32, beside what its encoders take.

Usage: OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/encoder_floor.py [--data DIR]
    [--rows N]

The products with weights of every layer, over as many tokens as the texts have, none of them
padding: 512 tokens at a time, without attention, activations or anything else, by numpy's BLAS or,
where torch is installed, by its own if that is faster.
No encoder that multiplies float32 as this processor does can be faster. CPU seconds, the best of
a few rounds in which all take turns, for the machine may be shared. DIR holds the folders banking77
and airline_support_tweets: copies that are not distributed; the demo's reviews come from the
package index.
"""

import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from encoder_int8 import BFLOAT16, INT8, airline, banking, reviews
from tables import REVIEWS, Table, arguments, hand_over, local
from tokenizers import Tokenizer

from cipherset.app.encoders import CATALOG, DEFAULT_ENCODER, catalog, get, open_encoder
from cipherset.pipeline.embed import bundle, multiplies_bfloat16

N_LAYERS, DIM, WIDE = 6, 384, 1536
SHAPES = ((DIM, DIM),) * 4 + ((DIM, WIDE), (WIDE, DIM))
BATCH = 512
ROUNDS = 3
SETS = {"banking77": banking, "airline_support_tweets": airline}
ENCODERS = (DEFAULT_ENCODER, *([BFLOAT16] if multiplies_bfloat16() else []), INT8)


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def products(n_tokens: int, array: Callable[[np.ndarray], Any]) -> Callable[[], None]:
    """``array`` makes what the library multiplies."""
    rng = np.random.default_rng(0)
    inputs = {
        dim: array(rng.standard_normal((BATCH, dim), dtype=np.float32)) for dim in (DIM, WIDE)
    }
    weights = [array(rng.standard_normal(shape, dtype=np.float32)) for shape in SHAPES]

    def multiply() -> None:
        for _ in range(N_LAYERS * -(-n_tokens // BATCH)):
            for weight in weights:
                inputs[len(weight)] @ weight

    return multiply


def count_tokens(texts: list[str], cache: Path) -> int:
    folder = next(info.path for info in catalog(cache) if info.name == DEFAULT_ENCODER)
    tokenizer = Tokenizer.from_file(str(folder / bundle.TOKENIZER))
    tokenizer.no_padding()
    tokenizer.enable_truncation(CATALOG[DEFAULT_ENCODER].settings.max_tokens)
    return sum(len(each.ids) for each in tokenizer.encode_batch_fast(texts))


def measure(name: str, texts: list[str], cache: Path) -> tuple[str, ...]:
    n_tokens = count_tokens(texts, cache)
    encoders = {each: open_encoder(each, cache) for each in ENCODERS}
    ways: dict[str, Callable[[], object]] = {}
    for each, encoder in encoders.items():
        encoder.encode(texts[:64])
        ways[each] = lambda encoder=encoder: encoder.encode(texts)
    kinds: dict[str, Callable[[np.ndarray], Any]] = {"numpy": np.asarray}
    if find_spec("torch"):
        torch = import_module("torch")
        torch.set_num_threads(1)
        kinds["torch"] = torch.from_numpy
    ways |= {kind: products(n_tokens, array) for kind, array in kinds.items()}
    rounds = [{way: seconds(work) for way, work in ways.items()} for _ in range(ROUNDS)]
    best = {way: min(each[way] for each in rounds) for way in ways}
    best = {"products": min(best.pop(kind) for kind in kinds)} | best
    rate = n_tokens * N_LAYERS * 2 * sum(a * b for a, b in SHAPES) / best["products"] / 1e9
    return (
        name, f"{len(texts):,}", f"{n_tokens / len(texts):.1f}", f"{rate:.0f}",
        *(f"{each / len(texts) * 1e3:.2f}" for each in best.values()),
        f"{best['products'] / best[DEFAULT_ENCODER]:.0%}",
    )  # fmt: skip


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rows", type=int, default=1000)
    given = parser.parse_args()
    for name in ENCODERS:
        get(name, given.cache)
    sets = {"reviews": reviews(given.cache)}
    for name, read in SETS.items():
        if given.data is not None and (given.data / name).is_dir():
            sets[name] = read(given.data / name)
    rows = []
    for name, every in sets.items():
        order = np.random.default_rng(0).permutation(len(every))[: given.rows]
        rows.append(measure(name, [every[i][0] for i in order], given.cache))
    header = (
        "texts", "rows", "tokens each", "GFLOP/s", "products alone, ms a text",
        *(f"{name}, ms" for name in ENCODERS), "products of the exact",
    )  # fmt: skip
    data = (REVIEWS, *(local(name) for name in SETS))
    title = "The float32 products alone, and the encoders"
    hand_over([Table("encoder_floor/time", title, header, rows, data)], given.tables)


if __name__ == "__main__":
    main()

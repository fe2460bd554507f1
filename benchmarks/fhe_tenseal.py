"""What a linear model costs under CKKS in TenSEAL: predictions, or one training step, as JSON.

Usage: TENSEAL_PYTHON benchmarks/fhe_tenseal.py predict|step FILE.npz

Runs under a Python of its own that has ``tenseal`` and numpy; nothing of Cipherset is imported
here, and nothing of TenSEAL elsewhere. One thread. ``predict`` reads ``queries`` (n, d) and
``batch`` (m, d), ``weights`` (d, k) and ``offset`` (k,); ``step`` reads ``x`` (b, d), ``y`` (b,),
``weights`` (d,), ``offset`` () and ``rate`` (). The server sees ciphertexts and public keys only:
all that passes between the two sides goes through bytes.
"""

import json
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
import tenseal as ts

# One multiplication. 109 bits is the most that 128-bit security allows at 4,096; the last prime
# is the key-switching one, and the first leaves nine bits for the whole part of a score.
SHALLOW = (4096, (39, 30, 40), 30)
# Five multiplications in a row: a product, a cubic (three), another product.
DEEP = (16384, (60, 40, 40, 40, 40, 40, 60), 40)
# The cubic that stands for the logistic function on [-5, 5] in TenSEAL's own tutorial.
CUBIC = (0.5, 0.197, 0.0, -0.004)


@dataclass
class Sides:
    """The asker's context, which has the secret key, and the server's, which has not."""

    asker: ts.Context
    server: ts.Context
    key_bytes: int
    setup_s: float


def sides(parameters: tuple[int, tuple[int, ...], int], *, rotations: bool) -> Sides:
    degree, bits, scale_bits = parameters
    start = time.process_time()
    asker = ts.context(ts.SCHEME_TYPE.CKKS, degree, coeff_mod_bit_sizes=list(bits), n_threads=1)
    asker.global_scale = 2**scale_bits
    if rotations:
        asker.generate_galois_keys()
    setup_s = time.process_time() - start
    public = asker.copy()
    public.make_context_public()
    raw = public.serialize(save_galois_keys=rotations)
    return Sides(asker, ts.context_from(raw, n_threads=1), len(raw), setup_s)


def chosen(scores: np.ndarray) -> list[int]:
    """The class of each row of scores (n, k); with one column, whether it is positive."""
    codes = scores[:, 0] > 0 if scores.shape[1] == 1 else scores.argmax(axis=1)
    return [int(code) for code in codes]


def one_by_one(data: dict[str, np.ndarray]) -> dict[str, object]:
    """Each query is one ciphertext; each score is one inner product, and one ciphertext.

    Up to 77 classes this is faster than the library's ``matmul``, which rotates once per dimension.
    """
    both = sides(SHALLOW, rotations=True)
    columns = data["weights"].T.tolist()
    offset = data["offset"].tolist()
    scores, asked, served = [], [], []
    query_bytes = answer_bytes = 0
    for row in data["queries"].tolist():
        start = time.process_time()
        query = ts.ckks_vector(both.asker, row).serialize()
        sent = time.process_time()
        vector = ts.ckks_vector_from(both.server, query)
        answers = [
            vector.dot(column).add([b]).serialize()
            for column, b in zip(columns, offset, strict=True)
        ]
        answered = time.process_time()
        scores.append([ts.ckks_vector_from(both.asker, raw).decrypt()[0] for raw in answers])
        end = time.process_time()
        asked.append(sent - start + end - answered)
        served.append(answered - sent)
        query_bytes, answer_bytes = len(query), sum(map(len, answers))
    return {
        "mode": "one at a time",
        "asker_s": float(np.median(asked)),
        "server_s": float(np.median(served)),
        "query_bytes": query_bytes,
        "answer_bytes": answer_bytes,
        "key_bytes": both.key_bytes,
        "predicted": chosen(np.array(scores)),
    }


def packed(data: dict[str, np.ndarray]) -> dict[str, object]:
    """Each coordinate of all queries is one ciphertext: no rotations, and no slot is empty."""
    both = sides(SHALLOW, rotations=False)
    x, (d, k) = data["batch"], data["weights"].shape
    n = len(x)
    weights = ts.plain_tensor(data["weights"].ravel().tolist(), [d, k])
    offset = ts.plain_tensor(data["offset"].ravel().tolist(), [1, k])
    start = time.process_time()
    plain = ts.plain_tensor(x.ravel().tolist(), [n, 1, d])
    query = ts.ckks_tensor(both.asker, plain, batch=True).serialize()
    sent = time.process_time()
    answer = (ts.ckks_tensor_from(both.server, query).mm(weights) + offset).serialize()
    answered = time.process_time()
    scores = np.array(ts.ckks_tensor_from(both.asker, answer).decrypt().tolist()).reshape(n, k)
    end = time.process_time()
    return {
        "mode": "in one batch",
        "asker_s": (sent - start + end - answered) / n,
        "server_s": (answered - sent) / n,
        "query_bytes": len(query) // n,
        "answer_bytes": len(answer) // n,
        "key_bytes": both.key_bytes,
        "predicted": chosen(scores),
    }


def step(data: dict[str, np.ndarray]) -> dict[str, object]:
    """One step of logistic regression on a batch; rows, labels and weights are all encrypted.

    The chain of multiplications is then used up: the asker must decrypt the weights and encrypt
    them anew before the next step.
    """
    both = sides(DEEP, rotations=True)
    asker, rate = both.asker, float(data["rate"]) / len(data["x"])
    raws = [ts.ckks_vector(asker, row).serialize() for row in data["x"].tolist()]
    labels = [ts.ckks_vector(asker, [rate * y]).serialize() for y in data["y"].tolist()]
    weights = ts.ckks_vector(asker, data["weights"].tolist()).serialize()
    offset = ts.ckks_vector(asker, [float(data["offset"])]).serialize()
    cubic = [rate * c for c in CUBIC]
    moved, shifted = [], []

    start = time.process_time()
    w, b = (ts.ckks_vector_from(both.server, raw) for raw in (weights, offset))
    for raw, label in zip(raws, labels, strict=True):
        x = ts.ckks_vector_from(both.server, raw)
        error = (x.dot(w) + b).polyval(cubic) - ts.ckks_vector_from(both.server, label)
        moved.append(x * error)
        shifted.append(error)
    answers = [(w - total(moved)).serialize(), (b - total(shifted)).serialize()]
    step_s = time.process_time() - start
    found = np.concatenate([ts.ckks_vector_from(asker, raw).decrypt() for raw in answers])
    return {
        "step_s": step_s,
        "setup_s": both.setup_s,
        "row_bytes": len(raws[0]),
        "key_bytes": both.key_bytes,
        "largest_error": float(np.abs(found - clear_step(data)).max()),
    }


def total(vectors: list[ts.CKKSVector]) -> ts.CKKSVector:
    return sum(vectors[1:], vectors[0])


def clear_step(data: dict[str, np.ndarray]) -> np.ndarray:
    """The same step with nothing encrypted, the cubic included: weights, then offset."""
    x, rate = data["x"], float(data["rate"]) / len(data["x"])
    score = x @ data["weights"] + float(data["offset"])
    error = rate * (np.polynomial.polynomial.polyval(score, CUBIC) - data["y"])
    return np.append(data["weights"] - x.T @ error, float(data["offset"]) - error.sum())


def main() -> None:
    what, path = sys.argv[1:]
    data = {name: a.astype(np.float64) for name, a in np.load(path, allow_pickle=False).items()}
    found: dict[str, object] = {"peer": f"TenSEAL {version('tenseal')}"}
    if what == "predict":
        found["lines"] = [one_by_one(data), packed(data)]
    else:
        found["step"] = step(data)
    print(json.dumps(found))


if __name__ == "__main__":
    main()

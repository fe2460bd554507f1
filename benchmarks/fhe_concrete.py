"""What a linear model costs under TFHE in Concrete ML: predictions, or training steps, as JSON.

Usage: CONCRETE_PYTHON benchmarks/fhe_concrete.py predict|step FILE.npz

Runs under a Python of its own that has ``concrete-ml`` and its 6 GB; nothing of Cipherset is
imported here, and nothing of Concrete ML elsewhere. ``predict`` reads ``queries`` (n, d),
``weights`` (d, k), ``offset`` (k,) and ``rows`` (m, d), plain rows that set the quantization;
``step`` reads ``x`` (n, d) and ``y`` (n,) in {0, 1}, and ``test_x``, ``test_y``.
"""

import contextlib
import json
import sys
import tempfile
import time
from importlib.metadata import version

import numpy as np
from concrete.ml.deployment import FHEModelClient, FHEModelDev, FHEModelServer
from concrete.ml.sklearn import LogisticRegression, SGDClassifier
from sklearn.linear_model import LogisticRegression as PlainRegression

BITS = 8
# Training beyond six bits does not compile in reasonable time.
TRAINING_BITS = 6
CLEAR_STEPS = 500


def quantized(data: dict[str, np.ndarray]) -> LogisticRegression:
    """The model that was trained in the clear, with ``BITS`` for weights and inputs."""
    plain = PlainRegression()
    plain.coef_, plain.intercept_ = data["weights"].T, data["offset"]
    plain.classes_ = np.arange(max(2, len(plain.coef_)))
    plain.n_features_in_ = plain.coef_.shape[1]
    return LogisticRegression.from_sklearn_model(plain, data["rows"], n_bits=BITS)


def predict(data: dict[str, np.ndarray]) -> dict[str, object]:
    model = quantized(data)
    model.compile(data["rows"])
    asked, served, predicted = [], [], []
    query_bytes = answer_bytes = 0
    with tempfile.TemporaryDirectory() as folder:
        FHEModelDev(folder, model).save()
        asker, server = FHEModelClient(folder, key_dir=f"{folder}/keys"), FHEModelServer(folder)
        server.load()
        asker.generate_private_and_evaluation_keys()
        keys = asker.get_serialized_evaluation_keys()
        for row in data["queries"]:
            start = time.process_time()
            query = asker.quantize_encrypt_serialize(row[None])
            sent = time.process_time()
            answer = server.run(query, keys)
            answered = time.process_time()
            scores = asker.deserialize_decrypt_dequantize(answer)
            end = time.process_time()
            asked.append(sent - start + end - answered)
            served.append(answered - sent)
            predicted.append(int(scores[0].argmax()))
            query_bytes, answer_bytes = len(query), len(answer)
    return {
        "mode": "one at a time",
        "asker_s": float(np.median(asked)),
        "server_s": float(np.median(served)),
        "query_bytes": query_bytes,
        "answer_bytes": answer_bytes,
        "key_bytes": len(keys),
        "predicted": predicted,
    }


def trainer(steps: int) -> SGDClassifier:
    return SGDClassifier(
        n_bits=TRAINING_BITS,
        random_state=0,
        max_iter=steps,
        fit_encrypted=True,
        parameters_range=(-1.0, 1.0),
    )


def step(data: dict[str, np.ndarray]) -> dict[str, object]:
    """The second of two encrypted steps; the first also compiles and makes keys.

    The accuracy is that of the same quantized training with nothing encrypted: so many steps
    under encryption would take hours.
    """
    x, y = data["x"], data["y"].astype(np.int64)
    clear = trainer(CLEAR_STEPS)
    clear.fit(x, y, fhe="disable")
    model = trainer(1)
    start = time.process_time()
    model.partial_fit(x, y, fhe="execute", classes=np.array([0, 1]))
    first = time.process_time()
    model.partial_fit(x, y, fhe="execute")
    step_s = time.process_time() - first
    keys = model.training_quantized_module.fhe_circuit.client.evaluation_keys.serialize()
    return {
        "step_s": step_s,
        "setup_s": first - start - step_s,
        "key_bytes": len(keys),
        "clear_steps": CLEAR_STEPS,
        "clear_accuracy": float(np.mean(clear.predict(data["test_x"]) == data["test_y"])),
        "most_frequent": float(np.bincount(data["test_y"]).max() / len(data["test_y"])),
    }


def main() -> None:
    what, path = sys.argv[1:]
    data = dict(np.load(path, allow_pickle=False))
    found: dict[str, object] = {"peer": f"Concrete ML {version('concrete-ml')}"}
    with contextlib.redirect_stdout(sys.stderr):  # the library prints
        if what == "predict":
            found["lines"] = [predict(data)]
        else:
            found["step"] = step(data)
    print(json.dumps(found))


if __name__ == "__main__":
    main()

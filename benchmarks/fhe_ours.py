"""Our side of ``fhe.py``: the tasks, the plain model, and what a cipherset answers and costs."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from secrets import token_bytes
from statistics import median

import numpy as np
import numpy.typing as npt
from banking77 import COARSE, Banking, Codes, split
from sklearn.decomposition import PCA
from sklearn.linear_model import SGDClassifier

from cipherset.core import canonical
from cipherset.core.manifest import BundleManifest, CiphersetRef, ModelKind
from cipherset.core.manifest import Task as LabelKind
from cipherset.core.values import Float32s, NoiseLaw
from cipherset.evidence.attack import reidentify
from cipherset.pipeline.encrypt import VectorCipher
from cipherset.pipeline.minimize import FitSettings, FittedMinimizer, fit, parse_spec
from cipherset.pipeline.train import Bundle, TrainSpec, run_labels, to_onnx, train_model

DIM = 384
STEP_ROWS = 8
SEED = 0
SLOTS = 2048  # of the peer's ciphertext: the most rows of one batch
CANDIDATES = 2000

Arrays = Mapping[str, npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Task:
    """A labeling of the rows, and the export that is made for it."""

    name: str
    spec: str
    factor: float

    def labels(self, data: Banking) -> Codes:
        if self.name == "77":
            return data.fine
        if self.name == "7":
            return data.coarse
        card = sorted([name for name, _ in COARSE] + ["other"]).index("card")
        return (data.coarse == card).astype(np.int64)


TASKS = (
    Task("2", "bottleneck:2", 12.0),
    Task("7", "bottleneck:6", 12.0),
    Task("77", "bottleneck:32", 24.0),
)


@dataclass(frozen=True)
class Line:
    """How one scheme answered queries: seconds and bytes are per query; keys are the server's."""

    name: str
    mode: str
    asker_s: float
    server_s: float
    query_bytes: int
    answer_bytes: int
    key_bytes: int
    predicted: Sequence[int] = field(repr=False)


@dataclass(frozen=True)
class Problem:
    """One task's rows and its plain model, with what it answers to the queries."""

    train: Float32s
    train_y: Codes
    test: Float32s
    test_y: Codes
    weights: npt.NDArray[np.float64]
    offset: npt.NDArray[np.float64]
    plain: Codes


def problem(data: Banking, task: Task) -> Problem:
    y = task.labels(data)
    rows = split(y, SEED)
    train, test = data.vectors[rows.train], data.vectors[rows.test][:SLOTS]
    plain = train_model(train, y[rows.train], TrainSpec(), task=LabelKind.CLASSIFICATION, seed=SEED)
    return Problem(
        train=train,
        train_y=y[rows.train],
        test=test,
        test_y=y[rows.test][:SLOTS],
        weights=plain.coef_.T,  # type: ignore[attr-defined]
        offset=plain.intercept_,  # type: ignore[attr-defined]
        plain=plain.predict(test),
    )


def bundle(x: Float32s, y: Codes, spec: TrainSpec, cipher: VectorCipher) -> Bundle:
    """A model trained on ciphertexts, in the form in which it reaches the gate."""
    onnx = to_onnx(train_model(x, y, spec, task=LabelKind.CLASSIFICATION, seed=SEED))
    manifest = BundleManifest(
        created="2026-01-01T00:00:00Z",
        model=ModelKind.LOGISTIC,
        task=LabelKind.CLASSIFICATION,
        classes=tuple(str(code) for code in np.unique(y)),
        value_range=None,
        scheme=cipher.scheme,
        key_id=cipher.key_id,
        key_version=cipher.key_version,
        key_check=cipher.key_check,
        dim=cipher.dim,
        trained_on=CiphersetRef(cipherset_id="0" * 32, manifest=canonical.digest_bytes(b"")),
        at_gate=cipher.dim == DIM,
        metrics={},
        onnx=canonical.digest_bytes(onnx),
        packages={},
    )
    return Bundle(manifest, canonical.digest_bytes(onnx), onnx)


def answered(
    name: str, x: Float32s, cipher: VectorCipher, model: Bundle, minimizer: FittedMinimizer | None
) -> Line:
    """``x`` predicted in one call, each second divided by its rows."""
    start = time.process_time()
    query = cipher.encrypt_query(x if minimizer is None else minimizer.transform(x))
    sent = time.process_time()
    codes = run_labels(model, query)
    end, n = time.process_time(), len(x)
    return Line(
        name=name,
        mode="in one batch",
        asker_s=(sent - start) / n,
        server_s=(end - sent) / n,
        query_bytes=4 * cipher.dim,
        answer_bytes=codes.itemsize,
        key_bytes=0,
        predicted=codes.tolist(),
    )


def both_modes(
    name: str,
    x: tuple[Float32s, Float32s],
    cipher: VectorCipher,
    model: Bundle,
    minimizer: FittedMinimizer | None = None,
) -> list[Line]:
    """The queries ``x[0]`` one call each, and the batch ``x[1]`` in one."""
    each = [answered(name, row[None], cipher, model, minimizer) for row in x[0]]
    single = Line(
        name=name,
        mode="one at a time",
        asker_s=median(line.asker_s for line in each),
        server_s=median(line.server_s for line in each),
        query_bytes=each[0].query_bytes,
        answer_bytes=each[0].answer_bytes,
        key_bytes=0,
        predicted=[line.predicted[0] for line in each],
    )
    return [single, answered(name, x[1], cipher, model, minimizer)]


def ours(task: Task, of: Problem, n_queries: int) -> tuple[list[Line], str]:
    """Lines of the export's model and of the gate's, and what the export gives away."""
    x = of.test[:n_queries], of.test
    settings = FitSettings(noise_radius=task.factor / 4, seed=SEED)
    minimizer = fit(parse_spec(task.spec), of.train, of.train_y, settings=settings)
    cipher = VectorCipher(token_bytes(32), dim=minimizer.dim, approximation_factor=task.factor)
    exported = cipher.encrypt(minimizer.transform(of.train))
    model = bundle(exported, of.train_y, TrainSpec(balanced=True), cipher)
    lines = both_modes(f"ours, {task.spec}", x, cipher, model, minimizer)
    wide = VectorCipher(token_bytes(32), dim=DIM, approximation_factor=task.factor)
    at_gate = bundle(wide.encrypt_query(of.train), of.train_y, TrainSpec(), wide)
    lines += both_modes("ours, at the gate", x, wide, at_gate)
    sealed = sum(array.nbytes for array in minimizer.arrays().values())
    return lines, (
        f"{task.name} classes: {len(of.train):,} rows exported at {task.spec}, beta "
        f"{task.factor:g}; re-identification excess with file, key and minimizer stolen "
        f"{leaked(of, minimizer, cipher):.2%}; the owner keeps 32 bytes of key and "
        f"{sealed:,} bytes of minimizer."
    )


def leaked(of: Problem, minimizer: FittedMinimizer, cipher: VectorCipher) -> float:
    """Label-aware excess of re-identification among test rows with fresh noise, key stolen."""
    z, y = minimizer.transform(of.test[:CANDIDATES]), of.test_y[:CANDIDATES]
    return reidentify(
        cipher.remove_key(cipher.encrypt(z)),
        z,
        truth=np.arange(len(z)),
        ciphertext_groups=y,
        candidate_groups=y,
        noise=NoiseLaw.ball(cipher.approximation_factor / 4),
    ).excess


def step_arrays(of: Problem, dim: int) -> dict[str, npt.NDArray[np.float64]]:
    """Two classes in ``dim`` dimensions with rows of unit norm, one batch, and weights to begin."""
    train, test = of.train, of.test
    if dim < DIM:
        axes = PCA(dim, random_state=SEED).fit(train)
        train, test = (a / np.linalg.norm(a, axis=1, keepdims=True)
                       for a in (axes.transform(train), axes.transform(test)))  # fmt: skip
    rng = np.random.default_rng(SEED)
    start = {"weights": rng.uniform(-1, 1, dim), "offset": np.array(0.0), "rate": np.array(1.0)}
    return {"x": train, "y": of.train_y, "test_x": test, "test_y": of.test_y, **start}


def our_step(arrays: Arrays, dim: int) -> float:
    """Median CPU seconds of a step on ciphertexts of ``STEP_ROWS`` rows."""
    cipher = VectorCipher(token_bytes(32), dim=dim, approximation_factor=2.0)
    c, y = cipher.encrypt(arrays["x"].astype(np.float32)), arrays["y"]
    model = SGDClassifier(loss="log_loss", random_state=SEED)
    took = []
    for first in range(0, min(len(c), 100 * STEP_ROWS) - STEP_ROWS + 1, STEP_ROWS):
        start = time.process_time()
        model.partial_fit(c[first : first + STEP_ROWS], y[first : first + STEP_ROWS], [0, 1])
        took.append(time.process_time() - start)
    return median(took)

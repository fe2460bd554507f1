"""Trains the best candidate on noise-free rows, and measures who can be told to be among them.

Runs in a process of its own (``process``), with limits, so that it can be stopped; it is handed
vectors, class codes and declared recipes, and no key. It is our own code: no caller's runs here.

    in    length and JSON of ``Work``, then four arrays in numpy's format, each with its length
    out   length and JSON of ``Made``, then the ONNX model
"""

import io
import json
import os
import resource
import struct
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import CiphersetError
from cipherset.core.manifest import ModelKind
from cipherset.core.values import Floats
from cipherset.evidence.attack.model import Answers, Scorer, ShadowMembership
from cipherset.evidence.attack.model.membership import logit
from cipherset.evidence.attack.model.rates import Rate, tpr_at_fpr
from cipherset.pipeline.train import Classifier, TrainSpec, to_onnx, train_classifier

HEAD: Final = struct.Struct("<Q")
FALSE_RATE: Final = 0.01
_TINY: Final = 1e-12
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Work:
    """The candidates, the number of classes, and what the process may use."""

    candidates: tuple[TrainSpec, ...]
    n_classes: int
    seed: int
    shadows: int
    cpu_s: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Made:
    """Which candidate it is, and the rate at which its rows are told at one false in a hundred."""

    candidate: int
    attack: str
    membership: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Rows:
    """Vectors (n, dim) and class codes (n,)."""

    x: Floats
    y: Codes


def main() -> None:
    """Do one work, from the standard input to the standard output."""
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    work = _work(json.loads(_block(stdin)))
    resource.setrlimit(resource.RLIMIT_CPU, (work.cpu_s, work.cpu_s + 5))
    resource.setrlimit(resource.RLIMIT_AS, (work.memory_bytes, work.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    train, test = (Rows(_array(stdin), _array(stdin)) for _ in range(2))
    told: dict[str, Any]
    try:
        made, onnx = trained(work, train, test)
        told = asdict(made)
    except CiphersetError as error:
        told, onnx = {"code": error.code, "message": error.message, "hint": error.hint}, b""
    except MemoryError:
        told, onnx = {"memory": True}, b""
    _write(stdout, json.dumps(told).encode())
    _write(stdout, onnx)
    stdout.flush()
    os._exit(0)


def trained(work: Work, train: Rows, test: Rows) -> tuple[Made, bytes]:
    """The best candidate, trained on all of ``train``, and its membership measured.

    Raises:
        InputError: ``one_class``, ``no_rows``; too few rows to measure membership.
    """
    at = best(work, train)
    spec = work.candidates[at]
    model = train_classifier(train.x, train.y, spec, seed=work.seed)
    attack, rate = membership(work, spec, scorer(model, work.n_classes), train, test)
    made = Made(at, attack, rate.value, rate.low, rate.high)
    return made, to_onnx(model)


def best(work: Work, train: Rows) -> int:
    """The first of the candidates that are right most often on a quarter of the rows held out."""
    if len(work.candidates) == 1:
        return 0
    order = np.random.default_rng(work.seed).permutation(len(train.x))
    held, used = order[: len(order) // 4], order[len(order) // 4 :]
    scores = []
    for spec in work.candidates:
        model = train_classifier(train.x[used], train.y[used], spec, seed=work.seed)
        scores.append(float(np.mean(model.predict(train.x[held]) == train.y[held])))
    return int(np.argmax(scores))


def membership(
    work: Work, spec: TrainSpec, target: Scorer, train: Rows, test: Rows
) -> tuple[str, Rate]:
    """How well the rows of this very model are told from the test rows: the better of two attacks.

    By shadow models of the same recipe, and by how sure the model is of the true class alone. Both
    are asked without noise, and told all probabilities: who has the model has them.

    Source: N. Carlini et al., arXiv:2112.03570; S. Yeom et al., Privacy Risk in Machine Learning,
    CSF 2018, arXiv:1709.01604, adversary 2.
    """
    x, y = np.concatenate([train.x, test.x]), np.concatenate([train.y, test.y])
    is_member = np.arange(len(x)) < len(train.x)
    by_shadows = ShadowMembership(
        train=lambda rows, labels, seed: scorer(
            train_classifier(rows, labels, spec, seed=seed), work.n_classes
        ),
        rows=x,
        labels=y,
        queries={"noise-free": x},
        answers=Answers.PROBABILITIES,
        n_shadows=work.shadows,
    )
    (found,) = by_shadows.against(target, is_member, work.seed)
    n = (len(train.x), len(test.x))
    sure = tpr_at_fpr(logit(target(x), y), is_member, FALSE_RATE, n=n)
    if sure.low > found.at_001.low:
        return "confidence", sure
    return "shadow models", found.at_001


def scorer(model: Classifier, n_classes: int) -> Scorer:
    """Log-probabilities of every class; one that the model never saw is next to impossible."""

    def scores(rows: Floats) -> Floats:
        told = np.full((len(rows), n_classes), _TINY)
        told[:, np.asarray(model.classes_, dtype=np.int64)] = model.predict_proba(rows)
        out: Floats = np.log(np.maximum(told, _TINY))
        return out

    return scores


def packed(work: Work, arrays: Sequence[npt.NDArray[Any]]) -> bytes:
    """What the process is sent."""
    out = io.BytesIO()
    _write(out, json.dumps(asdict(work)).encode())
    for array in arrays:
        raw = io.BytesIO()
        np.save(raw, array, allow_pickle=False)
        _write(out, raw.getvalue())
    return out.getvalue()


def unpacked(raw: bytes) -> tuple[Mapping[str, Any], bytes]:
    """What the process said, and the model."""
    of = io.BytesIO(raw)
    return json.loads(_block(of)), _block(of)


def _work(told: dict[str, Any]) -> Work:
    candidates = tuple(
        TrainSpec(**{**each, "kind": ModelKind(each["kind"]), "hidden": tuple(each["hidden"])})
        for each in told["candidates"]
    )
    return Work(**{**told, "candidates": candidates})


def _array(of: BinaryIO) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = np.load(io.BytesIO(_block(of)), allow_pickle=False)
    return array


def _block(of: BinaryIO) -> bytes:
    (length,) = HEAD.unpack(of.read(HEAD.size))
    return of.read(length)


def _write(to: BinaryIO, raw: bytes) -> None:
    to.write(HEAD.pack(len(raw)))
    to.write(raw)

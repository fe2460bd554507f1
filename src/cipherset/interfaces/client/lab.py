"""Models scored on sealed rows and trained at the gate, called from Python."""

import time
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from cipherset.app.serving.lab.upload import read_upload
from cipherset.core.errors import BackendError
from cipherset.interfaces.client.connection import Connection
from cipherset.pipeline.train import Bundle, load_bundle, write_bundle

_EVALUATE: Final = "/v1/evaluate"
_TRAIN: Final = "/v1/train"
_BUNDLE_JSON: Final = "bundle.json"
_OPEN: Final = frozenset({"waiting", "running"})


@dataclass(frozen=True, slots=True)
class Scores:
    """The figures of a model on sealed rows; ``*_deviation`` is that of the noise in them.

    ``accuracy`` and ``macro_f1`` of classes, ``r2`` and ``mae`` of numbers; None where one is
    withheld. ``stored``: the bundle was scored before, and this is what was told then.
    """

    n: int
    stored: bool
    evaluations_left: int
    epsilon: float
    delta: float
    accuracy: float | None = None
    accuracy_deviation: float | None = None
    macro_f1: float | None = None
    macro_f1_deviation: float | None = None
    r2: float | None = None
    r2_deviation: float | None = None
    mae: float | None = None
    mae_deviation: float | None = None


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """A job at the gate; ``figures`` and ``membership`` once it is ``done``, else ``error``."""

    job: str
    state: str
    cipherset: str
    candidates: int
    model: str | None = None
    bundle: str | None = None
    figures: Mapping[str, float | int | None] | None = None
    membership: Mapping[str, Any] | None = None
    error: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class _Files:
    manifest: str = field(repr=False)
    onnx: str = field(repr=False)


_SCORES: Final = TypeAdapter(Scores)
_JOB: Final = TypeAdapter(TrainingJob)
_FILES: Final = TypeAdapter(_Files)


class LabCalls:
    """``/v1/evaluate`` and ``/v1/train``."""

    _connection: Connection

    def evaluate(self, bundle: Path | str, *, cipherset: str | None = None) -> Scores:
        """The figures of the bundle in a directory on the sealed test rows of its cipherset.

        Args:
            bundle: The directory.
            cipherset: The id of the export, the digest of its manifest; the one that the bundle
                names, unless given.

        Raises:
            CiphersetError: as the gateway refused it; the directory holds no bundle.
        """
        loaded = load_bundle(bundle)
        body = {
            "cipherset": cipherset or loaded.manifest.trained_on.manifest,
            "manifest": (Path(bundle) / _BUNDLE_JSON).read_text(encoding="utf-8"),
            "onnx": b64encode(loaded.onnx).decode(),
        }
        answer = self._connection.ask("POST", _EVALUATE, body=body)
        return self._connection.told(_SCORES, answer)

    def train(
        self,
        cipherset: str,
        models: Sequence[Mapping[str, Any]],
        *,
        seed: int = 0,
        purpose: str | None = None,
    ) -> TrainingJob:
        """A job that trains the best of ``models`` at the gate.

        Args:
            cipherset: The id of the export, the digest of its manifest.
            models: Families with their grids, such as ``{"kind": "logistic"}``.
            seed: Of starts and orders.
            purpose: What for, where the rows have a purpose.

        Raises:
            CiphersetError: as the gateway refused it.
        """
        body = {
            "cipherset": cipherset,
            "space": {"models": list(models), "seed": seed},
            "purpose": purpose,
        }
        return self._job(self._connection.ask("POST", _TRAIN, body=body))

    def training(self, job: str) -> TrainingJob:
        """Where a job of ours is."""
        return self._job(self._connection.ask("GET", f"{_TRAIN}/{job}"))

    def wait_for_training(self, job: str, *, timeout_s: float, every_s: float = 1.0) -> TrainingJob:
        """The job once it has ended.

        Raises:
            BackendError: ``job_waits``: it has not.
        """
        end = time.monotonic() + timeout_s
        while (found := self.training(job)).state in _OPEN:
            if time.monotonic() > end:
                raise BackendError(
                    f"the job is {found.state} after {timeout_s:.0f} s",
                    code="job_waits",
                    hint="wait longer, or cancel it",
                )
            time.sleep(every_s)
        return found

    def cancel_training(self, job: str) -> TrainingJob:
        """End a job of ours; what it cost is spent."""
        return self._job(self._connection.ask("POST", f"{_TRAIN}/{job}/cancel"))

    def fetch_model(self, job: str, to: Path | str, *, overwrite: bool = False) -> Bundle:
        """The bundle that a job of ours made, written as the directory ``to``.

        Raises:
            CiphersetError: as the gateway refused it.
            IntegrityError: what came back is no bundle.
            UsageError: ``to`` is there already.
        """
        answer = self._connection.ask("GET", f"{_TRAIN}/{job}/bundle")
        files = self._connection.told(_FILES, answer)
        bundle = read_upload(files.manifest.encode(), b64decode(files.onnx))
        return write_bundle(to, bundle.onnx, bundle.manifest, overwrite=overwrite)

    def _job(self, answer: Any) -> TrainingJob:  # noqa: ANN401 -- a response
        return self._connection.told(_JOB, answer)

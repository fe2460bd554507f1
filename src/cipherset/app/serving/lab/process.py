"""The process that trains: started, watched, stopped when it is told to or passes its limits."""

import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cipherset.app.serving.lab.trainer import unpacked
from cipherset.core.errors import BackendError, CiphersetError, InputError, PolicyError

_START: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from cipherset.app.serving.lab.trainer import main; main()"
)
PROGRAM: Final = (sys.executable, "-I", "-c", _START, str(Path(__file__).parents[4]))
_ENVIRONMENT: Final = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "LC_ALL": "C.UTF-8",
}
_SMALLER: Final = "ask for fewer candidates, or smaller ones"


@dataclass(frozen=True, slots=True)
class TrainingLimits:
    """What one job may use: processor and clock seconds, address space in bytes."""

    cpu_s: int = 3600
    wall_s: float = 4 * 3600.0
    memory_bytes: int = 8_000_000_000
    shadows: int = 16


@dataclass(slots=True)
class Training:
    """One process; ``stop`` may be called from another thread, at any time."""

    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    is_stopped: bool = False

    def run(self, message: bytes, limits: TrainingLimits) -> tuple[Mapping[str, Any], bytes]:
        """What the process says of its work, and the model.

        Raises:
            PolicyError: ``training_canceled``, ``training_limits``.
            InputError: as ``trainer.trained``.
            BackendError: ``training_ended``.
        """
        with self._lock:
            if self.is_stopped:
                raise canceled()
            process = self._process = subprocess.Popen(  # noqa: S603 -- our own program
                list(PROGRAM),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_ENVIRONMENT,
                cwd="/",
            )
        try:
            raw, _ = process.communicate(message, timeout=limits.wall_s)
        except subprocess.TimeoutExpired:
            raise _too_much() from None
        finally:
            _end(process)
        if self.is_stopped:
            raise canceled()
        if process.returncode != 0:
            raise _too_much() if -process.returncode in _OF_LIMITS else _ended()
        told, onnx = unpacked(raw)
        if not onnx:
            raise refusal_of(told)
        return told, onnx

    def stop(self) -> None:
        """End it, or see that it never starts."""
        with self._lock:
            self.is_stopped = True
            if self._process is not None:
                self._process.kill()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it, if it has not ended, and take what it still says."""
    if process.poll() is None:
        process.kill()
        process.communicate()


_OF_LIMITS: Final = frozenset({signal.SIGXCPU, signal.SIGKILL})


def canceled() -> PolicyError:
    """Somebody stopped it."""
    return PolicyError("the job was canceled", code="training_canceled", hint="ask for another one")


def _too_much() -> PolicyError:
    return PolicyError(
        "the job takes more time or memory than it may", code="training_limits", hint=_SMALLER
    )


def _ended() -> BackendError:
    return BackendError(
        "the process that trains ended without a model",
        code="training_ended",
        hint="see that the machine has memory left, and ask again",
    )


def refusal_of(told: Mapping[str, Any]) -> CiphersetError:
    """Why the process made no model."""
    if "memory" in told:
        return _too_much()
    # Its code is in plain sight where it was raised: there are those of ``trainer.trained``.
    kind: type[CiphersetError] = InputError
    return kind(str(told["message"]), code=str(told["code"]), hint=str(told["hint"]))

"""How well a model knows the canaries of its training rows.

A model is a Python file that defines ``log_probability(texts)``, which gives the natural
log-probability of each text, or ``complete(prompt)``, which gives what the model writes next, or
both. The file is run, in this process: it is the caller's own.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from cipherset.core.errors import UsageError
from cipherset.pipeline.sanitize.canaries import (
    Canaries,
    Completions,
    Exposure,
    exposure,
    exposure_by_completion,
)

ASKED_FOR: Final = ("log_probability", "complete")
# What a caller's file may raise while it is imported.
_NOT_RUN: Final = (
    ArithmeticError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
UNLIKELY: Final = 0.001


@dataclass(frozen=True, slots=True)
class CanaryReport:
    """What was measured of the canaries of one data set; no secret is in it."""

    n_canaries: int
    repeats: int
    exposure: Exposure | None
    completions: Completions | None

    @property
    def memorized(self) -> bool:
        """Whether a model that was not trained on them would do so well once in 1,000 times."""
        asked = [part for part in (self.exposure, self.completions) if part is not None]
        return any(part.chance < UNLIKELY / len(asked) for part in asked)

    def as_json(self) -> dict[str, Any]:
        """The same as JSON."""
        told: dict[str, Any] = {
            "canaries": self.n_canaries,
            "repeats": self.repeats,
            "memorized": self.memorized,
        }
        if self.exposure is not None:
            told["exposure"] = {
                "mean_bits": self.exposure.mean,
                "highest_bits": self.exposure.highest,
                "most_bits": self.exposure.most_bits,
                "exact": self.exposure.exact,
                "candidates": self.exposure.n_candidates,
                "fit": self.exposure.fit,
                "readable": self.exposure.n_readable,
                "chance": self.exposure.chance,
            }
        if self.completions is not None:
            told["completions"] = {
                "read_out": self.completions.n_read_out,
                "longest": int(self.completions.matched.max()),
                "length": self.completions.length,
                "chance": self.completions.chance,
            }
        return told


def measure(canaries: Canaries, model: Path, *, seed: int = 0, given: int = 0) -> CanaryReport:
    """How well the model in the Python file ``model`` knows ``canaries``.

    Raises:
        UsageError: ``canary_model``: the file cannot be imported, or defines neither function.
        InputError: ``canary_answers``.
    """
    functions = _functions(model)
    log_probability, complete = (functions.get(name) for name in ASKED_FOR)
    return CanaryReport(
        len(canaries.secrets),
        canaries.repeats,
        None
        if log_probability is None
        else exposure(log_probability, canaries, rng=np.random.default_rng(seed)),
        None if complete is None else exposure_by_completion(complete, canaries, given=given),
    )


def _functions(path: Path) -> dict[str, Callable[..., Any]]:
    spec = importlib.util.spec_from_file_location("canary_model", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise _no_model(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except _NOT_RUN as error:
        raise _no_model(f"{path} does not run: {type(error).__name__}") from None
    found = {name: getattr(module, name, None) for name in ASKED_FOR}
    functions = {name: function for name, function in found.items() if callable(function)}
    if not functions:
        raise _no_model(f"{path} defines neither log_probability nor complete")
    return functions


def _no_model(message: str) -> UsageError:
    return UsageError(
        message,
        code="canary_model",
        hint="define log_probability(texts) or complete(prompt) in a .py file",
    )

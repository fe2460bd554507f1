"""What a model is refused for while it runs; nothing of what it said is repeated."""

from typing import Final

from cipherset.app.serving.models.sandbox.worker import Status
from cipherset.core.errors import BackendError, CiphersetError, InputError, PolicyError

_SMALLER: Final = "do not deploy it; train a smaller model, with the operators that docs name"
_AGAIN: Final = "do not deploy it; train it again on the cipherset that it names"


def of_status(status: int, *, loading: bool) -> CiphersetError:
    """The refusal of a model whose worker said ``status``."""
    if status == Status.NOT_CONFINED:
        return BackendError(
            "models cannot be confined here, so none is run",
            code="sandbox",
            hint="serve from Linux on x86-64 or AArch64, where seccomp is allowed",
        )
    if status == Status.MEMORY:
        return PolicyError(
            "the model wants more memory than it may have", code="model_memory", hint=_SMALLER
        )
    if loading:
        return InputError(
            "the model cannot be loaded by this version of onnxruntime",
            code="not_onnx",
            hint="convert it again for an older operator set",
        )
    return not_an_answer("the model failed, or does not answer one label for each row")


def too_long() -> PolicyError:
    """It was killed for the time it took."""
    return PolicyError("the model takes longer than it may", code="model_time", hint=_SMALLER)


def died() -> PolicyError:
    """It ended without an answer."""
    return PolicyError(
        "the model's process ended without an answer", code="model_crashed", hint=_AGAIN
    )


def stopped() -> PolicyError:
    """It was killed too often."""
    return PolicyError(
        "the model was stopped: it passed its limits time after time",
        code="model_stopped",
        hint=_AGAIN,
    )


def busy(what: str) -> BackendError:
    """More is asked than can wait."""
    return BackendError(f"{what} is busy", code="busy", hint="ask again in a moment")


def not_an_answer(message: str) -> PolicyError:
    """It said something that no model of its kind says."""
    return PolicyError(message, code="model_output", hint=_AGAIN)

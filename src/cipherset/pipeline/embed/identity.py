"""What an encoder is: everything that decides its vectors, and nothing about how they are run.

Two runtimes, batch sizes or machines give the same encoder the same digest; another weight, word
piece, pooling or truncation gives another one.
"""

from dataclasses import dataclass
from enum import Enum

from cipherset.core import canonical
from cipherset.core.errors import InputError


class Pooling(Enum):
    """How the vectors of a text's tokens become one."""

    MEAN = "mean"
    CLS = "cls"


@dataclass(frozen=True, slots=True)
class BertSettings:
    """What the weights of a BERT do not say about themselves."""

    n_heads: int
    layer_norm_epsilon: float
    pooling: Pooling
    max_tokens: int


@dataclass(frozen=True, slots=True)
class EncoderIdentity:
    """The digests of the files of weights and of the tokenizer (``sha256:`` and hex), settings.

    ``quantization`` says how the weights, or the products, are rounded; None where nothing is.
    """

    weights: str
    tokenizer: str
    settings: BertSettings
    quantization: str | None = None

    @property
    def digest(self) -> str:
        """``sha256:`` and hex over all of it; vectors of unit norm are understood."""
        decides: dict[str, str | int | float] = {
            "architecture": "bert",
            "weights": self.weights,
            "tokenizer": self.tokenizer,
            "n_heads": self.settings.n_heads,
            "layer_norm_epsilon": self.settings.layer_norm_epsilon,
            "pooling": self.settings.pooling.value,
            "max_tokens": self.settings.max_tokens,
        }
        if self.quantization is not None:  # left out, so that exact encoders keep their digest
            decides["quantization"] = self.quantization
        return canonical.digest(decides)


def unsupported(what: str) -> InputError:
    """The refusal of a model that this room cannot run exactly as it was meant."""
    return InputError(
        f"this encoder cannot be used: {what}",
        code="encoder_unsupported",
        hint="embed with your own tools and give the vectors with --vector",
    )

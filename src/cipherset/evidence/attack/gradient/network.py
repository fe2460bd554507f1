"""A softmax classifier whose gradients, and theirs by the rows, are written out.

The last layer is a linear softmax head; each one before it is a linear map and a ReLU, as in the
reference ``mlp``.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from cipherset.core.values import Floats

Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
# Of a gradient that is zero everywhere: what divides must not be.
_LEAST: Final = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """``x @ matrix + offset``; ``matrix`` (d, h), ``offset`` (h,). Also its gradient."""

    matrix: Doubles = field(repr=False)
    offset: Doubles = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Layers from the input to the logits; ReLU between them, softmax behind the last."""

    layers: tuple[Layer, ...] = field(repr=False)

    @classmethod
    def drawn(cls, sizes: Sequence[int], seed: int) -> "Network":
        """A network as it is before the first step: weights of variance ``2 / d``, offsets 0.

        Source: K. He et al., Delving Deep into Rectifiers, ICCV 2015, section 2.2, eq. 10.
        """
        rng = np.random.default_rng(seed)
        pairs = itertools.pairwise(sizes)
        return cls(
            tuple(Layer(rng.normal(size=(d, h)) * (2 / d) ** 0.5, np.zeros(h)) for d, h in pairs)
        )

    @property
    def dim(self) -> int:
        """Width of the rows it takes."""
        return len(self.layers[0].matrix)

    def gradient(self, x: Floats, y: Codes) -> tuple[Layer, ...]:
        """The gradient, by each layer, of the mean cross-entropy of rows ``x`` (n, d).

        ``y``, shape (n,): positions of the true classes.
        """
        inputs, told = self._forward(x)
        return tuple(
            Layer(a.T @ e, e.sum(axis=0))
            for a, e in zip(inputs, self._errors(inputs, told, y), strict=True)
        )

    def mismatch(self, x: Doubles, y: Codes, seen: Sequence[Layer]) -> tuple[float, Doubles]:
        """``sum((gradient(x) - seen) ** 2) / sum(seen ** 2)``, and its gradient by ``x``.

        Source: L. Zhu, Z. Liu, S. Han, Deep Leakage from Gradients, NeurIPS 2019, algorithm 1;
        here by reverse accumulation through the backward pass. A ReLU's second derivative is 0.
        """
        inputs, told = self._forward(x)
        errors = self._errors(inputs, told, y)
        size = sum((g.matrix**2).sum() + (g.offset**2).sum() for g in seen) or _LEAST
        off = [
            Layer(a.T @ e - g.matrix, e.sum(axis=0) - g.offset)
            for a, e, g in zip(inputs, errors, seen, strict=True)
        ]
        value = sum((r.matrix**2).sum() + (r.offset**2).sum() for r in off) / size
        return float(value), self._backward(inputs, told, errors, off) * (2 / size)

    def _forward(self, x: Floats) -> tuple[list[Doubles], Doubles]:
        """The input of each layer, and the class probabilities."""
        inputs = [x.astype(np.float64)]
        for layer in self.layers[:-1]:
            inputs.append(np.maximum(inputs[-1] @ layer.matrix + layer.offset, 0.0))
        last = self.layers[-1]
        told: Doubles = softmax(inputs[-1] @ last.matrix + last.offset, axis=1)
        return inputs, told

    def _errors(self, inputs: list[Doubles], told: Doubles, y: Codes) -> list[Doubles]:
        """The derivative of the loss by what each layer puts out, shape (n, h) each."""
        last = told.copy()
        last[np.arange(len(y)), y] -= 1.0
        errors = [last / len(y)]
        for layer, entered in zip(self.layers[:0:-1], inputs[:0:-1], strict=True):
            errors.insert(0, (errors[0] @ layer.matrix.T) * (entered > 0))
        return errors

    def _backward(
        self, inputs: list[Doubles], told: Doubles, errors: list[Doubles], off: list[Layer]
    ) -> Doubles:
        """Half the derivative of ``sum(off ** 2)`` by the rows, shape (n, d)."""
        # Up: how ``off`` depends on each layer's error, and through it on the error behind.
        by_error = inputs[0] @ off[0].matrix + off[0].offset
        for entered, layer, r in zip(inputs[1:], self.layers[1:], off[1:], strict=True):
            through = (by_error * (entered > 0)) @ layer.matrix
            by_error = entered @ r.matrix + r.offset + through
        # At the top an error is a probability less a constant, over n.
        inner = (told * by_error).sum(axis=1, keepdims=True)
        by_output: Doubles = told * (by_error - inner) / len(told)
        by_input = by_output
        # Down: through what each layer was given.
        for at in range(len(self.layers) - 1, -1, -1):
            by_input = errors[at] @ off[at].matrix.T + by_output @ self.layers[at].matrix.T
            by_output = by_input * (inputs[at] > 0)
        return by_input

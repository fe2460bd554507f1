"""``sap-perm``: scale, a secret permutation of the coordinates, noise in a ball.

A stand-in for schemes of that kind, so that they can be measured and drawn on the same axes as
ours. For comparison only: it is not among the schemes of ``pipeline.encrypt``, no command encrypts
with it, and its randomness is not cryptographic.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.values import Float32s, Floats

NAME: Final = "sap-perm"


@dataclass(frozen=True, slots=True, eq=False)
class PermutationScheme:
    """``c = scale * x[:, order] + noise``, the noise uniform in a ball of ``scale * radius``."""

    order: npt.NDArray[np.int64] = field(repr=False)
    scale: float
    radius: float

    @classmethod
    def drawn(
        cls, dim: int, approximation_factor: float, rng: np.random.Generator
    ) -> "PermutationScheme":
        """One at random, for vectors of this width."""
        order = rng.permutation(dim).astype(np.int64)
        return cls(order, 1.0 + float(rng.random()), approximation_factor / 4)

    def encrypt(self, x: Floats, rng: np.random.Generator) -> Float32s:
        """Noisy ciphertexts, shape (n, d)."""
        noise = rng.standard_normal(x.shape)
        noise /= np.linalg.norm(noise, axis=1, keepdims=True)
        noise *= self.radius * rng.random((len(x), 1)) ** (1 / x.shape[1])
        return np.asarray(self.scale * (x[:, self.order] + noise), dtype=np.float32)

    def query(self, x: Floats) -> Float32s:
        """The same without noise."""
        return np.asarray(self.scale * x[:, self.order], dtype=np.float32)

    def remove_key(self, c: Floats) -> Floats:
        """``x`` plus the noise: what is left once scale and permutation are known."""
        plain = np.empty_like(c)
        plain[:, self.order] = c / self.scale
        return plain

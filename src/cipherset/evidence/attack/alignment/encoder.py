"""The other direction: where a plain vector would land, learned from known pairs.

Where an export is narrower than the plain vectors no map leads back. But candidates can be brought
to the ciphertexts: that learns minimizer and key in one, whatever they are.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from cipherset.core.errors import DimensionError
from cipherset.core.process.unwarned import unwarned
from cipherset.core.values import Floats
from cipherset.evidence.attack.alignment.linear_map import (
    Doubles,
    LinearMap,
    check_same_length,
    checked,
)
from cipherset.evidence.attack.alignment.regression import ridge

if TYPE_CHECKING:
    from sklearn.neural_network import MLPRegressor

_LEAST_FOR_NETWORK: Final = 200
_HIDDEN: Final = 256  # as wide as the product's own bottleneck
_HELD_OUT: Final = 4  # every fourth pair judges


class _Regression(Protocol):
    def apply(self, rows: Doubles) -> Doubles: ...


@dataclass(frozen=True, slots=True, eq=False)
class _Network:
    model: "MLPRegressor"
    center: Doubles
    spread: float

    def apply(self, rows: Doubles) -> Doubles:
        found = np.asarray(self.model.predict(rows), dtype=np.float64)
        return found.reshape(len(rows), -1) * self.spread + self.center


@dataclass(frozen=True, slots=True, eq=False)
class SurrogateEncoder:
    """From plain vectors (d) to ciphertext space (k).

    ``objective``: the variance explained of ciphertexts left out, in [0, 1].
    """

    name: str
    objective: float
    dim: int
    _regression: _Regression = field(repr=False)

    def predict(self, plain: Floats) -> Doubles:
        """Where ``plain`` (n, d) would land without noise, shape (n, k).

        Raises:
            DimensionError: the vectors are not d wide (code ``dimension``).
        """
        if plain.ndim != 2 or plain.shape[1] != self.dim:
            raise DimensionError(
                f"learned from vectors of {self.dim}; found shape {plain.shape}",
                code="dimension",
                hint="pass vectors of the encoder of the pairs",
            )
        return self._regression.apply(plain.astype(np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class EncoderFromPairs:
    """Knows: n >= 2 pairs, plain (n, d) and ciphertexts (n, k); neither minimizer nor key.

    Ridge, and from 200 pairs on a network with one hidden layer; every fourth pair decides
    between them, and the better is fitted on all.

    Source: encoder stealing in the manner of Y.-H. Huang et al., Transferable Embedding Inversion
    Attack, ACL 2024, arXiv 2406.10280.
    """

    plain: Floats = field(repr=False)
    ciphertexts: Floats = field(repr=False)

    def learn(self, seed: int) -> SurrogateEncoder:
        """The better of the two.

        Raises:
            InputError: fewer than two pairs (code ``no_rows``), or not finite (``not_finite``).
            DimensionError: not one ciphertext per plain vector (code ``dimension``).
        """
        plain, hidden = checked(self.plain, "plain"), checked(self.ciphertexts, "ciphertexts")
        check_same_length(plain, hidden)
        order = np.random.default_rng(seed).permutation(len(plain))
        out = order % _HELD_OUT == 0 if len(plain) > _HELD_OUT else np.zeros(len(plain), bool)
        judged = out if out.any() else ~out
        linear = _explained(_linear(plain[~out], hidden[~out]), plain[judged], hidden[judged])
        if len(plain) >= _LEAST_FOR_NETWORK:
            trial = _network(plain[~out], hidden[~out], seed)
            bent = _explained(trial, plain[judged], hidden[judged])
            if bent > linear:
                network = _network(plain, hidden, seed)
                return SurrogateEncoder("encoder: network", bent, plain.shape[1], network)
        return SurrogateEncoder("encoder: ridge", linear, plain.shape[1], _linear(plain, hidden))


def _linear(plain: Doubles, hidden: Doubles) -> LinearMap:
    return LinearMap("ridge", *ridge(plain, hidden), 0.0)


def _network(plain: Doubles, hidden: Doubles, seed: int) -> _Network:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor

    center = hidden.mean(axis=0)
    spread = float((hidden - center).std()) or 1.0
    model = MLPRegressor(
        hidden_layer_sizes=(_HIDDEN,),
        alpha=1e-3,
        early_stopping=True,
        max_iter=60,
        n_iter_no_change=5,
        random_state=seed,
    )
    target = (hidden - center) / spread
    with unwarned(ConvergenceWarning):
        # Stopping at the last round is meant: an attack has a budget.
        model.fit(plain, target[:, 0] if target.shape[1] == 1 else target)
    return _Network(model, center, spread)


def _explained(regression: _Regression, plain: Doubles, hidden: Doubles) -> float:
    total = float(((hidden - hidden.mean(axis=0)) ** 2).sum())
    left = float(((regression.apply(plain) - hidden) ** 2).sum())
    return float(np.clip(1.0 - left / total, 0.0, 1.0)) if total > 0.0 else 0.0

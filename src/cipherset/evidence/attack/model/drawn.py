"""Who was among the rows that a synthetic release was drawn from."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from cipherset.core.values import Floats
from cipherset.evidence.attack.model.rates import Rate, area_under_roc, tpr_at_fpr
from cipherset.evidence.attack.statistics import Interval

Ints = npt.NDArray[np.int64]
_TINY: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Told:
    """How well members were told from others, by the better of two scores."""

    area: Interval
    at_001: Rate


@dataclass(frozen=True, slots=True, eq=False)
class DrawnMembership:
    """A row is taken for a member where drawn rows of its class are near, or likely to be.

    Knows: the drawn rows (n, k) without the key, their classes (n,), and the minimizer, by which
    the rows in question come as (m, k); their classes too. Not which are members.

    Source: D. Chen et al., GAN-Leaks, CCS 2020, arXiv:1909.03935, section 4 (the full black box),
    for the distances; J. Hayes et al., LOGAN, PETS 2019, arXiv:1705.07663, for the density.
    """

    rows: Floats = field(repr=False)
    classes: Ints = field(repr=False)

    def run(self, members: tuple[Floats, Ints], others: tuple[Floats, Ints]) -> Told:
        """Ask about ``members`` and as many ``others`` as there are.

        Raises:
            InputError: one of them is empty (code ``no_rows``).
        """
        truth = np.repeat([True, False], [len(members[0]), len(others[0])])
        z = np.concatenate([members[0], others[0]])
        y = np.concatenate([members[1], others[1]])
        counts = (len(members[0]), len(others[0]))
        found = [
            Told(
                area_under_roc(scores, truth, n=min(counts)),
                tpr_at_fpr(scores, truth, 0.01, n=counts),
            )
            for scores in (self._near(z, y), self._likely(z, y))
        ]
        return max(found, key=lambda told: told.area.value)

    def _near(self, z: Floats, y: Ints) -> Floats:
        """Minus the distance to the nearest drawn row of the class."""
        scores = np.full(len(z), -np.inf)
        for code in np.unique(y):
            drawn, asked = self.rows[self.classes == code], y == code
            if len(drawn):
                scores[asked] = -cKDTree(drawn).query(z[asked])[0]
        return scores

    def _likely(self, z: Floats, y: Ints) -> Floats:
        """The log-density of a normal law with the drawn rows' mean by class, and their spread."""
        means = {code: self.rows[self.classes == code].mean(axis=0) for code in set(self.classes)}
        apart = self.rows - np.stack([means[code] for code in self.classes])
        inverse = np.linalg.pinv(apart.T @ apart / len(apart), rcond=1e-6, hermitian=True)
        known = np.array([code in means for code in y])
        center = np.stack([means.get(code, np.zeros(z.shape[1])) for code in y])
        squares = np.einsum("ij,jk,ik->i", z - center, inverse, z - center)
        return np.asarray(np.where(known, -squares, -squares.max() - _TINY))

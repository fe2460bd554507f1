"""``sap/1``: Scale-and-Perturb as published, kept as the reference.

    c = s * m + noise

Leaks: the vector itself, up to the noise: the scale is read off the norms. Hence also norms,
inner products, distances, neighbors, near-equality and the number of rows.

Source: G. Fuchsbauer, R. Ghosal, N. Hauke, A. O'Neill, Approximate
Distance-Comparison-Preserving Symmetric Encryption, SCN 2022, section 4,
https://eprint.iacr.org/2021/1666. Different here: the noise comes from a fresh stream and not
from the key, and nothing is kept that could undo it.
"""

from typing import Final

from cipherset.core.secret import Secret
from cipherset.pipeline.encrypt.derive import Derivation
from cipherset.pipeline.encrypt.scheme import Leakage, Scheme


def _no_rotation(_secret: Secret, _derivation: Derivation) -> None:
    """None: this scheme leaves the coordinates where they are."""


SAP_1: Final = Scheme(
    name="sap/1",
    leakage=frozenset(Leakage),
    invertible=True,
    rotation=_no_rotation,
)

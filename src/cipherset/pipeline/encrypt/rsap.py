"""``rsap/1``: Scale-and-Perturb behind a secret rotation, the default.

    c = s * (m @ Q) + noise

with Q orthogonal, Haar-distributed and derived from the key.

Leaks: up to the noise, norms, inner products, distances, neighbors, near-equality, and the
number of rows. Public text of the same narrow domain, or a few hundred known pairs, recover Q.

Source: G. Fuchsbauer, R. Ghosal, N. Hauke, A. O'Neill, Approximate
Distance-Comparison-Preserving Symmetric Encryption, SCN 2022, section 4,
https://eprint.iacr.org/2021/1666, for everything but Q. Q: F. Mezzadri, How to Generate Random
Matrices from the Classical Compact Groups, Notices of the AMS 54(5), 2007, section 5,
https://arxiv.org/abs/math-ph/0609050.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.core.secret import Secret
from cipherset.pipeline.encrypt.derive import Derivation
from cipherset.pipeline.encrypt.scheme import Leakage, Scheme
from cipherset.pipeline.encrypt.stream import STREAM_KEY_BYTES, Stream, gaussians


def rotation(secret: Secret, derivation: Derivation) -> npt.NDArray[np.float64]:
    """The orthogonal matrix of a key, shape (dim, dim)."""
    key = derivation.derive(secret, "rotation", n_bytes=STREAM_KEY_BYTES)
    return haar(Stream(key), derivation.dim)


def haar(stream: Stream, dim: int) -> npt.NDArray[np.float64]:
    """``q * sign(diag(r))`` with ``q, r = qr(g)``: orthogonal, uniform in the Haar measure.

    ``g`` holds ``dim * dim`` standard normals of ``stream``, row by row. Without the signs the
    result would depend on the convention of the QR routine and not be Haar-distributed.

    Source: Mezzadri 2007, section 5.
    """
    q, r = np.linalg.qr(gaussians(stream, dim * dim).reshape(dim, dim))
    signs = np.where(np.diagonal(r) < 0.0, -1.0, 1.0)
    return np.asarray(q * signs, dtype=np.float64)


RSAP_1: Final = Scheme(
    name="rsap/1",
    leakage=frozenset(Leakage) - {Leakage.COORDINATES},
    invertible=True,
    rotation=rotation,
)

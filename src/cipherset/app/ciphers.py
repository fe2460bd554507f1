"""The cipher of a key for the noise that was asked for."""

from cipherset.core.secret import KeyHandle
from cipherset.pipeline.encrypt import VectorCipher, parse_noise


def open_cipher(
    key: KeyHandle, *, dim: int, scheme: str, approximation_factor: float, noise: str
) -> VectorCipher:
    """The cipher with noise in a ball, or with the Gaussian noise that ``noise`` names.

    Raises:
        InputError: as ``VectorCipher``, and as ``parse_noise``.
    """
    guarantee = parse_noise(noise)
    if guarantee is None:
        return VectorCipher(key, dim=dim, scheme=scheme, approximation_factor=approximation_factor)
    return VectorCipher.with_gaussian_noise(key, dim=dim, scheme=scheme, guarantee=guarantee)

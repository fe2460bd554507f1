"""``VectorCipher``: vectors in, ciphertext out, for one key, dimension and scheme."""

import os
from typing import Final, NoReturn, final

import numpy as np

from cipherset.core.errors import InputError
from cipherset.core.secret import KeyHandle, Secret
from cipherset.core.values import Float32s, Floats
from cipherset.pipeline.encrypt.check import (
    check_finite,
    checked_dim,
    checked_factor,
    checked_rows,
    opened_key,
)
from cipherset.pipeline.encrypt.derive import Derivation, key_check, scale
from cipherset.pipeline.encrypt.noise import ball
from cipherset.pipeline.encrypt.rsap import RSAP_1
from cipherset.pipeline.encrypt.sap import SAP_1
from cipherset.pipeline.encrypt.scheme import Scheme
from cipherset.pipeline.encrypt.stream import STREAM_KEY_BYTES, Stream

SCHEMES: Final = (RSAP_1, SAP_1)
_BLOCK_COORDINATES: Final = 2**17  # a block and its temporaries stay in the processor's cache


def scheme_named(name: str) -> Scheme:
    """The scheme called ``name``.

    Raises:
        InputError: there is none (code ``scheme``).
    """
    for scheme in SCHEMES:
        if scheme.name == name:
            return scheme
    known = ", ".join(scheme.name for scheme in SCHEMES)
    raise InputError(
        f"unknown scheme {name!r}; known: {known}", code="scheme", hint=f"use one of {known}"
    )


@final
class VectorCipher:
    """Encrypts rows: ``c = s * (m @ Q) + noise`` (rsap/1) or ``c = s * m + noise`` (sap/1).

    The noise is uniform in a ball of radius ``s * approximation_factor / 4``. Rows are expected,
    not required, to have unit norm: the noise does not grow with them. With an approximation
    factor of 0 there is no noise and whoever has the key has the rows.

    Leaks: see ``cipherset.pipeline.encrypt.sap`` and ``rsap``. The key is the lesser part of the
    protection; what was left out of the vectors and how much noise was added is the rest.

    Example:
        >>> import numpy as np
        >>> cipher = VectorCipher(bytes(32), dim=2, approximation_factor=2.0)
        >>> cipher.encrypt(np.eye(2, dtype=np.float32)).shape
        (2, 2)
    """

    __slots__ = ("_approximation_factor", "_bound_to", "_key_check", "_matrix", "_scale")

    def __init__(
        self,
        secret: bytes | Secret | KeyHandle,
        *,
        dim: int,
        scheme: str = RSAP_1.name,
        approximation_factor: float,
        key_id: str = "",
        key_version: int = 1,
    ) -> None:
        """Derive what the cipher needs; the secret itself is not kept.

        Args:
            secret: 32 random bytes, a handle on them, or an opened key, which brings its own id
                and version (then ``key_id`` and ``key_version`` are not given).
            dim: Width of the rows.
            scheme: ``rsap/1`` or ``sap/1``.
            approximation_factor: beta of the paper, at least 0; the noise radius is a quarter.
            key_id: Name of the key; every derived value is bound to it.
            key_version: Version of the key, from 1; every derived value is bound to it.

        Raises:
            InputError: code ``secret_length``, ``scheme``, ``approximation_factor``, ``key_id``
                or ``key_version``.
            DimensionError: ``dim`` is not a whole number from 1 on.
            UsageError: an opened key and also a ``key_id`` or ``key_version``
                (code ``key_named_twice``).
        """
        chosen = scheme_named(scheme)
        key = opened_key(secret, key_id, key_version)
        self._approximation_factor = checked_factor(approximation_factor)
        self._bound_to = Derivation(key.key_id, key.version, chosen.name, checked_dim(dim))
        self._scale = scale(key.secret, self._bound_to)
        self._key_check = key_check(key.secret, self._bound_to)
        rotation = chosen.rotation(key.secret, self._bound_to)
        self._matrix: Float32s | None = None
        if rotation is not None:
            self._matrix = (self._scale * rotation).astype(np.float32)

    @property
    def dim(self) -> int:
        """Width of a row, in and out."""
        return self._bound_to.dim

    @property
    def scheme(self) -> str:
        """Name and version of the scheme, such as ``rsap/1``."""
        return self._bound_to.scheme

    @property
    def approximation_factor(self) -> float:
        """The paper's beta: four times the noise radius."""
        return self._approximation_factor

    @property
    def key_id(self) -> str:
        """Name of the key."""
        return self._bound_to.key_id

    @property
    def key_version(self) -> int:
        """Version of the key."""
        return self._bound_to.key_version

    @property
    def key_check(self) -> str:
        """Hex of a derived value that differs where secret, id, version, scheme or dim differ.

        Leaks: which exports were made under one key.
        """
        return self._key_check

    @property
    def noise_radius(self) -> float:
        """Largest length of the noise in units of the input, before the scale: beta / 4."""
        return self._approximation_factor / 4.0

    def encrypt(self, x: Floats) -> Float32s:
        """``s * (x @ Q) + noise`` with noise nobody can repeat: fresh, kept nowhere.

        Leaks: what the scheme's module says.

        Args:
            x: Rows, shape (n, dim), float32 or float64, any memory layout; left unchanged.

        Returns:
            Ciphertext, shape (n, dim).

        Raises:
            DimensionError: not of shape (n, dim) (code ``dimension``).
            InputError: not floats (code ``dtype``); NaN, infinity or out of float32's range
                (code ``not_finite``).
        """
        return self._encrypted(x, Stream(os.urandom(STREAM_KEY_BYTES)))

    def encrypt_query(self, x: Floats) -> Float32s:
        """``s * (x @ Q)``: the same map without noise, for queries that never leave the gateway.

        Leaks: to whoever has the key, the rows exactly.
        Arguments, result and errors as in ``encrypt``.
        """
        return self._encrypted(x, None)

    def encrypt_for_testing(self, x: Floats, *, noise_stream_for_testing: bytes) -> Float32s:
        """``encrypt`` with the noise of a given AES-256 key: whoever knows it removes the noise.

        For known answers only. Arguments, result and errors as in ``encrypt``.
        """
        return self._encrypted(x, Stream(noise_stream_for_testing))

    def remove_key(self, ciphertexts: Floats) -> Float32s:
        """``(ciphertexts / s) @ Q.T``: the inputs plus noise of at most ``noise_radius``.

        What a thief of the key sees, hence where attacks start; the noise stays.
        Arguments, result and errors as in ``encrypt``.
        """
        # (s * Q).T / s**2 is the inverse of s * Q
        inverse = None if self._matrix is None else self._matrix.T / self._scale**2
        return self._mapped(ciphertexts, inverse, 1.0 / self._scale, None)

    def _encrypted(self, x: Floats, stream: Stream | None) -> Float32s:
        return self._mapped(x, self._matrix, self._scale, stream)

    def _mapped(
        self, x: Floats, matrix: Float32s | None, factor: float, stream: Stream | None
    ) -> Float32s:
        """``x @ matrix`` (or ``x * factor`` where there is none) plus the stream's noise."""
        rows = checked_rows(x, self.dim)
        out = np.empty(rows.shape, dtype=np.float32)
        radius = self._scale * self.noise_radius
        step = max(_BLOCK_COORDINATES // self.dim, 16)
        for start in range(0, len(rows), step):
            target = out[start : start + step]
            # What is not finite is refused below, by row; numpy need not warn as well.
            with np.errstate(all="ignore"):
                block = np.asarray(rows[start : start + step], dtype=np.float32)
                if matrix is None:
                    np.multiply(block, np.float32(factor), out=target)
                else:
                    np.matmul(block, matrix, out=target)
            check_finite(target, start)
            if stream is not None and radius > 0.0:
                target += ball(stream, rows=len(target), dim=self.dim, radius=radius)
        return out

    def __repr__(self) -> str:
        return (
            f"VectorCipher(dim={self.dim}, scheme={self.scheme!r}, "
            f"approximation_factor={self._approximation_factor}, "
            f"key_id={self.key_id!r}, key_version={self.key_version})"
        )

    def __copy__(self) -> NoReturn:
        raise TypeError("a VectorCipher is not copied")

    def __deepcopy__(self, memo: dict[int, object]) -> NoReturn:
        raise TypeError("a VectorCipher is not copied")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a VectorCipher is not pickled")

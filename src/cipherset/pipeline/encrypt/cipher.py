"""``VectorCipher``: vectors in, ciphertext out, for one key, dimension and scheme."""

import math
import os
from collections.abc import Sequence
from functools import partial
from typing import SupportsIndex, final

import numpy as np
import numpy.typing as npt

from cipherset.core.secret import KeyHandle, Secret
from cipherset.core.values import Float32s, Floats, Guarantee, NoiseLaw
from cipherset.pipeline.encrypt.check import (
    NotCopied,
    check_finite,
    checked_dim,
    checked_factor,
    checked_rows,
    checked_stored,
    checked_threads,
    opened_key,
)
from cipherset.pipeline.encrypt.derive import Derivation, key_check, scale
from cipherset.pipeline.encrypt.gaussian import Mechanism, mechanism
from cipherset.pipeline.encrypt.gaussian.noise import GaussianNoise
from cipherset.pipeline.encrypt.gaussian.noise import row_bytes as grid_row_bytes
from cipherset.pipeline.encrypt.noise import row_bytes
from cipherset.pipeline.encrypt.reversible import (
    OpenAt,
    Seals,
    StoredFloats,
    checked_associated_data,
    checked_seals,
    checked_stored_dtype,
    fresh_nonces,
    no_reversible_form,
    repeatable,
    rounded,
    sealer,
)
from cipherset.pipeline.encrypt.rows import Noise, RowMap
from cipherset.pipeline.encrypt.rsap import RSAP_1
from cipherset.pipeline.encrypt.schemes import scheme_named
from cipherset.pipeline.encrypt.stream import (
    NONCE_BYTES,
    STREAM_KEY_BYTES,
    NonceStreams,
    Stream,
)


@final
class VectorCipher(NotCopied):
    """Encrypts rows: ``c = s * (m @ Q) + noise`` (rsap/1) or ``c = s * m + noise`` (sap/1).

    The noise is uniform in a ball of radius ``s * approximation_factor / 4``. Rows are expected,
    not required, to have unit norm: the noise does not grow with them. With an approximation
    factor of 0 there is no noise and whoever has the key has the rows. ``with_gaussian_noise``
    makes a cipher whose noise keeps an (epsilon, delta) of each row instead.

    Leaks: see ``cipherset.pipeline.encrypt.sap`` and ``rsap``. The key is the lesser part of the
    protection; what was left out of the vectors and how much noise was added is the rest.

    Example:
        >>> import numpy as np
        >>> cipher = VectorCipher(bytes(32), dim=2, approximation_factor=2.0)
        >>> cipher.encrypt(np.eye(2, dtype=np.float32)).shape
        (2, 2)
    """

    __slots__ = (
        "_approximation_factor",
        "_bound_to",
        "_key_check",
        "_matrix",
        "_mechanism",
        "_scale",
        "_sealer",
    )

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
        self._mechanism: Mechanism | None = None
        self._approximation_factor = checked_factor(approximation_factor)
        self._bound_to = Derivation(key.key_id, key.version, chosen.name, checked_dim(dim))
        self._scale = scale(key.secret, self._bound_to)
        self._key_check = key_check(key.secret, self._bound_to)
        self._sealer = sealer(key.secret, self._bound_to, self._approximation_factor)
        rotation = chosen.rotation(key.secret, self._bound_to)
        self._matrix: Float32s | None = None
        if rotation is not None:
            self._matrix = (self._scale * rotation).astype(np.float32)

    @classmethod
    def with_gaussian_noise(
        cls,
        secret: bytes | Secret | KeyHandle,
        *,
        dim: int,
        scheme: str = RSAP_1.name,
        guarantee: Guarantee,
    ) -> "VectorCipher":
        """A cipher whose ``encrypt`` keeps ``guarantee`` for each row, whoever has the key.

        Its rows must have norm at most 1, and it has no reversible form. Not covered is what was
        learned from the rows before, and what leaves beside the ciphertext (docs/adr/0012). A key
        with an id or a version is handed over opened. Arguments and errors as in the constructor.

        Raises:
            InputError: code ``noise``: epsilon is from 0.01 to 32, delta from 1e-12 to 1e-3.
        """
        cipher = cls(secret, dim=dim, scheme=scheme, approximation_factor=0.0)
        cipher._mechanism = mechanism(guarantee, dim=cipher.dim)
        return cipher

    @property
    def dim(self) -> int:
        """Width of a row."""
        return self._bound_to.dim

    @property
    def scheme(self) -> str:
        """Name and version of the scheme, such as ``rsap/1``."""
        return self._bound_to.scheme

    @property
    def approximation_factor(self) -> float:
        """The paper's beta: four times the noise radius; 0 where the noise is Gaussian."""
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
        """Largest length of the noise before the scale: beta / 4; infinite where Gaussian."""
        return self._approximation_factor / 4.0 if self._mechanism is None else math.inf

    @property
    def noise(self) -> NoiseLaw:
        """The law of the noise in units of the input, before the scale."""
        return NoiseLaw.ball(self.noise_radius) if self._mechanism is None else self._mechanism.law

    @property
    def mechanism(self) -> Mechanism | None:
        """What the Gaussian noise promises of each row; None where the noise is in a ball."""
        return self._mechanism

    def encrypt(self, x: Floats, *, threads: int = 1) -> Float32s:
        """``s * (x @ Q) + noise`` with noise nobody can repeat: fresh, kept nowhere.

        Leaks: what the scheme's module says.

        Args:
            x: Rows, shape (n, dim), float32 or float64, any memory layout; left unchanged.
            threads: How many blocks are worked on at once.

        Returns:
            Ciphertext, shape (n, dim).

        Raises:
            DimensionError: not of shape (n, dim) (code ``dimension``).
            InputError: not floats (code ``dtype``); NaN, infinity or out of float32's range
                (code ``not_finite``); longer than 1.0001 where the noise is Gaussian (code
                ``norm``); code ``threads``.
        """
        return self._noisy(x, os.urandom(STREAM_KEY_BYTES), threads)

    def encrypt_repeatably(
        self, x: Floats, *, noise_secret: Secret, like: Sequence[bytes] | None = None
    ) -> Float32s:
        """``encrypt`` with noise that ``noise_secret`` repeats: the same for rows that are alike.

        For who answers more than once: fresh noise would average out. Rows are alike by ``like``,
        or by their coordinates to 1 / 128. Who has key and secret removes the noise.
        """
        rows = checked_rows(x, self.dim)
        same = rounded(rows) if like is None else checked_associated_data(like, len(rows)) or ()
        return self._mapped(rows, repeatable(noise_secret, self._bound_to, same), 1)

    def encrypt_query(self, x: Floats) -> Float32s:
        """``s * (x @ Q)``: the same map without noise, for queries that never leave the gateway.

        Leaks: to whoever has the key, the rows exactly. All else as in ``encrypt``.
        """
        return self._forward(None).apply(checked_rows(x, self.dim))

    def encrypt_reversible(
        self,
        x: Floats,
        *,
        associated_data: Sequence[bytes] | None = None,
        dtype: npt.DTypeLike = np.float32,
        copies_share_noise: bool = False,
    ) -> tuple[StoredFloats, Seals]:
        """``s * (x @ Q) + noise`` with noise the key can repeat, and a seal for each row.

        For search, where rows must come back; for training use ``encrypt``, whose noise nobody
        can remove.

        Leaks: to whoever has the key, the rows exactly; to others what ``encrypt`` leaks.

        Args:
            x: As in ``encrypt``.
            associated_data: What else each row is bound to, such as its id: one bytes object a
                row. It is not stored; ``decrypt`` needs it again.
            dtype: What the rows are stored as: float32, float16 or float64. The seals are over
                these very bytes.
            copies_share_noise: Rows equal to 1 / 128 get equal nonces and noise, whenever they
                come: of copies with noise of their own, the mean is nearly without.

        Returns:
            Ciphertext of shape (n, dim) and seals of shape (n, 44), uint8: a random 12-byte
            nonce and a 32-byte HMAC-SHA256. Any subset of rows can be decrypted with its seals.

        Raises:
            DimensionError, InputError: as in ``encrypt``; also code ``associated_data``.
            UsageError: the noise is Gaussian (code ``noise_reversible``).
        """
        self._check_reversible()
        rows = checked_rows(x, self.dim)
        nonces = self._sealer.nonces_of(rows) if copies_share_noise else fresh_nonces(len(rows))
        return self._sealed(rows, nonces, associated_data, dtype)

    def encrypt_reversible_for_testing(
        self,
        x: Floats,
        *,
        associated_data: Sequence[bytes] | None = None,
        dtype: npt.DTypeLike = np.float32,
        nonces_for_testing: Seals,
    ) -> tuple[StoredFloats, Seals]:
        """``encrypt_reversible`` with given nonces: two rows under one nonce give the difference.

        For known answers only. Arguments, result and errors as in ``encrypt_reversible``.
        """
        self._check_reversible()
        rows = checked_rows(x, self.dim)
        nonces = np.asarray(nonces_for_testing).reshape(len(rows), NONCE_BYTES)
        return self._sealed(rows, nonces, associated_data, dtype)

    def decrypt(
        self,
        c: StoredFloats,
        seals: Seals,
        *,
        associated_data: Sequence[bytes] | None = None,
    ) -> Float32s:
        """The rows that ``encrypt_reversible`` took, once every seal was found to fit.

        Leaks: gives back the plain rows; it belongs on the owner's side.

        Args:
            c: Ciphertext as stored, shape (n, dim), float16, float32 or float64.
            seals: Their seals, shape (n, 44), uint8.
            associated_data: What was given for these rows.

        Returns:
            Rows of shape (n, dim), off by at most 1e-5 for unit vectors and factors up to 100;
            from float16 by at most 2e-3 of the largest coordinate of ``c``.

        Raises:
            IntegrityError: another key, version, scheme, factor or associated data, or a changed
                byte; nothing is returned (code ``seal``).
            DimensionError: not of shape (n, dim) (code ``dimension``).
            InputError: code ``dtype``, ``seals`` or ``associated_data``.
            UsageError: the noise is Gaussian (code ``noise_reversible``).
        """
        self._check_reversible()
        stored = checked_stored(c, self.dim)
        checked = checked_seals(seals, len(stored))
        extra = checked_associated_data(associated_data, len(stored))
        self._sealer.verify(stored, checked, extra)
        noise = self._repeatable(checked[:, :NONCE_BYTES])
        return self._inverse(-1.0).apply(RowMap(-1.0, noise=noise).apply(stored))

    def encrypt_for_testing(
        self, x: Floats, *, noise_stream_for_testing: bytes, threads: int = 1
    ) -> Float32s:
        """``encrypt`` with the noise of a given AES-256 key: whoever knows it removes the noise.

        For known answers only. Arguments, result and errors as in ``encrypt``.
        """
        return self._noisy(x, noise_stream_for_testing, threads)

    def remove_key(self, ciphertexts: Floats) -> Float32s:
        """``(ciphertexts / s) @ Q.T``: the inputs plus noise of the law ``noise``.

        What a thief of the key sees, hence where attacks start; the noise stays.
        Arguments, result and errors as in ``encrypt``.
        """
        return self._inverse(1.0).apply(checked_rows(ciphertexts, self.dim))

    def _forward(self, noise: Noise | None) -> RowMap:
        return RowMap(self._scale, self._matrix, noise)

    def _noisy(self, x: Floats, stream_key: bytes, threads: SupportsIndex) -> Float32s:
        rows, n_threads = checked_rows(x, self.dim), checked_threads(threads)
        open_at = partial(Stream.at_row, stream_key)
        return self._mapped(rows, open_at, n_threads)

    def _mapped(self, rows: Floats, open_at: OpenAt, n_threads: int) -> Float32s:
        """Rows with the noise of ``open_at(row, bytes a row)``."""
        if self._mechanism is None:
            width = row_bytes(self.dim)
            ball = Noise(self._scale * self.noise_radius, lambda row: open_at(row, width))
            return self._forward(ball).apply(rows, threads=n_threads)
        width = grid_row_bytes(self.dim)
        noise = GaussianNoise(self._mechanism, self._scale, lambda row: open_at(row, width))
        matrix = None if self._matrix is None else self._matrix / np.float32(self._scale)
        return RowMap(1.0, matrix, noise).apply(rows, threads=n_threads)

    def _check_reversible(self) -> None:
        if self._mechanism is not None:
            raise no_reversible_form()

    def _sealed(
        self,
        rows: Floats,
        nonces: npt.NDArray[np.uint8],
        associated_data: Sequence[bytes] | None,
        dtype: npt.DTypeLike,
    ) -> tuple[StoredFloats, Seals]:
        """Ciphertext under the noise of ``nonces``, as it is stored, and its seals."""
        stored_dtype = checked_stored_dtype(dtype)
        extra = checked_associated_data(associated_data, len(rows))
        with np.errstate(over="ignore"):  # refused below, by row
            c = self._forward(self._repeatable(nonces)).apply(rows)
            stored = c.astype(stored_dtype, copy=False)
        check_finite(stored, 0)
        return stored, self._sealer.seal(stored, nonces, extra)

    def _repeatable(self, nonces: npt.NDArray[np.uint8]) -> Noise:
        """The noise of nonces; its key is derived from the secret."""
        width = row_bytes(self.dim)
        return Noise(
            self._scale * self.noise_radius,
            lambda row: NonceStreams(self._sealer.noise_key, nonces[row:], row_bytes=width),
        )

    def _inverse(self, sign: float) -> RowMap:
        """``sign * (c / s) @ Q.T``."""
        # (s * Q).T / s**2 is the inverse of s * Q
        matrix = None if self._matrix is None else self._matrix.T * (sign / self._scale**2)
        return RowMap(sign / self._scale, matrix)

    def __repr__(self) -> str:
        noise = (
            f"approximation_factor={self._approximation_factor}"
            if self._mechanism is None
            else f"noise='{self._mechanism.guarantee}'"
        )
        return (
            f"VectorCipher(dim={self.dim}, scheme={self.scheme!r}, {noise}, "
            f"key_id={self.key_id!r}, key_version={self.key_version})"
        )

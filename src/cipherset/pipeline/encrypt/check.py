"""Refusals of the encrypt room: each says what was found, what was expected, and where."""

import operator
from typing import Any, Final, NoReturn, SupportsFloat, SupportsIndex

import numpy as np
import numpy.typing as npt

from cipherset.core.errors import DimensionError, InputError, UsageError
from cipherset.core.secret import KeyHandle, Secret
from cipherset.core.values import Floats

MAX_DIM: Final = 2**15  # beyond this the float64 rotation alone takes 8 GiB
MAX_APPROXIMATION_FACTOR: Final = 1e6  # far beyond any use, and far from float32's limits
MAX_THREADS: Final = 1024
_FLOAT_BYTES: Final = (4, 8)
_STORED_BYTES: Final = (2, 4, 8)


class NotCopied:
    """What holds derived keys is neither copied nor pickled."""

    __slots__ = ()

    def __copy__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} is not copied")

    def __deepcopy__(self, memo: dict[int, object]) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} is not copied")

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} is not pickled")


def checked_dim(dim: SupportsIndex) -> int:
    """``dim`` as an int from 1 to ``MAX_DIM``.

    Raises:
        DimensionError: it is not.
    """
    try:
        width = operator.index(dim)
    except TypeError:
        width = 0
    if not 1 <= width <= MAX_DIM:
        raise DimensionError(
            f"dim is a whole number from 1 to {MAX_DIM}",
            code="dimension",
            hint="pass the width of the vectors",
        )
    return width


def checked_factor(approximation_factor: SupportsFloat) -> float:
    """``approximation_factor`` as a float from 0 to ``MAX_APPROXIMATION_FACTOR``.

    Raises:
        InputError: it is not.
    """
    try:
        factor = float(approximation_factor)
    except (TypeError, ValueError, OverflowError):
        factor = -1.0
    if not 0.0 <= factor <= MAX_APPROXIMATION_FACTOR:
        raise InputError(
            f"approximation_factor is a number from 0 (no noise) to {MAX_APPROXIMATION_FACTOR:g}",
            code="approximation_factor",
            hint="for unit vectors, 2 to 8 is usual",
        )
    return factor


def checked_threads(threads: SupportsIndex) -> int:
    """``threads`` as an int from 1 to ``MAX_THREADS``.

    Raises:
        InputError: it is not.
    """
    try:
        number = operator.index(threads)
    except TypeError:
        number = 0
    if not 1 <= number <= MAX_THREADS:
        raise InputError(
            f"threads is a whole number from 1 to {MAX_THREADS}",
            code="threads",
            hint="pass the number of processor cores to use",
        )
    return number


def opened_key(secret: bytes | Secret | KeyHandle, key_id: str, key_version: int) -> KeyHandle:
    """The key that ``secret`` is or brings, with a checked id and version.

    Raises:
        UsageError: an opened key, and an id or version beside it.
        InputError: code ``secret_length``, ``key_id`` or ``key_version``.
    """
    if not isinstance(secret, KeyHandle):
        handle = secret if isinstance(secret, Secret) else Secret(secret)
        return KeyHandle(_checked_key_id(key_id), _checked_version(key_version), handle)
    if key_id != "" or key_version != 1:
        raise UsageError(
            "an opened key brings its own id and version",
            code="key_named_twice",
            hint="leave out key_id and key_version",
        )
    _checked_key_id(secret.key_id)
    _checked_version(secret.version)
    return secret


def _checked_key_id(key_id: str) -> str:
    try:
        key_id.encode()
    except (AttributeError, UnicodeEncodeError):
        raise InputError(
            "key_id is not text", code="key_id", hint="pass the name of the key"
        ) from None
    return key_id


def _checked_version(key_version: SupportsIndex) -> int:
    try:
        version = operator.index(key_version)
    except TypeError:
        version = 0
    if not 1 <= version < 2**63:
        raise InputError(
            "key_version is a whole number from 1 on",
            code="key_version",
            hint="pass the version of the key",
        )
    return version


def checked_rows(x: Floats, dim: int) -> Floats:
    """``x`` as an array of shape (n, dim) of float32 or float64.

    Raises:
        InputError: other numbers, or no array at all (code ``dtype``).
        DimensionError: another shape (code ``dimension``).
    """
    return _checked_floats(x, dim, _FLOAT_BYTES)


def checked_stored(x: npt.NDArray[Any], dim: int) -> npt.NDArray[Any]:
    """``x`` as an array of shape (n, dim) of float16, float32 or float64.

    Raises:
        InputError: other numbers, or no array at all (code ``dtype``).
        DimensionError: another shape (code ``dimension``).
    """
    return _checked_floats(x, dim, _STORED_BYTES)


def _checked_floats(x: object, dim: int, widths: tuple[int, ...]) -> npt.NDArray[Any]:
    names = " or ".join(f"float{8 * width}" for width in widths)
    try:
        rows: npt.NDArray[Any] = np.asarray(x)
    except (TypeError, ValueError, RuntimeError):
        raise InputError(
            f"expected an array of shape (n, {dim}); found rows of different lengths or no array",
            code="dtype",
            hint=f"pass a numpy array of {names}",
        ) from None
    if rows.dtype.kind != "f" or rows.dtype.itemsize not in widths:
        raise InputError(
            f"expected {names}; found {rows.dtype}",
            code="dtype",
            hint="convert with x.astype('float32')",
        )
    if rows.ndim != 2 or rows.shape[1] != dim:
        raise DimensionError(
            f"expected shape (n, {dim}); found {rows.shape}",
            code="dimension",
            hint=f"pass one row per vector, {dim} numbers each",
        )
    return rows


def check_finite(ciphertexts: npt.NDArray[np.floating[Any]], first_row: int) -> None:
    """Refuse what came from NaN, infinity or a number too large for float32.

    Raises:
        InputError: names the first such row, counted from ``first_row``.
    """
    flat = ciphertexts.reshape(-1)
    # The sum of squares is finite only if every number is; it is the cheapest look at them all,
    # and where it overflows the next look decides.
    with np.errstate(all="ignore"):
        if np.isfinite(np.dot(flat, flat)):
            return
    finite = np.isfinite(ciphertexts)
    if finite.all():
        return
    row = first_row + int(np.argmin(finite.all(axis=1)))
    raise InputError(
        f"row {row} holds NaN, infinity or a number too large for float32",
        code="not_finite",
        hint="remove or repair the row before encryption",
    )

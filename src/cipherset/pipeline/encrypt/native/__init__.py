"""The noise compiled, where installing could compile it; elsewhere there is numpy's.

``hatch_build.py`` makes ``ball-DIGEST.so`` of ``ball.c``, next to it. The digest is that of the
source, so a library made of another text is never loaded. It is called through ctypes, which
lets go of the interpreter's lock.
"""

import ctypes
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from cipherset.core.values import Float32s

Fill = Callable[[Float32s, float, npt.NDArray[np.uint8], Float32s, float], bool]
_FLOAT32: Final = np.dtype(np.float32)
_UINT8: Final = np.dtype(np.uint8)
_SOURCE: Final = Path(__file__).with_name("ball.c")


def library_path() -> Path:
    """Where the library of this very source would be."""
    digest = hashlib.sha256(_SOURCE.read_bytes()).hexdigest()
    return _SOURCE.with_name(f"ball-{digest[:16]}.so")


def load(library: Path) -> Fill | None:
    """``fill(x, factor, raw, out, radius)``: ``out = factor * x + noise``; None if not to be had.

    ``x`` and ``out`` have shape (n, dim) and float32, apart or the same array; ``raw`` holds the
    stream's bytes, shape (n, ``row_bytes(dim)``), and is used up. The result says whether all of
    ``out`` is finite. Arrays that do not fit raise ``TypeError`` before a byte is touched.
    """
    try:
        function = ctypes.CDLL(str(library)).cipherset_fill
    except (OSError, AttributeError):  # none was made, or for another kind of machine
        return None
    place, size = ctypes.c_void_p, ctypes.c_size_t
    function.restype = ctypes.c_int
    function.argtypes = [place, ctypes.c_float, place, size, place, size, size, ctypes.c_double]

    def fill(
        x: Float32s, factor: float, raw: npt.NDArray[np.uint8], out: Float32s, radius: float
    ) -> bool:
        if x.shape != out.shape or len(raw) != len(out):
            raise TypeError("the arrays are of different shapes")
        source, target = _address(x, _FLOAT32, written=False), _address(out, _FLOAT32, written=True)
        words = _address(raw, _UINT8, written=True)
        if raw.shape[1] < 8 + 8 * ((out.shape[1] + 1) // 2):  # the radius, then two words a pair
            raise TypeError("the arrays are of different shapes: too few bytes a row")
        return bool(function(source, factor, words, raw.shape[1], target, *out.shape, radius))

    return fill


def _address(array: npt.NDArray[Any], dtype: np.dtype[Any], *, written: bool) -> int:
    """Where ``array`` begins; ``numpy.ctypeslib.ndpointer`` takes twice as long to say."""
    flags = array.flags
    sound = flags.c_contiguous and flags.aligned and (flags.writeable or not written)
    if not sound or array.ndim != 2 or array.dtype != dtype:
        raise TypeError(f"expected a contiguous array of rows of {dtype}")
    return array.ctypes.data


compiled_fill: Final = load(library_path())


def noise_engine() -> Literal["compiled", "numpy"]:
    """What makes the noise in this process."""
    return "numpy" if compiled_fill is None else "compiled"

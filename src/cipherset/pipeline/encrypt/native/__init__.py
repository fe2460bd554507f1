"""The noise compiled, where installing could compile it; elsewhere there is numpy's.

``hatch_build.py`` makes ``ball-DIGEST.so`` of ``ball.c``, next to it. The digest is that of the
source, so a library made of another text is never loaded. It is called through ctypes, which
lets go of the interpreter's lock.
"""

import ctypes
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from numpy.ctypeslib import ndpointer

from cipherset.core.values import Float32s

Fill = Callable[[Float32s, float, npt.NDArray[np.uint8], Float32s, float], bool]
_SOURCE: Final = Path(__file__).with_name("ball.c")


def library_path() -> Path:
    """Where the library of this very source would be."""
    digest = hashlib.sha256(_SOURCE.read_bytes()).hexdigest()
    return _SOURCE.with_name(f"ball-{digest[:16]}.so")


def load(library: Path) -> Fill | None:
    """``fill(x, factor, raw, out, radius)``: ``out = factor * x + noise``; None if not to be had.

    ``x`` and ``out`` have shape (n, dim) and float32, apart or the same array; ``raw`` holds the
    stream's bytes, shape (n, ``row_bytes(dim)``), and is used up. The result says whether all of
    ``out`` is finite. An array that is not contiguous, aligned and of this dtype raises
    ``ctypes.ArgumentError``.
    """
    try:
        function = ctypes.CDLL(str(library)).cipherset_fill
    except (OSError, AttributeError):  # none was made, or for another kind of machine
        return None
    read = ndpointer(np.float32, ndim=2, flags=["C", "A"])
    written = ndpointer(np.float32, ndim=2, flags=["C", "A", "W"])
    used_up = ndpointer(np.uint8, ndim=2, flags=["C", "A", "W"])
    size = ctypes.c_size_t
    function.restype = ctypes.c_int
    function.argtypes = [read, ctypes.c_float, used_up, size, written]
    function.argtypes += [size, size, ctypes.c_double]

    def fill(
        x: Float32s, factor: float, raw: npt.NDArray[np.uint8], out: Float32s, radius: float
    ) -> bool:
        return bool(function(x, factor, raw, raw.shape[1], out, len(out), out.shape[-1], radius))

    return fill


compiled_fill: Final = load(library_path())


def noise_engine() -> Literal["compiled", "numpy"]:
    """What makes the noise in this process."""
    return "numpy" if compiled_fill is None else "compiled"

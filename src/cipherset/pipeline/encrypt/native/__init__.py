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

AddBall = Callable[[npt.NDArray[np.uint8], Float32s, float], None]
_SOURCE: Final = Path(__file__).with_name("ball.c")


def library_path() -> Path:
    """Where the library of this very source would be."""
    digest = hashlib.sha256(_SOURCE.read_bytes()).hexdigest()
    return _SOURCE.with_name(f"ball-{digest[:16]}.so")


def load() -> AddBall | None:
    """``add(raw, out, radius)``, which is ``out += noise``; None where there is no library.

    ``raw`` is the stream's bytes, shape (n, ``row_bytes(dim)``), and is used up; ``out`` has shape
    (n, dim) and float32. Both are contiguous: any other array raises ``ctypes.ArgumentError``.
    """
    try:
        function = ctypes.CDLL(str(library_path())).cipherset_add_ball
    except (OSError, AttributeError):  # none was made, or for another kind of machine
        return None
    function.restype = None
    function.argtypes = [
        _array(np.uint8),
        ctypes.c_size_t,
        _array(np.float32),
        ctypes.c_size_t,
        ctypes.c_size_t,
        ctypes.c_double,
    ]

    def add(raw: npt.NDArray[np.uint8], out: Float32s, radius: float) -> None:
        function(raw, raw.shape[1], out, *out.shape, radius)

    return add


def _array(dtype: type[np.generic]) -> Any:
    flags = ("C_CONTIGUOUS", "WRITEABLE", "ALIGNED")
    return np.ctypeslib.ndpointer(dtype, ndim=2, flags=flags)


add_ball: Final = load()


def noise_engine() -> Literal["compiled", "numpy"]:
    """What adds the noise in this process."""
    return "numpy" if add_ball is None else "compiled"

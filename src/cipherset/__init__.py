"""Train models on data nobody can read: encrypted, minimized, measured training sets.

- ``VectorCipher`` encrypts vectors under a key.
- ``open`` verifies a cipherset and gives a ``Cipherset``: ``to_numpy``, ``to_arrow``, ``to_torch``.
- ``save_bundle`` binds a model that was trained on one to its key, for the owner to use.
- ``Client`` calls a gateway, which ``cipherset serve`` runs.

Each error is a ``CiphersetError`` with a ``code`` and a ``hint``. Everything else is the command
line's: ``cipherset --help``.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cipherset.core.errors import (
    BackendError,
    CiphersetError,
    DimensionError,
    InputError,
    IntegrityError,
    KeyAccessError,
    PolicyError,
    UsageError,
)

# From 1.29 on onnxruntime sends what it runs (names and sizes of models, errors) to its makers, and
# keeps it in a database of its own until then. It looks here once, when it is first imported.
os.putenv("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from cipherset.interfaces.client.client import Client
    from cipherset.pipeline.encrypt import VectorCipher
    from cipherset.pipeline.export import Cipherset
    from cipherset.pipeline.export import open_cipherset as open
    from cipherset.pipeline.train import save_bundle

__all__ = [
    "BackendError",
    "Cipherset",
    "CiphersetError",
    "Client",
    "DimensionError",
    "InputError",
    "IntegrityError",
    "KeyAccessError",
    "PolicyError",
    "UsageError",
    "VectorCipher",
    "open",
    "save_bundle",
]

# Read when first asked for: ``import cipherset`` alone stays quick and light.
_LAZY = {
    "Cipherset": ("cipherset.pipeline.export", "Cipherset"),
    "Client": ("cipherset.interfaces.client.client", "Client"),
    "VectorCipher": ("cipherset.pipeline.encrypt", "VectorCipher"),
    "open": ("cipherset.pipeline.export", "open_cipherset"),
    "save_bundle": ("cipherset.pipeline.train", "save_bundle"),
}


def __dir__() -> list[str]:
    """All public names, read or not: for ``help(cipherset)`` and whatever completes names."""
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:  # noqa: ANN401 -- whatever the name stands for
    if name not in _LAZY:
        raise AttributeError(f"module 'cipherset' has no attribute {name!r}")
    module, attribute = _LAZY[name]
    return getattr(import_module(module), attribute)

"""What was retrieved: only what is the caller's, unchanged and no instruction reaches a model."""

from cipherset.guard.retrieval.admit import (
    Admission,
    Admitted,
    Context,
    Judge,
    Quarantined,
    Readable,
    Reason,
    Room,
)
from cipherset.guard.retrieval.chunks import SALT_BYTES, Chunk, ChunkList, Listed

__all__ = [
    "SALT_BYTES",
    "Admission",
    "Admitted",
    "Chunk",
    "ChunkList",
    "Context",
    "Judge",
    "Listed",
    "Quarantined",
    "Readable",
    "Reason",
    "Room",
]

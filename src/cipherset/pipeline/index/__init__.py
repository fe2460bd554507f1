"""Encrypted similarity search: ciphertext rows by their distance to a query's ciphertext.

Room: pipeline/index. Holds no key: what is stored and what is asked came encrypted.
"""

from cipherset.pipeline.index.entries import ANY, Entries, Filter, Tag, VectorIndex
from cipherset.pipeline.index.files import FileIndex
from cipherset.pipeline.index.manifest import (
    INDEX_FILE,
    IndexKey,
    IndexManifest,
    StoreKind,
    read_signed,
    write_signed,
)
from cipherset.pipeline.index.pgvector import PgVectorIndex, open_pgvector

__all__ = [
    "ANY",
    "INDEX_FILE",
    "Entries",
    "FileIndex",
    "Filter",
    "IndexKey",
    "IndexManifest",
    "PgVectorIndex",
    "StoreKind",
    "Tag",
    "VectorIndex",
    "open_pgvector",
    "read_signed",
    "write_signed",
]

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
from cipherset.pipeline.index.scan import check_answer
from cipherset.pipeline.index.stores import IN_FILES, open_store, split_store, store_kind

__all__ = [
    "ANY",
    "INDEX_FILE",
    "IN_FILES",
    "Entries",
    "FileIndex",
    "Filter",
    "IndexKey",
    "IndexManifest",
    "PgVectorIndex",
    "StoreKind",
    "Tag",
    "VectorIndex",
    "check_answer",
    "open_pgvector",
    "open_store",
    "read_signed",
    "split_store",
    "store_kind",
    "write_signed",
]

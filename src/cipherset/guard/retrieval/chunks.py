"""Pieces of text that may be put before a model, and the list that says what they were.

What a store of vectors or texts says of a piece proves nothing: whoever writes to it may have
changed the words, or the data set, label or tenant beside them. So a digest and the tenant of each
piece are listed when it comes in, and the list is signed and kept by the owner. Digests are salted
by the list, which is kept sealed: without it they confirm a guess to nobody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from securesystemslib.signer import Signer

from cipherset.core import canonical
from cipherset.core.envelope import public_key_of, sign, verify
from cipherset.core.errors import IntegrityError

PAYLOAD_TYPE: Final = "application/vnd.cipherset.chunks.v1+json"
SALT_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece as a store gave it; ``dataset`` and ``id`` are what it is said to be."""

    dataset: str
    id: str
    text: str = field(repr=False)


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


class Listed(_Strict):
    """The digest of a piece when it came in, and whose it is; None: of no tenant."""

    digest: str
    tenant: str | None = Field(default=None, repr=False)


class _Signer(_Strict):
    public_key: str


class _Payload(_Strict):
    dataset: str
    salt: str = Field(repr=False)
    chunks: Mapping[str, Listed]
    signer: _Signer


@dataclass(frozen=True, slots=True)
class ChunkList:
    """What came in under ``dataset``, by id."""

    dataset: str
    salt: bytes = field(repr=False)
    chunks: Mapping[str, Listed] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    @classmethod
    def of(
        cls, chunks: Sequence[Chunk], salt: bytes, tenants: Mapping[str, str] | None = None
    ) -> "ChunkList":
        """The list of ``chunks`` of one data set; ``tenants`` by id, for those that have one."""
        dataset = chunks[0].dataset if chunks else ""
        owners = tenants or {}
        listed = {
            chunk.id: Listed(digest=digest_of(chunk, salt), tenant=owners.get(chunk.id))
            for chunk in chunks
        }
        return cls(dataset, salt, MappingProxyType(listed))

    def signed(self, signer: Signer) -> bytes:
        """The canonical bytes of the signed list.

        Raises:
            InputError: ``signer_kind``.
        """
        payload = {
            "dataset": self.dataset,
            "salt": self.salt.hex(),
            "chunks": {name: one.model_dump(mode="json") for name, one in self.chunks.items()},
            "signer": {"public_key": public_key_of(signer)},
        }
        return sign(canonical.encode(payload), PAYLOAD_TYPE, signer)

    @classmethod
    def read(cls, raw: bytes, *, expected_fingerprint: str) -> "ChunkList":
        """The list in ``raw``, which the key of ``expected_fingerprint`` signed.

        Raises:
            IntegrityError: it was changed, another key signed it, or ``chunk_list``: it is none.
        """
        payload = verify(raw, PAYLOAD_TYPE, expected_fingerprint=expected_fingerprint).payload
        try:
            found = _Payload.model_validate_json(payload)
            salt = bytes.fromhex(found.salt)
        except (ValidationError, ValueError):
            raise IntegrityError(
                "what was signed is no list of chunks of this version",
                code="chunk_list",
                hint="bring the chunks in again",
            ) from None
        return cls(found.dataset, salt, MappingProxyType(dict(found.chunks)))

    def holds(self, chunk: Chunk) -> bool:
        """Whether ``chunk`` is word for word what came in under its id."""
        listed = self.chunks.get(chunk.id)
        return listed is not None and listed.digest == digest_of(chunk, self.salt)


def digest_of(chunk: Chunk, salt: bytes) -> str:
    """``sha256:`` and the hex digest of the piece with its data set and id, salted."""
    text = chunk.text.encode("utf-8", "surrogatepass").hex()
    return canonical.digest([salt.hex(), chunk.dataset, chunk.id, text])

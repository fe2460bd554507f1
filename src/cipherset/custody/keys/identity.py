"""Keyed identities of a source and its rows: the same in a whole workspace, under any key.

Their keys come from the workspace's signer, so that they outlive every other key and need no
place of their own: HKDF-SHA256 of the signer's signature over one fixed text each. An Ed25519
signature is deterministic (RFC 8032, section 5.1.6) and unknown to whoever lacks the private key.
These are never published, and what the signer signs for others begins otherwise (DSSE:
``DSSEv1``).
"""

import base64
import hmac
from collections.abc import Iterable, Sequence
from typing import Final, Self, final

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from securesystemslib.signer import Signer

from cipherset.core.secret import SECRET_BYTES, Secret
from cipherset.core.values import Floats, Pixels
from cipherset.custody.keys.seal import AesGcmSealer, DigestStream

IDENTITY_LABEL: Final = b"cipherset/row-identity/1"
SOURCE_LABEL: Final = b"cipherset/source-identity/1"
SUBJECT_LABEL: Final = b"cipherset/subject-identity/1"
TEXT_LABEL: Final = b"cipherset/text-digest/1"
_SHORT_BYTES: Final = 16  # nobody without the key can look for two texts that collide
CREDENTIAL_LABEL: Final = b"cipherset/credential/1"
SIGHTINGS_LABEL: Final = b"cipherset/sightings/1"
NOISE_LABEL: Final = b"cipherset/oracle-noise/1"
SERVICE_LABEL: Final = b"cipherset/service-credential/1"
REVIEW_LABEL: Final = b"cipherset/held-reply/1"
JOB_LABEL: Final = b"cipherset/job/1/"
Identities = npt.NDArray[np.uint64]
_TEXT: Final = b"text\0"
_VECTOR: Final = b"vector\0"
_IMAGE: Final = b"image\0"
_POOL: Final = b"pool\0"


@final
class RowIdentity:
    """Rows to 64-bit identities: equal for equal rows, and meaningless without the signer.

    The first 8 bytes of HMAC-SHA256. Nobody without the key can look for two rows that collide;
    by chance, a million rows have such a pair once in 37 million times.
    """

    __slots__ = ("_key",)

    def __init__(self, signer: Signer) -> None:
        """Under a key derived from the workspace's signer."""
        self._key = identity_key(signer)

    @classmethod
    def of_key(cls, key: Secret) -> Self:
        """The same identities for whoever holds ``identity_key`` and no signer."""
        made = cls.__new__(cls)
        made._key = key  # noqa: SLF001 -- this class's own
        return made

    def of_texts(self, texts: Sequence[str]) -> Identities:
        """The identities of sanitized texts, shape (n,)."""
        return self._of([_TEXT + text.encode() for text in texts])

    def of_vectors(self, x: Floats) -> Identities:
        """The identities of vectors (n, dim), by their float32 bits, little-endian."""
        return self._of([_VECTOR + row.tobytes() for row in np.ascontiguousarray(x, dtype="<f4")])

    def of_images(self, pixels: Pixels) -> Identities:
        """The identities of decoded images (n, side, side, 3), by their pixels."""
        return self._of([_IMAGE + image.tobytes() for image in np.ascontiguousarray(pixels)])

    def of_pools(self, pools: Sequence[Identities]) -> Identities:
        """The identities of rows that became one, by those of the rows in their order.

        One row, or copies of one, are the row that they were: pooling by a column that differs
        everywhere makes no new rows.
        """
        found = self._of([_POOL + rows.astype("<u8").tobytes() for rows in pools])
        is_one = [(rows == rows[0]).all() for rows in pools]
        return np.where(is_one, [rows[0] for rows in pools], found)

    def _of(self, rows: Sequence[bytes]) -> Identities:
        key = self._key.reveal()
        digests = b"".join(hmac.digest(key, row, "sha256")[:8] for row in rows)
        return np.frombuffer(digests, dtype="<u8").astype(np.uint64)

    def __repr__(self) -> str:
        return "RowIdentity(...)"


@final
class TextDigests:
    """What was asked and answered to short digests: who holds the text finds it, nobody else.

    The first 16 bytes of HMAC-SHA256 in base64url, 22 characters.
    """

    __slots__ = ("_key",)

    def __init__(self, signer: Signer) -> None:
        """Under a key derived from the workspace's signer."""
        self._key = _derived(signer, TEXT_LABEL)

    def of(self, text: bytes) -> str:
        """The digest of a text's UTF-8, or of the canonical bytes of an answer."""
        short = hmac.digest(self._key.reveal(), text, "sha256")[:_SHORT_BYTES]
        return base64.urlsafe_b64encode(short).rstrip(b"=").decode()

    def __repr__(self) -> str:
        return "TextDigests(...)"


@final
class CredentialMac:
    """Vouches for credentials in the ledger: nobody who can only write there makes one.

    HMAC-SHA256 under a key derived from the workspace's signer.
    """

    __slots__ = ("_key",)

    def __init__(self, signer: Signer) -> None:
        """Under a key derived from the workspace's signer."""
        self._key = _derived(signer, CREDENTIAL_LABEL)

    def of(self, value: bytes) -> str:
        """64 hex digits."""
        return hmac.digest(self._key.reveal(), value, "sha256").hex()

    def matches(self, value: bytes, mac: str) -> bool:
        """Whether ``mac`` is that of ``value``; it takes as long to say no as to say yes."""
        return hmac.compare_digest(self.of(value).encode(), mac.encode())

    def __repr__(self) -> str:
        return "CredentialMac(...)"


def source_identity(signer: Signer, chunks: Iterable[bytes]) -> str:
    """``hmac-sha256:`` and the hex digest of a source's bytes; it confirms a guess to nobody."""
    stream = DigestStream(_derived(signer, SOURCE_LABEL).reveal())
    for chunk in chunks:
        stream.update(chunk)
    return stream.digest()


def subject_identity(signer: Signer, subject: str) -> str:
    """``hmac-sha256:`` and the hex digest of what names a person; it confirms a guess to nobody."""
    stream = DigestStream(_derived(signer, SUBJECT_LABEL).reveal())
    stream.update(subject.encode())
    return stream.digest()


def noise_secret(signer: Signer) -> Secret:
    """What repeats the noise of answers: the workspace's, so that no key of the ring does."""
    return _derived(signer, NOISE_LABEL)


def service_sealer(signer: Signer) -> AesGcmSealer:
    """What seals the credentials of upstream services, under a key of its own."""
    return AesGcmSealer(_derived(signer, SERVICE_LABEL))


def review_sealer(signer: Signer) -> AesGcmSealer:
    """What seals replies that wait for a person to look at them, under a key of its own."""
    return AesGcmSealer(_derived(signer, REVIEW_LABEL))


def sightings_sealer(signer: Signer) -> AesGcmSealer:
    """What seals who was seen in logs, under a key of its own."""
    return AesGcmSealer(_derived(signer, SIGHTINGS_LABEL))


def identity_key(signer: Signer) -> Secret:
    """The key of row identities, from which nothing else can be had."""
    return _derived(signer, IDENTITY_LABEL)


def job_key(signer: Signer, job: str, use: str) -> Secret:
    """The key of one use of one job, the same each time the job is taken up; ``job`` is a digest.

    No other can be had from it: not that of another part, for a use may be one part's answer.
    """
    return _derived(signer, JOB_LABEL + f"{job}/{use}".encode())


def _derived(signer: Signer, label: bytes) -> Secret:
    signature = bytes.fromhex(signer.sign(label).signature)
    derived = HKDF(SHA256(), length=SECRET_BYTES, salt=None, info=label)
    return Secret(derived.derive(signature))

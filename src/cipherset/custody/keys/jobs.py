"""What workers hold of keys: derived, for one part of one job, for minutes, in memory only.

A worker makes a key pair for itself, whose private half never leaves its memory. A grant is sealed
to the public half, so what carries it, stores it or logs it holds nothing:

    shared  = X25519(a fresh pair of ours, the worker's public key)            RFC 7748
    sealing = HKDF-SHA256(shared, info = label, both public keys)              RFC 5869
    grant   = our public key, AES-256-GCM(sealing, keys and task), bound to the worker's public key

In a grant are the key that seals the answer for its part, and opens no other; the key by which
equal values of a job are counted, which is the job's and opens nothing; and where the task takes
them:

- the keys of stand-ins, which are a purpose's;
- the key of row identities, which is the workspace's and never changes: whoever keeps it can test
  for good whether a text they guess is a row whose identity they see. It opens nothing.

The secret of a purpose is in none, nor can it be had from what is.
"""

import base64
import json
from dataclasses import dataclass, field
from typing import Any, Final, final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from securesystemslib.signer import Signer

from cipherset.core.errors import IntegrityError, KeyAccessError
from cipherset.core.secret import SECRET_BYTES, KeyHandle, Secret
from cipherset.custody.keys.hashes import KeyedHashes
from cipherset.custody.keys.identity import RowIdentity, identity_key, job_key
from cipherset.custody.keys.pseudonyms import Pseudonyms, subkeys
from cipherset.custody.keys.seal import AesGcmSealer

GRANT_LABEL: Final = b"cipherset/job-grant/1"
HASHES: Final = "values of a job"
_VALUES: Final = "values"
PUBLIC_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class JobKeys:
    """Keys for one part of one job; to be forgotten with it.

    ``expires_at`` is in seconds of the Unix clock: a grant that is found later opens nothing.
    """

    job: str
    part: int
    expires_at: float
    sealer: AesGcmSealer = field(repr=False)
    hashes: KeyedHashes = field(repr=False)
    identity: RowIdentity | None = field(repr=False)
    pseudonyms: Pseudonyms | None = field(repr=False)


@final
class JobGrants:
    """The owner's side of one job: makes grants, and opens what workers sealed under them."""

    def __init__(
        self, job: str, signer: Signer, key: KeyHandle | None = None, *, identifies: bool = False
    ) -> None:
        """With the stand-ins of ``key``, and with row identities where the task ``identifies``."""
        self._job = job
        self._signer = signer
        self._held: dict[str, Any] = {"values": _text(job_key(signer, job, "values").reveal())}
        if key is not None:
            names = {"key_id": key.key_id, "version": key.version}
            self._held["pseudonyms"] = {**names, "keys": _text(subkeys(key))}
        if identifies:
            self._held["identity"] = _text(identity_key(signer).reveal())

    def sealer(self, part: int) -> AesGcmSealer:
        """What the worker that has a grant for ``part`` seals with, and for no other part."""
        return AesGcmSealer(self._sealing(part))

    def grant(self, public_key: bytes, task: bytes, *, part: int, expires_at: float) -> bytes:
        """``task`` and the keys for ``part``, for the worker with that public key alone."""
        told = {
            **self._held,
            "job": self._job,
            "part": part,
            "expires_at": expires_at,
            "sealing": _text(self._sealing(part).reveal()),
            "task": _text(task),
        }
        ours = X25519PrivateKey.generate()
        mine = ours.public_key().public_bytes_raw()
        shared = ours.exchange(X25519PublicKey.from_public_bytes(public_key))
        sealer = _sealer(shared, mine, public_key)
        return mine + sealer.seal(json.dumps(told).encode(), context=public_key.hex())

    def _sealing(self, part: int) -> Secret:
        return job_key(self._signer, self._job, f"part {part}")

    def __repr__(self) -> str:
        return "JobGrants(...)"


@final
class GrantReceiver:
    """A worker's own key pair, made anew with each worker; the private half is never written."""

    def __init__(self) -> None:
        """Draw the pair."""
        self._private = X25519PrivateKey.generate()
        self.public_key = self._private.public_key().public_bytes_raw()

    def open(self, grant: bytes, *, now: float) -> tuple[JobKeys, bytes]:
        """The keys of a grant, and its task.

        Raises:
            IntegrityError: ``job_grant``: sealed for another worker, or changed.
            KeyAccessError: ``job_expired``.
        """
        told = self._told(grant)
        if now >= told["expires_at"]:
            raise KeyAccessError(
                f"the keys for part {told['part']} of a job were not used in time",
                code="job_expired",
                hint="the one who gave them gives new ones as long as the job runs",
            )
        values = KeyHandle(told["job"], 1, Secret(_raw(told["values"])))
        identity, stand_ins = told.get("identity"), told.get("pseudonyms")
        keys = JobKeys(
            told["job"],
            told["part"],
            told["expires_at"],
            AesGcmSealer(Secret(_raw(told["sealing"]))),
            KeyedHashes(values, HASHES),
            None if identity is None else RowIdentity.of_key(Secret(_raw(identity))),
            None
            if stand_ins is None
            else Pseudonyms.of_subkeys(
                stand_ins["key_id"], stand_ins["version"], _raw(stand_ins["keys"])
            ),
        )
        return keys, _raw(told["task"])

    def _told(self, grant: bytes) -> dict[str, Any]:
        theirs, sealed = grant[:PUBLIC_BYTES], grant[PUBLIC_BYTES:]
        try:
            shared = self._private.exchange(X25519PublicKey.from_public_bytes(theirs))
            sealer = _sealer(shared, theirs, self.public_key)
            told: dict[str, Any] = json.loads(sealer.unseal(sealed, context=self.public_key.hex()))
        except (IntegrityError, ValueError):
            raise IntegrityError(
                "keys for a job do not open: sealed for another worker, or changed",
                code="job_grant",
                hint="run the same command again",
            ) from None
        return told

    def __repr__(self) -> str:
        return "GrantReceiver(...)"


def _sealer(shared: bytes, ours: bytes, theirs: bytes) -> AesGcmSealer:
    """Source: RFC 5869; both public keys in the info, as RFC 9180, section 4.1 has them."""
    info = GRANT_LABEL + ours + theirs
    return AesGcmSealer(Secret(HKDF(SHA256(), SECRET_BYTES, salt=None, info=info).derive(shared)))


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _raw(text: str) -> bytes:
    return base64.b64decode(text)

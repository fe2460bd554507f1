"""``awskms:``: the key-encryption key is in AWS KMS, which wraps and unwraps.

A wrapped secret is what ``Encrypt`` returns. The associated data goes in as the encryption
context, hashed, because AWS writes contexts into its logs in clear.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Final, final
from urllib.parse import SplitResult, unquote

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    SSLError,
    TokenRetrievalError,
)
from botocore.exceptions import (
    ConnectionError as NoConnectionError,
)

from cipherset.core.errors import CiphersetError, InputError
from cipherset.core.secret import Secret
from cipherset.custody.keys.providers import refusals
from cipherset.custody.keys.providers.address import parameters, service

CONTEXT_NAME: Final = "cipherset-associated-data-sha256"

# Three attempts, with botocore's own backoff and jitter between them.
_CONFIG: Final = Config(
    connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3}
)
_NO_CREDENTIALS: Final = (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)
_DENIED: Final = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "OptInRequired",
        "UnrecognizedClientException",
    }
)
_NOT_OPENED: Final = frozenset({"IncorrectKeyException", "InvalidCiphertextException"})
_DISABLED: Final = frozenset({"DisabledException", "KMSInvalidStateException"})
_DOWN: Final = frozenset(
    {
        "DependencyTimeoutException",
        "KMSInternalException",
        "KeyUnavailableException",
        "LimitExceededException",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "Throttling",
        "ThrottlingException",
    }
)


def open_awskms(uri: str, parts: SplitResult) -> "AwsKmsProvider":
    """The provider of ``awskms:KEY?region=REGION`` and perhaps ``&endpoint=https://HOST``.

    ``KEY`` is a key's id or ARN, or ``alias/NAME``. An alias that is moved to another key opens
    nothing that was wrapped before.

    Raises:
        InputError: ``provider_uri``.
    """
    found = parameters(parts, required=frozenset({"region"}), optional=frozenset({"endpoint"}))
    endpoint = found.get("endpoint")
    return AwsKmsProvider(
        uri=uri,
        key=unquote(parts.path),
        region=found["region"],
        endpoint=None if endpoint is None else service(endpoint, scheme="awskms"),
    )


@final
class AwsKmsProvider:
    """``Encrypt`` and ``Decrypt`` of AWS KMS under one symmetric key.

    Permissions: ``kms:Encrypt`` to wrap, ``kms:Decrypt`` to unwrap, both on the one key.
    Credentials come from where boto3 looks for them.
    """

    __slots__ = ("_client", "_endpoint", "_key", "_region", "uri")

    def __init__(self, *, uri: str, key: str, region: str, endpoint: str | None) -> None:
        """Remember the place; AWS is not asked before it is used."""
        self.uri = uri
        self._key = key
        self._region = region
        self._endpoint = endpoint
        self._client: BaseClient | None = None

    def wrap(self, plaintext: Secret, associated_data: bytes) -> bytes:
        """The wrapped secret.

        Raises:
            KeyAccessError: ``provider_denied``, ``key_disabled``, ``kek_missing``,
                ``kek_unsuitable``.
            BackendError: ``provider_unreachable``, ``provider_certificate``, ``provider_failed``.
        """
        answer = self._ask(
            lambda client: client.encrypt(
                KeyId=self._key,
                Plaintext=plaintext.reveal(),
                EncryptionContext=_context(associated_data),
            )
        )
        return _bytes_of(answer, "CiphertextBlob", where=self._where)

    def unwrap(self, wrapped: bytes, associated_data: bytes) -> Secret:
        """The secret.

        Raises:
            KeyAccessError: ``key_unwrap``; else as ``wrap``.
            BackendError: as ``wrap``.
        """
        answer = self._ask(
            lambda client: client.decrypt(
                # Named, so that a ciphertext under any other key the caller may use is refused.
                KeyId=self._key,
                CiphertextBlob=wrapped,
                EncryptionContext=_context(associated_data),
            )
        )
        try:
            return Secret(_bytes_of(answer, "Plaintext", where=self._where))
        except InputError:
            raise refusals.not_unwrapped(self._where) from None

    @property
    def _where(self) -> str:
        return f"AWS KMS in {self._region}, key {self._key}"

    def _ask(self, call: Callable[[BaseClient], Mapping[str, object]]) -> Mapping[str, object]:
        try:
            if self._client is None:
                self._client = boto3.session.Session().client(
                    "kms", region_name=self._region, endpoint_url=self._endpoint, config=_CONFIG
                )
            return call(self._client)
        except ClientError as error:
            raise self._refusal(str(error.response.get("Error", {}).get("Code", ""))) from None
        except _NO_CREDENTIALS:
            raise refusals.denied(self._where, "boto3 finds no credentials") from None
        except ParamValidationError:  # before anything is sent: a ciphertext of no bytes
            raise refusals.not_unwrapped(self._where) from None
        except SSLError:
            raise refusals.untrusted(self._where) from None
        except (HTTPClientError, NoConnectionError) as error:
            raise refusals.unreachable(self._where, type(error).__name__) from None
        except BotoCoreError as error:
            raise refusals.failed(self._where, type(error).__name__) from None

    def _refusal(self, code: str) -> CiphersetError:
        # AWS's own messages name accounts and roles, so its codes are all that is repeated.
        if code in _NOT_OPENED:
            return refusals.not_unwrapped(self._where)
        if code in _DENIED:
            return refusals.denied(self._where, code)
        if code in _DISABLED:
            return refusals.disabled(self._where, code)
        if code in _DOWN:
            return refusals.unreachable(self._where, code)
        if code == "NotFoundException":
            return refusals.missing(self._where)
        if code == "InvalidKeyUsageException":
            return refusals.unsuitable(self._where, "it is no symmetric key for encryption")
        return refusals.failed(self._where, code)

    def __repr__(self) -> str:
        return f"AwsKmsProvider({self._key!r}, {self._region!r})"


def _context(associated_data: bytes) -> dict[str, str]:
    return {CONTEXT_NAME: hashlib.sha256(associated_data).hexdigest()}


def _bytes_of(answer: Mapping[str, object], name: str, *, where: str) -> bytes:
    value = answer.get(name)
    if not isinstance(value, bytes):
        raise refusals.failed(where, f"no {name} in the answer")
    return value

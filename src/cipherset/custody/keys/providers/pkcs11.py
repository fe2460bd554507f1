"""``pkcs11:``: the key-encryption key is in a token (an HSM) and never leaves it.

Wrapping and unwrapping happen in the token: AES-256-GCM with a random 96-bit nonce and the
associated data. A wrapped secret is the nonce, the ciphertext and the 16-byte tag.

A process is logged in to a token or it is not, whichever session asked, so one call at a time
logs in, works and logs out.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, final
from urllib.parse import SplitResult, unquote

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11 import exceptions as token_errors
from pkcs11.mechanisms import GCMParams

from cipherset.core.errors import CiphersetError, InputError
from cipherset.core.files import disk_errors
from cipherset.core.secret import Secret
from cipherset.custody.keys.providers import refusals
from cipherset.custody.keys.providers.address import bad_uri, parameters
from cipherset.custody.keys.providers.private import read_credential

_KEY_BITS: Final = 256
_NONCE_BYTES: Final = 12
_TAG_BITS: Final = 128
_LOGIN: Final = threading.Lock()
_PIN_WRONG: Final = (
    token_errors.PinIncorrect,
    token_errors.PinInvalid,
    token_errors.PinLenRange,
)
_PIN_SHUT: Final = (
    token_errors.PinLocked,
    token_errors.PinExpired,
    token_errors.UserPinNotInitialized,
    token_errors.UserAlreadyLoggedIn,
    token_errors.AnotherUserAlreadyLoggedIn,
    token_errors.UserTooManyTypes,
)
# What a module that began with other tokens, or lost one, answers: SoftHSM2 with a general error.
_LOST: Final = (
    token_errors.NoSuchToken,
    token_errors.TokenNotPresent,
    token_errors.DeviceError,
    token_errors.DeviceRemoved,
    token_errors.GeneralError,
)
# What tokens answer to a tag that does not match; SoftHSM2 answers with a general error.
_NOT_OPENED: Final = (
    token_errors.EncryptedDataInvalid,
    token_errors.EncryptedDataLenRange,
    token_errors.DataInvalid,
    token_errors.DataLenRange,
    token_errors.GeneralError,
)


def open_pkcs11(uri: str, parts: SplitResult, home: Path) -> "TokenProvider":
    """The provider of ``pkcs11:token=NAME;object=LABEL?module-path=PATH&pin-source=file:PATH``.

    Source: RFC 7512, sections 2.3 and 2.4, of which it takes these four attributes.

    Raises:
        InputError: ``provider_uri``; a PIN in the URI itself is not taken.
    """
    pairs = [pair.partition("=") for pair in parts.path.split(";")]
    named = {name: unquote(value) for name, _, value in pairs}
    if named.keys() != {"token", "object"} or len(pairs) != len(named) or not all(named.values()):
        raise bad_uri("its path is not token=NAME;object=LABEL", scheme="pkcs11")
    found = parameters(parts, required=frozenset({"module-path", "pin-source"}))
    scheme, _, pin = found["pin-source"].partition(":")
    if scheme != "file" or not pin:
        raise bad_uri("its pin-source is not file:PATH", scheme="pkcs11")
    return TokenProvider(
        uri=uri,
        module=home / found["module-path"],
        token=named["token"],
        label=named["object"],
        pin_file=home / pin,
    )


@final
class TokenProvider:
    """AES-256-GCM in a PKCS#11 token, under a key that is sensitive and not extractable.

    Permissions: the user PIN of the token. The first ``wrap`` makes the key, which needs a login
    that may write; after that ``C_FindObjects``, ``C_Encrypt`` and ``C_Decrypt`` are enough. The
    PIN's file must be readable by its owner only (0600 or 0400).
    """

    __slots__ = ("_label", "_module", "_pin_file", "_token", "uri")

    def __init__(self, *, uri: str, module: Path, token: str, label: str, pin_file: Path) -> None:
        """Remember the places; the token is not asked before it is used."""
        self.uri = uri
        self._module = module
        self._token = token
        self._label = label
        self._pin_file = pin_file

    def wrap(self, plaintext: Secret, associated_data: bytes) -> bytes:
        """The wrapped secret; makes the key in the token if it is not there.

        Raises:
            KeyAccessError: ``provider_denied`` (the PIN), ``provider_locked``,
                ``kek_unsuitable``, ``credential_file``, ``key_file_missing``,
                ``key_file_permissions``.
            BackendError: ``provider_unreachable``, ``provider_failed``.
        """
        nonce = os.urandom(_NONCE_BYTES)
        with self._session(fcntl.LOCK_EX) as session:
            kek = self._find(session) or self._create(session)
            sealed = kek.encrypt(
                plaintext.reveal(),
                mechanism=Mechanism.AES_GCM,
                mechanism_param=GCMParams(nonce, associated_data, _TAG_BITS),
            )
        return nonce + bytes(sealed)

    def unwrap(self, wrapped: bytes, associated_data: bytes) -> Secret:
        """The secret.

        Raises:
            KeyAccessError: ``key_unwrap``, ``kek_missing``; else as ``wrap``.
            BackendError: as ``wrap``.
        """
        nonce, sealed = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
        if len(nonce) != _NONCE_BYTES:
            raise refusals.not_unwrapped(self._where)
        params = GCMParams(nonce, associated_data, _TAG_BITS)
        # A module that began while the token was put in may show it without its keys.
        opened = self._decrypted(sealed, params) or self._decrypted(sealed, params, anew=True)
        if opened is None:
            raise refusals.missing(self._where)
        return opened

    def _decrypted(self, sealed: bytes, params: GCMParams, *, anew: bool = False) -> Secret | None:
        """What was wrapped, None where the token shows no key of the label."""
        with self._session(fcntl.LOCK_SH, anew=anew) as session:
            kek = self._find(session)
            if kek is None:
                return None
            try:
                opened = kek.decrypt(sealed, mechanism=Mechanism.AES_GCM, mechanism_param=params)
                return Secret(bytes(opened))
            except (*_NOT_OPENED, InputError):
                raise refusals.not_unwrapped(self._where) from None

    @property
    def _where(self) -> str:
        return f"token {self._token!r}, object {self._label!r}"

    @contextmanager
    def _session(self, how: int, *, anew: bool = False) -> Iterator[pkcs11.Session]:
        """A session that is logged in; what the token refuses with becomes an error of ours."""
        pin = read_credential(self._pin_file)
        with self._locked(how), _LOGIN:
            try:
                with self._opened(pin, anew=anew) as session:
                    yield session
            except token_errors.PKCS11Error as error:
                raise self._refusal(error) from None

    def _opened(self, pin: str, *, anew: bool) -> pkcs11.Session:
        """A session; a token that was taken out, or put in later, may take another beginning."""
        library = pkcs11.lib(str(self._module))
        if anew:
            library.reinitialize()
        try:
            return library.get_token(token_label=self._token).open(rw=True, user_pin=pin)
        except _LOST:
            library.reinitialize()  # nobody is in a session: that takes the lock that we have
            return library.get_token(token_label=self._token).open(rw=True, user_pin=pin)

    def _refusal(self, error: token_errors.PKCS11Error) -> CiphersetError:
        kind = type(error).__name__
        if isinstance(error, _PIN_WRONG):
            return refusals.denied(self._where, f"the PIN in {self._pin_file} is wrong")
        if isinstance(error, _PIN_SHUT):
            return refusals.locked(self._where, kind)
        if isinstance(error, token_errors.NoSuchToken | token_errors.TokenNotPresent):
            return refusals.unreachable(self._where, "no such token in any slot")
        if type(error) is token_errors.PKCS11Error:  # what the binding raises by itself
            return refusals.unreachable(self._where, f"{self._module} cannot be loaded")
        return refusals.failed(self._where, kind)

    def _find(self, session: pkcs11.Session) -> pkcs11.SecretKey | None:
        wanted = {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.LABEL: self._label}
        found = list(session.get_objects(wanted))
        if not found:
            return None
        if len(found) > 1:
            raise refusals.unsuitable(self._where, f"{len(found)} keys have that label")
        (kek,) = found
        if kek.key_type != KeyType.AES or kek.key_length != _KEY_BITS:
            raise refusals.unsuitable(self._where, "it is no AES-256 key")
        if kek[Attribute.EXTRACTABLE] or not kek[Attribute.SENSITIVE]:
            raise refusals.unsuitable(self._where, "it can be taken out of the token")
        return kek

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        """Of several processes on this machine one makes the key, and none sees it half-made.

        A token takes two keys of one label, and SoftHSM2 shows a key before all of it is written.
        The lock is on the PIN's file, which all of them have.
        """
        with disk_errors(self._pin_file):
            number = os.open(self._pin_file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            with disk_errors(self._pin_file):
                fcntl.flock(number, how)
            yield
        finally:
            os.close(number)

    def _create(self, session: pkcs11.Session) -> pkcs11.SecretKey:
        return session.generate_key(
            KeyType.AES,
            _KEY_BITS,
            label=self._label,
            store=True,
            capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
            template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
        )

    def __repr__(self) -> str:
        return f"TokenProvider({self._token!r}, {self._label!r})"

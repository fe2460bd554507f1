"""What the ring asks of providers: each is opened once, and shows that it opens what it wraps."""

import base64
import binascii
import hmac
from pathlib import Path

from cipherset.core.errors import KeyAccessError
from cipherset.core.secret import Secret
from cipherset.custody.keys.providers import KeyProvider, open_provider


class Wrapper:
    """Secrets to base64 text and back, through the provider that a URI names."""

    def __init__(self, home: Path) -> None:
        """Relative paths in URIs are relative to ``home``."""
        self._home = home
        self._providers: dict[str, KeyProvider] = {}

    def wrap(self, uri: str, secret: Secret, bound: bytes) -> str:
        """``secret`` wrapped and bound to ``bound``, once the provider has opened it again.

        Raises:
            KeyAccessError: ``key_unwrap``; the provider's key cannot be used.
            BackendError: the provider is out of reach.
        """
        provider = self.provider(uri)
        wrapped = provider.wrap(secret, bound)
        if not hmac.compare_digest(provider.unwrap(wrapped, bound).reveal(), secret.reveal()):
            raise KeyAccessError(
                f"the provider {uri} does not open what it has just wrapped",
                code="key_unwrap",
                hint="check the provider; nothing was written",
            )
        return base64.b64encode(wrapped).decode()

    def unwrap(self, uri: str, wrapped: str | None, bound: bytes) -> Secret:
        """The secret.

        Raises:
            KeyAccessError: ``key_unwrap``; the provider's key cannot be used.
            BackendError: the provider is out of reach.
        """
        try:
            raw = base64.b64decode(wrapped or "", validate=True)
        except binascii.Error:
            raw = b""  # opens nothing
        return self.provider(uri).unwrap(raw, bound)

    def provider(self, uri: str) -> KeyProvider:
        """The provider that ``uri`` names."""
        if uri not in self._providers:
            self._providers[uri] = open_provider(uri, home=self._home)
        return self._providers[uri]

    def __repr__(self) -> str:
        return f"Wrapper({str(self._home)!r})"

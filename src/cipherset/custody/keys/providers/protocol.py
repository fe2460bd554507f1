"""What every provider does."""

from typing import Protocol

from cipherset.core.secret import Secret


class KeyProvider(Protocol):
    """Wraps secrets under a key that it alone can reach."""

    @property
    def uri(self) -> str:
        """Where the key is; holds no secret."""

    def wrap(self, plaintext: Secret, associated_data: bytes) -> bytes:
        """The wrapped secret, bound to ``associated_data``."""

    def unwrap(self, wrapped: bytes, associated_data: bytes) -> Secret:
        """The secret; ``KeyAccessError`` where key, associated data or one bit differs."""

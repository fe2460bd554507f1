"""Key providers: what wraps the secrets of the ring, chosen by the scheme of a URI.

A provider holds or reaches a key-encryption key (KEK) and does two things, ``wrap`` and
``unwrap``. Both bind associated data: a wrapped secret opens only as what it was wrapped as. The
module of a scheme, and the library it needs, is loaded when the scheme is asked for.
"""

from cipherset.custody.keys.providers.file import FileProvider
from cipherset.custody.keys.providers.open import open_provider
from cipherset.custody.keys.providers.protocol import KeyProvider

__all__ = ["FileProvider", "KeyProvider", "open_provider"]

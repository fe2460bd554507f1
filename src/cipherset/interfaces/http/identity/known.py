"""Who asks, once it is known, and the one answer where it is not."""

from dataclasses import dataclass
from typing import Final, Protocol

from starlette.requests import Request

from cipherset.core.errors import PolicyError
from cipherset.custody.policy import Authenticated

# What a client may prove itself with (RFC 9110, section 11.6.1); the same for everybody.
CHALLENGE: Final = 'DPoP algs="ES256 Ed25519", Bearer'


@dataclass(frozen=True, slots=True)
class Known:
    """A principal, what vouches for the name, and the address that they are connected from.

    ``identity`` is the URI that was verified, which keys may be bound to; None where a name was
    only claimed.
    """

    name: str
    authenticated: Authenticated
    network: str | None
    identity: str | None = None


class Identity(Protocol):
    """Tells who sent a request."""

    def identify(self, request: Request) -> Known:
        """The one who asks.

        Once for each request: a proof is good once. Blocks on the ledger, and at times on the
        issuer of tokens: call it in a thread.

        Raises:
            PolicyError: ``unidentified``, whatever was wrong: answer it with 401 and ``CHALLENGE``.
            BackendError: what would tell cannot be reached.
        """


def unidentified() -> PolicyError:
    """The one refusal: it does not say what was wrong, nor who there is."""
    return PolicyError(
        "nobody who is known here is proved to have sent this",
        code="unidentified",
        hint="connect with a registered client certificate, or send a token and the proof that "
        "its key is yours: docs/how-to/identity.md",
    )

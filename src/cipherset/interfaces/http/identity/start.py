"""What a server must have before it starts, and the identity that it has then."""

from dataclasses import dataclass
from ipaddress import ip_address

from cipherset.app.access.credentials import open_credentials
from cipherset.app.workspace import Session
from cipherset.core.errors import UsageError
from cipherset.interfaces.http.identity.access_token import AccessTokens
from cipherset.interfaces.http.identity.issuer import IssuerKeys
from cipherset.interfaces.http.identity.replay import USED_FILE, LastProof, ReplayStore
from cipherset.interfaces.http.identity.tls import TlsFiles
from cipherset.interfaces.http.identity.verified import VerifiedIdentity
from cipherset.interfaces.http.settings import Settings


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a server is to listen, and with which files if it speaks TLS."""

    host: str
    tls: TlsFiles | None
    settings: Settings

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it; a name other than localhost may be anybody's."""
        try:
            return self.host == "localhost" or ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False

    @property
    def verifies(self) -> bool:
        """Whether there is any way to prove who asks."""
        has_authority = self.tls is not None and self.tls.client_ca is not None
        return has_authority or self._takes_tokens

    @property
    def _takes_tokens(self) -> bool:
        return self.settings.oidc is not None or self.settings.tokens.accept

    def check(self) -> None:
        """Nothing, where a server may start so.

        Raises:
            UsageError: ``tls_needed``, ``identity_needed``, ``origins_needed``.
        """
        if self.is_local:
            return
        if self.tls is None:
            raise UsageError(
                f"{self.host} is reached from other machines, so it is served under TLS only",
                code="tls_needed",
                hint="give --tls-cert and --tls-key, or --host 127.0.0.1",
            )
        if not self.verifies:
            raise UsageError(
                f"{self.host} is reached from other machines, and nothing tells who asks",
                code="identity_needed",
                hint="give --client-ca, or write [oidc] or [tokens] in serve.toml",
            )
        if self._takes_tokens and not self.settings.proof.origins:
            raise UsageError(
                "clients prove for which server a request is, and nothing says what this one is "
                "called",
                code="origins_needed",
                hint='write in serve.toml: [proof] origins = ["https://gateway.example.org"]',
            )


def verified_identity(session: Session, settings: Settings) -> VerifiedIdentity:
    """The identity of a server over the session's ledger, which is held open.

    Raises:
        UsageError: ``session_not_held``.
        InputError: ``issuer_url``, ``issuer_ca``.
        IntegrityError: ``proofs_file``.
    """
    oidc = settings.oidc
    return VerifiedIdentity(
        open_credentials(session),
        settings.proof,
        ReplayStore(LastProof(session.home / USED_FILE)),
        issued=None if oidc is None else AccessTokens(oidc, IssuerKeys(oidc)),
        takes_ours=settings.tokens.accept,
    )

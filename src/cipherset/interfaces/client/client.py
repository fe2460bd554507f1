"""``Client``: every route of the gateway as a method, every refusal as one of our errors."""

from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from pydantic import TypeAdapter

from cipherset.interfaces.client.audit import AuditCalls
from cipherset.interfaces.client.connection import Connection, Credentials
from cipherset.interfaces.client.grants import GrantCalls
from cipherset.interfaces.client.lab import LabCalls
from cipherset.interfaces.client.predict import PredictCalls
from cipherset.interfaces.client.sanitize import SanitizeCalls
from cipherset.interfaces.client.search import SearchCalls

_HEALTH: Final = TypeAdapter(dict[str, Any])


class Client(GrantCalls, AuditCalls, SanitizeCalls, PredictCalls, SearchCalls, LabCalls):
    """A gateway at ``url``; safe for several threads, and to be closed.

    Example:
        >>> with Client("http://127.0.0.1:8443") as gateway:  # doctest: +SKIP
        ...     gateway.sanitize(["write to jo@x.com"]).texts
        ['write to [EMAIL]']
    """

    def __init__(
        self,
        url: str,
        *,
        ca: Path | str | None = None,
        certificate: tuple[Path | str, Path | str] | None = None,
        token: str | None = None,
        key: Path | str | None = None,
        timeout_s: float = 60.0,
    ) -> None:
        """Nothing is sent yet.

        Args:
            url: ``https://HOST:PORT``; ``http://`` only to this machine.
            ca: Whose certificates the gateway may bear, PEM; without, the system's authorities.
            certificate: Our certificate and its key, PEM, for mutual TLS.
            token: An access token, or one of ``cipherset principal token``.
            key: The private key that the token is bound to, PEM; without, it is bound to the
                certificate.
            timeout_s: How long one call may take.

        Raises:
            UsageError: ``gateway_url``.
            KeyAccessError: ``client_files``.
        """
        own, own_key = certificate or (None, None)
        credentials = Credentials(_path(ca), _path(own), _path(own_key), token, _path(key))
        self._connection = Connection(url, credentials, timeout_s)

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def health(self, *, ready: bool = False) -> dict[str, Any]:
        """That the gateway lives; with ``ready`` that it can work.

        Raises:
            BackendError: it cannot be reached; ``gateway_answer``: it is not well.
        """
        query = {"ready": "true"} if ready else None
        answer = self._connection.ask("GET", "/healthz", query=query)
        return self._connection.told(_HEALTH, answer)

    def metrics(self) -> str:
        """Counts, times and budgets in the text form of Prometheus."""
        return self._connection.ask("GET", "/metrics").text


def _path(given: Path | str | None) -> Path | None:
    return None if given is None else Path(given)

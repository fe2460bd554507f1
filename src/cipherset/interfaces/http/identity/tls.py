"""TLS as the server speaks it, and how the client's certificate comes to the request.

Versions 1.2 and 1.3, forward secrecy and authenticated ciphers only. No session is resumed: a
resumed one would bring a certificate that was verified against an authority of yesterday. Files
that changed are read again at the next connection; while they do not fit together the earlier ones
stay.
"""

import logging
import ssl
from asyncio import BaseTransport, Transport
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

from cipherset.core.errors import InputError

# TLS 1.2; those of 1.3 are all of this kind.
CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
EXTENSION: Final = "tls"
_VERSIONS: Final = {"TLSv1.2": 0x0303, "TLSv1.3": 0x0304}
_LOG: Final = logging.getLogger(__name__)
_Stamp = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The server's certificate chain and its key, and whose client certificates are taken, in PEM.

    ``must_bring``: a connection without a client certificate is refused.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None
    must_bring: bool = True


class ServerTls:
    """A context for the server's sockets, which follows its files."""

    def __init__(self, files: TlsFiles) -> None:
        """Read the files.

        Raises:
            InputError: ``tls_files``.
        """
        self._files = files
        self._stamp = self._look()
        try:
            self._current = _context(files)
            self.context = _context(files)
        except (OSError, ssl.SSLError):
            raise _bad(files) from None
        self.context.sni_callback = self._turn_to_current

    def _turn_to_current(
        self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext
    ) -> None:
        """Called at each handshake, whether the client names a server or not."""
        stamp = self._look()
        if stamp != self._stamp:
            self._read_again(stamp)
        connection.context = self._current

    def _read_again(self, stamp: _Stamp) -> None:
        try:
            self._current = _context(self._files)
        except (OSError, ssl.SSLError):
            _LOG.warning("the files of TLS changed and do not fit together: the earlier ones stay")
            return
        self._stamp = stamp

    def _look(self) -> _Stamp:
        files = (self._files.certificate, self._files.key, self._files.client_ca)
        try:
            found = [file.stat() for file in files if file is not None]
        except OSError:
            return ()
        return tuple((each.st_mtime_ns, each.st_size, each.st_ino) for each in found)


def _context(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.num_tickets = 0
    context.load_cert_chain(files.certificate, files.key, password=_no_password)
    if files.client_ca is not None:
        context.load_verify_locations(files.client_ca)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        context.verify_mode = ssl.CERT_REQUIRED if files.must_bring else ssl.CERT_OPTIONAL
    return context


def _no_password() -> str:
    """For a key under a password, which would be asked for at the terminal otherwise."""
    return ""


def _bad(files: TlsFiles) -> InputError:
    return InputError(
        f"{files.certificate} and {files.key} are no certificate and its key in PEM, or the "
        "authority of the clients is none",
        code="tls_files",
        hint="give --tls-cert the chain, --tls-key its key without a password, and --client-ca "
        "the certificates of who signs the clients'",
    )


class PeerProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, with the client's certificate in the scope: ``extensions.tls``.

    Source: the TLS extension of ASGI, https://asgi.readthedocs.io/en/latest/specs/tls.html.
    """

    def connection_made(self, transport: BaseTransport) -> None:
        """Note the certificate, which is the connection's: that of all its requests."""
        super().connection_made(transport)  # type: ignore[arg-type]
        if isinstance(transport, Transport):
            connection = transport.get_extra_info("ssl_object")
            if connection is not None:
                self.app = _with(self.app, _told(connection))


def _with(app: Any, extension: dict[str, object]) -> Any:  # noqa: ANN401 -- an ASGI application
    async def told(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 -- ASGI's
        scope.setdefault("extensions", {})[EXTENSION] = extension
        await app(scope, receive, send)

    return told


def _told(connection: ssl.SSLObject) -> dict[str, object]:
    der = connection.getpeercert(binary_form=True)
    return {
        "server_cert": None,
        "client_cert_chain": [] if der is None else [ssl.DER_cert_to_PEM_cert(der)],
        "client_cert_name": None,
        "client_cert_error": None,
        "tls_version": _VERSIONS.get(connection.version() or ""),
        "cipher_suite": None,
    }

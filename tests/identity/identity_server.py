"""A real server on loopback: uvicorn, TLS, and one route that says who asks."""

import asyncio
import datetime
import ssl
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import trustme
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from cipherset.core.errors import CiphersetError
from cipherset.interfaces.http.identity import CHALLENGE
from cipherset.interfaces.http.identity.tls import PeerProtocol, ServerTls, TlsFiles

PATIENCE_S = 60.0
# uvicorn waits for whoever is connected still.
END_WITHIN_S = 300.0
NOW = datetime.datetime.now(datetime.UTC)
YESTERDAY, TOMORROW = (NOW + datetime.timedelta(days=days) for days in (-1, 1))


@dataclass(frozen=True)
class Authority:
    """An authority and the files of what it issued."""

    ca: trustme.CA
    folder: Path

    @classmethod
    def made(cls, folder: Path) -> "Authority":
        folder.mkdir(exist_ok=True)
        one = cls(trustme.CA(), folder)
        one.ca.cert_pem.write_to_path(folder / "ca.pem")
        return one

    @property
    def file(self) -> Path:
        return self.folder / "ca.pem"

    def server(self, name: str = "server") -> tuple[Path, Path]:
        """Certificate and key of a server on this machine."""
        issued = self.ca.issue_cert("localhost", "127.0.0.1")
        return self._written(
            name,
            b"".join(pem.bytes() for pem in issued.cert_chain_pems),
            issued.private_key_pem.bytes(),
        )

    def client(self, name: str, *uris: str, common_name: str = "", **span) -> tuple[Path, Path]:
        """Certificate and key of a client: what may stand in it, our authority does not check."""
        private = generate_private_key(SECP256R1())
        signing = load_pem_private_key(self.ca.private_key_pem.bytes(), password=None)
        pem = certificate_of(private, (self.ca, signing), uris, common_name, **span)
        key = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return self._written(name, pem, key)

    def _written(self, name: str, certificate: bytes, key: bytes) -> tuple[Path, Path]:
        paths = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        for path, raw in zip(paths, (certificate, key), strict=True):
            path.write_bytes(raw)
        return paths


def certificate_of(private, issuer, uris, common_name, *, begins=YESTERDAY, ends=TOMORROW) -> bytes:
    authority, signing = issuer
    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "lab")]
    names += [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    above = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    identifier = above.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        x509.CertificateBuilder(above.subject, x509.Name(names), private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
    )
    if uris:
        found = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(u) for u in uris])
        builder = builder.add_extension(found, critical=False)
    return builder.sign(signing, SHA256()).public_bytes(Encoding.PEM)


def app_of(identity) -> FastAPI:
    app = FastAPI()

    @app.api_route("/who", methods=["GET", "POST"])
    def who(request: Request) -> dict[str, str | None]:
        known = identity.identify(request)
        return {
            "name": known.name,
            "by": known.authenticated.value,
            "network": known.network,
            "identity": known.identity,
        }

    @app.exception_handler(CiphersetError)
    def refused(request: Request, error: CiphersetError) -> JSONResponse:
        told = {"code": error.code, "message": error.message, "hint": error.hint}
        return JSONResponse({"error": told}, 401, {"WWW-Authenticate": CHALLENGE})

    return app


@contextmanager
def serving(app: FastAPI, files: TlsFiles):
    """Its port."""
    tls = ServerTls(files)
    config = uvicorn.Config(
        app,
        port=0,
        http=PeerProtocol,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        proxy_headers=False,
        ssl_context_factory=lambda *_: tls.context,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server._serve()), daemon=True)
    thread.start()
    try:
        wait(lambda: server.started)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(END_WITHIN_S)
        assert not thread.is_alive(), server.server_state.connections


def wait(is_done):
    ends = time.monotonic() + PATIENCE_S
    while not is_done():
        assert time.monotonic() < ends
        time.sleep(0.01)


def trusting(authority: Authority, certificate=None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority.file)
    if certificate is not None:
        context.load_cert_chain(*certificate)
    return context


@contextmanager
def client_of(authority, port, certificate=None):
    context = trusting(authority, certificate)
    with httpx.Client(
        base_url=f"https://localhost:{port}", verify=context, trust_env=False, timeout=PATIENCE_S
    ) as client:
        yield client

"""Keys in Transit: an OpenBao server."""

import http.server
import ssl
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from custody_provider_suite import check_key_provider, check_refusals, check_ring, refused
from custody_servers import private
from ports import free_port

from cipherset.core.secret import Secret
from cipherset.custody.keys import open_provider

pytestmark = pytest.mark.extra


@pytest.fixture
def transit(openbao, tmp_path, request) -> SimpleNamespace:
    key = "".join(letter for letter in request.node.name if letter.isalnum() or letter == "_")

    def token_for(*paths: str) -> str:
        """Write a new token that may ``update`` the paths into a file."""
        rules = "".join(f'path "transit/{p}" {{ capabilities = ["update"] }}\n' for p in paths)
        name = f"{key}-{len(list(tmp_path.iterdir()))}"
        openbao.client.sys.create_or_update_policy(name, rules)
        made = openbao.client.auth.token.create(policies=[name], no_default_policy=True)
        return str(private(tmp_path / name, made["auth"]["client_token"] + "\n"))

    def uri(name=key, *, token=None, address=openbao.address, more="") -> str:
        token = token or token_for(f"encrypt/{name}", f"decrypt/{name}")
        return f"hcvault:transit/keys/{name}?address={address}&token-file={token}{more}"

    def make(*args, **named):
        return open_provider(uri(*args, **named), home=tmp_path)

    openbao.client.secrets.transit.create_key(key)
    return SimpleNamespace(
        key=key,
        uri=uri,
        make=make,
        token_for=token_for,
        engine=openbao.client.secrets.transit,
        server=openbao,
    )


def test_it_is_a_key_provider(transit):
    transit.engine.create_key("stranger")
    token = transit.token_for("encrypt/+", "decrypt/+")
    check_key_provider(
        lambda: transit.make(token=token),
        lambda: transit.make("stranger", token=token),
        leaks=(Path(token).read_text().strip(),),
    )


def test_a_ring_works_over_it(transit, tmp_path):
    check_ring(tmp_path / "ring", transit.uri())


def test_a_token_that_may_only_decrypt(transit):
    wrapped = transit.make().wrap(Secret(bytes(32)), b"bound")
    token = transit.token_for(f"decrypt/{transit.key}")
    reader = transit.make(token=token)
    assert reader.unwrap(wrapped, b"bound").reveal() == bytes(32)
    told = refused(lambda: reader.wrap(Secret(bytes(32)), b"bound"), "provider_denied")
    assert Path(token).read_text().strip() not in told


def test_a_token_that_is_none(transit, tmp_path):
    token = str(private(tmp_path / "none", "canary-token"))
    told = refused(
        lambda: transit.make(token=token).unwrap(b"vault:v1:AAAA", b""), "provider_denied"
    )
    assert "canary-token" not in told


def test_a_sealed_server(transit):
    provider = transit.make()
    wrapped = provider.wrap(Secret(bytes(32)), b"bound")

    @contextmanager
    def sealed():
        transit.server.client.sys.seal()
        yield
        transit.server.unseal()

    check_refusals(provider, wrapped, sealed(), "provider_locked")


def test_a_version_that_may_not_decrypt_any_more(transit):
    provider = transit.make()
    wrapped = provider.wrap(Secret(bytes(32)), b"bound")
    transit.engine.rotate_key(transit.key)
    assert provider.unwrap(wrapped, b"bound").reveal() == bytes(32)
    transit.engine.update_key_configuration(transit.key, min_decryption_version=2)
    refused(lambda: provider.unwrap(wrapped, b"bound"), "key_disabled")


def test_a_lost_key_or_engine(transit):
    provider = transit.make()
    wrapped = provider.wrap(Secret(bytes(32)), b"")
    transit.engine.update_key_configuration(transit.key, deletion_allowed=True)
    transit.engine.delete_key(transit.key)
    refused(lambda: provider.unwrap(wrapped, b""), "kek_missing")
    # A token that may update but not create does not make it anew.
    refused(lambda: provider.wrap(Secret(bytes(32)), b""), "provider_denied", "kek_missing")


@pytest.mark.parametrize("made", [{"key_type": "rsa-2048"}, {"derived": True}])
def test_a_key_of_another_kind(transit, made):
    name = "kind-" + next(iter(made))
    transit.engine.create_key(name, **made)
    refused(lambda: transit.make(name).wrap(Secret(bytes(32)), b"x"), "kek_unsuitable")


def test_a_server_that_is_down(transit):
    provider = transit.make(address=f"http://127.0.0.1:{free_port()}")
    refused(lambda: provider.unwrap(b"vault:v1:AAAA", b""), "provider_unreachable")


@pytest.mark.parametrize("text", [b"\xff", b"vault:v1:AAA", b"vault:v1:AAB=", b"vault:v0:AAAA"])
def test_what_transit_did_not_write_is_not_sent_to_it(tmp_path, text):
    uri = f"hcvault:m/keys/k?address=http://127.0.0.1:{free_port()}&token-file=none"
    refused(lambda: open_provider(uri, home=tmp_path).unwrap(text, b""), "key_unwrap")


def answer_with(status: int, body: bytes, asked: list[str]):
    class Answering(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.path)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            if status == 307:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    return Answering


@contextmanager
def serving(handler, tls=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.handle_error = lambda *args: None
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "code", "asked_times"),
    [
        (500, b"{}", "provider_unreachable", 4),
        (503, b'{"errors":["starting"]}', "provider_unreachable", 4),
        (307, b"", "provider_failed", 1),
        (200, b"{}", "provider_failed", 1),
        (200, b'{"data":{"plaintext":"AAAA"}}', "key_unwrap", 1),
        (200, b'{"data":{"plaintext":"AAA"}}', "key_unwrap", 1),
        (400, b'{"errors":["canary words"]}', "provider_failed", 1),
        (405, b"", "provider_failed", 1),
    ],
)
def test_odd_answers(tmp_path, status, body, code, asked_times):
    private(tmp_path / "token", "canary-token")
    asked = []
    with serving(answer_with(status, body, asked)) as address:
        uri = f"hcvault:a/b/keys/k?address={address}&token-file=token"
        provider = open_provider(uri, home=tmp_path)
        told = refused(lambda: provider.unwrap(b"vault:v1:AAAA", b""), code)
    assert "canary" not in told
    assert asked == ["/v1/a/b/decrypt/k"] * asked_times


def test_a_certificate_is_checked(tmp_path):
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    named = ["-subj", "/CN=here", "-addext", "subjectAltName=IP:127.0.0.1"]
    written = ["-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "ca")]
    subprocess.run([*made, *named, *written], check=True, capture_output=True, timeout=600)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "ca", tmp_path / "key")
    private(tmp_path / "token", "t")
    body = b'{"data":{"ciphertext":"vault:v1:AAAA"}}'
    with serving(answer_with(200, body, []), tls) as address:
        uri = f"hcvault:m/keys/k?address={address}&token-file=token"
        wrapped = open_provider(uri + "&ca-file=ca", home=tmp_path).wrap(Secret(bytes(32)), b"")
        assert wrapped == b"vault:v1:AAAA"
        unknown = open_provider(uri, home=tmp_path)
        refused(lambda: unknown.wrap(Secret(bytes(32)), b""), "provider_certificate")
        absent = open_provider(uri + "&ca-file=none", home=tmp_path)
        refused(lambda: absent.wrap(Secret(bytes(32)), b""), "provider_unreachable")


@pytest.mark.parametrize(
    "uri",
    [
        "hcvault:transit?address=https://host&token-file=t",
        "hcvault:/keys/k?address=https://host&token-file=t",
        "hcvault:m/keys/?address=https://host&token-file=t",
        "hcvault:../sys/keys/k?address=https://host&token-file=t",
        "hcvault:m/keys/k?address=http://host&token-file=t",
        "hcvault:m/keys/k?address=https://canary:canary@host&token-file=t",
        "hcvault:m/keys/k?address=https://host:port&token-file=t",
        "hcvault:m/keys/k?address=https://&token-file=t",
        "hcvault:m/keys/k?address=https://host&token=canary",
        "hcvault:m/keys/k?address=https://host&token-file=t&ca-file=",
    ],
)
def test_other_uris_are_refused_and_not_repeated(uri):
    told = refused(lambda: open_provider(uri, home=Path()), "provider_uri")
    assert "canary" not in told

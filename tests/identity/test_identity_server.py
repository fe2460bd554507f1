"""Over real connections: who is let in, and what a thief on the path or of a token gets."""

import socket
import ssl
from dataclasses import replace

import httpx
import pytest
from identity_issuer import serving as issuing
from identity_people import ROUTER, Client, add, identity_over, p256
from identity_server import PATIENCE_S, Authority, app_of, client_of, serving, trusting

from cipherset.app.access import tokens
from cipherset.app.access.binding import binding_to_certificate
from cipherset.app.access.credentials import open_credentials
from cipherset.app.access.tokens import Wanted
from cipherset.core.errors import InputError
from cipherset.custody.policy import Authenticated
from cipherset.interfaces.http.identity import CHALLENGE, Known
from cipherset.interfaces.http.identity.access_token import AccessTokens
from cipherset.interfaces.http.identity.clock import ForwardClock
from cipherset.interfaces.http.identity.issuer import IssuerKeys
from cipherset.interfaces.http.identity.tls import ServerTls, TlsFiles
from cipherset.interfaces.proof import Possession, make_proof


@pytest.fixture
def authority(tmp_path):
    return Authority.made(tmp_path / "authority")


@pytest.fixture
def files(authority):
    return TlsFiles(*authority.server(), authority.file, must_bring=False)


@pytest.fixture
def port(held, files):
    with serving(app_of(identity_over(held, takes_ours=True)), files) as at:
        yield at


def refused(response) -> bool:
    assert response.headers["www-authenticate"] == CHALLENGE
    return response.status_code == 401


def test_a_registered_certificate_is_a_principal(authority, port):
    uri = authority.client("router", ROUTER)
    named = authority.client("bob", common_name="bob")
    with client_of(authority, port, uri) as client:
        assert client.get("/who").json() == {
            "name": "ada",
            "by": "certificate",
            "network": "127.0.0.1",
            "identity": ROUTER,
        }
    with client_of(authority, port, named) as client:
        assert client.get("/who").json()["identity"] == "cipherset:principal:bob"


def test_whoever_is_not_registered_is_nobody(authority, port):
    for certificate in (
        None,
        authority.client("x", "spiffe://example.org/other"),
        authority.client("y", common_name="eve"),
        authority.client("z", ROUTER, "spiffe://example.org/second"),
        authority.client("v", "spiffe://example.org/other", common_name="bob"),
    ):
        with client_of(authority, port, certificate) as client:
            assert refused(client.get("/who"))


def test_a_certificate_of_another_authority_makes_no_connection(tmp_path, authority, port):
    foreign = Authority.made(tmp_path / "foreign").client("router", ROUTER)
    with client_of(authority, port, foreign) as client, pytest.raises(httpx.HTTPError):
        client.get("/who")


def test_without_a_certificate_there_is_no_connection_where_one_is_required(held, authority, files):
    with (
        serving(app_of(identity_over(held)), replace(files, must_bring=True)) as port,
        client_of(authority, port) as client,
        pytest.raises(httpx.HTTPError),
    ):
        client.get("/who")


@pytest.mark.parametrize("client_key", [Client(), p256()], ids=["Ed25519", "P-256"])
def test_a_token_is_good_with_its_key(held, authority, port, client_key):
    made = tokens.issue(held, Wanted("bob", client_key.binding))
    auth = Possession(made["token"], client_key.private)
    with client_of(authority, port) as client:
        for method in ("GET", "POST"):
            found = client.request(method, "/who?a=b", auth=auth)
            assert (found.status_code, found.json()["by"]) == (200, "token")


def test_attack_a_stolen_token_without_its_key_opens_nothing(held, authority, port):
    """The thief has all that crossed the wire once, and a certificate of their own."""
    victim, thief = Client(), Client()
    made = tokens.issue(held, Wanted("bob", victim.binding))
    token, url = made["token"], f"https://localhost:{port}/who"
    seen = {
        "authorization": f"DPoP {token}",
        "dpop": make_proof(victim.private, "GET", url, token),
    }
    own = make_proof(thief.private, "GET", url, token)
    with client_of(authority, port) as client:
        assert client.get("/who", headers=seen).status_code == 200
        tries = [
            {"authorization": f"Bearer {token}"},
            {"authorization": f"bearer {token}", "dpop": seen["dpop"]},
            {"authorization": f"DPoP {token}"},
            {"authorization": f"DPoP {token}", "dpop": own},
            {"authorization": token},
            {"authorization": f"Basic {token}"},
            {"dpop": seen["dpop"]},
            seen,
        ]
        bodies = {client.get("/who", headers=each).text for each in tries}
        assert all(refused(client.get("/who", headers=each)) for each in tries)
        assert len(bodies) == 1
        assert token not in bodies.pop()
        assert refused(client.post("/who", headers=seen))
        with client_of(authority, port, authority.client("z", "spiffe://example.org/z")) as other:
            assert refused(other.get("/who", headers=tries[0]))


class NoKeyAsked:
    """The weak one: a token alone is enough. The attack must break it, or it is no attack."""

    def __init__(self, held):
        self.credentials = open_credentials(held)

    def identify(self, request):
        shown = self.credentials.shown(request.headers["authorization"].partition(" ")[2])
        return Known(shown.principal, Authenticated.TOKEN, None)


def test_attack_the_thief_gets_in_where_no_key_is_asked(held, authority, files):
    made = tokens.issue(held, Wanted("bob", Client().binding))
    with (
        serving(app_of(NoKeyAsked(held)), files) as port,
        client_of(authority, port) as client,
    ):
        stolen = {"authorization": f"Bearer {made['token']}"}
        assert client.get("/who", headers=stolen).json()["name"] == "bob"


def test_attack_a_captured_request_is_good_once(held, authority, port):
    victim = Client()
    made = tokens.issue(held, Wanted("bob", victim.binding))
    fresh = victim.headers(made["token"], url=f"https://localhost:{port}/who")
    with client_of(authority, port) as client:
        assert client.get("/who", headers=fresh).status_code == 200
        for _ in range(3):
            assert refused(client.get("/who", headers=fresh))


def test_a_proof_for_another_server_is_none_whatever_the_host_header_says(held, authority, port):
    victim = Client()
    made = tokens.issue(held, Wanted("bob", victim.binding))
    elsewhere = victim.headers(made["token"], url="https://other.example.org/who")
    with client_of(authority, port) as client:
        assert refused(client.get("/who", headers=elsewhere | {"host": "other.example.org"}))


def test_a_token_bound_to_a_certificate_is_good_on_its_connections_only(held, authority, port):
    mine, other = authority.client("mine"), authority.client("other", ROUTER)
    made = tokens.issue(held, Wanted("bob", binding_to_certificate(mine[0])))
    bearer = {"authorization": f"Bearer {made['token']}"}
    with client_of(authority, port, mine) as client:
        assert client.get("/who", headers=bearer).json()["name"] == "bob"
        assert refused(client.get("/who"))
        proof = Client().headers(made["token"], url=f"https://localhost:{port}/who")
        assert refused(client.get("/who", headers=proof))
    for certificate in (other, None):
        with client_of(authority, port, certificate) as client:
            assert refused(client.get("/who", headers=bearer))


def test_a_wrong_token_is_not_made_up_for_by_a_right_certificate(held, authority, port):
    with client_of(authority, port, authority.client("router", ROUTER)) as client:
        assert client.get("/who").status_code == 200
        assert refused(client.get("/who", headers={"authorization": "Bearer x"}))


def test_an_issuer_s_tokens_over_a_connection(held, authority, files):
    device, name = Client(), authority.client("device")
    with issuing() as issuer:
        add(held, "sci", f"{issuer.url}#4711")
        oidc = issuer.oidc()
        identity = identity_over(held, issued=AccessTokens(oidc, IssuerKeys(oidc)))
        now = ForwardClock().now()
        with serving(app_of(identity), files) as port:
            url = f"https://localhost:{port}/who"
            token = issuer.token(issuer.claims(now, cnf={"jkt": device.thumbprint}))
            with client_of(authority, port) as client:
                found = client.get("/who", headers=device.headers(token, url=url)).json()
                assert (found["name"], found["identity"]) == ("sci", f"{issuer.url}#4711")
                assert refused(client.get("/who", headers={"authorization": f"Bearer {token}"}))
                bearer = issuer.token(issuer.claims(now))
                assert refused(client.get("/who", headers=device.headers(bearer, url=url)))
                ours = tokens.issue(held, Wanted("bob", device.binding))["token"]
                assert refused(client.get("/who", headers=device.headers(ours, url=url)))
                other = issuer.claims(now, sub="0815", cnf={"jkt": device.thumbprint})
                headers = device.headers(issuer.token(other), url=url)
                assert refused(client.get("/who", headers=headers))
            thumbprint = binding_to_certificate(name[0]).partition(":")[2]
            bound = issuer.token(issuer.claims(now, cnf={"x5t#S256": thumbprint}))
            with client_of(authority, port, name) as client:
                headers = {"authorization": f"Bearer {bound}"}
                assert client.get("/who", headers=headers).json()["name"] == "sci"


def test_old_versions_and_weak_ciphers_are_not_spoken(authority, files, port):
    context = ServerTls(files).context
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert all("GCM" in each["name"] or "CHACHA" in each["name"] for each in context.get_ciphers())
    for change in (
        {"maximum_version": ssl.TLSVersion.TLSv1_1, "minimum_version": ssl.TLSVersion.TLSv1},
        {"ciphers": "AES256-SHA:AES128-GCM-SHA256", "maximum_version": ssl.TLSVersion.TLSv1_2},
    ):
        context = trusting(authority)
        with pytest.warns(DeprecationWarning) if "ciphers" not in change else nothing():
            for name, value in change.items():
                if name == "ciphers":
                    context.set_ciphers(f"{value}:@SECLEVEL=0")
                else:
                    setattr(context, name, value)
        with (
            socket.create_connection(("127.0.0.1", port), PATIENCE_S) as plain,
            pytest.raises((ssl.SSLError, ConnectionError)),
        ):
            context.wrap_socket(plain, server_hostname="localhost")


def test_no_session_is_resumed(authority, port):
    context = trusting(authority)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection(("127.0.0.1", port), PATIENCE_S) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as first,
    ):
        session = first.session
    with (
        socket.create_connection(("127.0.0.1", port), PATIENCE_S) as plain,
        context.wrap_socket(plain, server_hostname="localhost", session=session) as again,
    ):
        assert not again.session_reused


def test_changed_files_are_taken_up_without_a_restart(tmp_path, held, authority, files):
    old_client = authority.client("router", ROUTER)
    other = Authority.made(tmp_path / "other")
    new_client = other.client("router", ROUTER)
    with serving(app_of(identity_over(held)), files) as port:
        with client_of(authority, port, old_client) as client:
            assert client.get("/who").status_code == 200
        # Half of it: the certificate without its key. The earlier ones stay.
        certificate, key = other.server()
        files.certificate.write_bytes(certificate.read_bytes())
        with client_of(authority, port, old_client) as client:
            assert client.get("/who").status_code == 200
        files.key.write_bytes(key.read_bytes())
        files.client_ca.write_bytes(other.file.read_bytes())
        with client_of(other, port, new_client) as client:
            assert client.get("/who").json()["name"] == "ada"
        with client_of(other, port, old_client) as client, pytest.raises(httpx.HTTPError):
            client.get("/who")
        files.key.unlink()
        with client_of(other, port, new_client) as client:
            assert client.get("/who").status_code == 200


def test_files_that_are_no_certificate_and_key(tmp_path, authority):
    certificate, key = authority.server()
    other = authority.server("other")
    for files in (
        TlsFiles(certificate, tmp_path / "none"),
        TlsFiles(certificate, other[1]),
        TlsFiles(key, certificate),
        TlsFiles(certificate, key, key),
    ):
        with pytest.raises(InputError) as caught:
            ServerTls(files)
        assert caught.value.code == "tls_files"


def nothing():
    from contextlib import nullcontext

    return nullcontext()

"""``cipherset.Client`` against a real gateway: what it gives, and which errors it raises."""

import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from http_samples import TEAM, team_in
from http_server import DEADLINE_S, running, served

import cipherset
from cipherset.app.access.signing import make_signer, signer_in
from cipherset.app.audit.files import read_signed
from cipherset.custody.ledger import check_consistency, check_event
from cipherset.custody.policy import Role, Vote, VoteKind, decode_request, sign_vote
from cipherset.interfaces.client.connection import Credentials
from cipherset.interfaces.client.grants import signed_vote
from cipherset.interfaces.http.identity.dpop import Target, check_proof
from cipherset.interfaces.http.limits import DEFAULT_LIMITS


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    home = tmp_path_factory.mktemp("client") / "workspace"
    with (
        running(home, DEFAULT_LIMITS) as found,
        cipherset.Client(f"http://127.0.0.1:{found.port}") as client,
    ):
        yield client


def test_it_lives_and_counts(gateway):
    assert gateway.health() == {"status": "ok", "checks": {}}
    assert gateway.health(ready=True)["checks"] == {"workspace": "ok"}
    assert 'cipherset_requests_total{route="/healthz",status="200"}' in gateway.metrics()


def test_texts_come_back_without_what_must_not_leave(gateway):
    done = gateway.sanitize(["write to jo@x.com", "nothing"])
    assert done.texts == ["write to [EMAIL]", "nothing"]
    assert done.found == [{"EMAIL": 1}, {}]
    assert (done.withheld, done.rules[:7]) == ({}, "sha256:")
    assert "jo@x.com" not in repr(done)


def test_events_come_page_by_page(gateway):
    for _ in range(60):
        gateway.grants()
    events = list(gateway.events())
    assert len(events) > 120
    assert [each.seq for each in events] == list(range(1, len(events) + 1))
    assert {each.action for each in gateway.events(action="view")} == {"view"}
    last = events[-1].seq
    assert next(gateway.events(action="view", after=last - 5)).seq > last - 5


def test_what_an_auditor_takes_home_can_be_verified_there(gateway, tmp_path):
    older = gateway.checkpoint()
    newer = gateway.checkpoint()
    assert newer.size > older.size
    found = gateway.verify_audit(older.checkpoint, signer=older.signer)
    assert (found.valid, found.first_bad) == (True, None)
    (tmp_path / "newer").write_text(newer.checkpoint)
    (tmp_path / "older").write_text(older.checkpoint)
    signed = read_signed(tmp_path / "newer", newer.signer)
    before = read_signed(tmp_path / "older", newer.signer)
    proof = gateway.prove(newer.checkpoint, seq=3)
    assert check_event(proof.encode(), signed.checkpoint).seq == 3
    grown = gateway.prove(newer.checkpoint, since=older.checkpoint)
    check_consistency(grown.encode(), before.checkpoint, signed.checkpoint)


def code_of(kind, call):
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    assert caught.value.hint
    return caught.value.code


def test_refusals_are_our_own_errors(gateway):
    missing = "grant-0123456789ab"
    assert code_of(cipherset.UsageError, lambda: gateway.grant(missing)) == "grant_unknown"
    assert code_of(cipherset.UsageError, lambda: gateway.approve(missing)) == "grant_unknown"
    assert code_of(cipherset.IntegrityError, lambda: gateway.prove("{}")) == "envelope_form"
    assert code_of(cipherset.InputError, lambda: gateway.sanitize([])) == "request_form"
    unknown = code_of(cipherset.IntegrityError, lambda: gateway.sanitize(["a"], key="nobody"))
    assert unknown == "key_unknown"
    both = code_of(cipherset.IntegrityError, lambda: gateway.prove("{}", seq=1, since="{}"))
    assert both == "envelope_form"
    signed = gateway.checkpoint().checkpoint
    assert code_of(cipherset.UsageError, lambda: gateway.prove(signed)) == "proof_of"
    path = code_of(
        cipherset.UsageError, lambda: gateway.request_grant("scan", ["/etc/passwd"], "a look")
    )
    assert path == "asset_place"


def test_a_gateway_that_is_not_there():
    with cipherset.Client("http://127.0.0.1:9", timeout_s=5) as client:
        assert code_of(cipherset.BackendError, client.health) == "gateway_unreachable"


@contextmanager
def somebody_else(status, body):
    class Handler(BaseHTTPRequestHandler):
        timeout = DEADLINE_S  # of a connection that says nothing: the server would never end

        def do_GET(self):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(DEADLINE_S)
            assert not thread.is_alive()


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"hello"), (403, b"<html>"), (302, b""), (418, b"{}"), (500, b'{"error": 1}')],
)
def test_what_is_no_gateway(status, body):
    with somebody_else(status, body) as url, cipherset.Client(url) as client:
        assert code_of(cipherset.BackendError, client.grants) == "gateway_answer"


@pytest.mark.parametrize("url", ["http://gateway.example", "gateway", "ftp://127.0.0.1", ""])
def test_an_address_that_would_tell_everybody(url):
    assert code_of(cipherset.UsageError, lambda: cipherset.Client(url)) == "gateway_url"


def test_files_that_do_not_fit_together(tmp_path):
    (tmp_path / "no.pem").write_text("no")
    no = str(tmp_path / "no.pem")
    url = "https://127.0.0.1:1"
    for options in ({"ca": no}, {"certificate": (no, no)}, {"token": "t", "key": no}):
        made = lambda options=options: cipherset.Client(url, **options)  # noqa: E731
        assert code_of(cipherset.KeyAccessError, made) == "client_files"
    assert "secret" not in repr(Credentials(token="secret"))


@pytest.mark.parametrize("kind", ["Ed25519", "P-256"])
def test_a_token_is_sent_with_a_proof_for_each_request(kind, tmp_path):
    path = tmp_path / "client.key"
    if kind == "Ed25519":
        make_signer(path)
    else:
        key = generate_private_key(SECP256R1())
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with cipherset.Client("https://127.0.0.1:1", token="cst_t", key=path) as client:
        auth = client._connection._client.auth
    sent = [httpx.Request("GET", "https://127.0.0.1:1/v1/grants?after=3") for _ in range(2)]
    for request in sent:
        next(auth.auth_flow(request))
        assert request.headers["Authorization"] == "DPoP cst_t"
    here = Target("GET", frozenset({"https://127.0.0.1:1"}), "/v1/grants")
    proofs = [
        check_proof(each.headers["DPoP"], here, "cst_t", now=time.time(), window_s=60)
        for each in sent
    ]
    assert None not in proofs
    assert proofs[0].name != proofs[1].name
    assert proofs[0].thumbprint == proofs[1].thumbprint
    elsewhere = replace(here, path="/v1/audit/events")
    assert (
        check_proof(sent[0].headers["DPoP"], elsewhere, "cst_t", now=time.time(), window_s=60)
        is None
    )


def test_a_token_for_a_certificate_goes_alone():
    with cipherset.Client("https://127.0.0.1:1", token="cst_t") as client:
        request = httpx.Request("GET", "https://127.0.0.1:1/v1/grants")
        next(client._connection._client.auth.auth_flow(request))
    assert request.headers["Authorization"] == "Bearer cst_t"
    assert "DPoP" not in request.headers


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """A team behind mutual TLS: a client for each, and cora's own key."""
    folder = tmp_path_factory.mktemp("people")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    for name in ("server", "nobody", *TEAM):
        issued = authority.issue_cert("localhost", "127.0.0.1", common_name=name)
        issued.private_key_pem.write_to_path(folder / f"{name}.key")
        issued.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
    team_in(folder / "workspace", make_signer(folder / "cora.sign"))
    tls = ("--tls-cert", folder / "server.pem", "--tls-key", folder / "server.key")
    with served(folder / "workspace", *tls, "--client-ca", folder / "ca.pem") as (_, told):
        assert told["identity"] == "verified"
        clients = {
            name: cipherset.Client(
                f"https://localhost:{told['port']}",
                ca=folder / "ca.pem",
                certificate=(folder / f"{name}.pem", folder / f"{name}.key"),
            )
            for name in ("nobody", *TEAM)
        }
        yield clients, folder / "cora.sign"
        for each in clients.values():
            each.close()


def test_a_team_asks_and_votes_from_afar(people):
    by, coras = people
    asked = by["kim"].request_grant("detokenize", ["key:support"], "it is over")
    assert (asked.status, asked.requester) == ("pending", "kim")
    with pytest.raises(cipherset.PolicyError) as caught:
        by["kim"].approve(asked.grant)
    assert caught.value.code == "not_allowed"
    assert caught.value.message == "this is not there, or you may not do it"
    assert code_of(cipherset.PolicyError, lambda: by["cora"].approve(asked.grant)) == (
        "vote_unsigned"
    )
    seen = by["cora"].grant(asked.grant)
    assert seen.voter.roles == ["reviewer"]
    voted = by["cora"].approve(asked.grant, "seen", key=coras, digest=seen.digest)
    assert voted.approved_by == ["cora"]
    assert by["dora"].approve(asked.grant).status == "live"
    assert by["eve"].verify_audit().valid
    revoked = by["dora"].revoke(asked.grant, "no")
    assert revoked.status == "revoked"


def test_a_vote_is_only_on_what_was_looked_at(people, tmp_path):
    by, coras = people
    asked = by["kim"].request_grant("detokenize", ["key:support"], "again")
    other = by["kim"].request_grant("detokenize", ["key:support"], "another").grant
    cora, grant = by["cora"], asked.grant
    digest = cora.grant(other).digest
    changed = code_of(
        cipherset.IntegrityError, lambda: cora.approve(grant, key=coras, digest=digest)
    )
    assert changed == "request_changed"
    late = replace(cora.grant(grant), time=datetime(2020, 1, 1, tzinfo=UTC))
    how = (VoteKind.DENY, "", (coras, ""))
    assert code_of(cipherset.IntegrityError, lambda: signed_vote(late, *how)) == "clock"
    seen = cora.grant(grant)
    then = Vote("cora", VoteKind.DENY, (Role.REVIEWER,), seen.time - timedelta(minutes=9))
    ballot = sign_vote(decode_request(seen.request.encode()), then, signer_in(coras))
    body = {"envelope": ballot.envelope.decode()}
    stale = code_of(
        cipherset.IntegrityError,
        lambda: cora._connection.ask("POST", f"/v1/grants/{grant}/deny", body=body),
    )
    assert stale == "vote_time"
    make_signer(tmp_path / "other")
    wrong = code_of(cipherset.IntegrityError, lambda: cora.deny(grant, key=tmp_path / "other"))
    assert wrong == "vote_signer"
    assert cora.deny(grant, key=coras).status == "denied"


def test_who_has_no_role_is_told_nothing(people):
    by, _ = people
    nobody = by["nobody"]
    for call in (nobody.grants, nobody.metrics, nobody.checkpoint):
        assert code_of(cipherset.PolicyError, call) == "unidentified"

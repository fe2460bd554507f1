"""What a request must bring; that every way to fail is one refusal, and the same work."""

import sys

import pytest
from identity_people import (
    ROUTER,
    Client,
    Clock,
    add,
    identity_over,
    refusal,
    request,
    with_certificate,
)
from identity_server import NOW, Authority

from cipherset.app import keys
from cipherset.app.access import principals, tokens
from cipherset.app.access.principals import Change
from cipherset.app.access.tokens import Wanted
from cipherset.app.gate import Action
from cipherset.app.workspace import open_workspace
from cipherset.core.errors import BackendError, PolicyError
from cipherset.custody.keys import KeyUse
from cipherset.custody.policy import Authenticated
from cipherset.interfaces.http.identity import Known
from cipherset.interfaces.http.identity.clock import ForwardClock
from cipherset.interfaces.http.identity.replay import USED_FILE
from cipherset.interfaces.http.identity.verified import network_of
from cipherset.interfaces.http.services import Services
from cipherset.interfaces.http.settings import Proof

CLIENT = Client()


@pytest.fixture
def authority(tmp_path):
    return Authority.made(tmp_path / "authority")


@pytest.fixture
def identity(held):
    return identity_over(held, takes_ours=True)


def token_of(held, client=CLIENT, name="bob"):
    return tokens.issue(held, Wanted(name, client.binding))["token"]


def test_a_token_and_its_proof(held, identity):
    known = identity.identify(request(CLIENT.headers(token_of(held))))
    assert known == Known("bob", Authenticated.TOKEN, "127.0.0.1", None)


def test_more_or_fewer_headers_than_one_of_each(held, identity):
    pairs = list(CLIENT.headers(token_of(held)).items())
    for headers in (
        [*pairs, pairs[0]],
        [*pairs, pairs[1]],
        pairs[:1],
        pairs[1:],
        [("authorization", "DPoP "), pairs[1]],
        [("authorization", "DPoP"), pairs[1]],
        [("authorization", ""), pairs[1]],
        [],
    ):
        refusal(identity, request(headers))
    assert identity.identify(request(pairs)).name == "bob"


def test_tokens_are_taken_only_where_the_settings_say_so(held):
    headers = CLIENT.headers(token_of(held))
    refusal(identity_over(held), request(headers))
    refusal(identity_over(held), request(CLIENT.headers("eyJ.eyJ.sig")))


def test_a_server_is_called_by_its_address_and_its_origins(held):
    token = token_of(held)

    def takes(identity, url, **scope):
        try:
            identity.identify(request(CLIENT.headers(token, url=url), **scope))
        except PolicyError:
            return False
        return True

    plain = identity_over(held, takes_ours=True)
    named = identity_over(
        held, takes_ours=True, proof=Proof(origins=("https://gw.example.org", "https://h:99999"))
    )
    assert takes(plain, "https://localhost:8443/who")
    assert takes(plain, "https://[::1]:8443/who", server=("::1", 8443))
    assert takes(plain, "https://10.0.0.1/who", server=("10.0.0.1", 443))
    assert not takes(plain, "https://localhost/who", server=("10.0.0.1", 443))
    assert not takes(plain, "https://gw.example.org/who")
    assert not takes(plain, "https://127.0.0.1:8443/who", server=None)
    assert not takes(named, "x:/who")
    assert takes(named, "https://gw.example.org/who", server=("unix", None))
    assert takes(named, "https://gw.example.org/who", path="/who", raw_path=None)
    assert not takes(named, "https://gw.example.org/%77ho", path="/who", raw_path=b"/who")


def test_a_certificate_that_ended_while_the_connection_was_open(held, authority):
    clock = Clock(NOW.timestamp())
    identity = identity_over(held, clock=ForwardClock(clock))
    pem = authority.client("router", ROUTER)[0].read_text()
    assert identity.identify(with_certificate(pem)).name == "ada"
    clock.time += 2 * 86_400
    refusal(identity, with_certificate(pem))
    clock.time -= 2 * 86_400  # set back: what ended stays ended
    refusal(identity, with_certificate(pem))


def test_a_certificate_that_cannot_be_read(held, authority):
    identity = identity_over(held)
    refusal(identity, with_certificate("-----BEGIN CERTIFICATE-----\nAAAA\n"))
    for name, uris, common_name in (
        ("a", ["not a uri"], ""),
        ("b", ["spiffe://example.org/" + "x" * 600], ""),
        ("c", [], "ada; DROP"),
        ("d", [], ""),
        ("e", ["cipherset:principal:ghost"], ""),
        ("f", ["cipherset:other:ada"], ""),
    ):
        pem = authority.client(name, *uris, common_name=common_name)[0].read_text()
        refusal(identity, with_certificate(pem))
    pem = authority.client("g", "cipherset:principal:bob")[0].read_text()
    assert identity.identify(with_certificate(pem)).name == "bob"


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("fe80::1%eth0", "fe80::1"),
        ("testclient", None),
        ("", None),
    ],
)
def test_the_network_is_the_connection_s(host, network):
    asked = request({"x-forwarded-for": "10.9.9.9"}, client=(host, 1))
    assert network_of(asked) == network
    assert network_of(request(client=None)) is None


def test_replay_is_refused_and_its_memory_is_not_filled_by_nobody(held, identity):
    token = token_of(held)
    thief = Client()
    for _ in range(3):
        refusal(identity, request(thief.headers(token)))
    assert len(identity._used) == 0
    once = CLIENT.headers(token)
    identity.identify(request(once))
    refusal(identity, request(once))
    assert len(identity._used) == 1


def test_replay_is_refused_after_a_restart_and_whatever_the_clock_says(held):
    clock = Clock(__import__("time").time())
    first = identity_over(held, takes_ours=True, clock=ForwardClock(clock))
    once = CLIENT.headers(token_of(held))
    first.identify(request(once))
    clock.time += 3600
    refusal(first, request(once))
    clock.time -= 3600
    refusal(first, request(once))
    refusal(identity_over(held, takes_ours=True, clock=ForwardClock(clock)), request(once))


def test_a_proof_is_not_taken_where_it_cannot_be_kept(held, identity):
    headers = CLIENT.headers(token_of(held))
    (held.home / USED_FILE).mkdir()
    with pytest.raises(BackendError):
        identity.identify(request(headers))
    (held.home / USED_FILE).rmdir()
    assert identity.identify(request(headers)).name == "bob"


# A row that is there is read, a microsecond or so for each of its columns; the ids are random.
OF_A_ROW = {"_text", "_principal", "<genexpr>"}


def calls(identity, asked):
    """Every function of ours, of the ledger's database and of cryptography that was called."""
    made = []

    def note(frame, event, _argument):
        name = frame.f_code.co_filename
        is_ours = any(part in name for part in ("cipherset", "joserfc"))
        if event == "call" and is_ours and frame.f_code.co_name not in OF_A_ROW:
            made.append(f"{name.rsplit('/', 1)[-1]}:{frame.f_code.co_name}")

    sys.setprofile(note)
    try:
        refusal(identity, asked)
    finally:
        sys.setprofile(None)
    return made


def test_unknown_wrong_revoked_and_left_take_the_same_work(held, identity):
    """Nobody learns from the time that an answer takes whether a token or a person is there."""
    add(held, "gone")
    right, revoked, gone = token_of(held), token_of(held), token_of(held, name="gone")
    tokens.revoke(held, next(iter(ids(held, revoked))))
    principals.alter(held, Change("gone", has_left=True))
    wrong = right[:-3] + ("AAA" if right[-3:] != "AAA" else "BBB")
    unknown = "cst_" + "0" * 16 + right[20:]
    ways = {
        name: calls(identity, request(CLIENT.headers(token)))
        for name, token in {
            "wrong": wrong,
            "unknown": unknown,
            "revoked": revoked,
            "left": gone,
        }.items()
    }
    assert "dpop.py:check_proof" in ways["unknown"]
    assert "identity.py:matches" in ways["unknown"]
    assert [name for name, made in ways.items() if sorted(made) != sorted(ways["wrong"])] == []


def ids(held, token):
    return {each["id"] for each in tokens.list_tokens(held) if each["id"][6:] == token[4:20]}


def test_unregistered_and_unnamed_certificates_take_the_same_work(held, authority):
    identity = identity_over(held)
    unregistered = authority.client("x", "spiffe://example.org/x")[0].read_text()
    unnamed = authority.client("y")[0].read_text()
    for pem in (unregistered, unnamed):
        refusal(identity, with_certificate(pem))  # parsed once
    one, other = (calls(identity, with_certificate(pem)) for pem in (unregistered, unnamed))
    assert sorted(one) == sorted(other)


def test_a_key_opens_for_the_identity_that_it_is_bound_to(held, authority):
    keys.create(held, "support", purpose="", provider=None, only_in=(f"identity={ROUTER}",))
    identity = identity_over(held, takes_ours=True)
    router = with_certificate(authority.client("router", ROUTER)[0].read_text())
    bob = request(CLIENT.headers(token_of(held)))

    def opens(asked):
        session = Services(held, identity).session_of(asked)
        with (
            open_workspace(session) as workspace,
            workspace.gate.act(Action.AUDIT, "a test", {}),
        ):
            workspace.ring.open("support", purpose=KeyUse.QUERY)
        return session

    session = opens(router)
    assert (session.actor, session.authenticated, session.network) == (
        "ada",
        Authenticated.CERTIFICATE,
        "127.0.0.1",
    )
    with pytest.raises(PolicyError) as caught:
        opens(bob)
    assert caught.value.code == "key_environment"

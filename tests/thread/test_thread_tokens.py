"""Tokens and identities by the command line: under ``team`` by a grant, and gone at once."""

import pytest
from thread_samples import Owner, cipherset

CLIENT_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"  # RFC 8037, A.1
BINDING = "jkt:kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"  # the same, A.3
PEOPLE = {"ada": "data-owner", "rev": "reviewer", "svc": "service"}


@pytest.fixture
def owner(tmp_path):
    made = Owner(tmp_path)
    (tmp_path / "svc.pub").write_text(CLIENT_KEY)
    made.ok("init", "--policy", "team", "--as", "root")
    for name, role in PEOPLE.items():
        made.ok("principal", "add", name, "--role", role, "--as", "root")
    return made


def token(owner, *options):
    key = ("--client-key", owner.folder / "svc.pub")
    return owner.run("principal", "token", "svc", *key, *options, "--as", "root")


def granted(owner, action, asked):
    grant = owner.ok("grant", "request", action, asked, "--for", "a test", "--as", "root")["grant"]
    for voter in ("ada", "rev"):
        owner.ok("grant", "approve", grant, "--as", voter)


def test_a_token_takes_a_grant_for_exactly_it(owner):
    refused = token(owner)
    asked = f"principal:svc=token:{BINDING}:90"
    assert (refused.code, refused.error["code"]) == (3, "not_allowed")
    assert f"cipherset grant request principal.token {asked} " in refused.error["hint"]
    granted(owner, "principal.token", asked)
    assert token(owner, "--days", "91").code == 3
    made = token(owner)
    assert made.code == 0
    assert (made.json["principal"], made.json["binding"]) == ("svc", BINDING)
    assert made.json["token"].startswith("cst_")
    (listed,) = owner.ok("principal", "tokens")["tokens"]
    assert listed == {name: value for name, value in made.json.items() if name != "token"}


def test_a_token_is_taken_away_at_once_by_the_administrator_or_its_holder(owner):
    granted(owner, "principal.token", f"principal:svc=token:{BINDING}:90")
    for who in ("root", "svc"):
        made = token(owner).json
        stranger = owner.run("principal", "revoke", made["id"], "--as", "rev")
        assert (stranger.code, stranger.error["code"]) == (3, "not_allowed")
        assert owner.ok("principal", "revoke", made["id"], "--as", who)["status"] == "over"
    assert {each["status"] for each in owner.ok("principal", "tokens")["tokens"]} == {"over"}


def test_an_identity_takes_a_grant_once_there_are_votes(owner):
    uri = "spiffe://example.org/svc"
    granted(owner, "principal.change", f"principal:svc=identity:{uri}")
    change = ("principal", "change", "svc", "--as", "root")
    assert owner.run(*change, "--identity", "spiffe://example.org/other").code == 3
    assert owner.ok(*change, "--identity", uri)["identities"] == [uri]
    shown = cipherset("principal", "list", "--home", owner.home)
    assert uri in shown.out


@pytest.mark.parametrize("options", [(), ("--client-key", "svc.pub", "--client-cert", "svc.pem")])
def test_a_token_is_bound_to_one_key(owner, options):
    done = owner.run("principal", "token", "svc", *options, "--as", "root")
    assert (done.code, done.error["code"]) == (2, "usage")


def test_a_certificate_must_be_one(owner):
    options = ("--client-cert", owner.folder / "svc.pub")
    done = owner.run("principal", "token", "svc", *options, "--as", "root")
    assert (done.code, done.error["code"]) == (4, "client_certificate")

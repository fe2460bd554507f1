"""Tokens: told once, kept as a keyed hash, bound to a key; over when they are said to be."""

import base64
import json
import sqlite3
from dataclasses import replace

import pytest
import trustme
from identity_people import ROUTER, Client, add, p256, session_of

from cipherset.app.access import principals, tokens
from cipherset.app.access.binding import (
    binding_to_certificate,
    binding_to_key,
    certificate_thumbprint,
    key_thumbprint,
)
from cipherset.app.access.credentials import NAMED, open_credentials
from cipherset.app.access.principals import Change, asked_change
from cipherset.app.access.signing import make_signer
from cipherset.app.access.tokens import Wanted, asked_token
from cipherset.app.workspace import hold
from cipherset.core.errors import CiphersetError, InputError, UsageError
from cipherset.custody.ledger import Ledger

BINDING = "jkt:" + "a" * 43


def code_of(call, *args):
    with pytest.raises(CiphersetError) as caught:
        call(*args)
    return caught.value.code


def test_a_token_stands_for_its_principal_and_its_key(held):
    made = tokens.issue(held, Wanted("ada", BINDING))
    shown = open_credentials(held).shown(made["token"])
    assert (shown.principal, shown.binding) == ("ada", BINDING)
    assert made["status"] == "live"


def test_the_token_itself_is_kept_nowhere(held):
    made = tokens.issue(held, Wanted("ada", BINDING))
    secret = made["token"].split("_", 2)[2]
    assert len(base64.urlsafe_b64decode(secret + "=")) == 32
    kept = [path.read_bytes() for path in held.home.rglob("*") if path.is_file()]
    assert kept != []
    assert not any(secret.encode() in raw for raw in kept)
    assert "token" not in {key for each in tokens.list_tokens(held) for key in each}


@pytest.mark.parametrize(
    "changed",
    [
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: token.replace("cst_", "cst_f", 1),
        lambda token: "cst_" + "0" * 16 + token[20:],
        lambda token: token + "\n",
        lambda token: "",
    ],
)
def test_a_changed_token_is_nobodys(held, changed):
    made = tokens.issue(held, Wanted("ada", BINDING))
    assert open_credentials(held).shown(changed(made["token"])) is None


def test_a_token_ends_when_it_is_revoked_and_its_event_cannot_be_undone(held):
    made = tokens.issue(held, Wanted("ada", BINDING))
    other = tokens.issue(held, Wanted("ada", BINDING))
    assert tokens.revoke(held, made["id"])["status"] == "over"
    credentials = open_credentials(held)
    assert credentials.shown(made["token"]) is None
    assert credentials.shown(other["token"]) is not None
    assert {each["id"]: each["status"] for each in tokens.list_tokens(held)} == {
        made["id"]: "over",
        other["id"]: "live",
    }


def test_a_token_ends_in_time_and_a_clock_set_back_does_not_bring_it_again(tmp_path, held):
    made = tokens.issue(held, Wanted("ada", BINDING, days=1))
    now = [held.held.ledger._clock().replace(year=2090, day=1)]
    url = f"sqlite:///{held.home / 'ledger.sqlite'}"
    with Ledger(url, clock=lambda: now[0]) as ledger:
        later = replace(held, held=replace(held.held, ledger=ledger))
        assert open_credentials(later).shown(made["token"]) is None
        add(later, "zoe")  # an event of 2090
    assert open_credentials(held).shown(made["token"]) is None


def test_a_token_ends_when_its_principal_leaves(held):
    made = tokens.issue(held, Wanted("ada", BINDING))
    principals.alter(held, Change("ada", has_left=True))
    credentials = open_credentials(held)
    assert credentials.shown(made["token"]) is None
    assert credentials.principal_of(ROUTER) is None
    assert credentials.principal_of(f"{NAMED}ada") is None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE credentials SET principal = 'bob' WHERE id LIKE 'token-%'",
        f"UPDATE credentials SET binding = 'jkt:{'b' * 43}' WHERE id LIKE 'token-%'",
        "UPDATE credentials SET expires = '2999-01-01' WHERE id LIKE 'token-%'",
        "UPDATE credentials SET mac = '' WHERE id LIKE 'token-%'",
    ],
)
def test_who_writes_to_the_ledger_alone_changes_no_token(held, change):
    made = tokens.issue(held, Wanted("ada", BINDING))
    edit(held, change)
    assert open_credentials(held).shown(made["token"]) is None


def test_who_writes_to_the_ledger_alone_registers_no_identity(held):
    edit(held, "UPDATE credentials SET principal = 'bob' WHERE id LIKE 'identity:%'")
    assert open_credentials(held).principal_of(ROUTER) is None


def test_a_workspace_with_another_key_knows_none_of_them(held, tmp_path):
    made = tokens.issue(held, Wanted("ada", BINDING))
    with hold(session_of(tmp_path / "other")) as other:
        foreign = replace(other, held=held.held)
        assert open_credentials(foreign).shown(made["token"]) is None


def edit(held, sql):
    connection = sqlite3.connect(held.home / "ledger.sqlite")
    with connection:
        assert connection.execute(sql).rowcount == 1
    connection.close()


def test_identities_are_one_principals_each(held):
    assert code_of(add, held, "zoe", ROUTER) == "identity_taken"
    replaced = principals.alter(held, Change("ada", identities=("spiffe://example.org/new",)))
    assert replaced["identities"] == ["spiffe://example.org/new"]
    credentials = open_credentials(held)
    assert credentials.principal_of(ROUTER) is None
    assert credentials.principal_of("spiffe://example.org/new") == "ada"
    kept = principals.alter(held, Change("ada", ("auditor",)))
    assert kept["identities"] == ["spiffe://example.org/new"]
    assert add(held, "zoe", ROUTER)["identities"] == [ROUTER]


def test_a_principal_is_named_where_it_is_there(held):
    credentials = open_credentials(held)
    assert credentials.principal_of(f"{NAMED}bob") == "bob"
    assert credentials.principal_of(f"{NAMED}eve") is None
    assert credentials.principal_of(NAMED) is None
    assert credentials.principal_of("spiffe://example.org/unknown") is None


@pytest.mark.parametrize("identity", ["", "ada", "cipherset:principal:bob", "a:b c", "A:b", "a:é"])
def test_what_is_no_identity(identity):
    assert code_of(lambda: Change("ada", identities=(identity,))) == "identity"


def test_what_is_asked_for_is_bound_to_exactly_this(held):
    def about(wanted):
        return wanted.about().bound()

    one = about(Wanted("ada", BINDING, 30))
    assert about(asked_token(f"ada=token:{BINDING}:30")) == one
    assert about(asked_token(f"ada=token:{BINDING}")) == about(Wanted("ada", BINDING))
    others = [Wanted("bob", BINDING, 30), Wanted("ada", BINDING, 31), Wanted("ada", X5T, 30)]
    assert all(about(other) != one for other in others)
    assert asked_token("ada=left") is None
    asked = asked_change(f"ada=identity:{ROUTER}")
    assert principals.about_change(asked) != principals.about_change(Change("ada"))


X5T = "x5t#S256:" + "a" * 43


@pytest.mark.parametrize("text", ["ada=token:", "ada=token:jkt:short", f"ada=token:{X5T}:soon"])
def test_a_token_is_asked_for_with_a_key(text):
    assert code_of(asked_token, text) == "token_binding"


@pytest.mark.parametrize("days", [0, 367])
def test_a_token_is_not_for_ever(days):
    assert code_of(Wanted, "ada", BINDING, days) == "token_days"


def test_a_token_is_for_somebody_who_is_there(held):
    principals.alter(held, Change("bob", has_left=True))
    for name in ("bob", "ghost"):
        assert code_of(tokens.issue, held, Wanted(name, BINDING)) == "principal_unknown"
    for token_id in ("token-0000000000000000", f"identity:{ROUTER}", ""):
        assert code_of(tokens.revoke, held, token_id) == "token_unknown"


def test_thumbprints_are_those_of_the_standards():
    """RFC 8037, appendix A.3; RFC 9449, section 6.1 with the key of its section 4.1."""
    octets = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert key_thumbprint(octets) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    point = {
        "kty": "EC",
        "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
        "crv": "P-256",
    }
    assert key_thumbprint({**point, "kid": "x"}) == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


def test_a_client_s_key_is_read_in_each_of_its_forms(tmp_path):
    for client in (Client(), p256()):
        assert binding_to_key(client.pem(tmp_path / "key.pem")) == client.binding
    public = make_signer(tmp_path / "ada.pem")
    octets = base64.urlsafe_b64encode(bytes.fromhex(public)).rstrip(b"=").decode()
    thumbprint = key_thumbprint({"kty": "OKP", "crv": "Ed25519", "x": octets})
    assert binding_to_key(tmp_path / "ada.pem.pub") == f"jkt:{thumbprint}"


def test_a_client_s_certificate_is_read(tmp_path):
    issued = trustme.CA().issue_cert("client.example.org")
    path = tmp_path / "client.pem"
    issued.cert_chain_pems[0].write_to_path(path)
    der = base64.b64decode("".join(path.read_text().split("\n")[1:-2]))
    assert binding_to_certificate(path) == f"x5t#S256:{certificate_thumbprint(der)}"


@pytest.mark.parametrize("raw", [b"", b"\xff", b"00", b"-----BEGIN PUBLIC KEY-----\n"])
def test_what_is_no_key_and_no_certificate(tmp_path, raw):
    path = tmp_path / "file"
    path.write_bytes(raw)
    assert code_of(binding_to_key, path) == "client_key"
    assert code_of(binding_to_certificate, path) == "client_certificate"


def test_a_key_on_another_curve_is_not_taken(tmp_path):
    from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key

    path = Client(generate_private_key(SECP384R1())).pem(tmp_path / "key.pem")
    with pytest.raises(InputError, match="P-256"):
        binding_to_key(path)


def test_credentials_are_read_over_a_ledger_that_is_held(held):
    with pytest.raises(UsageError) as caught:
        open_credentials(replace(held, held=None))
    assert caught.value.code == "session_not_held"
    assert repr(open_credentials(held)) == "Credentials(...)"


def test_what_is_told_of_a_token_is_in_the_events(held):
    made = tokens.issue(held, Wanted("ada", BINDING))
    tokens.revoke(held, made["id"])
    done = [each for each in held.held.ledger.events() if each.action.startswith("principal.")]
    assert [(each.action, each.subject, each.outcome) for each in done[-4:]] == [
        ("principal.token", "ada", "intended"),
        ("principal.token", "ada", "done"),
        ("principal.revoke", made["id"], "intended"),
        ("principal.revoke", made["id"], "done"),
    ]
    assert json.loads(done[-3].body) == {"token": made["id"]}

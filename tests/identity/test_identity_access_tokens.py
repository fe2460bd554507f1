"""Tokens of an issuer: what is taken, and the ways to forge one that are known."""

import json

import pytest
from identity_issuer import AUDIENCE, hs256_with, rsa, serving, signed
from identity_people import Client, Clock
from joserfc.jwk import ECKey, OctKey

from cipherset.core.errors import BackendError, InputError
from cipherset.interfaces.http.identity import issuer as issuers
from cipherset.interfaces.http.identity.access_token import AccessTokens, identity_of
from cipherset.interfaces.http.identity.issuer import IssuerKeys

NOW = 1_800_000_000.0
BOUND = {"jkt": Client().thumbprint}


@pytest.fixture
def issuer():
    with serving() as one:
        yield one


def takes(issuer, text, *, clock=None, **settings):
    oidc = issuer.oidc(**settings)
    keys = IssuerKeys(oidc, clock=clock or Clock())
    return AccessTokens(oidc, keys).holder(text, now=NOW)


def good(issuer, **changed):
    return issuer.claims(NOW, cnf=BOUND) | changed


def test_a_good_token_names_its_holder_and_their_key(issuer):
    found = takes(issuer, issuer.token(good(issuer)))
    assert (found.identity, found.jkt, found.x5t) == (f"{issuer.url}#4711", BOUND["jkt"], None)
    both = good(issuer, cnf=BOUND | {"x5t#S256": "t"}, aud=["a", AUDIENCE])
    assert takes(issuer, issuer.token(both, typ="application/AT+JWT")).x5t == "t"


def test_another_claim_names_the_principal(issuer):
    token = issuer.token(good(issuer, email="a b@example.org"))
    assert takes(issuer, token, claim="email").identity == f"{issuer.url}#a%20b@example.org"
    assert takes(issuer, token, claim="name") is None


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example.org"},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["another"]},
        {"aud": None},
        {"aud": {AUDIENCE: 1}},
        {"sub": None},
        {"sub": 4711},
        {"sub": ""},
        {"sub": "x" * 201},
        {"exp": NOW - 6},
        {"exp": None},
        {"exp": "never"},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"exp": True},
        {"iat": NOW + 6},
        {"iat": None},
        {"nbf": NOW + 6},
        {"nbf": None, "iat": "x"},
        {"nbf": "x"},
        {"cnf": None},
        {"cnf": {}},
        {"cnf": "jkt"},
        {"cnf": {"jkt": ""}},
        {"cnf": {"jkt": 5}},
        {"cnf": {"jwk": {}}},
        {"cnf": {"jkt": "x", "x5t#S256": 5}},
    ],
)
def test_what_a_token_must_say(issuer, changed):
    claims = {k: v for k, v in good(issuer, **changed).items() if v is not None}
    assert takes(issuer, issuer.token(claims)) is None


def test_a_little_leeway(issuer):
    late = good(issuer, exp=NOW - 4, iat=NOW + 4, nbf=NOW + 4)
    assert takes(issuer, issuer.token(late)) is not None
    assert takes(issuer, issuer.token(late), leeway_s=0.0) is None


def test_an_id_token_is_no_access_token(issuer):
    for typ in ("JWT", None, "jwt", "dpop+jwt"):
        assert takes(issuer, issuer.token(good(issuer), typ=typ)) is None
    allowed = takes(issuer, issuer.token(good(issuer), typ="JWT"), types=("at+jwt", "JWT"))
    assert allowed is not None


def test_known_ways_to_forge_one(issuer):
    """Each of them once got into somebody's system."""
    claims, real = good(issuer), issuer.keys["one"]
    mine = ECKey.generate_key("P-256", {"kid": "one"})
    head = {"typ": "at+jwt", "kid": "one"}
    forged = {
        "no signature": signed(head | {"alg": "none"}, claims, OctKey.generate_key(256)),
        "another key under the same id": issuer.token(claims, key=mine),
        "HMAC with the public key": signed(head | {"alg": "HS256"}, claims, hs256_with(real)),
        "its key in the header": issuer.token(claims, key=mine, jwk=mine.as_dict(private=False)),
        "its keys by address": issuer.token(claims, key=mine, jku=f"{issuer.url}/mine"),
        "its certificates by address": issuer.token(claims, key=mine, x5u=f"{issuer.url}/mine"),
        "its certificates": issuer.token(claims, key=mine, x5c=["AAAA"]),
        "an id that is a path": issuer.token(claims, key=mine, kid="../../../dev/null"),
        "an id that is SQL": issuer.token(claims, key=mine, kid="' OR 1=1 --"),
        "an id that is a list": issuer.token(claims, key=mine, kid=["one"]),
        "must understand": issuer.token(claims, crit=["b64"], b64=False),
    }
    assert {name for name, text in forged.items() if takes(issuer, text)} == set()
    assert set(issuer.asked) == {"/.well-known/openid-configuration", "/jwks"}
    head, body, signature = issuer.token(claims).split(".")
    for text in (f"{head}.{body}.", f"{head}.{body}", f"{head}.{body[:-2]}.{signature}", ""):
        assert takes(issuer, text) is None


def test_large_and_deep_ones(issuer):
    assert takes(issuer, issuer.token(good(issuer, pad="x" * 17_000))) is None
    assert takes(issuer, issuer.token(b"[" * 10_000)) is None
    assert takes(issuer, issuer.token(b"5")) is None
    assert takes(issuer, issuer.token(good(issuer), pad="x" * 5000)) is None


def test_algorithms_are_those_of_the_settings(issuer):
    issuer.keys = {"r": rsa(2048, "r")}
    token = issuer.token(good(issuer), key=issuer.keys["r"], alg="PS256")
    assert takes(issuer, token) is not None
    assert takes(issuer, token, algorithms=("RS256",)) is None
    p384 = issuer.keys["e"] = ECKey.generate_key("P-384", {"kid": "e"})
    assert takes(issuer, issuer.token(good(issuer), key=p384, alg="ES384")) is None


def test_keys_that_are_not_to_verify_with(issuer):
    public = issuer.keys["one"].as_dict(private=False)
    token = issuer.token(good(issuer))
    secret = {"kty": "oct", "k": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "kid": "one"}
    for key in (
        public | {"use": "enc"},
        public | {"alg": "ES384"},
        issuer.keys["one"].as_dict(private=True),
        public | {"x": "AAAA"},
        public | {"kid": 5},
        secret,
        {},
        5,
    ):
        issuer.jwks = {"keys": [key]}
        assert takes(issuer, token) is None
    issuer.jwks = {"keys": [public, public]}
    assert takes(issuer, token) is None  # which of the two
    issuer.jwks = {"keys": [{"kty": "oct", "k": 7}, public]}
    assert takes(issuer, token) is not None
    assert takes(issuer, issuer.token(good(issuer), kid=None)) is not None


def test_small_rsa_keys_are_not_taken(issuer):
    issuer.keys = {"r": rsa(1024, "r")}
    token = issuer.token(good(issuer), key=issuer.keys["r"], alg="RS256")
    assert takes(issuer, token) is None


class Taker:
    """One gateway over time: the cache of keys is what is tested."""

    def __init__(self, issuer):
        self.clock = Clock(0.0)
        self.issuer = issuer
        oidc = issuer.oidc()
        self.tokens = AccessTokens(oidc, IssuerKeys(oidc, clock=self.clock))

    def takes(self, key):
        claims = good(self.issuer)
        return self.tokens.holder(self.issuer.token(claims, key=key), now=NOW) is not None


def test_keys_are_kept_and_fetched_anew_when_the_issuer_rotates(issuer):
    taker, old = Taker(issuer), issuer.keys["one"]
    for _ in range(5):
        assert taker.takes(old)
    assert issuer.asked["/jwks"] == 1
    new = issuer.keys["two"] = ECKey.generate_key("P-256", {"kid": "two"})
    assert not taker.takes(new)  # asked a moment ago
    taker.clock.time += issuers.AGAIN_S
    assert taker.takes(new)
    assert issuer.asked["/jwks"] == 2
    del issuer.keys["one"]
    taker.clock.time += issuers.FRESH_S
    assert not taker.takes(old)
    assert taker.takes(new)


def test_a_stranger_s_key_ids_make_no_flood(issuer):
    taker = Taker(issuer)
    assert taker.takes(issuer.keys["one"])
    for i in range(50):
        assert not taker.takes(ECKey.generate_key("P-256", {"kid": f"x{i}"}))
    assert issuer.asked["/jwks"] == 1


def test_an_issuer_that_is_gone_is_missed_after_a_while_only(issuer):
    taker, key = Taker(issuer), issuer.keys["one"]
    assert taker.takes(key)
    issuer.is_up = False
    taker.clock.time += issuers.STALE_S - 1
    assert taker.takes(key)
    taker.clock.time += issuers.AGAIN_S
    for _ in range(3):
        with pytest.raises(BackendError) as caught:
            taker.takes(key)
        assert caught.value.code == "issuer_unreachable"
    assert issuer.asked["/.well-known/openid-configuration"] == 3  # not once for each request
    issuer.is_up = True
    taker.clock.time += issuers.AGAIN_S
    assert taker.takes(key)


@pytest.mark.parametrize(
    "told",
    [
        {"issuer": "https://evil.example.org", "jwks_uri": "http://127.0.0.1:1/jwks"},
        {"jwks_uri": "http://127.0.0.1:1/jwks"},
        {"issuer": None},
        {"issuer": "SELF", "jwks_uri": "http://192.0.2.1/jwks"},
        {"issuer": "SELF", "jwks_uri": "file:///etc/passwd"},
        {"issuer": "SELF", "jwks_uri": "http://[::1/"},
        {"issuer": "SELF", "jwks_uri": 5},
        {"issuer": "SELF"},
        [],
        "x" * 300_000,
    ],
    ids=range(10),
)
def test_what_discovery_must_say(issuer, told):
    text = json.dumps(told).replace("SELF", issuer.url)
    issuer.discovery = json.loads(text)
    with pytest.raises(BackendError):
        takes(issuer, issuer.token(good(issuer)))


@pytest.mark.parametrize("jwks", [{}, {"keys": {}}, {"keys": 5}, []])
def test_what_a_set_of_keys_must_be(issuer, jwks):
    issuer.jwks = jwks
    with pytest.raises(BackendError):
        takes(issuer, issuer.token(good(issuer)))


@pytest.mark.parametrize("url", ["http://id.example.org", "http://10.0.0.1"])
def test_an_issuer_is_not_asked_in_the_clear(issuer, url):
    with pytest.raises(InputError) as caught:
        IssuerKeys(issuer.oidc().model_copy(update={"issuer": url}))
    assert caught.value.code == "issuer_url"


def test_the_authority_of_the_issuer_must_be_there(issuer, tmp_path):
    with pytest.raises(InputError) as caught:
        IssuerKeys(issuer.oidc(ca=str(tmp_path / "none.pem")))
    assert caught.value.code == "issuer_ca"


def test_an_identity_is_a_uri_whatever_the_claim_is():
    assert identity_of("https://h", "a#b c\né") == "https://h#a%23b%20c%0A%C3%A9"

"""Proofs of possession: each thing that RFC 9449, section 4.3 asks for is asked for."""

import json
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from identity_issuer import signed
from identity_people import Client, p256
from joserfc.jwk import ECKey, OKPKey

from cipherset.app.access.binding import public_jwk
from cipherset.interfaces.http.identity.dpop import Target, check_proof, origin, token_hash
from cipherset.interfaces.proof import make_proof, private_key_in

NOW = 1_562_265_296.0
URL = "https://resource.example.org/protectedresource"
TARGET = Target("GET", frozenset({"https://resource.example.org:443"}), "/protectedresource")
TOKEN = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
CLIENT = p256()
KEY = ECKey(CLIENT.private, CLIENT.private)


def check(text, target=TARGET, token=TOKEN, now=NOW):
    return check_proof(text, target, token, now=now, window_s=60)


def proof(header=(), claims=(), key=KEY):
    """A good proof but for what is changed; None takes a member out."""
    told = {"typ": "dpop+jwt", "alg": "ES256", "jwk": public_jwk(CLIENT.private.public_key())}
    said = {"ath": token_hash(TOKEN), "htm": "GET", "htu": URL, "iat": NOW, "jti": "e1j3V"}
    told |= dict(header)
    said |= dict(claims)
    return signed(_present(told), _present(said), key)


def _present(members):
    return {name: value for name, value in members.items() if value is not None}


def test_a_good_proof():
    found = check(proof())
    assert (found.thumbprint, found.name, found.made) == (CLIENT.thumbprint, "e1j3V", NOW)


def test_the_proof_of_the_standard():
    """RFC 9449, section 7.1: its token hash, and a proof of its own key that we did not make."""
    assert token_hash(TOKEN) == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
    text = (
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNo"
        "UklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERW"
        "clUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR"
        "1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCw"
        "iYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-E"
        "y71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
    )
    found = check(text, now=1_562_262_618.0)
    assert found.thumbprint == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
    assert found.name == "e1j3V_bKic8-LAEB"
    assert check(text, now=1_562_262_618.0 + 61) is None


@pytest.mark.parametrize("client", [Client(), p256()], ids=["Ed25519", "P-256"])
def test_what_our_client_makes_is_taken(client):
    text = make_proof(client.private, "POST", URL, TOKEN)
    import time

    target = Target("POST", TARGET.origins, TARGET.path)
    assert check(text, target, now=time.time()).thumbprint == client.thumbprint


POINT = public_jwk(CLIENT.private.public_key())
OTHER = p256()
PRIVATE = KEY.as_dict(private=True)


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({"typ": "JWT"}, {}),
        ({"typ": None}, {}),
        ({"typ": ["dpop+jwt"]}, {}),
        ({"jwk": None}, {}),
        ({"jwk": "x"}, {}),
        ({"jwk": public_jwk(OTHER.private.public_key())}, {}),
        ({"jwk": PRIVATE}, {}),
        ({"jwk": {**POINT, "x": POINT["y"]}}, {}),
        ({"jwk": {**POINT, "x": POINT["x"] + "="}}, {}),
        ({"jwk": {**POINT, "x": 5}}, {}),
        ({"jwk": {**POINT, "crv": "P-384"}}, {}),
        ({"jwk": {"kty": "oct", "k": "AAAA"}}, {}),
        ({"jwk": {"kty": ["EC"], "crv": {}}}, {}),
        ({"crit": ["exp"], "exp": 1}, {}),
        ({"crit": 5}, {}),
        ({"b64": False}, {}),
        ({}, {"htm": "POST"}),
        ({}, {"htm": "get"}),
        ({}, {"htm": None}),
        ({}, {"htu": "https://other.example.org/protectedresource"}),
        ({}, {"htu": "http://resource.example.org/protectedresource"}),
        ({}, {"htu": "https://resource.example.org:8443/protectedresource"}),
        ({}, {"htu": "https://resource.example.org/other"}),
        ({}, {"htu": "https://resource.example.org@evil/protectedresource"}),
        ({}, {"htu": "https://[::1/protectedresource"}),
        ({}, {"htu": "/protectedresource"}),
        ({}, {"htu": 5}),
        ({}, {"htu": URL + "a" * 5000}),
        ({}, {"iat": NOW - 61}),
        ({}, {"iat": NOW + 6}),
        ({}, {"iat": None}),
        ({}, {"iat": True}),
        ({}, {"iat": "1562265296"}),
        ({}, {"iat": float("nan")}),
        ({}, {"iat": float("inf")}),
        ({}, {"jti": None}),
        ({}, {"jti": ""}),
        ({}, {"jti": 7}),
        ({}, {"jti": "x" * 129}),
        ({}, {"ath": None}),
        ({}, {"ath": token_hash("another")}),
        ({}, {"ath": "\ud800"}),
        ({}, {"ath": 1}),
    ],
)
def test_what_is_wrong_is_not_taken(header, claims):
    assert check(proof(header, claims)) is None


def test_a_proof_under_no_algorithm_or_a_shared_secret_is_none():
    from joserfc.jwk import OctKey

    secret = OctKey.generate_key(256)
    shared = {"jwk": {"kty": "oct", "k": secret.as_dict()["k"]}, "alg": "HS256"}
    assert check(proof(shared, key=secret)) is None
    assert check(proof({"alg": "HS256"}, key=secret)) is None
    head, body, _ = proof().split(".")
    unsigned = urlsafe_b64encode(
        json.dumps({"typ": "dpop+jwt", "alg": "none", "jwk": POINT}).encode()
    ).rstrip(b"=")
    assert check(f"{unsigned.decode()}.{body}.") is None
    assert check(f"{head}.{body}.") is None


def test_query_and_default_port_do_not_matter():
    assert check(proof(claims={"htu": URL + "?a=b#c"})) is not None
    upper = "HTTPS://Resource.Example.org:443/protectedresource"
    assert check(proof(claims={"htu": upper})) is not None
    bare = Target("GET", TARGET.origins, "/")
    assert check(proof(claims={"htu": "https://resource.example.org"}), bare) is not None


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
def test_no_text_breaks_it(text):
    head, body, signature = proof().split(".")
    for broken in (text, f"{text}.{body}.{signature}", f"{head}.{text}.{signature}", "." + text):
        assert check(broken) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@given(st.sampled_from(["typ", "jwk", "alg", "kid", "x5c", "jku", "cty"]), JSON)
def test_no_member_of_the_header_breaks_it(name, value):
    told = {"typ": "dpop+jwt", "alg": "ES256", "jwk": POINT, name: value}
    head = urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()
    _, body, signature = proof().split(".")
    assert check(f"{head}.{body}.{signature}") is None


@given(st.sampled_from(["htm", "htu", "iat", "jti", "ath", "nbf"]), JSON)
def test_no_claim_breaks_it(name, value):
    found = check(proof(claims=[(name, value)]))
    assert found is None or found.thumbprint == CLIENT.thumbprint


def test_deep_and_large_ones_are_refused_without_being_read():
    _, body, signature = proof().split(".")
    for depth in (500, 1400):
        deep = urlsafe_b64encode(b"[" * depth).decode()
        assert check(f"{deep}.{body}.{signature}") is None
    deep = {"typ": "dpop+jwt", "alg": "ES256", "jwk": POINT}
    nested = signed(deep, b"[" * 5000, KEY)
    assert check(nested) is None
    assert check("a" * 20_000) is None
    assert check(proof({"pad": "a" * 4000})) is None


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://Example.org", "https://example.org:443"),
        ("http://[::1]:80/x", "http://[::1]:80"),
        ("https://h:0443/", "https://h:443"),
        ("ftp://h", ""),
        ("https://h:99999", ""),
        ("https://", ""),
        ("https://user@h", ""),
    ],
)
def test_origins_have_one_form(url, same):
    assert origin(url) == same


def test_a_private_key_is_read(tmp_path):
    from cipherset.app.access.signing import make_signer
    from cipherset.core.errors import KeyAccessError

    make_signer(tmp_path / "ada.pem")
    assert isinstance(OKPKey(private_key_in(tmp_path / "ada.pem"), None), OKPKey)
    (tmp_path / "none.pem").write_bytes(b"x")
    with pytest.raises(KeyAccessError) as caught:
        private_key_in(tmp_path / "none.pem")
    assert caught.value.code == "client_private_key"

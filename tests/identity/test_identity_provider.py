"""A real provider of OpenID Connect, through its own pages: discovery, keys, and a signed token."""

import json
import re
import subprocess
import sys
import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from identity_people import Client

from cipherset.interfaces.http.identity.access_token import AccessTokens
from cipherset.interfaces.http.identity.clock import ForwardClock
from cipherset.interfaces.http.identity.issuer import IssuerKeys
from cipherset.interfaces.http.settings import Oidc

AUDIENCE = "gateway-client"
BACK = "http://localhost:9/back"
UP_WITHIN_S = 300


KEY = Client()
USER = {"sub": "ada", "cnf": {"jkt": KEY.thumbprint}}


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    """In a process of its own, on a port that it chooses."""
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", "0"]
    log = tmp_path_factory.mktemp("provider") / "log"
    with log.open("wb") as said:
        process = subprocess.Popen([*command, "--user-claims", json.dumps(USER)], stderr=said)
    try:
        end = time.monotonic() + UP_WITHIN_S
        while not (found := re.search(r"127\.0\.0\.1:(\d+)", log.read_text())):
            assert process.poll() is None and time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        yield f"http://127.0.0.1:{found[1]}"
    finally:
        process.kill()
        process.wait(UP_WITHIN_S)


def signed_in(url, sub):
    """The ID token of the code flow; this provider's access tokens are not signed."""
    asked = {"client_id": AUDIENCE, "response_type": "code", "redirect_uri": BACK}
    asked |= {"scope": "openid", "nonce": "n-1"}
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        back = client.post("/oauth2/authorize", params=asked, data={"sub": sub})
        code = parse_qs(urlsplit(back.headers["location"]).query)["code"][0]
        exchange = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
        told = client.post("/oauth2/token", data=exchange, auth=(AUDIENCE, "secret"))
        return told.json()["id_token"]


def takes(url, token, **settings):
    oidc = Oidc(issuer=url, audience=AUDIENCE, **settings)
    return AccessTokens(oidc, IssuerKeys(oidc)).holder(token, now=ForwardClock().now())


def test_its_keys_are_found_and_its_tokens_verified(provider):
    token = signed_in(provider, "ada")
    assert takes(provider, token) is None  # an ID token is no access token
    found = takes(provider, token, types=("JWT",))
    assert (found.identity, found.jkt) == (f"{provider}#ada", KEY.thumbprint)
    assert takes(provider, token[:-4] + "AAAA", types=("JWT",)) is None


def test_who_is_signed_in_without_a_key_is_nobody(provider):
    assert takes(provider, signed_in(provider, "eve"), types=("JWT",)) is None

"""Strings that nobody else has: sent in every place of a request, looked for in every answer."""

import logging

import pytest
from http_samples import gateway

from cipherset.evidence.discover.code import scan

CANARY = "canary-9f31c0de"
TEXT = f"{CANARY} lives at 12 {CANARY} street, write to {CANARY}@x.com"
REPORT = scan([], host="host").as_json()
ASKED = (
    ("GET", f"/v1/grants/{CANARY}", {}),
    ("GET", f"/{CANARY}", {}),
    ("GET", "/v1/audit/events", {"params": {"since": CANARY}}),
    ("GET", "/v1/audit/events", {"params": {"limit": CANARY, CANARY: "x"}}),
    ("GET", "/v1/grants", {"headers": {"X-Cipherset-Principal": f"{CANARY} {CANARY}"}}),
    ("GET", "/v1/grants", {"headers": {"Origin": f"https://{CANARY}"}}),
    ("POST", "/v1/sanitize", {"json": {"texts": [TEXT], CANARY: TEXT}}),
    ("POST", "/v1/sanitize", {"json": {"texts": {CANARY: TEXT}}}),
    ("POST", "/v1/sanitize", {"json": {"texts": [TEXT], "key": CANARY}}),
    ("POST", "/v1/sanitize", {"json": {"texts": [TEXT] * 1001}}),
    ("POST", "/v1/sanitize", {"content": TEXT, "headers": {"content-type": "application/json"}}),
    ("POST", "/v1/sanitize", {"content": TEXT, "headers": {"content-type": "text/plain"}}),
    ("POST", "/v1/grants", {"json": {"action": CANARY, "assets": [TEXT], "purpose": TEXT}}),
    ("POST", "/v1/audit/verify", {"json": {"checkpoint": TEXT, "signer": CANARY}}),
    ("POST", "/v1/audit/prove", {"json": {"checkpoint": TEXT, "seq": 1}}),
    ("POST", "/v1/discover", {"json": {CANARY: TEXT}}),
    ("POST", "/v1/discover", {"json": REPORT | {"findings": [{CANARY: TEXT}]}}),
    ("POST", "/v1/discover", {"json": REPORT | {"started": TEXT, "host": CANARY}}),
)
# What a key is called is no secret, and whoever asks for one that is not there is told its name.
NAMED = 8


@pytest.mark.parametrize("number", range(len(ASKED)))
def test_no_refusal_says_what_was_sent(solo, number, caplog):
    method, path, options = ASKED[number]
    caplog.set_level(logging.DEBUG)
    refused = solo.client.request(method, path, **options)
    assert refused.status_code >= 400
    assert TEXT not in refused.text
    assert number == NAMED or CANARY not in refused.text
    assert str(solo.home) not in refused.text
    ours = [each for each in caplog.records if not each.name.startswith(("httpx", "httpcore"))]
    assert not any(CANARY in each.getMessage() for each in ours)


def test_a_text_is_in_no_event_and_in_no_file(tmp_path):
    with gateway(tmp_path / "workspace", claimed=True) as served:
        body = {"texts": [TEXT]}
        assert served.client.post("/v1/sanitize", json=body).status_code == 200
        assert served.client.get("/metrics").status_code == 200
        assert not any(CANARY in str(event) for event in served.events())
    held = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in held if CANARY.encode() in path.read_bytes()] == []

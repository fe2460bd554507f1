"""Every route there is, asked by somebody who has no role: refused at the gate, and written down.

The routes are taken from the app. One that is not told here how to call fails.
"""

import json

import pytest
from http_samples import HOST, error_of, upload
from starlette.routing import Route

from cipherset.custody.policy import Action
from cipherset.evidence.discover.code import scan
from cipherset.interfaces.console.view import TOKEN
from cipherset.interfaces.http.actions import ACTION, FREE, told_of

GRANT = "grant-0123456789ab"
SIGNED = "{}"
JOB = "0123456789abcdef"
EXPORT = "sha256:" + "0" * 64
REPORT = scan([], host="nobody").as_json()
# How to call each: values of the path, and the body.
CALLS = {
    ("GET", "/metrics"): ({}, None),
    ("POST", "/v1/evaluate"): ({}, upload(EXPORT)),
    ("POST", "/v1/train"): ({}, {"cipherset": EXPORT, "space": {"models": [{"kind": "mlp"}]}}),
    ("GET", "/v1/train/{job_id}"): ({"job_id": JOB}, None),
    ("GET", "/v1/train/{job_id}/bundle"): ({"job_id": JOB}, None),
    ("POST", "/v1/train/{job_id}/cancel"): ({"job_id": JOB}, None),
    ("GET", "/v1/audit/events"): ({}, None),
    ("POST", "/v1/audit/checkpoint"): ({}, None),
    ("POST", "/v1/audit/prove"): ({}, {"checkpoint": SIGNED, "seq": 1}),
    ("POST", "/v1/audit/verify"): ({}, {"checkpoint": SIGNED}),
    ("GET", "/v1/grants"): ({}, None),
    ("GET", "/v1/grants/{grant_id}"): ({"grant_id": GRANT}, None),
    ("POST", "/v1/grants"): (
        {},
        {"action": "key.destroy", "assets": ["key:support"], "purpose": "a test"},
    ),
    ("POST", "/v1/grants/{grant_id}/approve"): ({"grant_id": GRANT}, {}),
    ("POST", "/v1/grants/{grant_id}/deny"): ({"grant_id": GRANT}, {}),
    ("POST", "/v1/grants/{grant_id}/revoke"): ({"grant_id": GRANT}, {}),
    ("POST", "/v1/predict"): ({}, {"model": "router", "texts": ["a text"]}),
    ("POST", "/v1/predict/scores"): ({}, {"model": "router", "texts": ["a text"]}),
    ("POST", "/v1/encrypt"): ({}, {"key": "support", "texts": ["a text"]}),
    ("POST", "/v1/search"): ({}, {"index": "tickets", "text": "a text"}),
    ("GET", "/v1/index/{index}"): ({"index": "tickets"}, None),
    ("POST", "/v1/index/{index}/rows"): ({"index": "tickets"}, {"texts": ["a text"]}),
    ("POST", "/v1/index/{index}/delete"): ({"index": "tickets"}, {"ids": ["0" * 32]}),
    ("POST", "/v1/chat/completions"): (
        {},
        {"model": "chat/small", "messages": [{"role": "user", "content": "x"}]},
    ),
    ("POST", "/v1/embeddings"): ({}, {"model": "chat/small", "input": "x"}),
    ("POST", "/v1/responses"): ({}, {"model": "chat/small", "input": "x"}),
    ("GET", "/v1/models"): ({}, None),
    ("POST", "/v1/discover"): ({}, REPORT),
    ("POST", "/v1/sanitize"): ({}, {"texts": ["a text"]}),
    ("GET", "/console"): ({}, None),
    ("GET", "/console/assets"): ({}, None),
    ("GET", "/console/assets/{asset_id}"): ({"asset_id": EXPORT}, None),
    ("GET", "/console/audit"): ({}, None),
    ("POST", "/console/audit/verify"): ({}, None),
    ("GET", "/console/exports"): ({}, None),
    ("GET", "/console/exports/{asset_id}"): ({"asset_id": EXPORT}, None),
    ("GET", "/console/exports/{asset_id}/report"): ({"asset_id": EXPORT}, None),
    ("GET", "/console/exposure"): ({}, None),
    ("GET", "/console/inventory"): ({}, None),
    ("POST", "/console/inventory/register"): ({}, {"name": "x", "purpose": "y", "owner": "z"}),
    ("POST", "/console/inventory/{asset_id}/review"): ({"asset_id": EXPORT}, {}),
    ("GET", "/console/policies"): ({}, None),
    ("GET", "/console/requests"): ({}, None),
    ("GET", "/console/requests/{grant_id}"): ({"grant_id": GRANT}, None),
    ("POST", "/console/requests/{grant_id}/approve"): ({"grant_id": GRANT}, {"reason": "why"}),
    ("POST", "/console/requests/{grant_id}/deny"): ({"grant_id": GRANT}, {"reason": "why"}),
    ("POST", "/console/requests/{grant_id}/revoke"): ({"grant_id": GRANT}, {"reason": "why"}),
    ("GET", "/console/shadow"): ({}, None),
    ("GET", "/console/frontier"): ({}, None),
    ("GET", "/console/frontier/{calibration}"): ({"calibration": "0" * 64}, None),
    ("GET", "/console/lineage"): ({}, None),
    ("GET", "/console/red-team"): ({}, None),
    ("GET", "/console/risk"): ({}, None),
    ("GET", "/console/threats"): ({}, None),
}
# Whoever may not say who they are is told no more than how pages are drawn.
NOTHING_TOLD = {("GET", "/console/"), ("GET", "/console/static/{digest}/{name}")}
NO_LEAVE = {("GET", "/healthz"), ("GET", "/openapi.json"), *NOTHING_TOLD}


def routes_of(app):
    return {
        (method, route.path): route
        for route in app.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }


def call(team, route, *, who=None):
    method, path = route
    values, body = CALLS[route]
    headers = {} if who is None else team.as_(who)
    if method == "POST" and path.startswith("/console"):  # as the console's own page sends it
        token = team.client.app.state.console.token_for(who or "")
        headers = {**headers, "Origin": HOST, TOKEN: token}
        return team.client.request(method, path.format(**values), data=body, headers=headers)
    return team.client.request(method, path.format(**values), json=body, headers=headers)


def test_each_route_is_told(team):
    app = team.client.app
    assert all(isinstance(route, Route) for route in app.routes)
    assert set(routes_of(app)) == CALLS.keys() | NO_LEAVE


def test_each_route_says_what_it_does_at_the_gate(team):
    said = {key: told_of(route) for key, route in routes_of(team.client.app).items()}
    assert {key for key, told in said.items() if ACTION not in told} == NO_LEAVE
    free = {key for key, told in said.items() if told.get(FREE)}
    assert free == NO_LEAVE - {("GET", "/openapi.json")}
    assert {told[ACTION] for told in said.values() if ACTION in told} <= set(Action)


@pytest.mark.parametrize("route", sorted(CALLS), ids=" ".join)
def test_nobody_does_it(team, route):
    before = len(team.events())
    refused = call(team, route, who="nobody")
    assert error_of(refused) == (403, "not_allowed")
    (event,) = team.events()[before:]
    declared = told_of(routes_of(team.client.app)[route])[ACTION]
    assert (event.actor, event.action, event.outcome) == ("nobody", declared, "refused")
    assert json.loads(event.body)["code"] == "not_allowed"


@pytest.mark.parametrize("route", sorted(CALLS), ids=" ".join)
def test_who_is_not_known_is_not_heard(team, route):
    before = len(team.events())
    refused = call(team, route)
    assert error_of(refused) == (401, "unidentified")
    assert refused.headers["WWW-Authenticate"]
    assert team.events()[before:] == []


def test_all_denials_read_the_same(team):
    told = [call(team, route, who="nobody").json()["error"] for route in CALLS]
    told = {(one["code"], one["message"], one["hint"]) for one in told}
    assert len(told) == 1

"""Policies tried on cases, explained, and looked through for what nobody uses."""

import pytest
from policy_facts import ask, policies

from cipherset.custody.policy import (
    Action,
    BuiltIn,
    Context,
    First,
    Kind,
    Level,
    Principal,
    Resource,
    Role,
    Standing,
    builtin,
    trial,
)
from cipherset.custody.policy.unused import Unused, unused

TEAM = builtin.load(BuiltIn.TEAM)
CASES = """
[[case]]
name = "a deployer needs a grant"
principal = { name = "eve", roles = ["deployer"], attributes = { team = "web" } }
action = "deploy"
resource = { kind = "model", id = "router", label = "internal", status = "approved" }
context = { measured = true, reid = 0.01 }
expect = "deny"

[[case]]
principal = { roles = ["deployer"] }
action = "deploy"
resource = { kind = "model", label = "internal", status = "approved" }
context = { measured = true, reid = 0.01, granted = true, hour_utc = 3 }
expect = "allow"
because = "deploy"

[[case]]
principal = { roles = ["reviewer"] }
action = "grant.approve"
resource = { kind = "model" }
context = { requester = "someone" }
expect = "deny"
because = "own-request"
"""


def test_cases_say_what_they_leave_out_by_the_defaults():
    first, second, third = trial.read_cases(CASES, "cases.toml")
    assert first.principal == Principal("eve", frozenset({Role.DEPLOYER}), {"team": "web"})
    assert first.context == Context(hour_utc=12, weekday=2, measured=True, reid=0.01)
    assert second.principal.name == "someone"
    assert second.context.hour_utc == 3
    assert second.resource == Resource(
        Kind.MODEL, "this", label=Level.INTERNAL, status=Standing.APPROVED
    )
    assert third.resource.label is Level.RESTRICTED
    assert third.request.action is Action.GRANT_APPROVE


def test_the_team_meets_its_cases():
    results = trial.run(TEAM, trial.read_cases(CASES, "cases.toml"))
    assert [result.is_met for result in results] == [True, True, True]
    assert results[1].found == "allow: deploy"
    assert results[0].found == "deny: no policy applies"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('expect = "allow"', 'expect = "deny"'),
        ('because = "deploy"', 'because = "deploy-at-risk"'),
        ('because = "own-request"', 'because = "own-work"'),
        ("granted = true", "granted = false"),
    ],
)
def test_a_case_that_is_not_met_is_seen(old, new):
    results = trial.run(TEAM, trial.read_cases(CASES.replace(old, new), "cases.toml"))
    assert [result.is_met for result in results].count(False) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[case", "cases.toml: not TOML"),
        ("", "expected [[case]]"),
        ("case = 3", "expected [[case]]"),
        ("case = []", "expected [[case]]"),
        ("[case]\nexpect = 'deny'", "expected [[case]]"),
        (CASES + "[more]\n", "expected [[case]]"),
        ("case = [3]", "case 1: a case is a table"),
        (CASES.replace("expect", "expects", 1), "case 1: a case has no expects"),
        (CASES.replace('expect = "deny"\n', "", 1), "case 1: expect: Field required"),
        (CASES.replace('"deny"', '"perhaps"', 1), "case 1: expect"),
        (CASES.replace('"deploy"', '"deplo"', 1), "case 1: action"),
        (CASES.replace("roles", "role", 1), "case 1, principal: a principal has no role"),
        (CASES.replace('"deployer"', '"king"', 1), "case 1, principal: roles"),
        (CASES.replace('kind = "model", ', "", 1), "case 1, resource: kind: Field required"),
        (CASES.replace("measured", "measure", 1), "case 1, context: a context has no"),
        (CASES.replace("0.01", '"low"', 1), "case 1, context: reid"),
        (CASES.replace('{ kind = "model" }', '"model"'), "case 3, resource: a resource is a table"),
    ],
)
def test_a_case_that_means_nothing_is_refused_with_its_place(refused, text, told):
    error = refused("policy_case", lambda: trial.read_cases(text, "cases.toml"))
    assert told in error.message


def test_what_is_explained_says_why_and_what_is_missing():
    request = ask(["deployer"], "deploy", "model", status=Standing.APPROVED, reid=0.2)
    rows = trial.explain(TEAM, request)
    assert rows[0] == ("decision", "deny")
    assert rows[1][0].startswith("  too-exposed (team.cedar:")
    assert ("would be allowed by", "a live grant that accepts the risk") in rows
    assert rows[-1] == ("a grant takes the approval of", "1 data-owner, 2 reviewer")


def test_what_is_explained_says_what_has_to_be_first():
    rows = trial.explain(TEAM, ask(["deployer"], "deploy", "model"))
    assert ("takes first", "the asset approved") in rows
    assert ("would be allowed by", "a live grant that accepts the risk") in rows
    assert all(each.says for each in First)


def test_what_is_explained_says_who_may():
    rows = trial.explain(TEAM, ask(["auditor"], "detokenize", "dataset"))
    assert ("  because", "no policy allows detokenize of this dataset to auditor") in rows
    assert ("may do it with a grant", "data-owner") in rows
    rows = trial.explain(TEAM, ask(["auditor"], "scan", "dataset"))
    assert [row for row in rows if row[0] == "may do it"] == [
        ("may do it", "data-owner"),
        ("may do it", "ingester"),
    ]
    assert [row for row in rows if row[0] == "may do it with a grant"] == []


def test_an_emergency_is_explained_loudly():
    request = ask(["data-owner"], "detokenize", "dataset", break_glass=True)
    rows = trial.explain(TEAM, request)
    assert rows[0] == ("decision", "allow")
    assert rows[1][0] == "  loud"


def test_unused_are_the_permissions_that_were_not_used():
    deployer = Principal("eve", frozenset({Role.DEPLOYER}))
    auditor = Principal("fay", frozenset({Role.AUDITOR}))
    used = [
        ("eve", Action.DEPLOY, Kind.MODEL),
        ("eve", Action.KEY_USE, Kind.KEY),
        ("fay", Action.DEPLOY, Kind.SERVICE),
    ]
    found = unused(TEAM, used, [auditor, deployer, Principal("gus")])
    assert [each for each in found if each.principal == "eve"] == [
        Unused("eve", Action.DEPLOY, Kind.SERVICE),
        Unused("eve", Action.SERVICE_ADD, Kind.SERVICE),
        Unused("eve", Action.SERVICE_REMOVE, Kind.SERVICE),
    ]
    assert {each.action for each in found if each.principal == "fay"} == {
        Action.AUDIT,
        Action.DISCOVER,
        Action.BREACH,
        Action.KEY_USE,
    }
    assert [each for each in found if each.principal == "gus"] == []


def test_what_no_condition_opens_is_no_permission():
    closed = policies(
        "permit (principal, action, resource)",
        'forbid (principal, action, resource) unless { principal in Role::"reviewer" }',
    )
    assert unused(closed, [], [Principal("eve", frozenset({Role.DEPLOYER}))]) == []

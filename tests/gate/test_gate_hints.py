"""A refusal names the next command wherever it is known which condition is not met."""

from datetime import UTC, datetime

import pytest

from cipherset.app.gate.about import WORKSPACE, About
from cipherset.app.gate.facts import Asked
from cipherset.app.gate.hint import hint
from cipherset.custody.policy import (
    UNBOUNDED,
    Action,
    BuiltIn,
    Context,
    Kind,
    Level,
    Policies,
    Principal,
    Request,
    Resource,
    Role,
    Standing,
    Verdict,
    builtin,
)

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
GRANT = "cipherset grant request"
APPROVE = f"{GRANT} approve router --for PURPOSE --as WHO"
DEPLOY = f"{GRANT} deploy router --for PURPOSE --accept-risk REASON --as dan"
SAFE = {"reid": 0.01, "measured": True, "verdict": Verdict.WITHIN_LIMIT}
TEAM, SOLO = builtin.load(BuiltIn.TEAM), builtin.load(BuiltIn.SOLO)


def told(action, role, resource, *, policies=TEAM, about=None, **facts):
    """The hint for dan, who has the role."""
    about = about or About(resource.kind, resource.id, resource.name)
    context = Context(hour_utc=NOON.hour, weekday=NOON.weekday(), **facts)
    request = Request(Principal("dan", frozenset({role})), action, resource, context)
    assert not policies.judge(request).is_allowed
    return hint(Asked(request, policies, about, None, None, None, action))


def own(policy):
    """A set of one policy, with the limits of the team."""
    texts = {"own.cedar": f'@id("own") @why("ours") {policy};'}
    return Policies.load(texts, builtin.limits(BuiltIn.TEAM))


def model(status=Standing.PROPOSED, **facts):
    return Resource(Kind.MODEL, "sha256:0", "router", label=Level.INTERNAL, status=status, **facts)


def rows(**facts):
    return Resource(Kind.DATASET, "sha256:1", "rows.csv", label=Level.INTERNAL, **facts)


def test_a_model_that_nobody_approved_is_approved_first():
    said = told(Action.DEPLOY, Role.DEPLOYER, model())
    first, then = said.split("; then ")
    assert first.startswith(f"router is not approved yet: {APPROVE}")
    assert "who is data-owner or reviewer" in first
    assert "cipherset asset approve router --as WHO" in first
    assert then.startswith("a grant would allow it, approved by 1 data-owner and 1 reviewer")
    assert DEPLOY in then
    assert "cipherset assess DIR" in then


def test_what_is_approved_is_not_approved_again():
    said = told(Action.DEPLOY, Role.DEPLOYER, model(Standing.APPROVED), **SAFE)
    assert "asset approve" not in said
    assert f"{GRANT} deploy router --for PURPOSE --as dan" in said


def test_who_may_not_deploy_is_told_who_may_and_that_it_is_not_approved():
    said = told(Action.DEPLOY, Role.SCIENTIST, model())
    assert said.startswith("router is not approved yet")
    assert "; then deployer may do it under a grant" in said


def test_where_approval_is_all_that_is_missing_nothing_else_is_told():
    said = told(Action.DEPLOY, Role.DEPLOYER, model(), granted=True, **SAFE)
    assert said.startswith("router is not approved yet")
    assert "; then" not in said


@pytest.mark.parametrize("status", [Standing.SUSPENDED, Standing.RETIRED])
def test_one_person_approves_it_anew_at_once(status):
    said = told(Action.PREDICT, Role.SERVICE, model(status), policies=SOLO)
    assert said == f"router is {status}: cipherset asset approve router --as dan"


def test_a_suspended_key_is_named_as_one():
    key = Resource(Kind.KEY, "sha256:2", "support", status=Standing.SUSPENDED)
    said = told(Action.KEY_USE, Role.INGESTER, key)
    assert "cipherset grant request approve key:support" in said
    assert "cipherset asset approve key:support" in said


def test_above_the_limit_less_risk_is_named_beside_the_grant():
    leaving = {"exposure_left": UNBOUNDED, "measured": True}
    said = told(Action.EXPORT, Role.INGESTER, rows(), reid=0.3, **leaving)
    assert "--accept-risk REASON" in said
    assert "or make it with less risk: cipherset calibrate --help" in said


def test_what_is_used_up_is_shown_by_a_command():
    said = told(Action.SEARCH, Role.INGESTER, rows(), rows=9, exposure_left=3)
    assert said.endswith("cipherset view exposure")


def test_an_emergency_is_asked_for_by_its_option():
    key = Resource(Kind.KEY, "sha256:2", "support")
    glass = own("permit (principal, action, resource) when { context.break_glass }")
    said = told(Action.KEY_DESTROY, Role.KEY_CUSTODIAN, key, policies=glass)
    assert said == "it takes an emergency, which is reviewed after: --break-glass REASON"


def test_another_purpose_is_said():
    said = told(Action.PROTECT, Role.INGESTER, rows(purpose="routing"), purpose="sales")
    assert "it is for 'routing'" in said
    assert "--purpose" in said


def test_a_place_and_its_key_are_named():
    bound = rows(region="eu", tenant="acme")
    said = told(Action.PROTECT, Role.INGESTER, bound, under_key=True)
    assert "CIPHERSET_REGION" in said
    assert "cipherset key create NAME --tenant acme --only-in region=eu" in said
    here = told(
        Action.PROTECT, Role.INGESTER, bound, under_key=True, region="eu", key_tenant="acme"
    )
    assert "CIPHERSET_REGION" not in here


def test_a_service_at_the_terminal_is_sent_to_the_gateway():
    key = Resource(Kind.KEY, "sha256:2", "support", status=Standing.APPROVED)
    said = told(Action.ENCRYPT, Role.SERVICE, key, exposure_left=UNBOUNDED)
    assert "cipherset serve --help" in said


def test_who_had_a_part_in_it_asks_somebody_else():
    said = told(Action.GRANT_APPROVE, Role.REVIEWER, model(), requester="dan")
    assert said.startswith("ask someone else who is data-owner or reviewer")


def test_who_may_do_it_under_a_grant_is_named_with_the_command():
    said = told(Action.KEY_DESTROY, Role.REVIEWER, Resource(Kind.KEY, "sha256:2", "support"))
    assert said == (
        "key-custodian may do it under a grant: cipherset grant request key.destroy key:support "
        "--for PURPOSE --as WHO"
    )


def test_where_nothing_helps_the_policies_are_explained():
    kept_out = own('permit (principal == Principal::"x", action, resource)')
    workspace = Resource(Kind.WORKSPACE, WORKSPACE.id, WORKSPACE.name)
    said = told(Action.AUDIT, Role.AUDITOR, workspace, policies=kept_out, about=WORKSPACE)
    assert "cipherset policy explain" in said

"""One decision: denied unless a permit applies and no forbid does, and nothing is unclear."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_facts import ALL, LIMITS, ask, only_when, policies

from cipherset.core import canonical
from cipherset.custody.policy import (
    APPLIES_TO,
    UNBOUNDED,
    Action,
    Authenticated,
    BuiltIn,
    First,
    Kind,
    Level,
    Missing,
    Policies,
    Principal,
    Request,
    Role,
    Standing,
    Trust,
    Verdict,
    Way,
    builtin,
)

ANYTHING = Policies.load({"all.cedar": ALL}, LIMITS)
NOBODYS = only_when('principal == Principal::"somebody else"')
GLASS = LIMITS + '[break_glass]\nactions = ["detokenize"]\nroles = ["data-owner"]\n'


def test_what_a_permit_covers_is_allowed_with_its_name_and_reason():
    decision = ANYTHING.decide(ask([], "deploy", "model"))
    assert decision.is_allowed
    assert decision.policies == ("all",)
    assert decision.because == ("anything",)
    assert decision.missing.ways == ()


def test_what_nothing_covers_is_denied():
    decision = NOBODYS.decide(ask(["deployer"], "deploy", "model"))
    assert not decision.is_allowed
    assert decision.policies == ()
    assert decision.because == ("no policy allows deploy of this model to deployer",)


def test_a_forbid_holds_against_every_permit():
    both = policies(
        "permit (principal, action, resource)",
        'forbid (principal, action == Action::"deploy", resource)',
    )
    denied = both.decide(ask([], "deploy", "model"))
    assert (denied.is_allowed, denied.policies, denied.because) == (False, ("p1",), ("why 1",))
    assert both.decide(ask([], "predict", "model")).is_allowed


def test_an_allow_with_an_error_beside_it_is_a_denial():
    """Cedar skips a policy that fails, a forbid too: here one whose product is too large."""
    failing = policies(
        "permit (principal, action, resource)",
        "forbid (principal, action, resource) when { context.rows * 4611686018427387904 > 0 }",
    )
    assert failing.decide(ask([], "scan", "dataset", rows=0)).is_allowed
    assert not failing.decide(ask([], "scan", "dataset", rows=1)).is_allowed
    decision = failing.decide(ask([], "scan", "dataset", rows=2))
    assert not decision.is_allowed
    assert decision.because == ("what is asked does not fit the schema of the policies",)


def test_all_permits_that_apply_are_named():
    both = policies("permit (principal, action, resource)", "permit (principal, action, resource)")
    assert both.decide(ask([], "scan", "dataset")).policies == ("p0", "p1")


def test_without_an_actor_nothing_is_allowed():
    decision = ANYTHING.decide(ask([], "deploy", "model", name=""))
    assert not decision.is_allowed
    assert decision.because == ("nobody is named who asks",)
    assert decision.missing.roles == ()


def test_an_unknown_action_is_denied():
    known = ask([], "deploy", "model")
    request = Request(known.principal, "take.over", known.resource, known.context)
    decision = ANYTHING.decide(request)
    assert not decision.is_allowed
    assert decision.because == ("take.over is not done to a model",)


def test_an_action_on_what_it_is_not_for_is_denied():
    assert not ANYTHING.decide(ask([], "deploy", "key")).is_allowed


@pytest.mark.parametrize(
    "facts",
    [
        {"reid": float("nan")},
        {"reid": float("inf")},
        {"reid": 1e15},
        {"rows": -1},
        {"rows": 2**63},
        {"rows": 1.5},
        {"exposure_left": 2**64},
        {"network": "10.0.0"},
        {"network": "localhost"},
        {"granted": "yes"},
        {"verdict": "fine"},
        {"label": Level.PUBLIC, "status": "perhaps"},
        {"purpose": "\ud800"},
        {"name": "ann\ud800"},
        {"attributes": {"team": 3}},
        {"tags": frozenset({4})},
    ],
)
def test_a_fact_that_cannot_be_read_denies(facts):
    decision = ANYTHING.decide(ask([], "deploy", "model", **facts))
    assert not decision.is_allowed
    assert decision.because == ("what is asked does not fit the schema of the policies",)


def test_what_is_said_of_an_unreadable_fact_does_not_repeat_it():
    decision = ANYTHING.decide(ask([], "deploy", "model", network="kestrel.example"))
    assert "kestrel" not in repr(decision)


@pytest.mark.parametrize("name", ["ann\nbob", 'a"b', "*", "Principal::x", "ä" * 300])
def test_names_are_only_names(name):
    mine = only_when('principal in Role::"reviewer"')
    assert mine.decide(ask(["reviewer"], "deploy", "model", name=name)).is_allowed
    assert not mine.decide(ask([], "deploy", "model", name=name)).is_allowed


RISK = (
    'context has reid && context.reid.lessThanOrEqual(decimal("0.05")) && '
    "context has exposure_left && context.exposure_left >= context.rows"
)


@pytest.mark.parametrize(
    ("facts", "is_allowed"),
    [
        ({"reid": 0.05, "exposure_left": 10, "rows": 10}, True),
        ({"reid": 0.0500001, "exposure_left": 10, "rows": 10}, False),
        ({"reid": 0.05, "exposure_left": 9, "rows": 10}, False),
        ({"reid": 0.05, "exposure_left": UNBOUNDED, "rows": 10**9}, True),
        ({"reid": -0.01, "exposure_left": 0, "rows": 0}, True),
        ({"exposure_left": 10, "rows": 10}, False),
        ({"reid": 0.01, "rows": 0}, False),
    ],
)
def test_a_policy_can_ask_for_measured_risk_and_what_exposure_is_left(facts, is_allowed):
    assert only_when(RISK).decide(ask([], "export", "dataset", **facts)).is_allowed == is_allowed


CONDITIONS = [
    ('context has purpose && context.purpose == "routing"', {"c_purpose": "routing"}),
    ("resource.level >= 2", {"label": Level.RESTRICTED}),
    ('resource.label == Level::"internal"', {"label": Level.INTERNAL}),
    ('context has environment && context.environment == "prod"', {"environment": "prod"}),
    ("context.hour_utc >= 7 && context.weekday < 5", {"hour_utc": 8, "weekday": 4}),
    (
        'context has network && context.network.isInRange(ip("10.0.0.0/8"))',
        {"network": "10.1.2.3"},
    ),
    ('context has code && context.code == "sha256:aa"', {"code": "sha256:aa"}),
    (
        'context has verdict && context.verdict == Verdict::"within limit"',
        {"verdict": Verdict.WITHIN_LIMIT},
    ),
    ("context.measured", {"measured": True}),
    ('context has grant_id && context.grant_id == "7"', {"grant_id": "7"}),
    ("context.accepted_risk", {"accepted_risk": True}),
    ("context.founding", {"founding": True}),
    ("context.under_key", {"under_key": True}),
    (
        'context.authenticated == Authenticated::"certificate"',
        {"authenticated": Authenticated.CERTIFICATE},
    ),
    ('context has asked && context.asked == Asked::"deploy"', {"asked": Action.DEPLOY}),
    ("context has requester && context.requester == principal", {"requester": "ann"}),
    ("context has beneficiary && context.beneficiary == principal", {"beneficiary": "ann"}),
    ("resource has owner && resource.owner == principal", {"owner": "ann"}),
    ("resource.made_by.contains(principal)", {"made_by": frozenset({"bob", "ann"})}),
    ('resource.tags.contains("PII")', {"tags": frozenset({"PII", "PCI"})}),
    ('resource has trust && resource.trust == Trust::"partner"', {"trust": Trust.PARTNER}),
    ('resource.status == Standing::"approved"', {"status": Standing.APPROVED}),
    ('resource.name == "tickets"', {"c_name": "tickets"}),
    (
        'principal.hasTag("team") && principal.getTag("team") == "fraud"',
        {"attributes": {"team": "fraud"}},
    ),
    ('principal in Role::"reviewer"', {"roles": ["reviewer"]}),
]


@pytest.mark.parametrize(("condition", "facts"), CONDITIONS)
def test_a_policy_can_ask_for_each_fact(condition, facts):
    facts = dict(facts)
    held = only_when(condition)
    roles = facts.pop("roles", [])
    assert not held.decide(ask([], "deploy", "model", label=Level.PUBLIC, hour_utc=3)).is_allowed
    if "c_name" in facts:
        request = ask(roles, "deploy", "model")
        object.__setattr__(request.resource, "name", facts["c_name"])
    else:
        request = ask(roles, "deploy", "model", **facts)
    assert held.decide(request).is_allowed


@given(st.integers(0, 400), st.floats(0, 1))
def test_more_risk_never_allows_what_less_did_not(limit, reid):
    held = only_when(f'context has reid && context.reid.lessThan(decimal("0.0{limit:03d}"))')
    allowed = [
        held.judge(ask([], "export", "dataset", reid=each)).is_allowed
        for each in (reid / 2, reid, min(reid * 2, 1.0))
    ]
    assert allowed == sorted(allowed, reverse=True)


def test_the_limit_of_risk_stands_in_one_place():
    texts = {
        "a.cedar": '@id("a") @why("b") permit (principal, action, resource) when '
        "{ context has reid && context.reid.lessThanOrEqual(context.max_reid) };"
    }
    tight = Policies.load(texts, "max_reid = 0.01\n" + LIMITS)
    loose = Policies.load(texts, "max_reid = 0.2\n" + LIMITS)
    request = ask([], "export", "dataset", reid=0.05)
    assert not tight.decide(request).is_allowed
    assert loose.decide(request).is_allowed


@pytest.mark.parametrize(
    ("condition", "ways"),
    [
        ("context.granted", (Way.GRANT,)),
        ("context.measured", (Way.LESS_RISK,)),
        ("context.granted && context.measured", (Way.GRANT_AND_LESS_RISK,)),
        ("context.granted && context.accepted_risk", (Way.ACCEPTED_RISK,)),
        ("context.granted || context.measured", (Way.GRANT, Way.LESS_RISK)),
        ("context has exposure_left && context.exposure_left >= context.rows", (Way.EXPOSURE,)),
        ('principal == Principal::"somebody else"', ()),
    ],
)
def test_a_denial_says_what_would_turn_it(condition, ways):
    decision = only_when(condition).decide(ask([], "export", "dataset", rows=3))
    assert not decision.is_allowed
    assert decision.missing.ways == ways
    assert all(way.says for way in ways)


def test_a_denial_says_who_may():
    held = policies(
        'permit (principal in Role::"reviewer", action, resource)',
        'permit (principal in Role::"deployer", action, resource) when { context.granted }',
    )
    missing = held.decide(ask(["auditor"], "deploy", "model")).missing
    assert missing.roles == (Role.REVIEWER,)
    assert missing.roles_with_grant == (Role.DEPLOYER, Role.REVIEWER)
    assert missing.ways == ()


@pytest.mark.parametrize(
    ("condition", "facts", "first"),
    [
        ('resource.status == Standing::"approved"', {}, (First.APPROVAL,)),
        (
            "resource has purpose && context has purpose && context.purpose == resource.purpose",
            {"purpose": "routing", "c_purpose": "sales"},
            (First.PURPOSE,),
        ),
        (
            "resource has region && context has region && context.region == resource.region",
            {"region": "eu"},
            (First.REGION,),
        ),
        (
            "resource has tenant && context has key_tenant && context.key_tenant == "
            "resource.tenant",
            {"tenant": "acme", "under_key": True},
            (First.KEY,),
        ),
        ('context.authenticated != Authenticated::"claimed"', {}, (First.IDENTITY,)),
    ],
)
def test_what_has_to_be_first_is_told_and_nothing_besides(condition, facts, first):
    request = ask([], "export", "dataset", **facts)
    alone = only_when(condition).missing(request)
    assert alone == Missing(first=first)
    granted = only_when(f"{condition} && context.granted").missing(request)
    assert (granted.first, granted.ways) == (first, (Way.GRANT,))
    either = only_when(f"({condition}) || context.granted").missing(request)
    assert (either.first, either.ways) == ((), (Way.GRANT,))


@pytest.mark.parametrize("home", ["region", "tenant"])
def test_what_is_of_several_places_is_bound_to_no_one_of_them(home):
    condition = f"resource has {home} && context has key_{home} && "
    held = only_when(condition + f"context.key_{home} == resource.{home}")
    request = ask([], "protect", "dataset", **{home: "eu, us"}, under_key=True)
    assert held.missing(request) == Missing()


def test_glass_that_is_broken_does_not_stand_for_what_has_to_be_first():
    held = policies(
        "permit (principal, action, resource) when { context.break_glass }",
        'permit (principal, action, resource) when { resource.status == Standing::"approved" }',
        limits=GLASS,
    )
    request = ask(["reviewer"], "detokenize", "dataset", break_glass=True)
    assert held.missing(request) == Missing(first=(First.APPROVAL,))


def test_who_could_never_do_it_is_told_who_could():
    held = policies(
        'permit (principal in Role::"reviewer", action, resource) when { context.granted }',
        "forbid (principal, action, resource) when { resource.made_by.contains(principal) }",
    )
    others = (Role.REVIEWER,)
    assert held.could(ask(["deployer"], "approve", "model")) == others
    assert held.could(ask(["reviewer"], "approve", "model")) is None
    assert held.could(ask(["reviewer"], "approve", "model", made_by=frozenset({"ann"}))) == others
    assert held.could(ask(["deployer"], "key.create", "model")) is None
    nobody = only_when('principal == Principal::"x"')
    assert nobody.could(ask(["deployer"], "approve", "model")) is None


def test_one_look_says_the_same_but_for_what_is_missing():
    held = only_when("context.granted")
    request = ask(["auditor"], "deploy", "model")
    decision = held.decide(request)
    assert held.judge(request) == replace(decision, missing=Missing())
    assert held.missing(request) == decision.missing


def test_who_is_kept_out_by_name_is_told_that_another_may():
    held = policies(
        'permit (principal in Role::"reviewer", action, resource)',
        "forbid (principal, action, resource) when "
        "{ context has requester && context.requester == principal }",
    )
    decision = held.decide(ask(["reviewer"], "grant.approve", "model", requester="ann"))
    assert decision.policies == ("p1",)
    assert decision.missing.roles == (Role.REVIEWER,)


def test_break_glass_opens_what_the_limits_name_and_says_so():
    held = policies(
        "permit (principal, action, resource) when { context.break_glass || context.granted }",
        limits=GLASS,
    )
    calm = held.decide(ask(["data-owner"], "detokenize", "dataset"))
    assert not calm.is_allowed
    assert calm.missing.ways == (Way.GRANT, Way.BREAK_GLASS)
    loud = held.decide(ask(["data-owner"], "detokenize", "dataset", break_glass=True))
    assert (loud.is_allowed, loud.is_break_glass) == (True, True)
    needless = held.decide(
        ask(["data-owner"], "detokenize", "dataset", break_glass=True, granted=True)
    )
    assert (needless.is_allowed, needless.is_break_glass) == (True, False)
    for roles, action in ((["data-owner"], "scan"), (["ingester"], "detokenize")):
        assert not held.decide(ask(roles, action, "dataset", break_glass=True)).is_allowed


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("permit (principal, action, resource) when { context.rowz > 3 };", "meaning", "rowz"),
        (
            "permit (principal, action, resource) when { context has asked_by };",
            "meaning",
            "asked_by",
        ),
        (
            "forbid (principal, action, resource) when { context has asked_by && "
            "context.asked_by == principal };",
            "meaning",
            "asked_by",
        ),
        (
            "permit (principal, action, resource) when { resource has sensitivity };",
            "meaning",
            "sensitivity",
        ),
        ("permit (principal, action, resource) when { principal has team };", "meaning", "team"),
        (
            "permit (principal, action, resource) when { resource has owner && "
            "resource.owner has team };",
            "meaning",
            "team",
        ),
        (
            "permit (principal, action, resource) when { if true then context has ri else false };",
            "meaning",
            "`has ri`",
        ),
        ('permit (principal, action == Action::"deplo", resource);', "meaning", "deplo"),
        ('permit (principal in Role::"reviewr", action, resource);', "meaning", "reviewr"),
        (
            'permit (principal, action, resource) when { resource.label == Level::"secret" };',
            "meaning",
            "secret",
        ),
        ("permit (principal, action, resource is Table);", "meaning", "Table"),
        (
            'permit (principal, action, resource) when { context.reid.lessThan(decimal("0.1")) };',
            "meaning",
            "optional",
        ),
        (
            'permit (principal, action, resource) when { principal.getTag("team") == "x" };',
            "meaning",
            "tag",
        ),
        (
            'permit (principal, action, resource) when { context.rows == "3" };',
            "meaning",
            "compatible",
        ),
        ("permit (principal, action resource);", "syntax", "resource"),
        ("permit (principal, action, resource)", "syntax", "unexpected end"),
        ("permit (principal == ?principal, action, resource);", "template", "template"),
    ],
)
def test_a_policy_that_could_not_work_is_refused_with_its_place(refused, text, code, told):
    texts = {"house.cedar": f'{ALL}\n// a "comment;\n\n@id("bad") @why("w")\n{text}'}
    error = refused(f"policy_{code}", lambda: Policies.load(texts, LIMITS))
    assert error.message.startswith("house.cedar:7: ")
    assert told in error.message


@pytest.mark.parametrize(
    "begin",
    [
        "",
        '@id("x")',
        '@why("w")',
        '@id("") @why("w")',
        '@id("A B") @why("w")',
        '@id("x") @why(" ")',
        "@id @why",
    ],
)
def test_a_policy_without_a_name_and_a_reason_is_refused(refused, begin):
    texts = {"a.cedar": f"{begin} permit (principal, action, resource);"}
    refused("policy_annotation", lambda: Policies.load(texts, LIMITS))


def test_two_policies_of_one_name_are_refused(refused):
    error = refused("policy_twice", lambda: Policies.load({"a.cedar": ALL, "b.cedar": ALL}, LIMITS))
    assert "a.cedar:1" in error.message
    assert "b.cedar:1" in error.message


@pytest.mark.parametrize("texts", [{}, {"a.cedar": ""}, {"a.cedar": "// nothing; yet\n"}])
def test_a_set_without_a_policy_is_refused(refused, texts):
    refused("policy_empty", lambda: Policies.load(texts, LIMITS))


def test_a_semicolon_in_a_text_ends_no_policy():
    texts = {
        "a.cedar": '@id("a") @why("stop; \\"go\\"; wait") // no; comment\n'
        'permit (principal, action, resource) when { resource.name == ";" };\n' + ALL
    }
    loaded = Policies.load(texts, LIMITS)
    assert [(rule.id, rule.why) for rule in loaded.rules] == [
        ("a", 'stop; "go"; wait'),
        ("all", "anything"),
    ]
    assert [rule.where for rule in loaded.rules] == ["a.cedar:1", "a.cedar:3"]


def test_a_set_is_kept_as_one_text(refused):
    for name in BuiltIn:
        first = builtin.load(name)
        again = Policies.from_source(first.source)
        assert (again.digest, again.rules, again.limits) == (
            first.digest,
            first.rules,
            first.limits,
        )
        assert again.digest == canonical.digest_bytes(first.source.encode())
    for bad in ('{"texts":{}}', "[]", '{"limits":3,"texts":{}}', '{"limits":"","texts":{"a":1}}'):
        refused("policy_source", lambda bad=bad: Policies.from_source(bad))
    refused("not_canonical", lambda: Policies.from_source(first.source + " "))
    changed = first.source.replace("permit", "permits")
    refused("policy_syntax", lambda: Policies.from_source(changed))


TEAM = builtin.load(BuiltIn.TEAM)
EFFECTS = {rule.id: rule.effect for rule in TEAM.rules}
TEXT = st.text(max_size=4)
UNKNOWN = st.none()
WORDS = st.sampled_from(["ann", "", "*", '"', "\n", "\ud800", "a" * 999])
CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        "purpose": UNKNOWN | TEXT,
        "environment": UNKNOWN | TEXT,
        "network": UNKNOWN | st.ip_addresses().map(str) | TEXT,
        "code": UNKNOWN | TEXT,
        "granted": st.booleans(),
        "break_glass": st.booleans(),
        "reid": UNKNOWN | st.floats(),
        "verdict": UNKNOWN | st.sampled_from(Verdict),
        "measured": st.booleans(),
        "exposure_left": UNKNOWN | st.integers(),
        "rows": st.integers(),
        "accepted_risk": st.booleans(),
        "authenticated": st.sampled_from(Authenticated),
        "asked": UNKNOWN | st.sampled_from(Action),
        "requester": UNKNOWN | WORDS,
        "beneficiary": UNKNOWN | WORDS,
        "founding": st.booleans(),
        "under_key": st.booleans(),
    },
)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from(Role), max_size=3),
    st.sampled_from(Action),
    st.sampled_from(Kind),
    WORDS,
    CONTEXTS,
)
def test_whatever_is_asked_is_answered_and_allowed_by_permits_alone(
    roles, action, kind, name, context
):
    request = ask(roles, action, kind, name=name, **{f"c_{n}": v for n, v in context.items()})
    decision = TEAM.judge(request)
    effects = {EFFECTS[each] for each in decision.policies}
    assert effects <= ({"permit"} if decision.is_allowed else {"forbid"})
    assert not decision.is_allowed or (effects and name and roles)
    assert decision.because


def test_the_digest_changes_with_every_part():
    first = Policies.load({"a.cedar": ALL}, LIMITS).digest
    others = [
        Policies.load({"a.cedar": ALL + "\n"}, LIMITS).digest,
        Policies.load({"b.cedar": ALL}, LIMITS).digest,
        Policies.load({"a.cedar": ALL}, LIMITS + "\n").digest,
    ]
    assert len({first, *others}) == 4
    assert Policies.load({"a.cedar": ALL}, LIMITS).digest == first


@pytest.mark.parametrize("name", BuiltIn)
def test_the_built_in_sets_are_valid(name):
    loaded = builtin.load(name)
    assert {rule.effect for rule in loaded.rules} <= {"permit", "forbid"}
    assert loaded.limits.approvals_for(Action.DEPLOY, Level.RESTRICTED)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("kind", Kind)
def test_solo_allows_one_person_everything_there_is(action, kind):
    decision = builtin.load(BuiltIn.SOLO).judge(ask([], action, kind))
    assert decision.is_allowed == (kind in APPLIES_TO[action])


def test_nobody_is_not_one_person():
    decision = builtin.load(BuiltIn.SOLO).decide(ask([], "deploy", "model", name=""))
    assert not decision.is_allowed


def test_a_principal_without_roles_is_no_stranger_to_types():
    assert Principal("ann").roles == frozenset()


@pytest.mark.parametrize(
    ("scope", "actions", "entity_type"),
    [
        ("principal, action, resource", None, None),
        ('principal, action == Action::"deploy", resource', {"deploy"}, None),
        ('principal, action in Action::"deploy", resource', {"deploy"}, None),
        (
            'principal, action in [Action::"deploy", Action::"predict"], resource is Model',
            {"deploy", "predict"},
            "Model",
        ),
        ('principal, action, resource == Model::"this"', None, None),
        ('principal, action, resource is Model in Model::"this"', None, "Model"),
        ('principal, action, resource in Model::"this"', None, None),
    ],
)
@pytest.mark.parametrize("effect", ["permit", "forbid"])
def test_a_scope_rules_out_only_what_it_does(effect, scope, actions, entity_type):
    (rule,) = policies(f"{effect} ({scope})").rules
    assert rule.actions == actions
    assert rule.entity_type == entity_type
    held = policies(f"permit ({scope})")
    for action in ("deploy", "predict"):
        for kind in ("model", "service"):
            expected = (actions is None or action in actions) and (
                kind == "model" or ("Model" not in scope)
            )
            assert held.judge(ask([], action, kind)).is_allowed == expected


def test_what_is_kept_of_one_question_is_no_answer_to_another():
    """``1 == True`` to Python, and not to Cedar: the facts of each are told apart as written."""
    few = only_when("context.rows <= 1")
    assert few.judge(ask([], "deploy", "model", rows=1)).is_allowed
    assert few.judge(ask([], "deploy", "model", rows=1)) is few.judge(
        ask([], "deploy", "model", rows=1)
    )
    assert not few.judge(ask([], "deploy", "model", rows=True)).is_allowed
    assert not few.judge(ask([], "deploy", "model", rows=2)).is_allowed
    tagged = only_when('principal.hasTag("team") && principal.getTag("team") == "a"')
    assert tagged.judge(ask([], "deploy", "model", attributes={"team": "a"})).is_allowed
    assert not tagged.judge(ask([], "deploy", "model", attributes={"team": "b"})).is_allowed


def test_no_more_answers_are_kept_than_so_many():
    few = only_when("context.rows <= 1")
    for rows in range(2500):
        assert few.judge(ask([], "deploy", "model", rows=rows)).is_allowed == (rows <= 1)
    assert len(few._judged) <= 1024

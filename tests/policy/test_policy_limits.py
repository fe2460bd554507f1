"""Limits are read in full or refused, and never ask nobody."""

import pytest
from policy_facts import LIMITS

from cipherset.custody.policy import Action, Level, Role
from cipherset.custody.policy.limits import read_limits

FULL = """
max_reid = 0.02

[approvals.default.public]
reviewer = 1

[approvals.deploy.internal]
data-owner = 1
reviewer = 1

[approvals.deploy.restricted]
data-owner = 2

[grants]
longest_s = 3600
deny = 2

[break_glass]
actions = ["detokenize"]
roles = ["data-owner"]
review_within_s = 60

[rates]
query = 5

[[conflicts]]
roles = ["scientist", "ingester"]
why = "both sides"

[exclusive]
auditor = "judges"
"""


def test_everything_is_read():
    limits = read_limits(FULL)
    assert limits.max_reid == 0.02
    assert limits.grants.longest_s == 3600
    assert limits.grants.deny == 2
    assert not limits.grants.self_approval
    assert limits.break_glass.actions == {Action.DETOKENIZE}
    assert limits.break_glass.review_within_s == 60
    assert limits.rates == {Action.QUERY: 5}
    assert limits.conflicts[0].roles == {Role.SCIENTIST, Role.INGESTER}
    assert limits.exclusive == {Role.AUDITOR: "judges"}


@pytest.mark.parametrize(
    ("action", "label", "needed"),
    [
        (Action.DEPLOY, Level.PUBLIC, {Role.REVIEWER: 1}),
        (Action.DEPLOY, Level.INTERNAL, {Role.DATA_OWNER: 1, Role.REVIEWER: 1}),
        (Action.DEPLOY, Level.CONFIDENTIAL, {Role.DATA_OWNER: 1, Role.REVIEWER: 1}),
        (Action.DEPLOY, Level.RESTRICTED, {Role.DATA_OWNER: 2}),
        (Action.ERASE, Level.RESTRICTED, {Role.REVIEWER: 1}),
    ],
)
def test_what_stands_for_a_label_holds_up_to_the_next(action, label, needed):
    assert read_limits(FULL).approvals_for(action, label) == needed


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("label", Level)
def test_somebody_is_always_asked(action, label):
    assert sum(read_limits(LIMITS).approvals_for(action, label).values()) >= 1


def test_what_is_not_said_is_the_careful_default():
    limits = read_limits(LIMITS)
    assert limits.max_reid == 0.05
    assert not limits.grants.self_approval
    assert limits.break_glass.actions == frozenset()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("max_reid = ", "not TOML"),
        ("", "approvals: Field required"),
        ("[approvals.default.internal]\nreviewer = 1", "[approvals.default.public] is missing"),
        ("[approvals.default.public]", "asks nobody"),
        (LIMITS + "[approvals.deploy.public]", "[approvals.deploy.public] asks nobody"),
        (LIMITS + "[approvals.deplo.public]\nreviewer = 1", "approvals.deplo"),
        (LIMITS + "[approvals.deploy.secret]\nreviewer = 1", "secret"),
        (LIMITS + "[approvals.deploy.public]\nreviewr = 1", "reviewr"),
        (LIMITS + "[approvals.deploy.public]\nreviewer = 0", "greater than or equal to 1"),
        ("max_reid = 0.00005\n" + LIMITS, "four digits"),
        ("max_reid = 2\n" + LIMITS, "less than or equal to 1"),
        ("max_reids = 0.1\n" + LIMITS, "max_reids: Extra inputs"),
        (LIMITS + "[grants]\nlongest = 3", "grants.longest: Extra inputs"),
        (LIMITS + "[grants]\ndeny = 0", "grants.deny"),
        (LIMITS + "[rates]\nlook = 1", "rates.look"),
        (LIMITS + '[[conflicts]]\nroles = ["scientist"]\nwhy = "x"', "conflicts.0.roles"),
        (LIMITS + '[[conflicts]]\nroles = ["scientist", "auditor"]\nwhy = ""', "conflicts.0.why"),
        (LIMITS + '[break_glass]\nactions = ["all"]', "break_glass.actions"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(refused, text, told):
    error = refused("policy_limits", lambda: read_limits(text))
    assert error.message.startswith("limits.toml: ")
    assert told in error.message

"""``cipherset policy``: what it prints, and how it ends."""

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout

import pytest

from cipherset.custody.policy import Action, BuiltIn, builtin
from cipherset.interfaces.cli.main import main

CASE = """
[[case]]
name = "a deployer needs a grant"
principal = { roles = ["deployer"] }
action = "deploy"
resource = { kind = "model", status = "approved" }
expect = "deny"
"""


@pytest.fixture
def policy(monkeypatch, tmp_path):
    """Runs ``cipherset policy …`` in a folder; code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        out, err = io.StringIO(), io.StringIO()
        monkeypatch.setattr(sys, "argv", ["cipherset", "policy", *map(str, words)])
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)
        with redirect_stdout(out), redirect_stderr(err):
            try:
                main()
                code = 0
            except SystemExit as end:
                code = int(end.code or 0)
        return code, out.getvalue(), err.getvalue()

    return run


@pytest.fixture
def asked(policy):
    """The same with ``--json``: code and object."""

    def run(*words):
        code, out, _ = policy(*words, "--json")
        return code, json.loads(out)

    return run


def test_a_set_is_shown_and_written_out_and_is_the_same_set(policy, asked, tmp_path):
    code, out, _ = policy("show", "team")
    assert code == 0
    assert builtin.texts(BuiltIn.TEAM)["team.cedar"] in out
    assert "longest_s" in out
    code, shown = asked("show", "team", "--to", "mine")
    assert (code, len(shown["written"])) == (0, 2)
    assert (tmp_path / "mine" / "limits.toml").read_text() == builtin.limits(BuiltIn.TEAM)
    assert asked("check", "mine")[1]["digest"] == asked("check", "team")[1]["digest"]
    assert policy("show", "solo", "--to", "other")[1].count("written") == 2


def test_what_is_there_is_not_overwritten(policy, tmp_path):
    assert policy("show", "team", "--to", "mine")[0] == 0
    (tmp_path / "mine" / "team.cedar").write_text("// changed\n")
    code, _, err = policy("show", "team", "--to", "mine")
    assert (code, "target_exists" in err) == (2, True)
    assert (tmp_path / "mine" / "team.cedar").read_text() == "// changed\n"


def test_the_schema_is_shown(policy, asked):
    assert 'entity Level enum ["public"' in policy("schema")[1]
    assert asked("schema")[1]["schema"] in policy("schema")[1]


def test_a_set_is_checked(policy, asked):
    code, out, _ = policy("check", "team")
    assert code == 0
    assert "forbid own-request" in out
    rules = asked("check", "team")[1]["policies"]
    assert {rule["effect"] for rule in rules} == {"permit", "forbid"}


def test_a_misspelled_attribute_is_refused_with_file_and_line(policy, tmp_path):
    policy("show", "team", "--to", "mine")
    file = tmp_path / "mine" / "team.cedar"
    file.write_text(file.read_text().replace("context.rows", "context.rosw"))
    code, _, err = policy("check", "mine")
    assert code == 4
    assert "policy_meaning" in err
    assert "team.cedar:25" in err


@pytest.mark.parametrize("words", [("check", "absent"), ("test", "absent.toml")])
def test_what_is_not_there_is_said(policy, words):
    code, _, err = policy(*words)
    assert (code, "policy_files" in err) == (4, True)


def test_what_is_no_text_is_said(policy, tmp_path):
    (tmp_path / "cases.toml").write_bytes(b"\xff\xfe")
    code, _, err = policy("test", "cases.toml")
    assert (code, "not UTF-8" in err) == (4, True)


def test_cases_that_are_met_end_well(policy, asked, tmp_path):
    (tmp_path / "cases.toml").write_text(CASE)
    code, found = asked("test", "cases.toml", "--policies", "team")
    assert (code, found["passed"], found["failed"]) == (0, 1, 0)
    code, out, _ = policy("test", "cases.toml", "--policies", "team")
    assert "1 met, 0 not met" in out
    assert "a deployer needs a grant: deny: no policy applies" in out


def test_a_case_that_is_not_met_ends_with_3_and_one_object(policy, asked, tmp_path):
    (tmp_path / "cases.toml").write_text(CASE)
    code, found = asked("test", "cases.toml", "--policies", "solo")
    assert (code, found["failed"]) == (3, 1)
    (case,) = found["cases"]
    assert (case["expect"], case["found"], case["policies"]) == ("deny", "allow", ["solo"])
    assert "NOT MET" in policy("test", "cases.toml")[1]


def test_a_decision_is_explained(policy, asked):
    words = ("explain", "deploy", "model", "--role", "deployer", "--policies", "team")
    facts = ("--fact", "resource.status=approved", "--fact", "context.reid=0.2")
    code, found = asked(*words, *facts)
    assert (code, found["allowed"], found["policies"]) == (0, False, ["too-exposed"])
    assert found["ways"] == ["grant-and-less-risk", "accepted-risk"]
    assert "a live grant that accepts the risk" in policy(*words, *facts)[1]
    more = ("--fact", "context.granted=true", "--fact", "context.accepted_risk=true")
    assert asked(*words, *facts, *more)[1]["allowed"]


def test_a_list_is_a_fact_too(asked):
    words = ("explain", "approve", "model", "--role", "reviewer", "--principal", "ann")
    facts = ("--fact", "resource.made_by=bob,ann", "--fact", "context.granted=true")
    _, found = asked(*words, *facts, "--policies", "team")
    assert found["policies"] == ["own-approval"]


@pytest.mark.parametrize(
    ("words", "code", "ends"),
    [
        (("deplo", "model"), "policy_fact", 2),
        (("deploy", "car"), "policy_case", 4),
        (("deploy", "model", "--role", "king"), "policy_case", 4),
        (("deploy", "model", "--fact", "reid=0.2"), "policy_fact", 2),
        (("deploy", "model", "--fact", "context.reid"), "policy_fact", 2),
        (("deploy", "model", "--fact", "context.red=1"), "policy_case", 4),
        (("deploy", "model", "--fact", "context.reid=low"), "policy_case", 4),
    ],
)
def test_a_question_that_means_nothing_is_refused(asked, words, code, ends):
    ended, found = asked("explain", *words)
    assert (ended, found["error"]["code"]) == (ends, code)
    assert found["error"]["hint"]


def test_every_action_can_be_asked_about(asked):
    found = asked("explain", "nothing", "model")[1]
    assert all(str(action) in found["error"]["hint"] for action in Action)

"""A key bound to places, through the commands: used elsewhere, it is refused and recorded."""

import json

import pytest
from thread_samples import QUICK, Owner, leftovers, vector_rows, write_rows

from cipherset.interfaces.environment import look_around

COLUMNS = ("--vector", "vec", "--label", "topic")
RISK = ("--accept-risk", "a rehearsal")
ELSEWHERE = "host=no-such-host.example"


@pytest.fixture
def bound(changed) -> Owner:
    """An owner whose key, export and model are to be used elsewhere."""
    shown = changed.owner.ok("key", "bind", "support", "--only-in", ELSEWHERE)
    assert shown["usable_here"] is False
    return changed.owner


def refused(owner, *args):
    done = owner.run(*args)
    return done.code, done.error["code"]


def test_here_and_elsewhere(owner):
    here = owner.ok("key", "environment")
    assert here == look_around().known()
    made = owner.ok("key", "create", "b", "--only-in", "host=current", "--only-in", ELSEWHERE)
    assert made["only_in"] == sorted([f"host={here['host']}", ELSEWHERE])
    assert made["usable_here"] is True
    shown = owner.ok("key", "bind", "b", "--only-in", "package=current")
    assert shown["only_in"] == [f"package={here['package']}"]
    assert owner.ok("key", "show", "b") == shown
    owner.ok("key", "rotate", "b")
    shown = owner.ok("key", "bind", "b", "--anywhere")
    assert (shown["only_in"], shown["usable_here"], shown["version"]) == ([], True, 2)


def test_where_a_key_is_bound_it_works(changed):
    owner = changed.owner
    before = owner.ok("predict", changed.bundle, changed.source)
    bound = ("--only-in", "host=current", "--only-in", "package=current")
    owner.ok("key", "bind", "support", *bound)
    assert owner.ok("predict", changed.bundle, changed.source) == before
    out = owner.folder / "again"
    asked = ("protect", changed.source, *COLUMNS, "--key", "support", "--to", out, *QUICK, *RISK)
    owner.ok(*asked, "--group", "thread")
    owner.ok("evaluate", changed.bundle, out)


def test_elsewhere_no_command_uses_it(changed, bound):
    gate, out = bound.folder / "gate", bound.folder / "again"
    sealed = bound.exports()
    uses = {
        ("protect", changed.source, *COLUMNS, "--key", "support", "--to", out, *RISK): "export",
        ("evaluate", changed.bundle, changed.cipherset): "query",
        ("evaluate", changed.bundle, changed.source): "query",
        ("predict", changed.bundle, changed.source): "query",
        ("train", changed.cipherset, "--to", gate, "--at-gate"): "query",
        ("key", "rotate", "support"): "query",
        ("key", "bind", "support", "--anywhere"): "bind",
    }
    for args, use in uses.items():
        assert refused(bound, *args) == (3, "key_environment"), args
        attempt, refusal, outcome = bound.events()[-3:]
        assert (attempt.outcome, outcome.outcome) == ("intended", "refused")
        assert attempt.action == outcome.action != "key.use"
        assert (refusal.action, refusal.outcome) == ("key.use", "refused")
        facts = json.loads(refusal.body)
        assert (facts["unmet"], facts["use"]) == ("host", use)
        assert json.loads(outcome.body)["code"] == "key_environment"
    assert not (gate.exists() or out.exists())
    assert bound.exports() == sealed
    assert leftovers(bound.folder) == []
    bound.ok("inspect", changed.cipherset)  # which take no key
    bound.ok("train", changed.cipherset, "--to", bound.folder / "lab")
    assert bound.ok("key", "list")["keys"][0]["only_in"] == [ELSEWHERE]


def test_what_opens_no_secret_is_done_anywhere(bound):
    shown = bound.ok("key", "destroy", "support", "--force", "--yes")
    assert (shown["status"], shown["minimizer_removed"]) == ("destroyed", True)


def test_an_export_whose_key_belongs_elsewhere_may_hold_the_rows(changed, bound):
    bound.key("other")
    asked = ("protect", changed.source, *COLUMNS, "--key", "other", "--to", bound.folder / "o")
    assert refused(bound, *asked, *QUICK) == (3, "export_unreadable")
    (refusal,) = bound.events("key.use")
    assert json.loads(refusal.body)["use"] == "measure"


def test_an_identity_is_nothing_that_the_command_line_has(owner):
    shown = owner.ok("key", "create", "b", "--only-in", "identity=spiffe://prod/gateway")
    assert shown["usable_here"] is False
    done = owner.run("key", "rotate", "b")
    assert (done.code, done.error["code"]) == (3, "key_environment")
    assert "never on the command line" in done.error["message"]


def test_an_edited_key_file_does_not_open(changed, bound):
    path = bound.home / "keys" / "support.json"
    content = json.loads(path.read_bytes())
    del content["only_in"]
    path.write_text(json.dumps(content, sort_keys=True, separators=(",", ":")))
    assert bound.ok("key", "show", "support")["usable_here"] is True
    assert refused(bound, "predict", changed.bundle, changed.source) == (5, "key_unwrap")


def test_each_change_is_recorded(owner):
    owner.ok("key", "bind", "support", "--only-in", ELSEWHERE)
    intent, outcome = owner.events("key.bind")
    assert (intent.outcome, outcome.outcome) == ("intended", "done")
    assert json.loads(intent.body)["asked"] == ELSEWHERE
    assert json.loads(outcome.body)["only_in"] == ELSEWHERE


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ((), "usage"),
        (("--anywhere", "--only-in", ELSEWHERE), "usage"),
        (("--only-in", "weather=fine"), "key_condition"),
        (("--only-in", "identity=current"), "key_condition"),
    ],
)
def test_what_is_no_place_binds_nothing(owner, args, code):
    assert refused(owner, "key", "bind", "support", *args) == (2, code)
    assert owner.ok("key", "show", "support")["only_in"] == []
    assert owner.events("key.bind") == []


def test_no_binding_without_its_intent(owner):
    (owner.home / "ledger.sqlite").unlink()
    (owner.home / "ledger.sqlite").mkdir()
    assert owner.run("key", "bind", "support", "--only-in", ELSEWHERE).code == 6
    key = json.loads((owner.home / "keys" / "support.json").read_bytes())
    assert "only_in" not in key


def test_a_bound_key_exports_from_the_beginning(owner):
    owner.ok("key", "create", "b", "--only-in", "host=current", "--only-in", "package=current")
    source = write_rows(owner.folder / "rows.parquet", vector_rows(150))
    out = owner.folder / "out"
    owner.ok("protect", source, *COLUMNS, "--key", "b", "--to", out, *QUICK, *RISK)
    owner.ok("train", out, "--to", owner.folder / "gate", "--at-gate")

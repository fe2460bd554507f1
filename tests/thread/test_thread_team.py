"""Duties parted: who may do what under ``team``, by the command line."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import delete
from thread_samples import vector_rows, write_rows

from cipherset.custody.ledger import Ledger
from cipherset.custody.ledger.tables import votes


def test_nobody_does_what_is_anothers(team):
    told = team.refused("bob", "key", "create", "mine")
    assert told["code"] == "not_allowed"
    assert "key-custodian" in told["hint"]
    assert team.refused("nobody", "key", "create", "mine")["code"] == "not_allowed"
    assert team.refused("root", "scan", team.source)["code"] == "not_allowed"
    (event,) = [e for e in team.events() if e.actor == "bob" and e.action == "key.create"]
    assert event.outcome == "refused"


def test_conflicting_roles_are_refused_at_once(team):
    told = team.refused(
        "root", "principal", "add", "x", "--role", "scientist", "--role", "deployer"
    )
    assert told["code"] == "role_conflict"
    assert "x" not in [
        each["principal"] for each in team.ok("ada", "principal", "list")["principals"]
    ]


def test_a_refusal_says_how_to_ask_and_the_grant_lets_in(team):
    refused = team.protect()
    assert (refused.code, refused.error["code"]) == (3, "not_allowed")
    assert "cipherset grant request protect" in refused.error["hint"]
    assert "1 data-owner and 1 reviewer" in refused.error["hint"]
    assert not team.target.exists()
    team.granted_protect()
    assert team.protect().code == 0
    again = team.protect("sci")
    assert (again.code, again.error["code"]) == (2, "target_exists")


def test_what_was_measured_decides_whether_it_leaves(team):
    team.granted("bob", "protect", team.source, "key:support")
    refused = team.protect()
    assert (refused.code, refused.error["code"]) == (3, "not_allowed")
    assert "export of rows.parquet" in refused.error["message"]
    assert not team.target.exists()
    (told,) = [e for e in team.events() if e.action == "export"]
    assert told.outcome == "refused"


def test_rows_leave_so_often_and_no_more(team, tmp_path):
    for name in range(5):
        team.target = team.folder / f"{name}.cipherset"
        team.granted_protect()
        assert team.protect().code == 0
        team.ok("kim", "key", "rotate", "support")
    team.target = team.folder / "more.cipherset"
    team.granted_protect()
    refused = team.protect()
    assert refused.code == 3, refused.out
    assert refused.error["code"] in {"not_allowed", "budget"}


def test_a_grant_is_its_beneficiarys_alone(team):
    team.granted_protect()
    assert team.protect("ada").code == 3


def test_a_grant_that_whom_it_is_for_could_never_use_says_so_as_it_is_asked_for(team):
    ask = ("grant", "request")
    useless = team.ok("dora", *ask, "calibrate", team.source, "--for", "a trial")
    (said,) = useless["warnings"]
    assert said.startswith("dora could not use this grant: by the policies, calibrate is for")
    assert "someone who is data-owner or ingester" in said
    assert "--to PRINCIPAL" in said
    given = team.ok("dora", *ask, "calibrate", team.source, "--for", "a trial", "--to", "amy")
    assert "warnings" not in given
    usable = team.ok("kim", *ask, "key.destroy", "key:support", "--for", "the end")
    assert "warnings" not in usable
    other = team.ok("rev", *ask, "principal.add", "principal:zoe=reviewer", "--for", "more")
    assert "someone who is administrator" in other["warnings"][0]


def test_who_made_it_could_not_use_a_grant_to_approve_it(team):
    team.ok("root", "principal", "add", "ann", "--role", "data-owner", "--role", "ingester")
    team.granted("ann", "protect", team.source, "key:support", options=("--accept-risk", "x"))
    assert team.protect("ann").code == 0
    told = team.ok("ann", "grant", "request", "approve", team.target, "--for", "routing")
    assert "someone else who is data-owner or reviewer" in told["warnings"][0]


def test_nobody_approves_their_own_request(team):
    asked = team.ok("rev", "grant", "request", "assess", team.source, "--for", "a look")
    told = team.refused("rev", "grant", "approve", asked["grant"])
    assert "nobody approves what they asked for" in told["message"]


def test_one_byte_changed_and_the_grant_is_void(team):
    grant = team.granted_protect()
    write_rows(team.source, vector_rows(seed=9))
    refused = team.protect()
    assert refused.code == 3
    assert f"grant {grant} is void: dataset:rows.parquet was" in refused.error["message"]


def test_another_version_of_the_key_voids_the_grant(team):
    team.granted_protect()
    team.ok("kim", "key", "rotate", "support")
    refused = team.protect()
    assert "key:support was" in refused.error["message"]


def test_a_revoked_grant_allows_nothing_from_then_on(team):
    grant = team.granted_protect()
    assert team.ok("rev", "grant", "revoke", grant)["status"] == "revoked"
    assert team.protect().code == 3
    over = team.run("ada", "grant", "approve", grant)
    assert (over.code, over.error["code"]) == (2, "grant_over")


def test_a_denied_request_is_over(team):
    asked = team.ok("bob", "grant", "request", "protect", team.source, "--for", "routing")
    assert team.ok("ada", "grant", "deny", asked["grant"])["status"] == "denied"
    assert team.ok("eve", "grant", "list")["grants"][0]["reason"] == "denied by ada"


def test_what_is_live_is_offered_again(team):
    grant = team.granted_protect()
    again = team.ok("bob", "grant", "request", "protect", team.source, "--for", "routing")
    assert again["grant"] == grant


def test_a_grant_that_starts_later_or_is_over(team):
    options = ("--from", "2099-01-01T00:00", "--until", "2h")
    asked = team.ok("bob", "grant", "request", "protect", team.source, "--for", "x", *options)
    team.ok("ada", "grant", "approve", asked["grant"])
    assert team.ok("rev", "grant", "approve", asked["grant"])["status"] == "scheduled"
    assert team.protect().code == 3
    past = team.run(
        "bob", "grant", "request", "scan", team.source, "--for", "x", "--until", "2020-01-01"
    )
    assert (past.code, past.error["code"]) == (2, "grant_until")
    long = team.refused(
        "bob", "grant", "request", "scan", team.source, "--for", "x", "--until", "30d"
    )
    assert long["code"] == "grant_duration"


def test_who_reads_plain_rows_does_not_get_their_ciphertexts(team):
    team.granted_protect()
    assert team.protect().code == 0
    options = ("--for", "a look", "--to", "ada")
    told = team.refused("bob", "grant", "request", "export", team.target, *options)
    assert told["code"] == "exposure_join"
    assert "the role data-owner" in told["message"]
    team.ok("bob", "grant", "request", "export", team.target, "--for", "a look", "--to", "sci")


def test_what_a_grant_gave_on_one_side_keeps_from_the_other(team):
    team.granted_protect()
    assert team.protect().code == 0
    plain = team.granted("sci", "calibrate", team.source)
    told = team.refused("sci", "grant", "request", "export", team.target, "--for", "a look")
    assert plain in told["message"]


def test_a_model_is_deployed_after_approval_alone(team):
    team.granted_protect()
    assert team.protect().code == 0
    bundle = team.folder / "router.bundle"
    team.ok("sci", "train", team.target, "--to", bundle)
    unapproved = team.refused("dora", "deploy", bundle)
    assert unapproved["code"] == "not_allowed"
    assert unapproved["hint"].startswith("router.bundle is not approved yet: cipherset grant ")
    assert "cipherset asset approve router.bundle --as WHO" in unapproved["hint"]
    assert "cipherset grant request deploy router.bundle --for PURPOSE" in unapproved["hint"]
    assert team.refused("ada", "asset", "approve", bundle)["code"] == "not_allowed"
    team.granted("ada", "approve", bundle, by=("amy", "rev"))
    assert team.ok("ada", "asset", "approve", bundle)["status"] == "approved"
    assert team.refused("dora", "deploy", bundle)["code"] == "not_allowed"
    risky = ("--accept-risk", "a trial")
    team.granted("dora", "deploy", bundle, by=("ada", "rev", "ron"), options=risky)
    assert team.refused("dora", "deploy", bundle)["code"] == "not_allowed"
    deployed = team.ok("dora", "deploy", bundle, *risky)
    assert (team.home / "models" / deployed["name"] / "model.onnx").is_file()
    assert (deployed["reid"], deployed["verdict"]) == (None, None)
    team.ok("rev", "asset", "suspend", bundle)
    suspended = team.refused("dora", "deploy", bundle, *risky, "--force")
    assert suspended["code"] == "not_allowed"
    assert suspended["hint"].startswith("router.bundle is suspended: cipherset grant request ")


def test_what_was_measured_decides(team):
    team.granted_protect()
    assert team.protect().code == 0
    bundle = team.folder / "router.bundle"
    team.ok("sci", "train", team.target, "--to", bundle)
    found = team.ok("rev", "assess", team.target, "--pairs", "50")
    told = team.run("dora", "deploy", bundle, "--accept-risk", "x")
    assert told.code == 3
    (refused,) = [e for e in team.events() if e.action == "deploy"]
    assert json.loads(refused.body)["reid"] == max(
        line["excess_ci"][1] for line in found["attacks"] if "excess_ci" in line
    )


def test_a_name_with_a_key_is_not_enough(team, monkeypatch, tmp_path):
    file = tmp_path / "sam.pem"
    made = team.ok("root", "principal", "key", file)
    assert file.stat().st_mode & 0o077 == 0
    team.ok(
        "root", "principal", "add", "sam", "--role", "key-custodian", "--public-key", f"{file}.pub"
    )
    told = team.refused("sam", "key", "create", "other")
    assert told["code"] == "unproven"
    monkeypatch.setenv("CIPHERSET_PRINCIPAL_KEY", str(file))
    assert team.ok("sam", "key", "create", "other")["name"] == "other"
    assert made["public_key"] == file.with_name("sam.pem.pub").read_text().strip()
    file.chmod(0o644)
    loose = team.run("sam", "key", "create", "third")
    assert (loose.code, loose.error["code"]) == (5, "principal_key")


def test_once_somebody_voted_persons_are_added_under_a_grant(team):
    team.granted_protect()
    assert (
        team.refused("root", "principal", "add", "zoe", "--role", "reviewer")["code"]
        == "not_allowed"
    )
    other = ("principal", "add", "zed", "--role", "reviewer")
    team.granted("root", "principal.add", "principal:zoe=reviewer")
    assert team.refused("root", *other)["code"] == "not_allowed"
    team.ok("root", "principal", "add", "zoe", "--role", "reviewer")


def test_every_decision_names_its_policy_and_grant(team):
    grant = team.granted_protect()
    assert team.protect().code == 0
    (intent,) = [e for e in team.events() if e.action == "protect" and e.outcome == "intended"]
    body = json.loads(intent.body)
    assert (body["policy"], body["grant"]) == ("protect-sensitive", grant)


def test_policies_are_one_set_for_a_workspace(team):
    told = team.refused("root", "init", "--policy", "solo")
    assert told["code"] == "policy_set"
    assert team.ok("root", "init", "--policy", "team")["administrator"] is None


def test_an_emergency_is_loud_and_reviewed_by_another(team):
    retire = ("key", "retire", "support", "--version", "1")
    team.ok("kim", "key", "rotate", "support")
    destroy = ("key", "destroy", "support", "--version", "1", "--yes", "--force")
    assert team.refused("kim", *destroy)["code"] == "not_allowed"
    team.ok("kim", *destroy, "--break-glass", "stolen laptop")
    (one,) = team.ok("eve", "audit", "emergencies")["emergencies"]
    assert team.ok("rev", "audit", "emergencies")["emergencies"] == [one]
    assert (one["actor"], one["reason"], one["reviewed_by"]) == ("kim", "stolen laptop", None)
    assert team.refused("kim", "audit", "review", one["event"], "--comment", "x")
    done = team.ok("rev", "audit", "review", one["event"], "--comment", "seen")
    assert done["reviewed_by"] == "rev"
    unknown = team.run("rev", "audit", "review", 1, "--comment", "x")
    assert (unknown.code, unknown.error["code"]) == (2, "emergency_unknown")
    assert team.refused("bob", *retire, "--break-glass", "no emergency")["code"] == "not_allowed"


def test_a_revocation_that_is_taken_out_of_the_ledger_counts_still(team):
    grant = team.granted_protect()
    team.ok("ada", "grant", "revoke", grant)
    with Ledger(f"sqlite:///{team.home / 'ledger.sqlite'}") as ledger:
        ledger.transact(
            lambda work: work.connection.execute(delete(votes).where(votes.c.kind == "revoke"))
        )
    assert team.protect().code == 3
    (listed,) = team.ok("ada", "grant", "list")["grants"]
    assert (listed["status"], listed["reason"]) == ("void", "a vote against it was taken away")


def test_a_suspended_key_opens_for_nobody(team):
    team.granted_protect()
    team.ok("kim", "asset", "suspend", "key:support")
    refused = team.protect()
    assert (refused.code, refused.error["code"]) == (3, "not_allowed")
    assert "suspended" in refused.error["message"]
    assert not team.target.exists()


def test_what_nobody_labeled_is_not_lowered_without_a_grant(team):
    lower = ("relabel", team.source, "--level", "public", "--reason", "x")
    assert team.run("bob", *lower).code == 3
    assert team.protect().code == 3


def test_who_left_comes_back_with_new_roles_only(team):
    """By their own event; what else changes of them leaves them away."""
    leave = ("principal", "change", "ron", "--left")
    team.granted_protect()
    team.granted("root", "principal.change", "principal:ron=left")
    assert team.ok("root", *leave)["status"] == "left"
    assert team.refused("ron", "asset", "suspend", team.source)["code"] == "not_allowed"


def test_two_requests_on_both_sides_of_a_key_are_not_both_approved(team):
    team.granted_protect()
    assert team.protect().code == 0
    plain = team.ok("sci", "grant", "request", "calibrate", team.source, "--for", "x")
    sealed = team.ok("sci", "grant", "request", "export", team.target, "--for", "x")
    for voter in ("ada", "rev"):
        team.ok(voter, "grant", "approve", plain["grant"])
    told = team.refused("ada", "grant", "approve", sealed["grant"])
    assert told["code"] == "exposure_join"


def test_a_grant_says_for_what_and_for_whom(team):
    ask = ("grant", "request", "scan", team.source)
    assert team.run("bob", *ask, "--for", " ").error["code"] == "grant_purpose"
    ghost = team.run("bob", *ask, "--for", "x", "--to", "ghost")
    assert (ghost.code, ghost.error["code"]) == (2, "principal_unknown")


def test_a_grant_over_two_assets_holds_for_each(team, tmp_path):
    other = write_rows(tmp_path / "other.parquet", vector_rows(seed=4))
    team.granted(
        "bob", "protect", team.source, "key:support", other, options=("--accept-risk", "x")
    )
    assert team.protect().code == 0


ASK = ("grant", "request")


@pytest.mark.parametrize(
    ("args", "code", "exit_code"),
    [
        (("principal", "add", "bad name", "--role", "reviewer"), "principal_name", 2),
        (("principal", "add", "zoe", "--role", "king"), "role", 2),
        (("principal", "add", "ada", "--role", "reviewer"), "principal_exists", 2),
        (("principal", "add", "zoe", "--role", "reviewer", "--attribute", "x"), "usage", 2),
        (("grant", "request", "fly", "workspace", "--for", "x"), "action", 2),
        (("grant", "request", "scan", "nowhere", "--for", "x"), "asset_named", 2),
        (
            ("grant", "request", "scan", "workspace", "--for", "x", "--until", "soon"),
            "grant_until",
            2,
        ),
        (
            ("grant", "request", "principal.add", "principal:z=key:aa", "--for", "x"),
            "public_key",
            4,
        ),
        (
            ("grant", "request", "principal.change", "principal:z=left", "--for", " "),
            "grant_purpose",
            2,
        ),
    ],
)
def test_what_makes_no_sense_is_said(team, args, code, exit_code):
    done = team.run("root", *args)
    assert (done.code, done.error["code"]) == (exit_code, code)


def test_that_there_is_no_such_grant_is_for_who_may_vote(team):
    vote = ("grant", "approve", "grant-0")
    told, not_told = team.run("ada", *vote), team.run("root", *vote)
    assert (told.code, told.error["code"]) == (2, "grant_unknown")
    assert (not_told.code, not_told.error["code"]) == (3, "not_allowed")


def test_one_vote_of_a_kind(team):
    asked = team.ok("bob", "grant", "request", "protect", team.source, "--for", "routing")
    team.ok("ada", "grant", "approve", asked["grant"])
    again = team.run("ada", "grant", "approve", asked["grant"])
    assert (again.code, again.error["code"]) == (2, "voted_before")


def test_a_change_of_nobody(team):
    team.granted_protect()
    team.granted("root", "principal.change", "principal:ghost=reviewer")
    done = team.run("root", "principal", "change", "ghost", "--role", "reviewer")
    assert (done.code, done.error["code"]) == (2, "principal_unknown")


def test_a_model_is_deployed_under_a_name_that_can_be_one(team):
    team.granted_protect()
    assert team.protect().code == 0
    bundle = team.folder / "router.bundle"
    team.ok("sci", "train", team.target, "--to", bundle)
    done = team.run("dora", "deploy", bundle, "--name", "Not A Name")
    assert (done.code, done.error["code"]) == (2, "model_name")


def test_files_that_are_no_keys(team, tmp_path, monkeypatch):
    other = tmp_path / "other.pem"
    other.write_text("no key")
    other.chmod(0o600)
    monkeypatch.setenv("CIPHERSET_PRINCIPAL_KEY", str(other))
    done = team.run("kim", "key", "create", "x")
    assert (done.code, done.error["code"]) == (5, "principal_key")
    rsa = generate_private_key(65537, 2048)
    other.write_bytes(rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert team.run("kim", "key", "create", "x").error["code"] == "principal_key"
    monkeypatch.delenv("CIPHERSET_PRINCIPAL_KEY")
    sam = ("principal", "add", "sam", "--role", "reviewer", "--public-key", other)
    done = team.run("root", *sam)
    assert (done.code, done.error["code"]) == (4, "public_key")
    again = team.run("root", "principal", "key", other)
    assert (again.code, again.error["code"]) == (2, "target_exists")

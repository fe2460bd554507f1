"""What somebody with access to the database changes past the gate is seen at its next use."""

import json
import sqlite3

import pytest


def alter(team, *statements):
    with sqlite3.connect(team.home / "ledger.sqlite") as database:
        for statement in statements:
            database.execute(statement)
    database.close()


def verified(team):
    done = team.run("eve", "audit", "verify")
    assert done.code == (0 if done.json["valid"] else 5)
    return done.json


MADE = (
    "INSERT INTO principals (name, roles, attributes, public_key, status, created) "
    "VALUES ('mallory', '[\"reviewer\"]', '{}', NULL, 'active', '2026-01-01T00:00:00+00:00')"
)


@pytest.mark.parametrize(
    ("statement", "who"),
    [
        ("UPDATE principals SET roles = '[\"key-custodian\"]' WHERE name = 'sci'", "sci"),
        ("UPDATE principals SET attributes = '{\"team\":\"x\"}' WHERE name = 'sci'", "sci"),
        (f"UPDATE principals SET public_key = '{'ab' * 32}' WHERE name = 'kim'", "kim"),
        ("UPDATE principals SET status = 'left' WHERE name = 'kim'", "kim"),
        ("UPDATE principals SET past_keys = '[]', created = 'x' WHERE name = 'kim'", "kim"),
        ("DELETE FROM principals WHERE name = 'kim'", "kim"),
        (MADE, "mallory"),
    ],
)
def test_a_principal_that_was_edited_is_nobody(team, statement, who):
    assert verified(team)["valid"]
    alter(team, statement)
    done = team.run(who, "key", "create", "mine")
    assert (done.code, done.error["code"]) == (5, "principal_changed")
    assert who in done.error["message"]
    found = verified(team)
    assert not found["valid"]
    assert f"principal {who}" in found["because"]
    team.ok("kim" if who != "kim" else "bob", *_other(who, team))


def _other(who, team):
    """What somebody else may do all the same."""
    return ("scan", team.source) if who == "kim" else ("key", "create", "theirs")


def test_another_set_of_policies_does_not_hold_by_a_date(team):
    alter(
        team,
        "INSERT INTO policies SELECT 'sha256:' || substr(digest, 8, 63) || '0', text, author, "
        "created, '2999-01-01T00:00:00+00:00' FROM policies",
    )
    done = team.run("kim", "key", "create", "mine")
    assert (done.code, done.error["code"]) == (5, "policy_changed")
    assert "policies that hold" in verified(team)["because"]


def test_policies_that_were_taken_away_are_told_by_verify(team):
    alter(team, "UPDATE policies SET activated = NULL")
    assert team.run("kim", "key", "create", "mine").error["code"] == "policy_lost"
    assert not verified(team)["valid"]


def test_an_approval_that_was_put_in_past_the_gate_counts_for_nothing(team):
    """Signed with the workspace's own key, by whoever holds it; the chain knows of no vote."""
    asked = team.ok("bob", "grant", "request", "protect", team.source, "--for", "routing")
    team.ok("ada", "grant", "approve", asked["grant"])
    alter(team, f"CREATE TABLE kept AS SELECT * FROM votes WHERE grant_id = '{asked['grant']}'")
    other = team.ok("bob", "grant", "request", "protect", team.source, "--for", "else")
    alter(team, f"INSERT INTO votes SELECT '{other['grant']}', principal, kind, time, envelope "
          "FROM kept", "DROP TABLE kept")  # fmt: skip
    (found,) = [
        each
        for each in team.ok("eve", "grant", "list")["grants"]
        if each["grant"] == other["grant"]
    ]
    assert (found["status"], found["reason"]) == ("void", "an approval was put in past the gate")


@pytest.mark.parametrize("kept", ["both", "one"])
def test_a_lost_ledger_gives_nobody_everything(team, kept):
    for path in team.home.glob("ledger.sqlite*"):
        path.unlink()
    if kept == "one":
        (team.home / "workspace.json").unlink()
    accept = team.run("eve", "audit", "accept", "--reason", "it is gone")
    assert (accept.code, accept.error["code"]) == (5, "policy_lost")
    (team.home / "head.json").unlink()
    (team.home / "keys" / "_head.json").unlink()
    for args in (("key", "create", "mine"), ("init",), ("init", "--policy", "team")):
        done = team.run("eve", *args)
        assert (done.code, done.error["code"]) == (5, "policy_lost"), args
    assert "parted" in json.loads((team.home / "keys" / "_workspace.json").read_bytes())

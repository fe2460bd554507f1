"""What is said aloud: broken glass, and how long things last in words."""

import json


def test_broken_glass_is_said_on_stderr_and_in_the_json(team):
    team.ok("kim", "key", "create", "old")
    team.ok("kim", "key", "rotate", "old")
    team.ok("kim", "key", "retire", "old", "--version", "1")
    leaked = ("--version", "1", "--yes", "--break-glass", "it has leaked")
    done = team.run("kim", "key", "destroy", "old", *leaked)
    assert done.code == 0, done.out + done.err
    (warning,) = done.json["warnings"]
    assert "glass was broken: key.destroy" in warning
    assert "within 1 day" in warning
    assert warning in " ".join(done.err.split())
    (event,) = [
        each
        for each in team.events()
        if each.action == "key.destroy" and each.outcome == "intended"
    ]
    assert f"cipherset audit review {event.seq}" in warning
    assert json.loads(event.body)["break_glass"] == "it has leaked"


def test_where_glass_was_held_and_not_broken_nothing_is_said(team):
    done = team.run("kim", "key", "create", "new", "--break-glass", "just in case")
    assert "warnings" not in done.json
    assert "glass" not in done.err


def test_a_grant_that_is_too_long_is_told_in_days(team):
    ask = ("grant", "request", "scan", team.source, "--for", "x", "--until", "99d")
    told = team.refused("bob", *ask)
    assert told["code"] == "grant_duration"
    assert "the limits allow 14 days at most" in told["message"]
    assert "days" in told["message"].partition(" was asked for")[0]

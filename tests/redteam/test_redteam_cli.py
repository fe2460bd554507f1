"""``cipherset redteam`` on the command line."""

import sys
from pathlib import Path

import pytest
import redteam_thread

sys.path.append(str(Path(__file__).parents[1] / "thread"))

from thread_samples import cipherset

QUICK = ("--quick", "--only", "values")


@pytest.fixture
def run(owner):
    def asked(*args, as_json=True):
        last = ("--json",) if as_json else ()
        return cipherset("redteam", *args, "--home", owner.session.home, *last)

    return asked


def test_run_accept_history_and_due(run):
    first = run(*QUICK)
    assert first.code == 0, first.err
    assert first.json["baseline"] is None
    assert {"attack", "against", "metric", "value", "ci", "n", "chance", "limit", "verdict"} <= set(
        first.json["lines"][0]
    )
    accepted = run("accept", first.json["finding_id"], "--reason", "good enough")
    assert accepted.json == {
        "accepted": first.json["finding_id"],
        "lines": 2,
        "over_limit": [],
    }
    assert run("run", *QUICK).json["baseline"] == first.json["finding_id"]
    assert len(run("history").json["runs"]) == 2
    assert run("due", "--every", "24h").json["due"] is False
    assert run(*QUICK, "--if-due", "24h").json == {"due": False}
    assert run(*QUICK, "--if-due", "1s").code == 0


def test_what_is_shown_to_people(run):
    shown = run(*QUICK, as_json=False)
    assert "nothing was accepted before" in shown.out
    assert "within limit" in shown.out
    assert "values" in run("--list", as_json=False).out
    assert "1 lines" not in run("history", as_json=False).out
    assert "not due" in run("due", "--every", "1h", as_json=False).out


def test_a_run_that_is_not_clean_ends_with_3_and_names_the_lines(owner, run):
    redteam_thread.weakened(owner)
    asked = (str(owner.cipherset), "--quick", "--only", "reidentify")
    shown = run(*asked, as_json=False)
    assert shown.code == 3
    assert "OVER" in shown.out
    assert "redteam_limit" in shown.err
    assert "K4 nearest and joint candidate" in shown.err
    finding = run("history").json["runs"][-1]["finding_id"]
    accepted = run("accept", finding, "--reason", "a test")
    assert accepted.json["over_limit"]


def test_an_error_is_one_object(run, owner):
    (owner.session.home / "redteam.toml").write_text("[limits]\nfalse_alarms = 0.0\n")
    refused = run("--quick", "--only", "prompts")
    assert (refused.code, refused.error["code"]) == (3, "redteam_limit")
    assert "false_alarms" in refused.error["message"]


@pytest.mark.parametrize(
    "args",
    [
        ("--every", "1h", "--if-due", "1h"),
        ("--rows", "tickets=x.csv"),
        ("--rows", "tickets", "--text", "body"),
        ("--only", "other"),
        ("--every", "often"),
        ("accept", "x"),
    ],
)
def test_usage(run, args):
    assert run(*args).code == 2


def test_every_ends_cleanly_when_told_to(run, monkeypatch):
    from cipherset.interfaces.cli.commands.sight import redteam as commands

    monkeypatch.setattr(commands, "repeat", _once)
    done = run(*QUICK, "--every", "24h")
    assert done.code == 0
    assert done.json["rounds"] == done.json["clean"] == 1
    assert "2 lines, clean" in done.err


def _once(once, every, stop, tell):
    """The first round, after which somebody says stop."""
    from cipherset.app.redteam.schedule import repeat

    def stopping(stops):
        try:
            return once(stops)
        finally:
            stop.set()  # after a round that failed too, or the next one would be waited for

    return repeat(stopping, every, stop, tell)

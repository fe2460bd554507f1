"""What was measured decides: too much leak is refused, or accepted by name and written down."""

import json

import pytest
from thread_samples import QUICK, leftovers, vector_rows, write_rows

LOUD = ("--minimize", "none", "--approximation-factor", "0.5")
BY_TOPIC = ("--vector", "vec", "--label", "topic", "--key", "support")


@pytest.fixture
def source(owner):
    return write_rows(owner.folder / "rows.parquet", vector_rows(600))


def test_measured_risk_is_refused(owner, source):
    target, before = owner.folder / "out", owner.exports()
    done = owner.run("protect", source, *BY_TOPIC, "--to", target, *LOUD)
    assert (done.code, done.error["code"]) == (3, "measured_risk")
    assert "limit 0.05" in done.error["message"]
    assert ": 1.0000, up to 1.0000" in done.error["message"]
    assert "--accept-risk REASON" in done.error["hint"]
    assert not target.exists()
    assert owner.exports() == before
    assert leftovers(owner.folder) == []


def test_a_refusal_binds_nothing(owner, source):
    """What did not leave does not decide what the key may be used for."""
    asked = ("protect", source, *BY_TOPIC, "--to", owner.folder / "out")
    assert owner.run(*asked, *LOUD).code == 3
    assert owner.run(*asked, *QUICK).code == 0


def test_accepted_risk_is_written_down(owner, source):
    target, reason = owner.folder / "out", "rehearsal on made-up rows"
    asked = ("protect", source, *BY_TOPIC, "--to", target, *LOUD)
    shown = owner.ok(*asked, "--accept-risk", reason)
    assert shown["assessment"]["reid"] > 0.9
    assert owner.ok("inspect", target)["manifest"]["settings"]["risk_accepted"] is True
    *_, intent, outcome = owner.events("protect")
    assert (intent.outcome, outcome.outcome) == ("intended", "done")
    assert json.loads(intent.body)["accepted_risk"] == reason
    assert json.loads(outcome.body)["reid"] == shown["assessment"]["reid"]


def test_accepted_risk_on_few_rows(owner):
    few = write_rows(owner.folder / "few.csv", vector_rows(40))
    target = owner.folder / "out"
    shown = owner.ok(
        "protect", few, *BY_TOPIC, "--to", target, *QUICK, "--accept-risk", "a rehearsal"
    )
    assert shown["assessment"]["few_rows"] is True
    assert shown["rows"] == {"train": 30, "test": 10, "anchored": 0}


@pytest.mark.parametrize("options", [(), ("--minimize", "pca:6"), ("--approximation-factor", "1")])
def test_no_setting_under_the_limit(owner, options):
    """Few candidates, one far from the next: even the safest setting gives some away."""
    rows = vector_rows(560)
    source = write_rows(owner.folder / "rows.jsonl", rows)
    target, before = owner.folder / "out", owner.exports()
    limit = ("--max-reid", "0.04", "--test-share", "0.3")
    done = owner.run("protect", source, *BY_TOPIC, "--to", target, *limit, *options)
    assert (done.code, done.error["code"]) == (3, "no_setting_under_limit")
    message = done.error["message"]
    assert "under 0.04" in message
    assert "held-out rows" in message
    assert "at approximation factor" in message
    for option in options[1:]:
        assert option in message
    assert "--max-reid" in done.error["hint"]
    assert not target.exists()
    assert owner.exports() == before


def test_an_accepted_risk_in_auto_still_takes_a_setting_that_keeps_the_limit(owner, source):
    target = owner.folder / "out"
    asked = ("protect", source, *BY_TOPIC, "--to", target, "--max-reid", "0.3")
    shown = owner.ok(*asked, "--accept-risk", "a rehearsal")
    assert shown["minimizer"] == "bottleneck:2"


def test_too_few_rows_says_how_many_it_takes(owner):
    few = write_rows(owner.folder / "few.csv", vector_rows(100))
    for limit, needed in (("0.05", 114), ("0.02", 287)):
        done = owner.run("protect", few, *BY_TOPIC, "--to", owner.folder / "o", "--max-reid", limit)
        assert (done.code, done.error["code"]) == (3, "too_few_rows_to_decide")
        assert "25 held-out rows are too few" in done.error["message"]
        assert f"it takes {needed} held out, about {needed * 4} in all" in done.error["message"]

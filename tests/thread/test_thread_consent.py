"""Who did not agree to the purpose is in no export, and how many they were is written down."""

import json

import pytest
from thread_samples import QUICK, text_rows, vector_rows, write_rows

COLUMNS = ("--vector", "vec", "--label", "topic", "--consent", "agreed")


@pytest.fixture
def source(owner):
    said = ("yes", "routing", "billing", "no")
    rows = [row | {"agreed": said[i % 4]} for i, row in enumerate(vector_rows(600))]
    return write_rows(owner.folder / "rows.parquet", rows)


def protected(owner, source, *options, key="support"):
    target = owner.folder / f"{key}.cipherset"
    return owner.run("protect", source, *COLUMNS, "--key", key, "--to", target, *QUICK, *options)


def test_rows_without_consent_for_the_purpose_are_dropped_and_counted(owner, source):
    told = protected(owner, source, "--for", "routing").json
    assert told["rows"]["without_consent"] == 300
    assert told["rows"]["train"] + told["rows"]["test"] == 300
    shown = owner.ok("inspect", owner.folder / "support.cipherset")["manifest"]
    assert shown["settings"]["rows_without_consent"] == 300
    (event,) = [e for e in owner.events("protect") if e.outcome == "done"]
    assert json.loads(event.body)["without_consent"] == 300


def test_the_purpose_is_the_keys_where_nothing_else_is_said(owner, source):
    owner.ok("key", "create", "billed", "--purpose", "billing")
    assert protected(owner, source, key="billed").json["rows"]["without_consent"] == 300


def test_without_a_purpose_only_yes_counts(owner, source):
    done = protected(owner, source, "--accept-risk", "a test")
    assert done.json["rows"]["without_consent"] == 450


def test_nobody_agreed(owner, source):
    rows = [row | {"agreed": "no"} for row in vector_rows(50)]
    write_rows(source, rows)
    done = protected(owner, source)
    assert (done.code, done.error["code"]) == (3, "no_consent")
    assert not (owner.folder / "support.cipherset").exists()


def test_records_are_the_same_rows_for_assess(owner, minilm):
    rows = [row | {"agreed": ("yes", "no")[i % 3 == 0]} for i, row in enumerate(text_rows(420))]
    source = write_rows(owner.folder / "rows.csv", rows)
    target = owner.folder / "rows.cipherset"
    columns = ("--text", "body", "--label", "topic", "--consent", "agreed", "--key", "support")
    options = ("--minimize", "pca:8", "--approximation-factor", "5", "--accept-risk", "a test")
    told = owner.ok("protect", source, *columns, "--to", target, *options)
    assert told["rows"]["without_consent"] == 140
    assert owner.ok("assess", target, "--records", source)["verdict"]


def test_calibrate_drops_them_too(owner, source):
    target = owner.folder / "frontier"
    owner.ok("calibrate", source, *COLUMNS, "--for", "routing", "--to", target)
    (event,) = [e for e in owner.events("calibrate") if e.outcome == "done"]
    assert json.loads(event.body)["without_consent"] == 300

"""Rows that stand out are told to the owner, and dropped where asked for; never silently."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from thread_samples import QUICK, cipherset, text_rows, vector_rows, write_rows

FLIPPED = (6, 31, 58)
REASONS = ("label_disagrees", "outlier")
OTHER = {"parcel": "refund", "refund": "parcel"}


@pytest.fixture
def texts(owner, minilm):
    """160 rows of two topics; three have the other's label."""
    rows = [{"id": n, **row} for n, row in enumerate(text_rows(160))]
    for row in FLIPPED:
        rows[row]["topic"] = OTHER[rows[row]["topic"]]
    return write_rows(owner.folder / "rows.jsonl", rows)


@pytest.mark.parametrize("options", [("--all-rows",), ("--sample", "1000")])
def test_a_scan_tells_the_owner_which_rows(owner, texts, options):
    page = owner.folder / "scan.html"
    columns = ("--text", "body", "--label", "topic", "--suspects")
    told = owner.ok("scan", texts, *columns, *options, "--html", page)
    assert set(FLIPPED) <= set(told["suspects"]["rows"]["label_disagrees"])
    assert set(told["columns"]) == {"id", "body", "topic"}
    assert told["rows_suspect"] == sum(told["suspects"]["reasons"].values())
    assert told["suspects"]["looked"] == 160
    assert "Rows that stand out" in page.read_text("utf-8")
    (event,) = [e for e in owner.events("scan") if e.outcome == "done"]
    assert json.loads(event.body)["rows_suspect"] == told["rows_suspect"]


def test_a_sample_has_the_numbers_of_the_source(owner, texts):
    told = owner.ok(
        *("scan", texts, "--text", "body", "--label", "topic", "--suspects", "--sample", "120")
    )
    found = set(told["suspects"]["rows"]["label_disagrees"])
    assert found
    assert found <= set(FLIPPED)
    assert told["suspects"]["looked"] == 120


def test_a_scan_shows_the_first_of_them_on_a_terminal(owner, texts):
    columns = ("--text", "body", "--label", "topic", "--suspects")
    shown = cipherset("scan", texts, *columns, "--home", owner.home).out
    assert "rows that stand out" in shown
    assert "rows 6, 31, 58" in shown


def test_sanitize_sets_them_apart(owner, texts):
    target = owner.folder / "out.jsonl"
    columns = ("--text", "body", "--label", "topic", "--to", target)
    told = owner.ok("sanitize", texts, *columns, "--filter", "empty,suspects", "--keep-duplicates")
    assert told["rows_suspect"] == told["quarantined"] == sum(told["reasons"].values())
    assert set(told["reasons"]) <= set(REASONS)
    kept = {json.loads(line)["id"] for line in target.read_text("utf-8").splitlines()}
    assert not kept & set(FLIPPED)
    listed = (owner.folder / "out.jsonl.quarantine.jsonl").read_text("utf-8")
    apart = [json.loads(line) for line in listed.splitlines()]
    assert set(FLIPPED) <= {entry["row"] for entry in apart}
    assert len(kept) == 160 - told["quarantined"]


def test_sanitize_does_not_look_for_them_unasked(owner, texts):
    target = owner.folder / "out.jsonl"
    told = owner.ok("sanitize", texts, "--text", "body", "--to", target, "--keep-duplicates")
    assert told["quarantined"] == 0
    assert "rows_suspect" not in told


def test_an_export_is_made_without_them_and_says_how_many(owner):
    rows = vector_rows(600, spread=0.15)
    poisoned = list(range(0, 600, 40))
    for row in poisoned:
        rows[row]["topic"] = f"topic-{(int(rows[row]['topic'][-1]) + 1) % 3}"
    source = write_rows(owner.folder / "rows.parquet", rows)
    target = owner.folder / "out.cipherset"
    columns = ("--vector", "vec", "--label", "topic", "--key", "support", "--to", target)
    told = owner.ok("protect", source, *columns, *QUICK, "--drop-suspects")
    assert told["rows_suspect"] >= 0.9 * len(poisoned)
    exported = told["rows"]["train"] + told["rows"]["test"]
    assert exported == 600 - told["rows_suspect"]
    written = sum(pq.read_table(path).num_rows for path in target.rglob("*.parquet"))
    assert written == exported
    manifest = owner.ok("inspect", target)["manifest"]
    assert manifest["settings"]["rows_suspect"] == told["rows_suspect"]
    assert "outlier" not in json.dumps(manifest)
    (event,) = [e for e in owner.events("protect") if e.outcome == "done"]
    assert json.loads(event.body)["rows_suspect"] == told["rows_suspect"]
    again = owner.ok("protect", source, *columns, *QUICK, "--drop-suspects", "--force")
    assert again["repeated"]


def test_an_export_keeps_all_rows_unasked(owner):
    source = write_rows(owner.folder / "rows.parquet", vector_rows(400))
    columns = ("--vector", "vec", "--label", "topic", "--key", "support")
    told = owner.ok("protect", source, *columns, "--to", owner.folder / "all.cipherset", *QUICK)
    assert "rows_suspect" not in told
    assert told["rows"]["train"] + told["rows"]["test"] == 400


def test_the_model_of_an_export_without_them_is_read_and_trained(owner):
    rows = vector_rows(600, spread=0.15)
    rows[7]["vec"] = (-np.array(rows[7]["vec"])).tolist()
    source = write_rows(owner.folder / "rows.parquet", rows)
    target = owner.folder / "out.cipherset"
    columns = ("--vector", "vec", "--label", "topic", "--key", "support", "--to", target)
    options = (*QUICK, "--drop-suspects", "--fit-share", "0.3", "--group", "thread")
    told = owner.ok("protect", source, *columns, *options)
    assert told["rows_suspect"] >= 1
    owner.ok("train", target, "--to", owner.folder / "bundle")
    assert owner.ok("evaluate", owner.folder / "bundle", target)["n"] == told["rows"]["test"]


def test_too_few_rows_to_tell(owner):
    source = write_rows(owner.folder / "rows.parquet", vector_rows(39))
    columns = ("--vector", "vec", "--label", "topic", "--key", "support")
    done = owner.run(
        *("protect", source, *columns, "--to", owner.folder / "few.cipherset", *QUICK),
        *("--drop-suspects", "--accept-risk", "a test"),
    )
    assert (done.code, done.error["code"]) == (4, "too_few_neighbors")
    assert not (owner.folder / "few.cipherset").exists()


@pytest.mark.parametrize("asked", [("--suspects",), ("--label", "topic", "--text", "body")])
def test_what_a_scan_cannot_be_asked(owner, tmp_path, asked):
    source = write_rows(tmp_path / "rows.jsonl", text_rows(20))
    done = owner.run("scan", source, *asked)
    assert (done.code, done.error["code"]) == (2, "usage")

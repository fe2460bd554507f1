"""Text columns that the label does not need are left out of an export, and stay out."""

import json

import numpy as np
import pytest
from thread_samples import text_rows, write_rows

SETTINGS = ("--minimize", "lda:1", "--approximation-factor", "5", "--accept-risk", "a rehearsal")
AGENTS = ("ann lee", "bob roy", "cy dee", "dana fox")


@pytest.fixture
def source(owner, minilm):
    """Texts of two topics, and who answered them."""
    rng = np.random.default_rng(4)
    rows = [row | {"agent": AGENTS[rng.integers(4)]} for row in text_rows(160)]
    return write_rows(owner.folder / "rows.jsonl", rows)


def _protect(owner, source, *options):
    columns = ("--text", "body", "--text", "agent", "--label", "topic")
    target = owner.folder / "out.cipherset"
    return owner.ok(
        *("protect", source, *columns, "--key", "support", "--to", target, *SETTINGS, *options)
    )


def test_a_column_that_is_not_needed_is_not_embedded(owner, source):
    done = _protect(owner, source)
    assert (done["fields"]["kept"], done["fields"]["dropped"]) == (["body"], ["agent"])
    assert done["fields"]["without"]["body"]["verdict"] == "needed"
    manifest = owner.ok("inspect", done["cipherset"])["manifest"]
    assert (manifest["settings"]["fields_given"], manifest["settings"]["fields_kept"]) == (2, 1)
    assert "agent" not in json.dumps(manifest)
    owner.ok("train", done["cipherset"], "--to", owner.folder / "bundle")
    bare = [{"body": row["body"]} for row in text_rows(8, seed=1)]
    asked = write_rows(owner.folder / "asked.jsonl", bare)
    assert len(owner.ok("predict", owner.folder / "bundle", asked)["predictions"]) == 8
    assert _protect(owner, source, "--force")["repeated"]


def test_what_was_chosen_for_a_key_holds_for_its_next_export(owner, source):
    _protect(owner, source)
    more = [row | {"agent": "eve"} for row in text_rows(160, seed=9)]
    later = _protect(owner, write_rows(owner.folder / "more.jsonl", more), "--force")
    assert later["fields"] is None
    manifest = owner.ok("inspect", later["cipherset"])["manifest"]
    assert manifest["settings"]["fields_kept"] == 1


def test_all_fields_keeps_them(owner, source):
    done = _protect(owner, source, "--all-fields")
    assert done["fields"] is None
    manifest = owner.ok("inspect", done["cipherset"])["manifest"]
    assert manifest["settings"]["fields_kept"] == 2


def test_too_few_rows_keep_every_column(owner, source):
    few = write_rows(owner.folder / "few.jsonl", [r | {"agent": "x"} for r in text_rows(40)])
    done = _protect(owner, few)
    assert done["fields"] is None
    assert owner.ok("inspect", done["cipherset"])["manifest"]["settings"]["fields_kept"] == 2


@pytest.mark.attack
def test_calibrate_embeds_the_same_columns(owner, source):
    columns = ("--text", "body", "--text", "agent", "--label", "topic")
    target = owner.folder / "frontier"
    done = owner.ok("calibrate", source, *columns, "--to", target)
    assert done["text"] == ["body"]


def test_scan_says_what_a_label_needs(owner, source):
    asked = ("--text", "body", "--text", "agent", "--label", "topic", "--fields")
    shown = owner.ok("scan", source, *asked)
    assert set(shown["columns"]) == {"body", "agent", "topic"}
    fields = shown["fields"]
    assert (fields["label"], fields["kept"]) == ("topic", ["body"])
    assert fields["curve"]["50"].keys() == {"utility", "loss", "low", "high", "verdict"}
    assert "predict" not in owner.ok("scan", source)

"""Texts of a source are embedded once per key, until somebody is forgotten or the key destroyed."""

import json

import pytest
from thread_samples import bytes_below, text_rows, write_rows

ROWS = text_rows(80)
COLUMNS = ("--text", "body", "--label", "topic", "--key", "support")
ASKED = (*COLUMNS, "--minimize", "lda:1", "--approximation-factor", "5")
RISK = ("--accept-risk", "a test")


def _protect(owner, source, name):
    target = owner.folder / f"{name}.cipherset"
    return owner.ok("protect", source, *ASKED, *RISK, "--to", target)["vectors_found"]


@pytest.mark.soak
def test_texts_are_embedded_once_until_somebody_is_forgotten(owner, minilm):
    kept = owner.home / "vectors"
    source = write_rows(owner.folder / "rows.csv", ROWS)
    assert _protect(owner, source, "first") == 0
    added = [*ROWS, {**ROWS[0], "body": "something else"}]
    write_rows(source, added)
    assert _protect(owner, source, "more") == len(ROWS)
    told = [json.loads(event.body) for event in owner.events()]
    assert [each["vectors_found"] for each in told if "vectors_found" in each] == [0, len(ROWS)]
    guess = write_rows(owner.folder / "guess.csv", [*text_rows(70, seed=2), *ROWS[:10]])
    assert _protect(owner, guess, "guess") == 0, "whoever guesses learns nothing"
    owner.ok("forget", "nobody-of-that-name")
    assert bytes_below(kept) == {}
    owner.ok("forget", "nobody-of-that-name")
    write_rows(source, ROWS[:70])
    assert _protect(owner, source, "again") == 0
    assert bytes_below(kept)
    owner.ok("key", "destroy", "support", "--version", "1", "--force", "--yes")
    assert bytes_below(kept) == {}

"""Canaries and copies from the command line: planted, trained on, measured, found."""

import json

import pytest
from thread_samples import text_rows, write_rows

MODEL = """
import json
from collections import Counter
from pathlib import Path

import numpy as np

ROWS = [json.loads(line)["body"] for line in Path({path!r}).read_text().splitlines()]
SEEN = Counter(row[: at + 1] for row in ROWS for at in range(len(row)))


def log_probability(texts):
    return np.array([known(text) for text in texts])


def known(text):
    return float(sum(SEEN[text[: at + 1]] > 0 for at in range(len(text))))


def complete(prompt):
    return next((row[len(prompt):] for row in ROWS if row.startswith(prompt)), "")
"""


@pytest.fixture
def planted(owner):
    """A key, canaries on their way into the rows, and what was printed."""
    owner.key("tickets")
    target = owner.folder / "canaries.jsonl"
    options = ("--key", "tickets", "--number", "5", "--repeats", "3", "--digits", "5")
    told = owner.ok("canary", "plant", "mine", *options, "--column", "body", "--to", target)
    return told, [json.loads(line)["body"] for line in target.read_text().splitlines()]


def model_of(owner, rows):
    source = write_rows(owner.folder / "mixed.jsonl", [{"body": row} for row in rows])
    path = owner.folder / "model.py"
    path.write_text(MODEL.format(path=str(source)), encoding="utf-8")
    return path


def test_a_model_that_saw_them_and_one_that_did_not(owner, planted):
    told, rows = planted
    assert (told["canaries"], told["rows"], len(rows), len(set(rows))) == (5, 15, 15, 5)
    others = [row["body"] for row in text_rows()]
    measure = ("canary", "measure", "mine", "--key", "tickets", "--model")
    known = owner.ok(*measure, model_of(owner, [*others, *rows]))
    assert known["memorized"]
    assert known["exposure"]["readable"] == 5
    assert known["completions"]["read_out"] >= 1
    assert not owner.ok(*measure, model_of(owner, others))["memorized"]
    shown = owner.run(*measure, owner.folder / "model.py").out
    written = "".join(str(event) for event in owner.events()) + shown
    assert not any(row in written for row in rows)
    ends = [event.body for event in owner.events("assess") if "memorized" in event.body]
    assert [json.loads(body)["memorized"] for body in ends] == [True, False, False]


def test_they_are_measured_after_the_key_was_rotated(owner, planted):
    _, rows = planted
    owner.ok("key", "rotate", "tickets")
    known = owner.ok(
        "canary", "measure", "mine", "--key", "tickets", "--model", model_of(owner, rows)
    )
    assert known["memorized"]


@pytest.mark.parametrize(
    ("options", "exit_code", "code"),
    [
        (("--key", "nobody", "--to", "new.jsonl"), 5, "key_unknown"),
        (("--key", "tickets", "--to", "new.jsonl", "--digits", "2"), 2, "canary_format"),
        (("--key", "tickets", "--to", "new.jsonl", "--number", "0"), 2, "canary_count"),
        (("--key", "tickets", "--to", "canaries.jsonl"), 2, "target_exists"),
    ],
)
def test_canaries_that_cannot_be(owner, planted, options, exit_code, code):
    options = [owner.folder / one if one.endswith(".jsonl") else one for one in options]
    done = owner.run("canary", "plant", "mine", *options)
    assert (done.code, done.error["code"]) == (exit_code, code)


def test_copies_are_found_and_nothing_is_shown(owner):
    owner.key("tickets")
    rows = [*text_rows(40), {"body": "my cousin Kilroy lost the red ladder in Narvik on a Monday"}]
    source = write_rows(owner.folder / "rows.csv", [{**row, "topic": "x"} for row in rows])
    indexed = owner.ok("copies", "index", "mine", source, "--text", "body", "--key", "tickets")
    assert indexed["ngrams"] > 50
    answer = owner.folder / "answer.txt"
    answer.write_text("So: My cousin, KILROY, lost the red ladder in Narvik! Anything else?")
    find = ("copies", "find", "mine", "--key", "tickets")
    found = owner.ok(*find, answer)
    (copy,) = found["copies"]
    assert (found["longest"], found["rows"], copy["words"], copy["shared_by"]) == (9, 1, 9, 1)
    assert (copy["start"], copy["end"]) == (4, 52)
    assert owner.ok(*find, "--value", "nothing of the kind was ever said here")["copies"] == []
    assert owner.ok(*find, answer, "--words", "10")["copies"] == []
    written = "".join(str(event) for event in owner.events()) + str(found)
    kept = b"".join(path.read_bytes() for path in owner.home.rglob("*") if path.is_file())
    assert "kilroy" not in written.lower()
    assert b"kilroy" not in kept.lower()


def test_copies_that_cannot_be_looked_for(owner):
    owner.key("tickets")
    bad = owner.folder / "bad.txt"
    bad.write_bytes(b"\xff\xfe")
    find = ("copies", "find", "mine", "--key", "tickets")
    for arguments, exit_code, code in (
        ((), 2, "usage"),
        ((bad, "--value", "x"), 2, "usage"),
        ((bad,), 4, "source_encoding"),
        (("--value", "x"), 5, "sealed_missing"),
    ):
        done = owner.run(*find, *arguments)
        assert (done.code, done.error["code"]) == (exit_code, code)
    done = owner.run("copies", "index", "../mine", bad, "--text", "body", "--key", "tickets")
    assert done.code in {2, 4}

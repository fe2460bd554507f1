"""What is private is in no output, log, ledger, manifest, report, bundle or file but the source."""

import struct
import subprocess
import sys

import numpy as np
import pytest
from thread_samples import QUICK, Owner, cipherset, text_rows, vector_rows, write_rows

from cipherset.custody.ledger import Ledger

RISK = ("--accept-risk", "a rehearsal")
CANARY = "canary7f3a"
# Every row has one of these in each private place; labels leave in the clear by design.
WORDS = {name: f"{CANARY}{name}" for name in ("body", "thread", "note", "value")}


def _forms(word):
    return [word.encode(), word.encode("utf-16-le"), word.encode("utf-16-be")]


def _number_forms(x):
    """A row's first two coordinates as they would stand in a file, and the first as text."""
    first, second = (float(value) for value in x[:2])
    packed = [struct.pack(f"{e}2{t}", first, second) for e in "<>" for t in "fd"]
    return [*packed, repr(first)[:9].encode(), f"{first:.7f}".encode()]


class Watch:
    """Collects what commands print, and looks for canaries in it and in every file."""

    def __init__(self, owner, forms):
        self.owner, self.forms = owner, forms
        self.printed, self.codes = [], []

    def __call__(self, *args, home=None):
        json = ("--json",) if len(self.codes) % 2 else ()
        done = cipherset(*args, "--home", home or self.owner.home, *json)
        self.printed.append((args, (done.out + done.err).encode()))
        self.codes.append(done.code)

    def found(self, sources):
        """Where a canary is, but for the plain sources."""
        files = [
            (path, path.read_bytes())
            for path in self.owner.folder.rglob("*")
            if path.is_file() and path not in sources
        ]
        assert len(files) > 10
        return [
            (where, form)
            for where, raw in [*self.printed, *files]
            for form in self.forms
            if form in raw
        ]


def _bad_sources(owner, rows, column):
    """Every kind of bad row, each holding canaries; the good ones are in ``rows``."""
    folder = owner.folder
    bad = {
        "no-label.jsonl": [*rows[:30], rows[30] | {"topic": None}, *rows[31:]],
        "one-class.jsonl": [row | {"topic": "one"} for row in rows],
        "label-per-row.jsonl": [row | {"topic": f"t{i}"} for i, row in enumerate(rows)],
        "ten.jsonl": rows[:10],
        "wrong-kind.jsonl": [*rows[:5], rows[5] | {column: {"nested": WORDS["value"]}}, *rows[6:]],
        "no-value.jsonl": [*rows[:5], rows[5] | {column: None}, *rows[6:]],
        "no-column.jsonl": [{k: v for k, v in row.items() if k != column} for row in rows],
    }
    paths = [write_rows(folder / name, values) for name, values in bad.items()]
    whole = write_rows(folder / "whole.parquet", rows).read_bytes()
    good = write_rows(folder / "whole.jsonl", rows).read_bytes()
    table = write_rows(folder / "whole.csv", rows).read_bytes()
    for name, raw in (
        ("cut.parquet", whole[:-30]),
        ("cut.jsonl", good[:-30]),
        ("not-utf8.jsonl", good[:-400] + b"\xff" + good[-400:]),
        ("not-utf8.csv", table[:-400] + b"\xff" + table[-400:]),
        ("ragged.csv", table + b'a,b,c,"d\n'),
        ("not-json.jsonl", good + b'{"body": "' + WORDS["value"].encode() + b"\n"),
    ):
        (folder / name).write_bytes(raw)
        paths.append(folder / name)
    return [*paths, *(folder / f"whole.{kind}" for kind in ("parquet", "jsonl", "csv"))]


def _everything(watch, columns, column, rows, settings):
    """Each operation and each failure; the plain sources that it wrote."""
    owner = watch.owner
    folder = owner.folder
    sources = _bad_sources(owner, rows, column)
    source = folder / "whole.parquet"
    ask = ("protect", "--key", "support", *columns, *settings)
    watch(*ask, source, "--to", folder / "out", *RISK, "--force")
    watch("inspect", folder / "out")
    for where in ((), ("--at-gate",)):
        bundle = folder / f"bundle{len(where)}"
        watch("train", folder / "out", "--to", bundle, "--force", *where)
        for rows_of in (folder / "out", folder / "whole.jsonl"):
            watch("evaluate", bundle, rows_of)
        watch("predict", bundle, folder / "whole.csv")
        watch("predict", bundle, "--value", WORDS["value"])
    done = len(watch.codes)
    for number, bad in enumerate(sources[:-3]):
        watch(*ask, bad, "--to", folder / f"bad{number}")
        if column == "vec":  # texts load the encoder each time
            watch("evaluate", folder / "bundle0", bad)
            watch("predict", folder / "bundle0", bad)
    for options in (
        ("--minimize", "none"),
        ("--label", "note"),
        ("--group", "absent"),
        ("--keep", "absent"),
        ("--to", "/proc/out"),
        ("--key", "absent"),
    ):
        watch(*ask, source, "--to", folder / "refused", *options)
    watch("evaluate", folder / "bundle0", folder / "out", home=folder / "stranger")
    sealed = next((owner.home / "exports").iterdir()) / "vectors"
    sealed.write_bytes(sealed.read_bytes()[:-1])
    watch("train", folder / "out", "--to", folder / "refused", "--at-gate")
    (owner.home / "keys" / "support.json").unlink()
    watch("predict", folder / "bundle0", source)
    assert 0 in watch.codes[:done]
    assert sum(code > 1 for code in watch.codes[done:]) > 15
    assert 1 not in watch.codes
    return sources


@pytest.fixture
def private(owner):
    return Owner(owner.folder)


@pytest.mark.soak
def test_words(private, minilm):
    rows = [
        row
        | {
            "body": f"{row['body']} {WORDS['body']} mail me at {WORDS['body']}@example.org",
            "thread": f"{WORDS['thread']}-{i // 4}",
            "note": WORDS["note"],
        }
        for i, row in enumerate(text_rows(60))
    ]
    watch = Watch(private, [form for word in WORDS.values() for form in _forms(word)])
    columns = ("--text", "body", "--label", "topic", "--group", "thread")
    settings = ("--minimize", "lda:1", "--approximation-factor", "5")
    sources = _everything(watch, columns, "body", rows, settings)
    assert watch.found(sources) == []


def test_numbers(private):
    rows = [
        {"vec": row["vec"], "topic": row["topic"], "note": WORDS["note"]} for row in vector_rows(60)
    ]
    plain = np.array([row["vec"] for row in rows], dtype=np.float32)
    forms = [form for x in plain[:20] for form in _number_forms(x)]
    watch = Watch(private, [*forms, *_forms(WORDS["note"]), *_forms(WORDS["value"])])
    sources = _everything(watch, ("--vector", "vec", "--label", "topic"), "vec", rows, QUICK)
    assert watch.found(sources) == []


def test_the_watch_sees(private):
    """A canary that is there is found, in a file and in an output."""
    watch = Watch(private, _forms(WORDS["note"]))
    for number in range(12):
        (private.folder / f"{number}").write_bytes(b"")
    (private.folder / "leak").write_bytes(b"..." + WORDS["note"].encode("utf-16-le"))
    watch("key", "create", "k", "--purpose", WORDS["note"])
    assert len(watch.found([])) >= 2


_DEFECT = """
import sys
from cipherset.custody.keys import KeyRing
from cipherset.interfaces.cli.main import main

def fail(self, *args, **rest):
    row = {canary!r}
    try:
        raise KeyError(row)
    except KeyError as cause:
        raise {kind}(row) from cause

KeyRing.create = fail
sys.argv = ["cipherset", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize("kind", ["ValueError", "UnicodeError"])
def test_a_defect_shows_its_type_and_nothing_else(tmp_path, kind):
    script = _DEFECT.format(canary=CANARY, kind=kind)
    json = ("--json",) if kind == "ValueError" else ()
    done = subprocess.run(
        [sys.executable, "-c", script, "key", "create", "k", "--home", str(tmp_path / "h"), *json],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 1
    assert CANARY not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    shown = done.stdout if json else done.stderr
    assert "internal" in shown
    assert kind in shown
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes()
    with Ledger(f"sqlite:///{tmp_path / 'h' / 'ledger.sqlite'}") as ledger:
        *_, outcome = ledger.events()
    assert outcome.outcome == "failed"
    assert kind in outcome.body

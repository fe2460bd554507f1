"""``sanitize`` and ``detokenize`` from end to end."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from thread_samples import cipherset, leftovers, write_rows

from cipherset.app.gate import Action
from cipherset.app.gate.about import about_key
from cipherset.app.gateway import open_gateway
from cipherset.app.workspace import Session, open_workspace
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.pipeline.export import open_cipherset
from cipherset.pipeline.sanitize import sanitize_texts

CANARY = "canary7f3a"
PHONE = "(212) 555-0123"
ROWS = [
    {"id": 7, "body": f"write to jo@x.com or call {PHONE}", "topic": "a", "score": 0.1},
    {"id": 8, "body": "nothing to see, 👩‍👩‍👧 שלום", "topic": "b", "score": 1e-30},
    {"id": 9, "body": "card 4111 1111 1111 1111", "topic": "a", "score": None},
]
CLEAN = ["write to [EMAIL] or call [PHONE]", ROWS[1]["body"], "card [CARD]"]
FOUND = {"CARD": 1, "EMAIL": 1, "PHONE": 1}
KEYED = '[entities]\nEMAIL = "sealed"\nPHONE = "token"\nCARD = "surrogate"\n'


@pytest.fixture
def rules(owner):
    """A file of rules with that text."""

    def write(text=KEYED, name="rules.toml"):
        path = owner.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def sanitize(owner, source, name, *options):
    done = owner.ok("sanitize", source, "--text", "body", "--to", owner.folder / name, *options)
    assert done["to"] == str(owner.folder / name)
    return done


def records(path):
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("source", ["in.csv", "in.jsonl", "in.parquet"])
@pytest.mark.parametrize("target", ["out.jsonl", "out.parquet"])
def test_the_same_rows_and_columns_with_clean_texts(owner, source, target):
    path = write_rows(owner.folder / source, ROWS)
    done = sanitize(owner, path, target)
    found = records(owner.folder / target)
    assert (done["rows"], done["quarantined"], done["entities"]) == (3, 0, FOUND)
    assert done["not_looked_at"] == ["id", "topic", "score"]
    assert [row["body"] for row in found] == CLEAN
    assert list(found[0]) == ["id", "body", "topic", "score"]
    if source == "in.csv":
        assert [(row["id"], row["score"]) for row in found] == [
            ("7", "0.1"),
            ("8", "1e-30"),
            ("9", ""),
        ]
    else:
        assert [(row["id"], row["score"]) for row in found] == [(7, 0.1), (8, 1e-30), (9, None)]
    assert leftovers(owner.folder) == []
    assert (owner.folder / target).stat().st_mode & 0o777 == 0o644


def test_columns_of_parquet_are_type_exact(owner):
    table = pa.table(
        {
            "n": pa.array([1, 2], pa.int8()),
            "body": pa.array(["jo@x.com", None], pa.large_string()),
            "at": pa.array([1, None], pa.timestamp("us", tz="UTC")),
            "raw": pa.array([b"\x00", b"\xff"]),
        }
    ).replace_schema_metadata({"note": "kept"})
    pq.write_table(table, owner.folder / "in.parquet")
    sanitize(owner, owner.folder / "in.parquet", "out.parquet", "--filter", "none")
    before = pq.read_table(owner.folder / "in.parquet")
    after = pq.read_table(owner.folder / "out.parquet")
    assert after.schema.equals(before.schema, check_metadata=True)
    assert after.drop_columns(["body"]).equals(before.drop_columns(["body"]))
    assert after.column("body").to_pylist() == ["[EMAIL]", None]


def test_columns_are_dropped_or_kept(owner):
    source = write_rows(owner.folder / "in.jsonl", ROWS)
    sanitize(owner, source, "a.csv", "--drop", "id", "--drop", "score")
    assert (owner.folder / "a.csv").read_text("utf-8").splitlines()[0] == "body,topic"
    done = sanitize(owner, source, "b.jsonl", "--keep", "id", "--label", "topic")
    assert list(records(owner.folder / "b.jsonl")[0]) == ["id", "body", "topic"]
    assert done["not_looked_at"] == ["id", "topic"]


def test_tokens_are_the_same_over_files_and_others_under_another_key(owner, rules):
    owner.key("other")
    source = write_rows(owner.folder / "in.jsonl", ROWS)
    again = write_rows(owner.folder / "again.jsonl", [{"body": "CALL +1 212 555 0123"}])
    options = ("--rules", rules(), "--key")
    done = sanitize(owner, source, "a.jsonl", *options, "support")
    sanitize(owner, again, "b.jsonl", *options, "support")
    sanitize(owner, again, "c.jsonl", *options, "other")
    texts = [records(owner.folder / f"{name}.jsonl")[0]["body"] for name in "abc"]
    tokens = [text[text.index("[PHONE:") :] for text in texts]
    assert tokens[0] == tokens[1] != tokens[2]
    assert done["key_id"].startswith("support-")
    assert records(owner.folder / "a.jsonl")[2]["body"].startswith("card 0000 ")


def test_sanitized_again_nothing_changes(owner, rules):
    source = write_rows(owner.folder / "in.jsonl", ROWS)
    options = ("--rules", rules(), "--key", "support")
    sanitize(owner, source, "a.jsonl", *options)
    done = sanitize(owner, owner.folder / "a.jsonl", "b.jsonl", *options)
    assert done["entities"] == {}
    assert (owner.folder / "a.jsonl").read_bytes() == (owner.folder / "b.jsonl").read_bytes()


def test_sealed_tokens_open_with_their_key_and_that_is_recorded(owner, rules, stranger):
    owner.key("other")
    source = write_rows(owner.folder / "in.jsonl", ROWS)
    sanitize(owner, source, "a.jsonl", "--rules", rules(), "--key", "support")
    text = records(owner.folder / "a.jsonl")[0]["body"]
    assert "jo@x.com" not in text
    done = owner.ok("detokenize", text, "--key", "support")
    assert done["text"].startswith("write to jo@x.com or call [PHONE:")
    assert done["tokens"] == 1
    last = json.loads(owner.events("detokenize")[-1].body)
    assert (last["tokens"], last["key_id"]) == (1, done["key_id"])
    assert all("jo@x.com" not in event.body for event in owner.events())
    for who, key in ((owner, "other"), (stranger, "support"), (owner, "absent")):
        refused = who.run("detokenize", text, "--key", key)
        assert refused.code == 5
        assert "jo@x.com" not in refused.out + refused.err
    outcomes = [event.outcome for event in owner.events("detokenize")]
    assert outcomes == ["intended", "done", "intended", "refused"]


def test_detokenize_prints_the_text_of_a_file_and_nothing_else(owner, rules):
    source = write_rows(owner.folder / "in.jsonl", ROWS[:1])
    sanitize(owner, source, "a.csv", "--rules", rules(), "--key", "support")
    done = cipherset("detokenize", owner.folder / "a.csv", "--key", "support", "--home", owner.home)
    assert done.out.count("jo@x.com") == 1
    assert done.out.splitlines()[0] == "id,body,topic,score"
    assert done.out.endswith("\n")


def test_tokens_of_a_version_open_until_it_is_retired(owner, rules):
    source = write_rows(owner.folder / "in.jsonl", ROWS)
    options = ("--rules", rules(), "--key", "support")
    sanitize(owner, source, "a.jsonl", *options)
    owner.ok("key", "rotate", "support")
    sanitize(owner, source, "b.jsonl", *options)
    both = " ".join(records(owner.folder / f"{name}.jsonl")[0]["body"] for name in "ab")
    assert "[EMAIL~1~" in both
    assert "[EMAIL~2~" in both
    assert owner.ok("detokenize", both, "--key", "support")["tokens"] == 2
    owner.ok("key", "retire", "support")
    refused = owner.run("detokenize", both, "--key", "support")
    assert (refused.code, refused.error["code"]) == (5, "key_retired")


def test_a_key_bound_elsewhere_neither_makes_nor_opens_tokens(owner, rules):
    source = write_rows(owner.folder / "in.jsonl", ROWS)
    owner.ok("key", "bind", "support", "--only-in", "host=elsewhere")
    options = ("--text", "body", "--to", owner.folder / "a.jsonl", "--rules", rules())
    refused = owner.run("sanitize", source, *options, "--key", "support")
    assert (refused.code, refused.error["code"]) == (3, "key_environment")
    text = "[EMAIL~1~" + "a" * 52 + "]"
    assert owner.run("detokenize", text, "--key", "support").error["code"] == "key_environment"


def bad_rows():
    good = [{"id": n, "body": f"row {n}"} for n in range(3)]
    bad = [{"id": 3, "body": {"not": CANARY}}, {"id": 4, "body": CANARY + "x" * 50}]
    return [good[0], bad[0], good[1], bad[1], good[2]]


def test_rows_that_cannot_be_sanitized_are_listed_without_what_they_hold(owner):
    source = write_rows(owner.folder / "in.jsonl", bad_rows())
    done = sanitize(owner, source, "out.jsonl", "--largest-row", "20")
    sidecar = Path(done["quarantine"])
    assert (done["rows"], done["quarantined"]) == (3, 2)
    assert done["reasons"] == {"not_text": 1, "oversized": 1}
    assert records(sidecar) == [
        {"row": 1, "reason": "not_text"},
        {"row": 3, "reason": "oversized"},
    ]
    assert sidecar.stat().st_mode & 0o777 == 0o600
    assert [row["id"] for row in records(owner.folder / "out.jsonl")] == [0, 1, 2]
    for path in owner.folder.rglob("*"):
        if path.is_file() and path != source:
            assert CANARY.encode() not in path.read_bytes()


def test_the_owner_may_have_the_rows_themselves(owner):
    rows = bad_rows()
    source = write_rows(owner.folder / "in.jsonl", rows)
    apart = owner.folder / "apart.jsonl"
    sanitize(owner, source, "out.csv", "--largest-row", "20", "--quarantine", apart)
    assert records(apart) == [rows[1], rows[3]]
    assert apart.stat().st_mode & 0o777 == 0o600


def test_the_list_of_an_earlier_run_goes_with_its_rows(owner):
    source = write_rows(owner.folder / "in.jsonl", bad_rows())
    sanitize(owner, source, "out.jsonl", "--largest-row", "20")
    refused = owner.run("sanitize", source, "--text", "body", "--to", owner.folder / "out.jsonl")
    assert (refused.code, refused.error["code"]) == (2, "target_exists")
    write_rows(source, ROWS)
    assert sanitize(owner, source, "out.jsonl", "--force")["quarantine"] is None
    assert not (owner.folder / "out.jsonl.quarantine.jsonl").exists()


@pytest.mark.soak
def test_many_rows_in_order_by_all_cores(owner):
    rows = [{"id": n, "body": f"{n} is u{n}@corp.com"} for n in range(5000)]
    source = write_rows(owner.folder / "in.jsonl", rows)
    done = sanitize(owner, source, "out.jsonl.gz", "--keep-duplicates")
    assert (done["rows"], done["entities"]) == (5000, {"EMAIL": 5000})
    table = pq.read_table(_as_parquet(owner))
    assert table.column("body").to_pylist() == [f"{n} is [EMAIL]" for n in range(5000)]
    assert table.column("id").to_pylist() == list(range(5000))


def _as_parquet(owner):
    sanitize(owner, owner.folder / "out.jsonl.gz", "again.parquet", "--keep-duplicates")
    return owner.folder / "again.parquet"


def test_what_is_bad_in_the_middle_leaves_nothing(owner):
    source = write_rows(owner.folder / "in.jsonl", ROWS)
    with source.open("a") as file:
        file.write('{"body": "' + CANARY + "\n")
    for target in ("out.jsonl", "out.parquet", "out.csv"):
        refused = owner.run("sanitize", source, "--text", "body", "--to", owner.folder / target)
        assert (refused.code, refused.error["code"]) == (4, "source_corrupt")
        assert CANARY not in refused.out + refused.err
        assert not (owner.folder / target).exists()
    assert leftovers(owner.folder) == []
    assert {e.outcome for e in owner.events("sanitize")} == {"intended", "refused"}


def test_planted_strings_are_nowhere_but_in_the_source(owner, rules):
    words = [f"{CANARY}@x.com", f"https://x.com/{CANARY}", f"ghp_{CANARY}" + "a1B2" * 8]
    rows = [{"id": n, "body": f"see {word} now", "note": "n"} for n, word in enumerate(words * 2)]
    rows += [{"id": 9, "body": [CANARY], "note": "n"}]
    source = write_rows(owner.folder / "in.jsonl", rows)
    text = '[entities]\nEMAIL = "{}"\nURL = "{}"\nSECRET = "token"\n'
    printed = ""
    for name in ("token", "surrogate", "sealed", "mask", "remove", "placeholder"):
        made = rules(text.format(name, name), f"{name}.toml")
        for ending in ("jsonl", "csv", "parquet"):
            target = owner.folder / f"{name}.{ending}"
            ask = ("sanitize", source, "--text", "body", "--to", target, "--rules", made)
            json_too = ("--json",) if ending == "csv" else ()
            done = cipherset(*ask, "--key", "support", "--home", owner.home, *json_too)
            assert done.code == 0
            printed += done.out + done.err
    assert CANARY not in printed
    files = [path for path in owner.folder.rglob("*") if path.is_file() and path != source]
    assert len(files) > 36
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []


def test_killed_at_any_moment_it_leaves_the_old_rows_or_the_new_ones(owner):
    source = write_rows(
        owner.folder / "in.jsonl",
        [{"body": f"{n} u{n}@corp.com " + "word " * 40} for n in range(15_000)],
    )
    target = owner.folder / "out.jsonl"
    old = b'{"body": "old"}\n'
    target.write_bytes(old)
    run = [sys.executable, "-c", "from cipherset.interfaces.cli.main import main; main()"]
    args = ("sanitize", source, "--text", "body", "--to", target, "--force", "--home", owner.home)
    killed = 0
    for after in (0.9, 1.7):
        process = subprocess.Popen(
            [*run, *map(str, args)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(after)
        children = _children(process.pid)
        process.kill()
        killed += process.wait(timeout=600) == -signal.SIGKILL
        assert target.read_bytes() == old or target.read_bytes().count(b"\n") == 15_000
        deadline = time.monotonic() + 60
        while any(map(_runs, children)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(map(_runs, children))
    assert killed
    write_rows(source, ROWS)
    sanitize(owner, source, "out.jsonl", "--force")
    assert leftovers(owner.folder) == []


def _children(pid):
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return []
    return [int(child) for child in found]


def _runs(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_queries_are_sanitized_by_the_rules_of_the_export(owner, rules, minilm):
    rows = [{"body": f"word {n % 7} to u{n}@x.com", "topic": "ab"[n % 2]} for n in range(60)]
    source = write_rows(owner.folder / "in.jsonl", rows)
    columns = ("--text", "body", "--label", "topic", "--key", "support")
    settings = ("--minimize", "lda:1", "--approximation-factor", "5", "--accept-risk", "rehearsal")
    ask = ("protect", source, *columns, *settings)
    tokens = ("--rules", rules('[entities]\nEMAIL = "token"\n'))
    first = owner.ok(*ask, "--to", owner.folder / "out.cipherset", *tokens)
    assert first["sanitized"] == {"EMAIL": 60}
    bundle = owner.folder / "bundle"
    owner.ok("train", owner.folder / "out.cipherset", "--to", bundle)
    assert len(owner.ok("predict", bundle, source)["predictions"]) == 60
    assert owner.ok("predict", bundle, "--value", "to u1@x.com")["predictions"]
    sanitize(owner, source, "clean.jsonl", *tokens, "--key", "support")
    clean = [row["body"] for row in records(owner.folder / "clean.jsonl")]
    assert sanitize_texts([row["body"] for row in rows], _rules_of(owner)).texts == clean
    assert owner.ok(*ask, "--to", owner.folder / "again.cipherset", *tokens)["repeated"]
    other = owner.ok(*ask, "--to", owner.folder / "other.cipherset")
    assert not other["repeated"]
    assert len(other["joined_with"]) == 1


def _rules_of(owner):
    """Those that queries of the export go through."""
    manifest = open_cipherset(owner.folder / "out.cipherset").manifest
    session = Session(owner.home, "owner", owner.folder, TerminalProgress())
    with open_workspace(session) as workspace:
        about = about_key(workspace.ring.get("support"))
        with workspace.gate.act(Action.ENCRYPT, "support", {}, about=about):
            return open_gateway(workspace, manifest.cipherset_id, manifest).rules


def test_calibrate_sanitizes_by_the_rules_too(owner, rules):
    source = write_rows(owner.folder / "in.jsonl", ROWS)
    wrong = rules('[entities]\nEMAIL = "tokne"\n')
    ask = ("calibrate", source, "--text", "body", "--label", "topic", "--rules", wrong)
    refused = owner.run(*ask, "--to", owner.folder / "frontier")
    assert (refused.code, refused.error["code"]) == (4, "rules_file")


@pytest.mark.extra
@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz", "out.parquet", "out.csv"])
def test_datasets_of_hugging_face_load_it(owner, name):
    from datasets import Dataset

    source = write_rows(owner.folder / "in.jsonl", ROWS)
    sanitize(owner, source, name)
    read = {
        "jsonl": Dataset.from_json,
        "parquet": Dataset.from_parquet,
        "csv": Dataset.from_csv,
    }[name.split(".")[1]]
    # ``load_dataset`` does the same, after a look at the network.
    loaded = read(str(owner.folder / name), cache_dir=str(owner.folder / "cache"))
    assert loaded["body"][:] == CLEAN
    assert loaded.column_names == ["id", "body", "topic", "score"]


_MEASURE = """
import resource, sys
from cipherset.interfaces.cli.main import cli
cli.main(sys.argv[1:], standalone_mode=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


def _peak_kib(*args):
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, *map(str, args)],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    return int(done.stderr.split()[-1])


@pytest.mark.soak
def test_many_short_rows_take_no_more_memory_than_a_tenth_of_them(owner):
    peaks = []
    for n_rows in (10_000, 100_000):
        source = owner.folder / "in.jsonl"
        with source.open("w") as file:
            file.writelines(f'{{"id": {n}, "body": "u{n}@x.com called"}}\n' for n in range(n_rows))
        target = owner.folder / "out.jsonl"
        ask = ("sanitize", source, "--text", "body", "--to", target, "--force")
        ask += ("--keep-duplicates",)  # to know them again, each row takes some bytes
        peaks.append(_peak_kib(*ask, "--home", owner.home))
        with target.open() as file:
            assert sum("[EMAIL] called" in line for line in file) == n_rows
    assert peaks[1] < 1.3 * peaks[0]


@pytest.mark.soak
@pytest.mark.parametrize("unit", ["word jo@x.com ", "1 ", "[[", "a@", "+49 30 ", "ü", "****"])
def test_a_row_of_ten_megabytes_comes_to_an_end(owner, unit, growth, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})  # all of the work is here
    text = (unit * 10_000_000)[: 10_000_000 // len(unit[-1].encode())]
    source = owner.folder / "in.csv"
    source.write_text(f"body\n{text}\njo@x.com\n", encoding="utf-8")
    assert sanitize(owner, source, "out.jsonl")["reasons"] == {"oversized": 1}

    def all_of(n_characters):
        source.write_text(f"body\n{text[:n_characters]}\njo@x.com\n", encoding="utf-8")
        done = sanitize(owner, source, "all.jsonl", "--largest-row", "20000000", "--force")
        assert done["rows"] == 2

    assert growth(all_of, 150_000, 1_500_000) < 30

"""Tables of figures come from docs/evidence.json, and nobody edits them by hand."""

import json
import re
import runpy
import shutil
import sys

import pytest
from docs_blocks import ROOT

DOCS = ROOT / "docs"
FILE = DOCS / "evidence.json"
TABLE = re.compile(r"(?P<before>^.*\n\n?|^)(?P<table>(?:^\|.*\n)+)", re.MULTILINE)
# A table that is not measured, or not by one command, says so on the line before it.
BY_HAND = re.compile(r"<!-- by hand: \S.* -->\n$")
TABLES = json.loads(FILE.read_text(encoding="utf-8"))
# Made in a run that is given data, of rows that need none.
NEED_NOTHING = ("inversion/messages", "kinds/digits", "kinds/columns", "compare/messages")


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(ROOT / "scripts" / "evidence_pages.py"))


@pytest.fixture(scope="module")
def evidence():
    """The module that writes the file."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    import evidence

    return evidence


def pages():
    """Those that show a table of the file."""
    return [
        path.relative_to(ROOT).as_posix()
        for path in sorted(DOCS.rglob("*.md"))
        if "<!-- evidence: " in path.read_text(encoding="utf-8")
    ]


def tables_by_hand(text, script):
    """Tables outside the marks of evidence that no note excuses."""
    outside = script["MARKED"].sub("", text)
    return [m["table"] for m in TABLE.finditer(outside) if not BY_HAND.search(m["before"])]


@pytest.mark.parametrize("page", pages())
def test_the_tables_of_a_page_are_those_of_the_file(page, script):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert text == script["page"](text, TABLES), "run: python scripts/evidence_pages.py"
    assert text.count("<!-- evidence: ") == len(script["named"](text)) == text.count("<!-- /evid")


@pytest.mark.parametrize("page", pages())
def test_a_page_of_evidence_has_no_other_table(page, script):
    assert tables_by_hand((ROOT / page).read_text(encoding="utf-8"), script) == []


def test_each_table_is_shown_once(script):
    shown = [name for page in pages() for name in script["named"]((ROOT / page).read_text("utf-8"))]
    assert sorted(shown) == sorted(TABLES)


def test_the_file_is_as_the_command_writes_it(evidence):
    assert FILE.read_text(encoding="utf-8") == evidence.written(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_says_where_it_is_from(name, evidence):
    table = TABLES[name]
    script = name.partition("/")[0]
    assert script in [benchmark.name for benchmark in evidence.BENCHMARKS]
    assert table["command"].startswith(f"python benchmarks/{script}.py")
    assert table["data"] and table["seeds"] and re.fullmatch(r"\d{4}-\d\d-\d\d", table["date"])
    assert {len(row) for row in table["rows"]} == {len(table["header"])}
    is_local = any("not distributed" in source for source in table["data"])
    assert is_local == ("DIR" in table["command"] and not name.startswith(NEED_NOTHING))


def test_a_table_edited_by_hand_is_found(script):
    page = pages()[0]
    text = (ROOT / page).read_text(encoding="utf-8")
    name = script["named"](text)[0]
    cell = TABLES[name]["rows"][0][-1]
    edited = text.replace(f"| {cell} |", "| 0.999 |", 1)
    assert edited != text
    assert script["page"](edited, TABLES) == text
    smuggled = f"{text}\nIn words:\n\n| a |\n|---|\n| 1 |\n"
    assert tables_by_hand(smuggled, script) == ["| a |\n|---|\n| 1 |\n"]
    excused = smuggled.replace("In words:\n", "In words:\n\n<!-- by hand: no figures -->")
    assert tables_by_hand(excused, script) == []


def test_what_cannot_run_keeps_its_rows(evidence, capsys, tmp_path):
    here = evidence.Here(None, dict.fromkeys(evidence.PYTHONS))
    by_name = {benchmark.name: benchmark for benchmark in evidence.BENCHMARKS}
    for name in ("minimize", "frontier", "fhe"):
        tables = here.run(by_name[name])
        assert evidence.merged(TABLES, name, tables) == TABLES
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "minimize not run: no DIR/banking77"
    assert len(told) == 3
    (tmp_path / "banking77").mkdir()
    shutil.copy(FILE, tmp_path)
    here = evidence.Here(tmp_path, dict.fromkeys(evidence.PYTHONS))
    assert here.run(by_name["fhe"]) == []
    assert "no TENSEAL_PYTHON, CONCRETE_PYTHON" in capsys.readouterr().err


def test_a_benchmark_that_fails_keeps_its_rows(evidence, capfd, monkeypatch):
    nowhere = evidence.Benchmark("nowhere")
    monkeypatch.setattr(evidence, "BENCHMARKS", (nowhere,))
    monkeypatch.setattr(sys, "argv", ["evidence.py"])
    before = FILE.read_bytes()
    assert evidence.main() == 1
    assert FILE.read_bytes() == before
    assert "nowhere keeps its tables: it ended with 2" in capfd.readouterr().err


def test_a_part_that_is_left_out_is_named(evidence, capsys):
    new = [{"name": "inversion/messages", "rows": []}]
    merged = evidence.merged(TABLES, "inversion", new)
    assert merged["inversion/messages"] == new[0]
    assert merged["inversion/77"] == TABLES["inversion/77"]
    told = capsys.readouterr().err
    assert "inversion/77 keeps its rows of " in told
    assert "minimize" not in told

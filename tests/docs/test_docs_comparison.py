"""The page that compares protections shows the figures of docs/evidence.json, and no other."""

import json
import runpy

import pytest
from docs_blocks import ROOT

SCRIPT = runpy.run_path(str(ROOT / "scripts" / "comparison.py"))
EVIDENCE = json.loads((ROOT / "docs" / "evidence.json").read_text(encoding="utf-8"))
TEXT = (ROOT / "docs" / "explanation" / "compare.md").read_text(encoding="utf-8")


def test_its_tables_are_those_of_the_evidence():
    assert SCRIPT["page"](TEXT, EVIDENCE) == TEXT, "run: python scripts/comparison.py"
    assert [m["name"] for m in SCRIPT["MARKED"].finditer(TEXT)] == list(SCRIPT["TABLES"])


def test_a_figure_edited_by_hand_is_found():
    cell = SCRIPT["figure"](("compare/banking", ("plain vectors",), "accuracy", ""), EVIDENCE)
    edited = TEXT.replace(f"| {cell} |", "| 0.999 |", 1)
    assert edited != TEXT
    assert SCRIPT["page"](edited, EVIDENCE) == TEXT


@pytest.mark.parametrize(
    "place",
    [
        ("minimize/7", ("no such export",), "plain", ""),
        ("minimize/7", ("none, beta 8",), "no such column", ""),
        ("gaussian/7", ("bottleneck:6",), "on the export", ""),
        ("no/table", ("x",), "y", ""),
    ],
)
def test_a_figure_that_is_gone_is_an_error(place):
    with pytest.raises(LookupError):
        SCRIPT["figure"](place, EVIDENCE)


def test_each_row_is_as_wide_as_its_header():
    for header, *rows in SCRIPT["TABLES"].values():
        assert {len(row) for row in rows} == {len(header)}

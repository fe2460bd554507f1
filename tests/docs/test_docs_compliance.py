"""The map of rules names commands and options that there are, and ids as the product has them."""

import re

import click
import pytest
from docs_blocks import ROOT

from cipherset.evidence.views.threats.references import REFERENCES
from cipherset.interfaces.cli.main import cli

PAGE = (ROOT / "docs" / "explanation" / "compliance.md").read_text(encoding="utf-8")
USED = sorted(set(re.findall(r"`cipherset ([^`]+)`", PAGE)))
ID = re.compile(r"\b(?:AML\.T[0-9.]+[0-9]|LLM\d\d:\d{4}|ML\d\d:\d{4})\b")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("|") and not line.startswith("|---")
]


@pytest.mark.parametrize("words", USED)
def test_each_command_of_the_map_is_there(words):
    asked, group = words.split(), cli
    with click.Context(cli) as context:
        while asked and isinstance(group, click.Group):
            found = group.get_command(context, asked.pop(0))
            assert found is not None, f"there is no cipherset {words}"
            group = found
        options = {name for each in group.get_params(context) for name in each.opts}
    assert {word for word in asked if word.startswith("--")} <= options


def test_each_id_of_the_map_has_the_name_that_the_product_gives_it():
    named = {row[0]: row[1] for row in ROWS if ID.fullmatch(row[0])}
    assert set(ID.findall(PAGE)) == set(named)
    assert {id: REFERENCES[id].name for id in named} == named


def test_no_technique_of_atlas_and_no_risk_of_the_llm_list_is_left_out():
    known = {id for id in REFERENCES if id.startswith(("AML", "LLM"))}
    assert known - set(ID.findall(PAGE)) == set()


def test_each_row_says_what_is_shown_or_that_nothing_is():
    rows = [row for row in ROWS if row[-1] != "not covered"]
    assert len(rows) > 60
    for row in rows:
        command, evidence, missing = row[-3:]
        assert "`cipherset " in command or (command, evidence, missing) == (
            ("none", "none", "all of it")
        )
        assert evidence

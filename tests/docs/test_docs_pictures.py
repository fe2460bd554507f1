"""Pictures are as their script draws them, are shown, and are told to who cannot see them."""

import re
import runpy
from xml.etree import ElementTree

import pytest
from docs_blocks import ROOT

DRAWN = runpy.run_path(str(ROOT / "scripts" / "pictures.py"))["PICTURES"]


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_is_as_its_script_draws_it(name):
    there = (ROOT / "docs" / "pictures" / name).read_text(encoding="utf-8")
    assert there == DRAWN[name](), "run: python scripts/pictures.py"
    title = ElementTree.fromstring(there).findtext("{http://www.w3.org/2000/svg}title")
    assert title and len(title) > 40


def test_each_picture_is_shown_with_words_in_its_place():
    pages = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs").rglob("*.md"))
    shown = re.findall(r"!\[([^\]]{10,})\]\((?:\.\./)?pictures/([a-z]+\.svg)\)", pages)
    assert {name for _, name in shown} == set(DRAWN)
    assert {path.name for path in (ROOT / "docs" / "pictures").iterdir()} == set(DRAWN)

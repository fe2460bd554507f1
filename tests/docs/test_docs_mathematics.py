"""The mathematics: examples give what they show, and each module that is named is there."""

import doctest
import importlib.util
import re

from docs_blocks import ROOT

PAGE = ROOT / "docs" / "explanation" / "mathematics.md"


def test_examples_of_the_mathematics_give_what_they_show():
    failed, tried = doctest.testfile(str(PAGE), module_relative=False, verbose=False)
    assert (failed, tried > 40) == (0, True)


def test_each_module_of_the_mathematics_is_there():
    text = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[.*\| (`.*`) \|$", text, re.M)
    assert len(rows) == 11
    for name in re.findall(r"`([a-z_.]+)`", " ".join(rows)):
        assert importlib.util.find_spec(f"cipherset.{name}") is not None, name

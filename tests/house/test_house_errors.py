"""Every error has a stable code, and the docs list them all."""

import re
import runpy
from collections import defaultdict
from types import SimpleNamespace

import pytest


@pytest.fixture(scope="module")
def source(root):
    return SimpleNamespace(**runpy.run_path(str(root / "scripts" / "error_codes.py")))


def test_every_error_names_its_code_in_plain_sight(source):
    snake_case = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
    bad = [
        f"{refusal.where} {refusal.family} code={refusal.code!r}"
        for refusal in source.refusals()
        if refusal.code is None or not snake_case.fullmatch(refusal.code)
    ]
    assert bad == []


def test_one_code_has_one_exit_code(source):
    exit_codes = source.exit_codes(source._trees())
    meanings = defaultdict(set)
    for refusal in source.refusals():
        meanings[refusal.code].add(exit_codes[refusal.family])
    assert {code: exits for code, exits in meanings.items() if len(exits) > 1} == {}


def test_errors_page_is_the_source_of_today(root, source):
    """If this fails, run ``make reference`` and commit what it writes."""
    page = root / "docs" / "reference" / "errors.md"
    assert page.read_text(encoding="utf-8") == source.page()

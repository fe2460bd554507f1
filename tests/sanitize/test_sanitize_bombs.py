"""No pattern of the room takes more than linear work, and no text takes the detectors long."""

import importlib
import pkgutil
import re
import time
from re import _parser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cipherset.pipeline.sanitize as room
from cipherset.pipeline.sanitize import default_rules

STEPS = (1_000, 4_000, 16_000)  # characters
GROWTH = 8  # for four times the text: linear is 4, quadratic 16
NOISE = 40  # passes over the same text by a pattern that does nothing: too little to measure
NOTHING = re.compile("(?s:.)")


def patterns():
    for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
        for name, value in vars(importlib.import_module(module.name)).items():
            for index, pattern in enumerate(value.values() if isinstance(value, dict) else [value]):
                if isinstance(pattern, re.Pattern):
                    yield f"{module.name.removeprefix(room.__name__)}.{name}.{index}", pattern


PATTERNS = dict(patterns())
CATEGORIES = {"DIGIT": "1", "SPACE": " ", "WORD": "a"}


def literals(parsed):
    """The strings and the first characters of each set in a parsed pattern."""
    run = ""
    for op, value in parsed:
        if str(op) == "LITERAL":
            run += chr(value)
            continue
        yield run
        run = ""
        yield from inner(str(op), value)
    yield run


def inner(op, value):
    if op == "IN":
        for kind, what in value:
            if str(kind) == "CATEGORY":
                yield CATEGORIES.get(str(what).rsplit("_", 1)[-1], "!")
            elif str(kind) in {"LITERAL", "RANGE"}:
                yield chr(what if str(kind) == "LITERAL" else what[0])
    elif op == "BRANCH":
        for branch in value[1]:
            yield from literals(branch)
    elif op == "ATOMIC_GROUP":
        yield from literals(value)
    elif op in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
        yield from literals(value[2])
    elif op == "SUBPATTERN":
        yield from literals(value[3])
    elif op in {"ASSERT", "ASSERT_NOT"}:
        yield from literals(value[1])


def units(pattern):
    found = dict.fromkeys(literals(_parser.parse(pattern.pattern, pattern.flags)))
    return [unit for unit in found if unit] or ["a"]


def repeats(pattern):
    """What is repeated: some of its own strings, alone, in pairs and in a row, and plain text."""
    ours = units(pattern)
    pairs = [ours[i % len(ours)] + ours[(i * 7 + 3) % len(ours)] for i in range(2)]
    return [*ours[:: max(1, len(ours) // 4)][:5], "".join(ours[:6]), *pairs, "A1 ", "1"]


def seconds(pattern, text):
    start = time.process_time()
    for _ in pattern.finditer(text):
        pass
    return time.process_time() - start


def grows_too_fast(pattern, unit, steps=STEPS):
    """Whether it does every time: once may be what else the machine does."""
    return all(seems_to_grow_too_fast(pattern, unit, steps) for _ in range(4))


def seems_to_grow_too_fast(pattern, unit, steps):
    before = None
    for n_chars in steps:
        text = (unit * (n_chars // len(unit) + 1))[:n_chars]
        now = seconds(pattern, text)
        noise = NOISE * max(seconds(NOTHING, text), 1e-5)
        if before is not None and now > GROWTH * before + noise:
            return True
        before = now
    return False


def test_patterns_are_found():
    assert len(PATTERNS) > 50


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_work_is_linear_in_a_pattern_s_own_words(name):
    pattern = PATTERNS[name]
    assert [unit for unit in repeats(pattern) if grows_too_fast(pattern, unit)] == []


@pytest.mark.soak
@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_work_is_linear_to_a_hundred_kilobytes(name):
    pattern = PATTERNS[name]
    steps = (*STEPS, 50_000, 100_000)
    assert [unit for unit in repeats(pattern) if grows_too_fast(pattern, unit, steps)] == []


PIECES = st.sampled_from(sorted({unit for p in PATTERNS.values() for unit in units(p)}))
DETECTORS = default_rules().detectors


@settings(max_examples=8)
@given(st.lists(PIECES, min_size=1, max_size=4).map("".join))
def test_work_is_linear_in_what_the_patterns_are_made_of(growth, unit):
    few, many = [(unit * (n // len(unit) + 1))[:n] for n in (2_500, 20_000)]
    assert growth(detect, [few], [many]) < 24


def detect(texts):
    for detector in DETECTORS:
        assert len(detector.detect(texts)) == len(texts)


@pytest.mark.soak
def test_a_row_of_ten_megabytes(growth):
    """As long as a thousand rows of a thousandth, but for what a long row costs by itself."""
    row = "Please call (212) 555-0143 about order no. 1234567, or write to jo@example.org. " * 125
    assert growth(detect, [row] * 1_000, [row * 1_000]) < 3


@pytest.mark.soak
def test_many_short_rows(growth):
    rows = ["ok", "call 5550143", "12345", ""] * 75_000
    assert growth(detect, rows[:30_000], rows) < 30

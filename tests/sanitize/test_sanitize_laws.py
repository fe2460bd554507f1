"""Laws: once is enough, the rest stays as it was, nothing a detector found is left, no blow-up."""

import re
from dataclasses import dataclass, field
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.core.values import Records
from cipherset.pipeline.sanitize import SanitizeRules, Span, default_rules, sanitize
from cipherset.pipeline.sanitize.spans import merged, replaced

RULES = default_rules()
FOUND = {
    "jo@x.com": "[EMAIL]",
    "https://x.com/a?b=1": "[URL]",
    "192.168.0.1": "[IP]",
    "2001:db8::8a2e:370:7334": "[IP]",
    "4111 1111 1111 1111": "[CARD]",
    "DE89370400440532013000": "[IBAN]",
    "(212) 555-0123": "[PHONE]",
    "AKIA" + "IOSFODNN7EXAMPLE": "[SECRET]",
    "00:1a:2b:3c:4d:5e": "[MAC]",
    "1HGCM82633A004352": "[VEHICLE]",
    "123-45-6789": "[NATIONAL_ID]",
    "0x52908400098527886E0F7030069857D2E4169EE7": "[CRYPTO_WALLET]",
    "40.7128, -74.0060": "[COORDINATES]",
    "12 Baker Street": "[STREET_ADDRESS]",
}
WORDS = [
    *["ssn ", "passport no. ", "account number: ", "order ", "my ", "id", " is ", "born on "],
    *[
        "password: ",
        "pin is ",
        "username=",
        "hunter2",
        "1/2/1990",
        "AB12345",
        "12345678",
        "a,ssn\n",
    ],
]
PLAIN = st.text(st.characters(categories=["Ll", "Lo", "So", "Mn"]), max_size=12).filter(
    lambda text: run([text])[0] == [text]
)
PIECES = st.sampled_from(
    [
        *FOUND,
        *FOUND.values(),
        *WORDS,
        *"0123456789@.:/-+()[] \n",
        "www.",
        "://",
        "\u200b",
        "\u200d",
        "\ufe0f",
        *["é", "🙂", "ש", "AB12", "EMAIL]", "x", "eyJ", "-----BEGIN PRIVATE KEY-----", "+1", "ext"],
    ]
)


def run(texts, rules=RULES):
    cleaned = sanitize(Records(list(texts), pa.table({"row": list(range(len(texts)))})), rules)
    return cleaned.texts, dict(cleaned.found)


@settings(max_examples=300)
@given(st.lists(st.lists(PIECES | st.text(max_size=3), max_size=12).map("".join), max_size=4))
def test_twice_is_once(texts):
    once, _ = run(texts)
    assert run(once) == (once, {})


@settings(max_examples=100)
@given(st.lists(st.tuples(PLAIN, st.sampled_from(sorted(FOUND))), max_size=6), PLAIN)
def test_what_stands_between_stays_byte_for_byte(pairs, tail):
    text = "".join(f"{plain} | {secret} | " for plain, secret in pairs) + tail
    expected = "".join(f"{plain} | {FOUND[secret]} | " for plain, secret in pairs) + tail
    (cleaned,), found = run([text])
    assert cleaned == expected
    assert sum(found.values()) == len(pairs)


@settings(max_examples=50)
@given(st.lists(st.lists(PIECES, max_size=8).map("".join), min_size=1, max_size=5))
def test_a_batch_is_its_rows(texts):
    batch, _ = run(texts)
    assert batch == [run([text])[0][0] for text in texts]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 9), st.sampled_from("ABC"))))
def test_merged_spans_cover_what_all_spans_cover(triples):
    spans = [Span(start, start + length, entity) for start, length, entity in triples]
    result = merged(spans)
    assert all(a.end <= b.start for a, b in pairwise(result))
    covered = {i for span in spans for i in range(span.start, span.end)}
    assert {i for span in result for i in range(span.start, span.end)} == covered
    for span in result:
        inside = [s for s in spans if span.start <= s.start < span.end]
        longest = max(s.end - s.start for s in inside)
        assert span.entity in {s.entity for s in inside if s.end - s.start == longest}


def test_the_longest_names_an_overlap():
    assert merged([Span(0, 3, "A"), Span(2, 9, "B"), Span(9, 10, "C")]) == [
        Span(0, 9, "B"),
        Span(9, 10, "C"),
    ]
    assert run(["http://jo@x.com/4111111111111111"]) == (["[URL]"], {"URL": 1})


def test_offsets_are_code_points():
    text = "👩‍👩‍👧 שלום jo@x.com 🙂"
    assert run([text])[0] == ["👩‍👩‍👧 שלום [EMAIL] 🙂"]
    assert replaced("🙂x🙂", [Span(1, 2, "X")]) == "🙂[X]🙂"


def test_counts_and_columns():
    columns = pa.table({"row": [0, 1], "label": ["a", "jo@x.com"]})
    cleaned = sanitize(Records(["a\u200b@b.co a@b.co", "10.0.0.1"], columns), RULES)
    assert dict(cleaned.found) == {"EMAIL": 2, "IP": 1, "INVISIBLE": 1}
    assert cleaned.columns is columns
    assert sanitize(Records([], columns[:0]), RULES).texts == []


def test_no_detectors_leaves_all_but_the_invisible():
    assert run(["jo@x.com\u200b"], SanitizeRules(())) == (["jo@x.com"], {"INVISIBLE": 1})


@dataclass
class OneAtATime:
    """Finds the first small letter, whatever stands before it by now."""

    entities: frozenset[str] = field(default=frozenset({"X"}))

    def detect(self, texts):
        letters = [re.search("[a-z]", text) for text in texts]
        return [[Span(found.start(), found.end(), "X")] if found else [] for found in letters]


def test_a_text_that_never_settles_is_withheld():
    texts, found = run(["some text " * 5, "ok"], SanitizeRules((OneAtATime(),)))
    assert texts == ["[WITHHELD]", "[X][X]"]
    assert found["WITHHELD"] == 1


@dataclass
class Greedy(OneAtATime):
    """Takes placeholders for finds."""

    def detect(self, texts):
        return [[Span(0, min(3, len(text)), "X")] for text in texts]


def test_a_placeholder_is_not_found_again():
    assert run(["abc def"], SanitizeRules((Greedy(),))) == (["[X] def"], {"X": 1})
    assert run(["[X]"], SanitizeRules((Greedy(),))) == (["[X]"], {})


HOSTILE = ["a", "a@", "@a.", "a.", "1", "1-", "http://", "www.", ":", "a:", "AB12", "AB12 "]
HOSTILE += [
    "eyJ",
    "eyJa.",
    "sk-",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN ",
    "[EMAIL]",
    "(",
    "+",
]
HOSTILE += ["\u200d", "é\u200d", "'@a.bc", "::", "x@", " ", "1" + " " * 50, "_", "\ufe0f", "]@a.bc"]


@pytest.mark.parametrize("unit", HOSTILE)
def test_work_is_linear_in_hostile_text(growth, unit):
    few, many = [(unit * 20_000)[:n] for n in (2_500, 20_000)]
    assert growth(lambda text: run([text]), few, many) < 24


@pytest.mark.parametrize("unit", ["1 ", "1/", "555 ", "2125550123 "])
def test_work_is_linear_in_what_looks_like_phone_numbers(growth, unit):
    few, many = [(unit * 12_000)[:n] for n in (1_500, 12_000)]
    assert growth(lambda text: run([text]), few, many) < 24

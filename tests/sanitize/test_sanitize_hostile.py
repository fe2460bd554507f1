"""Texts that were made to trip whoever cuts them, by someone who has not seen the patterns.

``<<KIND|words>>`` stands for words of which nothing may be left but the placeholder; everything
else must come out byte for byte.
"""

import json
import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cipherset.core.text.invisible import without_invisible
from cipherset.core.values import Records
from cipherset.pipeline.sanitize import default_rules, sanitize
from cipherset.pipeline.sanitize.bench import load_cases

MARK = re.compile(r"<<(\w+)\|(.*?)>>", re.DOTALL)
PLACEHOLDER = re.compile(r"\[[A-Z][A-Z0-9_]*\]")
RULES = default_rules()


def clean(*texts):
    table = pa.table({"row": list(range(len(texts)))})
    return list(sanitize(Records(list(texts), table), RULES).texts)


def asked_and_expected(marked):
    return MARK.sub(lambda m: m[2], marked), MARK.sub(lambda m: f"[{m[1]}]", marked)


CARD = "4012 8888 8888 1881"
MARKED = [
    # alone, and at the borders
    "<<EMAIL|ada@maple.example>>",
    "<<EMAIL|ada@maple.example>> ",
    "\n<<EMAIL|ada@maple.example>>",
    f"<<CARD|{CARD}>>",
    "<<PHONE|+1 415 555 2671>>",
    "<<IP|203.0.113.77>>",
    # many, with as little as can be between them
    "<<EMAIL|ada@maple.example>>,<<EMAIL|bob@maple.example>>;<<EMAIL|cyd@maple.example>>",
    "<<EMAIL|ada@maple.example>>\t<<EMAIL|ada@maple.example>>\r\n<<EMAIL|ada@maple.example>>",
    f"<<EMAIL|ada@maple.example>>|<<CARD|{CARD}>>|<<PHONE|+1 415 555 2671>>",
    "(<<EMAIL|ada@maple.example>>)[<<IP|203.0.113.77>>]{<<EMAIL|bob@maple.example>>}",
    "“<<EMAIL|ada@maple.example>>” «<<EMAIL|bob@maple.example>>» 「<<IP|203.0.113.77>>」",
    # beyond the basic plane, and signs made of several
    "👍🏽 <<EMAIL|ada@maple.example>> 👍🏽",
    "👨‍👩‍👧‍👦 <<PHONE|+1 415 555 2671>> 🏳️‍🌈 <<IP|203.0.113.77>> 🇩🇪",
    "𝒜 𝔘 𐍈 <<EMAIL|ada@maple.example>> 𠜎 <<EMAIL|bob@maple.example>> 𠜎",
    "e\u0301te\u0301 <<EMAIL|ada@maple.example>> o\u0308 ﬁ ½ Å Å",
    "क्षि <<EMAIL|ada@maple.example>> நி 각 <<IP|203.0.113.77>>",
    # right to left, and both ways
    "כתבו אל <<EMAIL|ada@maple.example>> או חייגו <<PHONE|+972 50-234-5678>> עכשיו",
    "راسلنا <<EMAIL|ada@maple.example>> الآن، البطاقة <<CARD|4012888888881881>>.",
    "price ٣٤ then <<EMAIL|ada@maple.example>> ثم ٥",
    # spaces and breaks that must stay as they are
    "  two  spaces\u00a0and <<EMAIL|ada@maple.example>>\u2003wide\u3000one  \r\n\r\n",
    "line\u2028<<EMAIL|ada@maple.example>>\u2029paragraph\x0bfeed\x0c",
    # within other things
    '{"a":{"b":["<<EMAIL|ada@maple.example>>",{"c":"<<CARD|4012888888881881>>"}]},"n":1e-7}',
    '{\\"mail\\":\\"<<EMAIL|ada@maple.example>>\\"}',
    "<td><a class='x'><<EMAIL|ada@maple.example>></a></td>",
    "a,b\n1,<<EMAIL|ada@maple.example>>\n2,<<EMAIL|bob@maple.example>>\n",
    "tel:<<PHONE|+14155552671>>;mailto:<<EMAIL|ada@maple.example>>",
    "key=<<EMAIL|ada@maple.example>>&next=1",
    "MAIL <<EMAIL|ADA@MAPLE.EXAMPLE>> OR mail <<EMAIL|aDa@mApLe.eXaMpLe>>",
    # one within the other: one placeholder, nothing left
    "see <<URL|https://maple.example/?to=ada@maple.example&ip=203.0.113.77>> now",
    "see <<URL|https://203.0.113.77:8443/in?card=4012888888881881>> now",
    # what looks like our own marks
    "[EMAIL] is not <<EMAIL|ada@maple.example>>",
    "[[EMAIL]] [ EMAIL ] [EMAIL [EMAIL] <<EMAIL|ada@maple.example>>]",
    "[CARD] [NOT_A_KIND] [email] <<CARD|4012888888881881>>",
    # a lone half of a pair
    "\ud83d <<EMAIL|ada@maple.example>> \udc4d",
]


@pytest.mark.parametrize("marked", MARKED, ids=range(len(MARKED)))
def test_only_what_is_marked_goes(marked):
    text, expected = asked_and_expected(marked)
    assert clean(text) == [expected]


@pytest.mark.parametrize("marked", MARKED, ids=range(len(MARKED)))
def test_twice_is_once(marked):
    once = clean(asked_and_expected(marked)[0])
    assert clean(*once) == once


NOTHING = [
    "",
    " ",
    "\n",
    "\t\r\n \u3000",
    "@",
    "@@@@",
    "a@b",
    "+",
    "::",
    "[]",
    "{}[]()<>",
    "...",
    "0",
    "00000000000000000000",
    "1 2 3 4 5 6 7 8 9",
    "-1.5e-10",
    "👩‍🚀🚀",
    "\ud800",
    "å" * 1000,
    "null",
    "NaN",
    "[EMAIL]",
    "\\n\\t\\x00",
    "%s %d {0} {name} ${HOME} $1",
    "'; DROP TABLE users; --",
]


@pytest.mark.parametrize("text", NOTHING, ids=range(len(NOTHING)))
def test_nothing_is_left_as_it_was(text):
    assert clean(text) == [text]


HIDDEN = [
    "write to a\u200bda@ma\u200bple.example now",
    "write to ada\u2060@\u2060maple.example now",
    "write to ada@maple\u00ad.example now",
    "\ufeffwrite to ada@maple.example now",
    "write to \u202aada@maple.example\u202c now",
    "write to \u2066ada@maple.example\u2069 now",
    "write to ada\x00@maple.example now",
    "write to ada@maple.exam\U000e0041ple now",
    "write\x00 to ada@\x1bmaple.example now\x7f",
]


@pytest.mark.parametrize("text", HIDDEN, ids=range(len(HIDDEN)))
def test_what_nobody_sees_hides_nothing(text):
    assert clean(text) == ["write to [EMAIL] now"]


DISGUISED = [
    "pay with <<CARD|4012 8888 8888 1881>> today",
    "pay with <<CARD|٤٠١٢ ٨٨٨٨ ٨٨٨٨ ١٨٨١>> today",
    "pay with <<CARD|４０１２８８８８８８８８１８８１>> today",
    "pay with <<CARD|4012\u00a08888\u00a08888\u00a01881>> today",
    "pay with <<CARD|4012–8888–8888–1881>> today",
    "pay with <<CARD|4012\u20118888\u20118888\u20111881>> today",
    "call <<PHONE|+१ ४१५ ५५५ २६७१>> today",
    "call <<PHONE|+1 (415)\u00a0555\u20112671>> today",
]


@pytest.mark.parametrize("marked", DISGUISED, ids=range(len(DISGUISED)))
def test_other_digits_and_dashes_are_no_disguise(marked):
    text, expected = asked_and_expected(marked)
    assert clean(text) == [expected]


def cut_from(original, cleaned):
    """Whether ``cleaned`` is ``original`` with pieces replaced by placeholders."""
    pieces = [re.escape(piece) for piece in PLACEHOLDER.split(cleaned)]
    return re.fullmatch("(?:.+?|)".join(pieces), original, re.DOTALL) is not None


def test_of_every_shipped_case_the_rest_stays_and_twice_is_once():
    texts = [case.text for case in load_cases()]
    once = clean(*texts)
    parted = [
        case.id
        for case, text in zip(load_cases(), once, strict=True)
        if not cut_from(without_invisible(case.text)[0], text)
    ]
    assert parted == []
    assert clean(*once) == once


@given(st.lists(st.text(max_size=60), min_size=1, max_size=4))
def test_any_text_is_cut_and_never_changed(texts):
    once = clean(*texts)
    for text, cleaned in zip(texts, once, strict=True):
        assert cut_from(without_invisible(text)[0], cleaned)
    assert clean(*once) == once


@given(st.text(max_size=30), st.text(max_size=30))
def test_an_address_is_found_between_any_texts(before, after):
    (cleaned,) = clean(f"{before} ada@maple.example {after}")
    assert "maple" not in cleaned


def test_rows_do_not_touch_each_other():
    """Halves of an identifier in two rows are two halves."""
    assert clean("ada@", "maple.example", "4012 8888", "8888 1881") == [
        "ada@",
        "maple.example",
        "4012 8888",
        "8888 1881",
    ]


def test_no_rows():
    assert clean() == []


def nested(n):
    return json.dumps({"k": "ada@maple.example"}).join(['{"a":[' * n, "]}" * n])


BOMBS = {
    "one letter": lambda n: "a" * n,
    "one capital": lambda n: "A" * n,
    "blanks": lambda n: " " * n,
    "line ends": lambda n: "\n" * n,
    "one digit": lambda n: "1" * n,
    "digits and blanks": lambda n: "1 " * (n // 2),
    "digits and dashes": lambda n: "12-" * (n // 3),
    "digits and dots": lambda n: "1." * (n // 2),
    "at signs": lambda n: "@" * n,
    "letters and at signs": lambda n: "a@" * (n // 2),
    "letters and dots": lambda n: "a." * (n // 2),
    "local part without end": lambda n: "a.b-c_d+" * (n // 8) + "@",
    "domain without end": lambda n: "a@" + "b.c-" * (n // 4),
    "colons": lambda n: ":" * n,
    "hex and colons": lambda n: "ab:" * (n // 3),
    "plus signs": lambda n: "+1" * (n // 2),
    "brackets": lambda n: "[" * n,
    "brackets and words": lambda n: "[EMAIL" * (n // 6),
    "parentheses": lambda n: "(1" * (n // 2),
    "schemes": lambda n: "http://" * (n // 7),
    "scheme and slashes": lambda n: "https://" + "/" * n,
    "www": lambda n: "www." * (n // 4),
    "token head": lambda n: "eyJ" * (n // 3),
    "token with dots": lambda n: "eyJ" + "a.a" * (n // 3),
    "key heads": lambda n: "-----BEGIN RSA PRIVATE KEY-----\n" * (n // 32),
    "key without end": lambda n: "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIE" * (n // 4),
    "passwords": lambda n: "password: " * (n // 10),
    "password is is": lambda n: "password is " * (n // 12),
    "assignments": lambda n: "key=" * (n // 4),
    "quotes": lambda n: "\"'" * (n // 2),
    "names": lambda n: "Mary Smith " * (n // 11),
    "capital words": lambda n: "Aa " * (n // 3),
    "Dr.": lambda n: "Dr. " * (n // 4),
    "streets": lambda n: "12 Main Street " * (n // 15),
    "born on": lambda n: "born on 1/1/" * (n // 12),
    "amounts": lambda n: "$1," * (n // 3),
    "tags": lambda n: "<a>" * (n // 3),
    "nested": lambda n: nested(n // 8),
    "escapes": lambda n: "\\" * n,
    "code": lambda n: "def f(x): return x;" * (n // 19),
    "combining": lambda n: "a" + "\u0301" * n,
    "joiners": lambda n: "👩\u200d" * (n // 2),
    "zero width": lambda n: "\u200b" * n,
    "half pairs": lambda n: "\ud800" * n,
    "nulls": lambda n: "\x00" * n,
    "addresses": lambda n: "ada@maple.example " * (n // 18),
    "cards": lambda n: "4012888888881881 " * (n // 17),
    "base58": lambda n: "1BoatSLRHtKNngkdXEeobR76b53LETtpyT" * (n // 34),
    "hex": lambda n: "0xdeadbeef" * (n // 10),
}


@pytest.mark.parametrize("name", BOMBS)
def test_work_grows_as_a_long_row_does(growth, name):
    """Eight times the row: 8 where the work is linear, 64 where it is a square."""
    bomb = BOMBS[name]
    assert growth(clean, bomb(2_500), bomb(20_000)) < 24


@pytest.mark.attack
@pytest.mark.parametrize("name", BOMBS)
def test_a_megabyte_in_one_row(growth, name):
    bomb = BOMBS[name]
    assert growth(clean, bomb(125_000), bomb(1_000_000)) < 24


@pytest.mark.attack
@pytest.mark.parametrize("name", ["one letter", "letters and at signs", "nested", "addresses"])
def test_ten_megabytes_in_one_row(growth, name):
    """What no encoder reads is no work but to be cut off."""
    bomb = BOMBS[name]
    assert growth(clean, bomb(1_000_000), bomb(10_000_000)) < 3


@pytest.mark.attack
def test_many_short_rows(growth):
    def rows(n):
        return ["ok", "ada@maple.example"] * (n // 2)

    assert clean(*rows(1_000))[-2:] == ["ok", "[EMAIL]"]
    assert growth(lambda texts: clean(*texts), rows(20_000), rows(200_000)) < 30


WIDE = [
    "write to <<EMAIL|ada＠maple.example>> today",
    "from <<IP|２０３.０.１１３.７７>> today",
]


@pytest.mark.parametrize("marked", WIDE, ids=range(len(WIDE)))
def test_wide_signs_are_no_disguise(marked):
    text, expected = asked_and_expected(marked)
    assert clean(text) == [expected]

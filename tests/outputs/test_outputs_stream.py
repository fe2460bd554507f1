"""However a reply arrives, the same is released, and nothing of it that a finding covers."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.core.secret import KeyHandle, Secret
from cipherset.core.values import Span
from cipherset.custody.keys import KeyedHashes
from cipherset.guard.outputs import (
    BLOCKED,
    HELD,
    CanaryHashes,
    Finders,
    Finish,
    OutputFilter,
    OutputRules,
    Pace,
    Rows,
)
from cipherset.guard.outputs.segments import MOST_SIGNS, Squeeze
from cipherset.pipeline.sanitize import default_rules
from cipherset.pipeline.sanitize.shingles import build

SMALL = Pace(step=20, words=3, segments=3, longest=60, carried=150)
WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("r", "ten", "lo", "m")]
CARD = "4111 1111 1111 1111"
REPLACE = OutputRules.from_toml(
    '[copies]\nremedy = "replace"\n[secrets]\nremedy = "replace"\n'
    '[topics]\ndeny = ["TOPIC"]\nremedy = "replace"'
)


def hashes(purpose="shingles"):
    return KeyedHashes(KeyHandle("tickets", 1, Secret(bytes([7]) * 32)), purpose)


class Between:
    """Finds whatever stands between two signs, open-ended too: as long as anything can be."""

    name, version = "between", "1"

    def __init__(self, opening, closing, entity):
        self._pattern = re.compile(f"{re.escape(opening)}.*?(?:{re.escape(closing)}|$)", re.DOTALL)
        self.entities = frozenset({entity})
        self._entity = entity

    def detect(self, texts):
        return [
            [Span(*match.span(), self._entity) for match in self._pattern.finditer(text)]
            for text in texts
        ]


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(5)
    return [" ".join(rng.choice(WORDS, size=int(rng.integers(8, 40)))) for _ in range(200)]


@pytest.fixture(scope="module")
def index(rows):
    return build([rows], hashes())


@pytest.fixture(scope="module")
def finders(index):
    canaries = CanaryHashes.of("tickets", "0123456789", ["271828182"], hashes("canaries"))
    return Finders(
        rows=(Rows("tickets", index),),
        canaries=(canaries,),
        detectors=(Between("<", ">", "SECRET"), Between("@", "@", "EMAIL")),
        topics=(Between("{", "}", "TOPIC"),),
    )


def streamed(output_filter, text, pieces):
    stream = output_filter.reply()
    released, start = [], 0
    for length in pieces:
        released.append(stream.feed(text[start : start + length]))
        start += length
    released.append(stream.feed(text[start:]))
    released.append(stream.finish())
    return "".join(released), stream.verdict


@st.composite
def replies(draw, rows):
    part = st.one_of(
        st.sampled_from(rows),
        st.sampled_from(WORDS),
        st.text(alphabet="ab <>@{}.\n\u200b\u0301é_", max_size=40),
        st.sampled_from(["271828182", "2718-28182", CARD, " ", "x" * 80, "." * 90]),
    )
    return " ".join(draw(st.lists(part, max_size=12)))


RULES = [
    REPLACE,
    OutputRules.from_toml('[copies]\nremedy = "review"\n[topics]\ndeny = ["TOPIC"]'),
    OutputRules.from_toml('[canaries]\nremedy = "pass"\n[secrets]\nremedy = "review"'),
]


@given(data=st.data())
@settings(max_examples=150)
def test_for_any_chunking_the_same_is_released(data, rows, finders):
    text = data.draw(replies(rows))
    rules = data.draw(st.sampled_from(RULES))
    output_filter = OutputFilter(finders, rules, SMALL)
    pieces = data.draw(st.lists(st.integers(0, 30), max_size=60))
    whole = output_filter.apply(text)
    assert streamed(output_filter, text, pieces) == (whole.text, whole.verdict)
    assert streamed(output_filter, text, [1] * len(text)) == (whole.text, whole.verdict)


def slow_cuts(text, pace):
    """The segments of a text, character by character."""
    segments, now = [], ""
    for character in text:
        now += character
        full = len(now) >= pace.step and len(re.sub("[^a-z]", " ", now).split()) >= pace.words
        if (character.isspace() and full) or len(now) == pace.longest:
            segments.append(now)
            now = ""
    return segments + [now] * bool(now)


def slow(text, find, pace):
    """Every character that a window's finding covers is a star."""
    segments = slow_cuts(text, pace)
    covered = [False] * len(text)
    first = 0
    while True:
        start = len("".join(segments[:first]))
        window = "".join(segments[first : first + pace.segments])
        for span in find(window):
            for place in range(span.start, span.end):
                covered[start + place] = True
        if first + pace.segments >= len(segments):
            break
        first += pace.segments - 1
    starred = "".join("*" if is_covered else c for c, is_covered in zip(text, covered, strict=True))
    return re.sub(r"\*+", "[COPY]", starred)


@given(data=st.data())
@settings(max_examples=40)
def test_the_slow_answer_is_the_same(data, rows, index):
    part = st.one_of(st.sampled_from(rows), st.sampled_from(WORDS), st.sampled_from([". ", "\n"]))
    text = " ".join(data.draw(st.lists(part, max_size=25)))
    output_filter = OutputFilter(Finders(rows=(Rows("tickets", index),)), REPLACE, SMALL)
    expected = slow(text, lambda window: index.matches(window, least_words=8), SMALL)
    assert output_filter.apply(text).text.replace("[COPY][COPY]", "[COPY]") == expected


@given(data=st.data())
@settings(max_examples=150)
def test_every_copy_of_eight_words_is_held_back_wherever_it_stands(data, rows, finders):
    row = data.draw(st.sampled_from(rows)).split()
    length = data.draw(st.integers(8, len(row)))
    start = data.draw(st.integers(0, len(row) - length))
    style = data.draw(st.sampled_from(STYLES))
    passage = style(row[start : start + length])
    before = "so it is " * data.draw(st.integers(0, 120))
    after = " and on" * data.draw(st.integers(0, 120))
    pieces = data.draw(st.lists(st.integers(1, 40), max_size=200))
    output_filter = OutputFilter(finders, REPLACE)
    released, _ = streamed(output_filter, before + passage + after, pieces)
    assert released == f"{before}[COPY]{released[len(before) + 6 :]}"
    assert "".join(re.findall(r"[a-z ]", released[len(before) + 6 :])) == after


STYLES = [
    " ".join,
    lambda words: " ".join(words).upper(),
    lambda words: ", ".join(words),
    lambda words: "\n\n* ".join(words),
    lambda words: " ".join("\u200b".join(word) for word in words),
    lambda words: " ".join("".join(chr(ord(c) + 0xFEE0) for c in word) for word in words),
    lambda words: (" " * 1000).join(words),
    lambda words: (" ." * 500).join(words),
    lambda words: " ".join(("\u200b" * 90).join(word) for word in words),
]


def test_what_only_stretches_a_text_is_cut_short_and_nothing_else_changes():
    plain = "A table:\n| --- | --- |\n" + "-" * 150 + "\ncafe\u0301 \U0001f468\u200d\U0001f469 ok"
    assert Squeeze().feed(plain) == plain
    assert Squeeze().feed("a" + "\u200b" * 99 + "b\x00\x1b[0m") == "a" + "\u200b" * 8 + "b[0m"
    squeeze = Squeeze()
    pieces = [squeeze.feed(piece) for piece in ["a" + "." * 150, "." * 49, ". .", "..b"]]
    assert "".join(pieces) == "a" + "." * MOST_SIGNS + "b"


def test_held_back_is_never_more_than_the_window_and_what_may_go_on(rows, finders):
    output_filter = OutputFilter(finders, REPLACE, SMALL)
    most = SMALL.segments * SMALL.longest + SMALL.carried
    for text in ("word " * 400, "x" * 3000, "<" + "word " * 400, " ".join(rows[:40])):
        stream = output_filter.reply()
        for character in text:
            stream.feed(character)
            assert stream.n_held <= most
            assert len(stream._text) <= most + SMALL.longest


def test_a_secret_that_goes_on_is_held_until_it_ends(finders):
    output_filter = OutputFilter(finders, REPLACE)
    key = "<" + " ".join(["c2VjcmV0IGtleQ"] * 200) + ">"
    text = "the key is " + key + " and that is all of it"
    assert output_filter.apply(text).text == "the key is [SECRET] and that is all of it"


def test_a_finding_without_an_end_ends_the_reply(finders):
    output_filter = OutputFilter(finders, REPLACE, SMALL)
    whole = output_filter.apply("now " * 20 + "<" + "key " * 500)
    assert whole.text == "now " * 20 + BLOCKED
    assert whole.verdict.finish is Finish.CONTENT_FILTER
    assert whole.verdict.counts == {"endless": 1, "endless:ENDLESS": 1}


def test_a_private_key_in_pieces(finders):
    real = OutputFilter(Finders(detectors=default_rules().detectors), REPLACE)
    lines = "\n".join(["MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7" + "Qk" * 6] * 40)
    begin, end = "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"
    text = f"here: {begin}\n{lines}\n{end}\nbye"
    assert real.apply(text).text == "here: [SECRET]\nbye"
    assert streamed(real, text, [7] * 600)[0] == "here: [SECRET]\nbye"


def test_what_is_blocked_ends_the_reply_and_what_is_reviewed_is_held(rows, finders):
    text = "first " + rows[0] + " then " + "more " * 200
    blocked = OutputFilter(finders).apply(text)
    assert (blocked.text, blocked.verdict.finish) == ("first " + BLOCKED, "content_filter")
    assert not blocked.verdict.is_for_review
    held = OutputFilter(finders, RULES[1]).apply(text)
    assert (held.text, held.verdict.finish) == ("first " + HELD, "content_filter")
    assert held.verdict.is_for_review
    stream = OutputFilter(finders).reply()
    stream.feed(text)
    assert stream.is_over
    assert (stream.feed("more"), stream.finish(), stream.n_held) == ("", "", 0)


def test_an_empty_reply(finders):
    whole = OutputFilter(finders).apply("")
    assert (whole.text, whole.verdict.finish, whole.verdict.counts) == ("", "stop", {})


def test_nothing_shows_a_reply_or_a_prompt(finders):
    planted = "kilroy was here"
    output_filter = OutputFilter(finders)
    stream = output_filter.reply([planted])
    stream.feed(planted)
    whole = output_filter.apply(planted + " @kilroy@", [planted])
    shown = "".join(map(repr, (output_filter, stream, stream._sent, whole, whole.verdict)))
    assert "kilroy" not in shown


@pytest.mark.parametrize("hidden", ["\u200b", "\u00ad", "\u2060\u200d", "\ufeff", "\u0301"])
@pytest.mark.parametrize(
    "value",
    ["john.smith@example.com", "4111111111111111", "AKIA" + "IOSFODNN7EXAMPLE"],
)
def test_a_value_is_found_whatever_is_drawn_as_nothing_inside_it(value, hidden):
    output_filter = OutputFilter(Finders(detectors=tuple(default_rules().detectors)), REPLACE)
    ways = [value[:2] + hidden + value[2:], hidden.join(value), f"{value[:9]}{hidden}{value[9:]}"]
    for written in ways:
        text = f"it is {written}{hidden} as you know, {'and so it goes on ' * 20}"
        whole = output_filter.apply(text)
        assert re.match(r"it is (\[\w+\])+ as you know", whole.text), ascii(whole.text[:60])
        assert streamed(output_filter, text, [1] * len(text)) == (whole.text, whole.verdict)


def test_what_sets_a_value_apart_unseen_does_not_hide_it():
    output_filter = OutputFilter(Finders(detectors=tuple(default_rules().detectors)), REPLACE)
    text = "so it is\u200b4111111111111111\u200bhere"
    assert "4111" not in output_filter.apply(text).text


def test_what_the_caller_wrote_with_hidden_characters_he_may_read_without_them():
    output_filter = OutputFilter(Finders(detectors=tuple(default_rules().detectors)), REPLACE)
    answer = "john.smith@example.com"
    assert output_filter.apply(answer, ["is it jo\u200bhn.smith@example.com?"]).text == answer

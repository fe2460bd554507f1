"""What is tokenized comes back, in any chunking and any writing; what was not issued stays."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.core.values import Span
from cipherset.guard.prompts import Form, Vault
from cipherset.guard.prompts.tokens import MOST_HELD, TOKEN
from cipherset.guard.prompts.vault import everywhere

KINDS = ("PERSON", "DATE_OF_BIRTH", "SECRET")
PIECES = st.sampled_from(
    [
        "[PERSON_1]",
        "[person_2]",
        r"\[PERSON_1\]",
        r"\[PERSON\_1\]",
        r"\\[PERSON_1\\]",
        r"\u005bPERSON_1\u005d",
        "[LITERAL_1]",
        "[DATE OF BIRTH 1]",
        "[PERSON_",
        "PERSON_1",
        "[",
        "]",
        "\\",
        r"\u005b",
        "_1]",
        "Anna",
        "Zoë Ångström",
        '"',
        "\n",
        " ",
        "\U0001f600",
        "\ud83d",
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=4), max_size=14).map("".join)


@st.composite
def marked(draw):
    """A text, and any spans in it: overlapping, empty or beyond its end."""
    text = draw(TEXTS)
    place = st.integers(-2, len(text) + 3)
    pairs = draw(st.lists(st.tuples(place, place, st.sampled_from([*KINDS, "odd kind"]))))
    return text, [Span(*pair) for pair in pairs]


def in_chunks(restorer, text, cuts):
    """What a restorer tells of ``text`` cut at ``cuts``, and the most it held back."""
    told, fed, most = "", 0, 0
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        told += restorer.feed(text[start:end])
        fed += end - start
        most = max(most, len(restorer._held))
    return told + restorer.finish(), most


def cuts_of(data, text):
    return sorted(data.draw(st.lists(st.integers(0, len(text)))))


@settings(max_examples=100)
@given(st.lists(marked(), min_size=1, max_size=3), st.sampled_from(["", "K3V9QX2M"]), st.data())
def test_what_is_tokenized_comes_back_in_any_chunking(turns, tag, data):
    vault = Vault(KINDS, tag=tag)
    tokenized = [vault.tokenize(text, spans) for text, spans in turns]
    for (text, spans), hidden in zip(turns, tokenized, strict=True):
        assert vault.restore(hidden) == text
        told, most = in_chunks(vault.restorer(), hidden, cuts_of(data, hidden))
        assert told == text
        assert most <= MOST_HELD
        assert vault.tokenize(text, spans) == hidden


@settings(max_examples=60)
@given(marked())
def test_arguments_of_tools_come_back_as_json(turn):
    text, spans = turn
    vault = Vault(KINDS)
    arguments = json.dumps({"body": vault.tokenize(text, spans)})
    assert json.loads(vault.restore(arguments, Form.JSON)) == {"body": text}


@settings(max_examples=60)
@given(TEXTS, st.data())
def test_chunks_make_no_difference_to_any_reply(reply, data):
    """The oracle: each token in the whole of it, by a regular expression."""
    vault = Vault(KINDS)
    vault.tokenize("Anna was born", [Span(0, 4, "PERSON"), Span(9, 13, "DATE_OF_BIRTH")])
    names = {"PERSON_1": "Anna", "DATE_OF_BIRTH_1": "born"}

    def value(match):
        name = re.sub(r"[ -]", "_", next(filter(None, match.groups())).replace("\\", "")).upper()
        return names.get(name, match[0])

    told, most = in_chunks(vault.restorer(), reply, cuts_of(data, reply))
    assert told == TOKEN.sub(value, reply)
    assert most <= MOST_HELD


@given(st.text())
def test_an_empty_vault_changes_and_holds_nothing(reply):
    restorer = Vault(KINDS).restorer()
    assert [restorer.feed(letter) for letter in reply] == [*reply]
    assert restorer.finish() == ""


@pytest.fixture
def vault():
    vault = Vault(KINDS)
    assert vault.tokenize("Anna", [Span(0, 4, "PERSON")]) == "[PERSON_1]"
    return vault


@pytest.mark.parametrize(
    "copy",
    [
        "[PERSON_1]",
        "[person_1]",
        "[Person 1]",
        "[PERSON-1]",
        r"\[PERSON_1\]",
        r"[PERSON\_1]",
        r"\[PERSON\_1\]",
        r"\\[PERSON\\_1\\]",
        r"\u005bPERSON_1\u005D",
    ],
)
def test_copies_as_models_write_them(vault, copy):
    assert vault.restore(f"Dear **{copy}**,") == "Dear **Anna**,"
    told, _ = in_chunks(vault.restorer(), copy, range(len(copy)))
    assert told == "Anna"


@pytest.mark.parametrize(
    "reply",
    ["[PERSON_2]", "[PERSON_11]", "[PERSON]", "[1]", "PERSON_1", "[PERSON__1]", "[ PERSON_1]"],
)
def test_what_was_not_issued_stays(vault, reply):
    assert vault.restore(reply) == reply


def test_it_holds_back_only_what_may_become_a_token(vault):
    restorer = vault.restorer()
    assert restorer.feed("see [the list] and [PER") == "see [the list] and "
    assert restorer.feed("FECT") == "[PERFECT"
    assert restorer.feed(" [PERSON_1") == " "
    assert restorer.finish() == "[PERSON_1"


def test_one_value_has_one_token_and_two_have_two(vault):
    text = "Anna, Anne, Anna"
    spans = [Span(0, 4, "PERSON"), Span(6, 10, "PERSON"), Span(12, 16, "SECRET")]
    assert vault.tokenize(text, spans) == "[PERSON_1], [PERSON_2], [PERSON_1]"
    assert len(vault) == 2
    assert vault.known() == {"Anna": "PERSON", "Anne": "PERSON"}


def test_spans_that_overlap_are_one_value():
    vault = Vault(KINDS)
    spans = [Span(0, 6, "SECRET"), Span(3, 12, "PERSON")]
    assert vault.tokenize("abcdefghijkl and", spans) == "[PERSON_1] and"


def test_what_is_redacted_is_gone():
    vault = Vault(KINDS)
    spans = [Span(0, 6, "SECRET"), Span(3, 12, "PERSON")]
    gone = vault.tokenize("abcdefghijkl and", spans, redacted={"SECRET"})
    assert gone == "[SECRET] and"
    assert vault.restore(gone) == gone
    assert len(vault) == 0


def test_nobody_names_a_token_into_a_reply(vault):
    """Whoever writes somebody's token, in a prompt or in a page, gets it back as he wrote it."""
    page = "Answer with [PERSON_1], or with [person 1]."
    sent = vault.tokenize(page, [])
    assert "PERSON_1" not in sent.upper().replace(" ", "_")
    assert vault.restore(f"You wrote: {sent}") == f"You wrote: {page}"


def test_brackets_that_are_no_tokens_go_up_as_they_are(vault):
    text = "x[row_0] = y[i_1]; see [Figure 2] and [1]"
    assert vault.tokenize(text, []) == text


def test_tagged_tokens_are_no_other_vaults():
    one, two = Vault.tagged(KINDS), Vault.tagged(KINDS)
    hidden = one.tokenize("Anna", [Span(0, 4, "PERSON")])
    two.tokenize("Bert", [Span(0, 4, "PERSON")])
    assert re.fullmatch(r"\[PERSON_1_[A-Z2-7]{8}\]", hidden)
    assert two.restore(hidden) == hidden
    assert two.restore("[PERSON_1]") == "[PERSON_1]"
    assert one.restore(hidden.lower()) == "Anna"
    assert one.known() == {"Anna": "PERSON"}


def test_values_are_escaped_where_a_token_stands_in_json(vault):
    vault.tokenize('say "hi"\n', [Span(0, 9, "SECRET")])
    assert json.loads(vault.restore('{"a": "[SECRET_1]"}', Form.JSON)) == {"a": 'say "hi"\n'}
    assert json.loads(vault.restore('"' + r"\u005bSECRET_1\u005d" + '"')) == 'say "hi"\n'


def test_values_are_found_again_as_whole_words():
    text = "Anna and Annabel, or anna; ann@x.org? xann@x.org"
    values = {"Anna": "PERSON", "ann@x.org": "EMAIL", "or": "PERSON"}
    assert everywhere(text, values) == [Span(0, 4, "PERSON"), Span(27, 36, "EMAIL")]


def test_no_value_shows():
    vault = Vault(KINDS)
    hidden = vault.tokenize("KILROY-7731", [Span(0, 11, "SECRET")])
    restorer = vault.restorer()
    restorer.feed("KILROY" + hidden[:5])
    assert "KILROY" not in hidden + repr(vault) + repr(restorer) + str(vault)

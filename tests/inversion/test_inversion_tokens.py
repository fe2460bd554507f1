"""What counts as a word, a content word, an entity."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cipherset.evidence.attack.inversion.tokens import (
    RareWords,
    document_counts,
    entities,
    entity_words,
    is_content,
    words,
)

KNOWN = ["the cat and the dog in the rain"] * 300 + ["a zebra"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don’t stop, Carla!", ["don't", "stop", "carla"]),
        ("License D4819-7733 expires", ["license", "d4819-7733", "expires"]),
        ("parent-teacher at 3.5 o'clock", ["parent-teacher", "at", "3.5", "o'clock"]),
        ("Straße ÉCOLE ﬁne", ["strasse", "école", "fine"]),
        ("snake_case ... -- ''", ["snake", "case"]),
        ("", []),
    ],
)
def test_words(text, expected):
    assert words(text) == expected


@given(st.text(max_size=40))
def test_words_of_any_text_are_stable_and_not_empty(text):
    found = words(text)
    assert all(found)
    assert words(" ".join(found)) == [w for one in found for w in words(one)]


def test_content_words():
    assert [w for w in ["the", "knee", "i", "i'm", "don't", "7", "bill", "é"] if is_content(w)] == [
        "knee",
        "7",
        "bill",
        "é",
    ]


def test_entities_are_numbers_capitals_inside_a_sentence_and_rare_words():
    rare = RareWords(KNOWN)
    assert entities("Cat 17 saw Dog. Dog and zebra: Rain in The rain", rare) == {
        "17",
        "saw",  # known to nobody
        "dog",
        "zebra",
    }
    assert entities("The cat and the dog I know", RareWords([*KNOWN, *["know"] * 9])) == set()


def test_rare_is_at_most_half_a_percent_of_the_known_texts():
    known = ["often"] * 5 + ["seldom"] * 1 + ["other"] * 194
    assert "often" not in RareWords(known)
    assert "seldom" in RareWords(known)
    assert "the" not in RareWords(known)


def test_entity_words_are_entities_in_half_of_their_texts():
    known = [*KNOWN, *["they saw Mark"] * 9, *["they saw mark"] * 9, *["so mark they be"] * 9]
    rare = RareWords([*known, *["mark saw"] * 300])
    assert entity_words(known, rare) == {"zebra"}
    assert entity_words(known[:-9], rare) == {"zebra", "mark"}


def test_document_counts_count_a_text_once():
    assert document_counts(["a a b", "b"]) == {"a": 1, "b": 2}

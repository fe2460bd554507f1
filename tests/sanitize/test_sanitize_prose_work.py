"""However hostile the text: four times the text is about four times the work."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cipherset.pipeline.sanitize.detectors.content.topics import TopicDetector, supported
from cipherset.pipeline.sanitize.detectors.names.cues import INTRODUCTIONS
from cipherset.pipeline.sanitize.detectors.names.words import folded, words
from cipherset.pipeline.sanitize.detectors.prose import (
    names_detectors,
    secrecy_detectors,
    topic_detectors,
)
from cipherset.pipeline.sanitize.detectors.shipped import lines

DETECTORS = (*names_detectors(), *topic_detectors(), *secrecy_detectors())
BOMBS = (
    "Anna ",
    "Doctor ",
    "van der ",
    "A.",
    "Xa",
    "Xa ",
    "name: ",
    "name,",
    'name,"',
    "|name",
    "a-",
    "'s ",
    "Dear ",
    "University of ",
    "New ",
    "Inc ",
    "doctor ",
    "pain patient ",
    "confidential ",
    "CONFIDENTIAL - ",
    "do not ",
    "```\n",
    "x = 1;\n",
    "(",
    " ",
    "\n",
    "\t",
    "if (",
    "select ",
    "名前：",
    "é\u0301",
)
LITTLE, TIMES = 1_200, 8  # characters


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.name)
def test_work_grows_as_the_text_does(growth, detector):
    """Eight times the text: 8 where the work is linear, 64 where it is a square."""
    for bomb in BOMBS:
        text = bomb * (LITTLE // len(bomb))
        assert growth(detector.detect, [text], [text * TIMES]) < 24, bomb


@given(st.lists(st.tuples(st.integers(0, 900), st.sampled_from("abc")), max_size=12))
def test_support_is_what_a_slow_search_finds(hits):
    hits = sorted(hits)
    starts, phrases = [start for start, _ in hits], [phrase for _, phrase in hits]
    slow = [
        any(other != phrase and abs(at - start) <= 400 for at, other in hits)
        for start, phrase in hits
    ]
    assert supported(starts, phrases) == slow


@pytest.mark.parametrize("name", ["given_names.txt", "surnames.txt", "words.txt"])
def test_lists_hold_each_word_once_as_words_are_looked_up(name):
    listed = " ".join(lines(name)).split()
    assert len(listed) == len(set(listed))
    assert [word for word in listed if folded(word) != word or not word.isascii()] == []


def test_phrases_are_written_as_words_are_read():
    assert [
        phrase for phrase in INTRODUCTIONS if " ".join(word.key for word in words(phrase)) != phrase
    ] == []


def test_the_topics_are_those_of_the_lexicon():
    assert TopicDetector().entities == {line.split()[0] for line in lines("topics.txt")}

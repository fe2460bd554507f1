"""An owner's own terms: found as a slow search finds them, and refused when they are none."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cipherset.core.errors import InputError
from cipherset.pipeline.sanitize.detectors.content.terms import TermsDetector, read_terms

PIECES = st.sampled_from(["blue", "Harbor", "x9", "-", " ", "  ", "\n", "projekt", "_", "é", "."])


def test_terms_are_found_whole_in_any_case_and_with_any_blanks():
    detector = TermsDetector("projects", ["Project Blue-Harbor", "X9", "straße"])
    text = "project  BLUE-harbor, ｘ９! X99 x9y Strasse projectblue-harbor project\nblue - harbor"
    assert found(detector, text) == [
        "project  BLUE-harbor",
        "ｘ９",
        "Strasse",
        "project\nblue - harbor",
    ]
    assert detector.entities == {"TRADE_SECRET"}


def test_the_longest_term_counts_and_is_called_what_the_owner_says():
    detector = TermsDetector("firms", ["Acme", "Acme Rocket Skates"], "CUSTOMER")
    spans = detector.detect(["Acme Rocket Skates by Acme Rocket"])[0]
    assert [(span.start, span.end, span.entity) for span in spans] == [
        (0, 18, "CUSTOMER"),
        (22, 26, "CUSTOMER"),
    ]


@given(
    st.lists(st.lists(PIECES, min_size=1, max_size=3).map("".join), min_size=1, max_size=4),
    st.lists(PIECES, max_size=14).map("".join),
)
def test_it_finds_what_a_slow_search_finds(terms, text):
    terms = [term for term in terms if any(map(str.isalnum, term))] or ["blue"]
    spans = TermsDetector("x", terms).detect([text])[0]
    assert [(span.start, span.end) for span in spans] == slowly(terms, text)


def slowly(terms, text):
    """Every term tried at every place of the text; the longest at the first place is taken."""
    tokens = list(re.finditer(r"[^\W_]+|[^\w\s]|_", text))
    keys = [token.group().casefold() for token in tokens]
    wanted = [[piece.casefold() for piece in re.findall(r"[^\W_]+|[^\w\s]|_", t)] for t in terms]
    taken, at = [], 0
    while at < len(keys):
        fitting = [len(term) for term in wanted if keys[at : at + len(term)] == term]
        if fitting:
            taken.append((tokens[at].start(), tokens[at + max(fitting) - 1].end()))
        at += max(fitting, default=1)
    return taken


def test_ten_thousand_terms_are_no_slower_to_look_for_than_their_words():
    terms = [f"project number {number} alpha" for number in range(10_000)]
    detector = TermsDetector("many", terms)
    text = " ".join(terms[:500])
    assert len(detector.detect([text])[0]) == 500


def test_a_file_of_terms(tmp_path):
    path = tmp_path / "terms.txt"
    path.write_text("\ufeff# ours\nBlue Harbor\n\n  X9  \n", encoding="utf-8")
    assert read_terms(path) == ["Blue Harbor", "X9"]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"# nothing\n\n", "holds no term"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_list_is_refused(tmp_path, content, what):
    path = tmp_path / "terms.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=what) as refused:
        read_terms(path)
    assert refused.value.code == "terms_file"
    assert refused.value.hint


@pytest.mark.parametrize(("terms", "what"), [([], "holds no term"), (["a", "--"], "in term 2")])
def test_terms_that_are_none_are_refused(terms, what):
    with pytest.raises(InputError, match=what) as refused:
        TermsDetector("mine", terms)
    assert refused.value.code == "terms_file"


def test_the_terms_are_in_no_repr():
    assert "Harbor" not in repr(TermsDetector("mine", ["Blue Harbor"]))


def found(detector, text):
    return [text[span.start : span.end] for span in detector.detect([text])[0]]

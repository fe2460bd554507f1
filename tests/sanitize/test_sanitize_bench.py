"""The scorer's rules on cases small enough to count by hand, and the shipped cases."""

import gzip
import json
import runpy
import sys
from pathlib import Path

import pytest
from scipy.stats import binomtest

from cipherset.core.errors import InputError
from cipherset.pipeline.sanitize import Span
from cipherset.pipeline.sanitize.bench import (
    ALL,
    ENTITIES,
    STRUCTURED,
    Case,
    Rate,
    detected,
    flagged,
    load_cases,
    score,
    score_spans,
)


class Fixed:
    """Reports ``entity`` wherever ``word`` stands."""

    name = "fixed"
    version = "1"

    def __init__(self, word, entity):
        self.word = word
        self.entities = frozenset({entity})

    def detect(self, texts):
        (entity,) = self.entities
        size = len(self.word)
        return [
            [Span(i, i + size, entity) for i in range(len(t)) if t.startswith(self.word, i)]
            for t in texts
        ]


def case(text, *spans, ignored=(), name="1"):
    return Case(name, text, tuple(Span(*span) for span in spans), ignored)


def of(scores, entity):
    (found,) = [each for each in scores if each.entity == entity]
    return found


def test_half_of_a_span_is_found_and_less_is_not():
    text = "0123456789"
    true = case(text, (0, 10, "PHONE"))
    for end, hits in ((4, 0), (5, 1)):
        scores = score_spans([[Span(0, end, "PHONE")]], [true])
        assert of(scores, "PHONE").recall == Rate(hits, 1)
        assert of(scores, "PHONE").precision == Rate(1, 1)


def test_pieces_add_up_and_overlaps_count_once():
    true = case("0123456789", (0, 10, "PHONE"))
    pieces = [Span(0, 3, "PHONE"), Span(1, 3, "PHONE"), Span(8, 10, "PHONE")]
    phone = of(score_spans([pieces], [true]), "PHONE")
    assert phone.recall == Rate(1, 1)
    assert phone.precision == Rate(2, 2)


def test_another_entity_takes_it_out_but_does_not_find_it():
    true = case("0123456789", (0, 10, "PHONE"))
    scores = score_spans([[Span(0, 10, "CARD")]], [true])
    phone, card = of(scores, "PHONE"), of(scores, "CARD")
    assert (phone.recall, phone.taken) == (Rate(0, 1), Rate(1, 1))
    assert (card.precision, card.personal) == (Rate(0, 1), Rate(1, 1))
    assert of(scores, ALL).recall == of(scores, ALL).precision == Rate(1, 1)


def test_ignored_places_are_neither_right_nor_wrong():
    true = case("take aspirin, Jo", (14, 16, "PERSON"), ignored=((5, 12),))
    spans = [Span(5, 12, "HEALTH"), Span(14, 16, "PERSON"), Span(0, 4, "PERSON")]
    scores = score_spans([spans], [true])
    assert of(scores, "PERSON").precision == Rate(1, 2)
    assert [each.entity for each in scores] == ["PERSON", ALL]
    assert of(scores, ALL).precision == Rate(1, 2)


def test_a_topic_is_said_by_many_words():
    true = case("treated for flu, Jo", (12, 15, "HEALTH"), (17, 19, "PERSON"))
    spans = [Span(0, 7, "HEALTH"), Span(12, 15, "HEALTH"), Span(8, 11, "PERSON")]
    scores = score_spans([spans], [true])
    assert of(scores, "HEALTH").precision == of(scores, "HEALTH").personal == Rate(2, 2)
    assert of(scores, "PERSON").precision == Rate(0, 1)
    assert of(scores, ALL).precision == Rate(2, 3)
    other = case("treated for flu, Jo", (17, 19, "PERSON"))
    assert of(score_spans([spans], [other]), "HEALTH").precision == Rate(0, 2)


def test_only_the_entities_asked_for_count():
    true = case("Jo 5", (0, 2, "PERSON"), (3, 4, "AMOUNT"))
    scores = score_spans([[Span(0, 4, "URL")]], [true], entities=["PERSON"])
    assert [each.entity for each in scores] == ["PERSON", ALL]
    assert of(scores, ALL).recall == Rate(0, 1)


def test_f2_is_the_weighted_harmonic_mean():
    cases = [case("ab", (0, 1, "PERSON"), (1, 2, "PERSON")), case("cd", name="2")]
    spans = [[Span(0, 1, "PERSON")], [Span(0, 1, "PERSON"), Span(1, 2, "PERSON")]]
    person = of(score_spans(spans, cases), "PERSON")
    r, p = 1 / 2, 1 / 2  # of the touching two only one prediction is made
    assert (person.recall.value, person.precision.value) == (r, p)
    assert person.f2 == pytest.approx(1 / (1 / 5 / p + 4 / 5 / r))
    assert of(score_spans([[]], [case("a", (0, 1, "PERSON"))]), "PERSON").f2 == pytest.approx(0.0)
    wrong = score_spans([[Span(1, 2, "PERSON")]], [case("ab", (0, 1, "PERSON"))])
    assert of(wrong, "PERSON").f2 == 0.0


@pytest.mark.parametrize(("hits", "n"), [(0, 7), (7, 7), (3, 11), (980, 1000)])
def test_wilson_interval(hits, n):
    expected = binomtest(hits, n).proportion_ci(method="wilson")
    assert Rate(hits, n).interval == pytest.approx((expected.low, expected.high))


def test_nothing_measured_says_nothing():
    assert Rate(0, 0).interval == (0.0, 1.0)
    assert Rate(0, 0).value == 1.0


def test_clean_texts_flagged():
    cases = [
        case("pay $5 now", (4, 6, "AMOUNT")),
        case("no one", name="2"),
        case("Jo", (0, 2, "PERSON"), name="3"),
        case("aspirin", ignored=((0, 7),), name="4"),
    ]
    money = [[Span(4, 6, "AMOUNT")], [], [], []]
    assert flagged(money, cases) == Rate(0, 2)
    assert flagged([[], [Span(0, 2, "PERSON")], [], []], cases) == Rate(1, 2)


def test_detectors_see_texts_without_what_nobody_sees():
    hidden = case("a J\u200bo\u200b b", (2, 5, "PERSON"))
    assert detected([Fixed("Jo", "PERSON")], [hidden]) == [[Span(2, 5, "PERSON")]]


def test_detectors_are_scored_together():
    cases = [case("Jo 5", (0, 2, "PERSON"), (3, 4, "AMOUNT"))]
    scores = score([Fixed("Jo", "PERSON"), Fixed("5", "AMOUNT")], cases)
    assert [(each.entity, each.recall) for each in scores] == [
        ("AMOUNT", Rate(1, 1)),
        ("PERSON", Rate(1, 1)),
        (ALL, Rate(2, 2)),
    ]


def test_no_case_is_refused():
    with pytest.raises(InputError) as refused:
        score([], [])
    assert refused.value.code == "cases_empty"


@pytest.mark.parametrize("name", ["own.jsonl", "own.jsonl.gz"])
def test_a_file_of_ones_own(tmp_path, name):
    line = {"id": 7, "text": "call Jo", "spans": [[5, 7, "PERSON"]], "ignored": [[0, 4]]}
    raw = (json.dumps(line) + "\n\n").encode()
    (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
    (own,) = load_cases(tmp_path / name)
    assert own == Case("7", "call Jo", (Span(5, 7, "PERSON"),), ((0, 4),))
    assert load_cases(tmp_path / name, split="dev") == ()


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (b'{"id": 1, "text": "a"}', "line 1"),
        (b"hello", "line 1"),
        (b"[1]", "line 1"),
        (b"[" * 200_000, "line 1"),
        (b'{"id": 1, "text": "Zed", "spans": [[0, 4, "PERSON"]]}', "line 1"),
        (b'{"id": 1, "text": "Zed", "spans": [[1, 1, "PERSON"]]}', "line 1"),
        (b'{"id": 1, "text": "a", "spans": []}\n{"id": 1, "text": "b", "spans": []}', "line 2"),
        (b'{"id": "1", "text": "\xff", "spans": []}', "line 1"),
    ],
)
def test_a_bad_line_is_named_but_not_shown(tmp_path, raw, place):
    (tmp_path / "own.jsonl").write_bytes(raw)
    with pytest.raises(InputError) as refused:
        load_cases(tmp_path / "own.jsonl")
    assert refused.value.code == "cases_corrupt"
    assert place in refused.value.message
    assert "Zed" not in str(refused.value)


def test_a_broken_gzip_file(tmp_path):
    (tmp_path / "own.jsonl.gz").write_bytes(gzip.compress(b"{}" * 99)[:20])
    with pytest.raises(InputError) as refused:
        load_cases(tmp_path / "own.jsonl.gz")
    assert refused.value.code == "cases_corrupt"


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError) as refused:
        load_cases(tmp_path / "none.jsonl")
    assert refused.value.code == "cases_missing"


@pytest.mark.parametrize("split", ["dev", "test"])
def test_shipped_cases_plant_every_entity_and_clean_texts(split):
    cases = load_cases(split=split)
    kinds = {span.entity for each in cases for span in each.spans}
    assert kinds == ENTITIES
    assert kinds > STRUCTURED
    clean = sum(each.clean for each in cases)
    assert clean >= (30 if split == "dev" else 200)


def test_shipped_cases_do_not_show_in_a_repr():
    assert "text" not in repr(load_cases()[0])


@pytest.mark.extra
def test_shipped_cases_are_what_the_script_makes(monkeypatch):
    """If this fails, run ``python scripts/bench/make.py`` and commit what it writes."""
    folder = Path(__file__).parents[2] / "scripts" / "bench"
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    made = list(runpy.run_path(str(folder / "make.py"))["cases"]())
    shipped = load_cases()
    assert [each["text"] for each in made] == [each.text for each in shipped]
    assert [each["id"] for each in made] == [each.id for each in shipped]

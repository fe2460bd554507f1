"""What the benchmark of detectors reads, maps and shows."""

import gzip
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import detect
from detect_peers import NAMES, OTHER, OURS, Found
from detect_sets import (
    PII_ANON,
    PII_ANON_SPLITS,
    WNUT,
    Texts,
    again,
    all_sets,
    pii_anon,
    sampled,
    wnut,
)

from cipherset.pipeline.sanitize import Span
from cipherset.pipeline.sanitize.bench import ENTITIES, STRUCTURED, Case


def test_all_maps_end_in_our_entities():
    assert set(PII_ANON.values()) | set(WNUT.values()) | set(OURS.values()) <= ENTITIES
    assert len(OURS) == sum(len(names.split()) for names in NAMES.values())


def test_sentences_of_tokens(tmp_path):
    rows = (
        "In\tO\nNew\tB-location\nYork\tI-location\n\nMad\tB-creative-work\nMen\tI-creative-work\n"
    )
    path = tmp_path / "test.conll"
    path.write_text(rows + "with\tO\nJo\tB-person\nAl\tB-person\n", encoding="utf-8")
    first, second = wnut(path)
    assert (first.text, first.spans) == ("In New York", (Span(3, 11, "LOCATION"),))
    assert second.text == "Mad Men with Jo Al"
    assert second.spans == (Span(13, 15, "PERSON"), Span(16, 18, "PERSON"))
    assert second.ignored == ((0, 3), (4, 7))


def test_types_of_no_entity_are_ignored(tmp_path):
    row = {
        "id": "a",
        "text": "Jo is 41",
        "language": "en",
        "spans": [
            {"start": 0, "end": 2, "type": "PERSON_NAME"},
            {"start": 6, "end": 8, "type": "AGE"},
        ],
    }
    for part in PII_ANON_SPLITS:
        line = json.dumps(row | {"id": part}) + "\n"
        (tmp_path / f"test_{part}.jsonl.gz").write_bytes(gzip.compress(line.encode()))
    cases = list(pii_anon(tmp_path))
    assert [case.id for case in cases] == list(PII_ANON_SPLITS)
    assert cases[0].spans == (Span(0, 2, "PERSON"),)
    assert cases[0].ignored == ((6, 8),)


def test_a_name_said_again_without_a_mark_is_ignored():
    text = "Ada King, King & Co, Kingston, Ada"
    assert sorted(again(text, [Span(0, 8, "PERSON")])) == [(10, 14), (31, 34)]
    assert list(again(text, [Span(0, 3, "EMAIL")])) == [(31, 34)]


def test_what_is_made_up_but_not_marked_is_ignored():
    text = "MAC: d9:53:26:bc:22:0f, ticket #65834, claim CLM-2024-814874, room 12, 2024-05-01"
    assert [text[a:b] for a, b in again(text, [])] == [
        "d9:53:26:bc:22:0f",
        "#65834",
        "CLM-2024-814874",
    ]


def test_a_sample_keeps_its_order_and_is_the_same_every_time():
    cases = [Case(str(i), "x", ()) for i in range(100)]
    chosen = sampled(cases, 7)
    assert chosen == sampled(cases, 7)
    assert [int(case.id) for case in chosen] == sorted(int(case.id) for case in chosen)
    assert sampled(cases, 100) == tuple(cases)


@pytest.fixture
def texts():
    cases = (
        Case("1", "Jo was born on 1 May", (Span(0, 2, "PERSON"),)),
        Case("2", "on 2 May", ()),
    )
    return Texts("two", "made up", cases)


def test_a_peer_is_taken_at_its_best(texts):
    dates = Found("peer 1", [[Span(0, 2, "PERSON"), Span(15, 20, OTHER)], [Span(3, 8, OTHER)]], 1.0)
    assert detect.at_best(texts, dates) == dates.asked()
    lucky = Found("peer 1", [[Span(0, 2, OTHER)], []], 1.0)
    assert detect.at_best(texts, lucky) == lucky


def test_lines_say_what_was_found(texts):
    found = [Found("ours", [[Span(0, 2, "PERSON")], [Span(3, 8, "PHONE")]], 1.0)]
    (line,) = detect.overall(texts, found)
    assert line[:2] == ("two", "ours")
    assert line[3:7] == ("0.500", "0.833", "– / 0.000", "100.0")
    detect.FEWEST, fewest = 1, detect.FEWEST
    try:
        (row,) = detect.entities(texts, found)
    finally:
        detect.FEWEST = fewest
    assert row[:2] == ("PERSON", "1")


def test_without_local_copies_there_are_the_shipped_cases(tmp_path):
    assert [each.name for each in all_sets(None, 5)] == ["own cases"]
    assert [each.name for each in all_sets(tmp_path, 5)] == ["own cases"]
    (own,) = all_sets(None, 5)
    assert own.entities is None
    assert {span.entity for case in own.cases for span in case.spans} > STRUCTURED

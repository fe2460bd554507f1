"""Laws of the structured detectors, and slow, plain versions of what they do fast."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import bitcoin

from cipherset.pipeline.sanitize.detectors.structured import (
    AmountDetector,
    StructuredDetector,
    nations,
    payments,
    structured_parts,
)
from cipherset.pipeline.sanitize.detectors.structured.logins import said
from cipherset.pipeline.sanitize.detectors.structured.reading.cues import cue_before
from cipherset.pipeline.sanitize.detectors.structured.reading.phrases import FILL, LINKS, PHRASES
from cipherset.pipeline.sanitize.detectors.structured.reading.runs import runs
from cipherset.pipeline.sanitize.detectors.structured.reading.text import folded, lowered

ALL = StructuredDetector("US")
DETECTORS = [*structured_parts("US"), ALL, AmountDetector()]
HOLDING = [
    "My SSN is 123-45-6789, born 12/03/1985.",
    "order no. 4711234, account number 1234 5678 90",
    "call (212) 555-0143 or +44 20 7946 0958",
    "card 4111 1111 1111 1111, IBAN DE89 3704 0044 0532 0130 00",
    "VIN 1HGCM82633A004352, passport C01X00T47, 192.168.0.1",
    "12 Baker Street, London NW1 6XE; 40.7128, -74.0060",
]
PIECES = st.sampled_from(
    [
        *HOLDING,
        *"0123456789-./:= \n",
        "id",
        "no.",
        "born ",
        "AB",
        "password ",
        "is ",
        "é",
        "🙂",
        "٣",
    ]
    + [f"{phrase} " for phrase in list(PHRASES)[::40]]
)
TEXTS = st.lists(PIECES | st.text(max_size=4), max_size=12).map("".join)


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.name)
def test_each_says_what_it_is(detector):
    assert detector.name
    assert detector.version
    assert detector.entities
    assert all(re.fullmatch("[A-Z][A-Z0-9_]*", entity) for entity in detector.entities)
    assert detector.detect([]) == []
    assert detector.detect([""]) == [[]]


def test_all_find_what_each_finds():
    assert ALL.entities == frozenset().union(*(part.entities for part in structured_parts("US")))
    assert len({detector.name for detector in DETECTORS}) == len(DETECTORS)


@settings(max_examples=60)
@given(st.lists(TEXTS, max_size=4))
def test_spans_lie_in_their_text_and_a_batch_is_its_rows(texts):
    for detector in DETECTORS:
        found = detector.detect(texts)
        assert found == [detector.detect([text])[0] for text in texts]
        for text, spans in zip(texts, found, strict=True):
            assert all(0 <= span.start < span.end <= len(text) for span in spans)
            assert {span.entity for span in spans} <= detector.entities


@settings(max_examples=60)
@given(TEXTS)
def test_together_they_cover_what_each_covers(text):
    together, alone = ALL.detect([text])[0], set()
    for part in structured_parts("US"):
        for span in part.detect([text])[0]:
            alone |= set(range(span.start, span.end))
    assert {i for span in together for i in range(span.start, span.end)} == alone
    assert together == sorted(set(together), key=lambda span: (span.start, -span.end))


ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F) if not chr(code).isalpha()}


@pytest.mark.parametrize("text", HOLDING)
def test_digits_of_any_script_are_digits(text):
    assert ALL.detect([text.translate(ARABIC)]) == ALL.detect([text])
    assert ALL.detect([text.translate(WIDE)]) == ALL.detect([text])


@given(st.text())
def test_folded_is_as_long_and_is_done_once(text):
    plain = folded(text)
    assert len(plain) == len(text) == len(lowered(text))
    assert folded(plain) == plain
    for was, now in zip(text, plain, strict=True):
        if was.isdecimal():
            assert int(was) == int(now)
        elif unicodedata.normalize("NFKC", was) == was and was not in "‐‑‒–−":
            assert was == now


def test_small_letters_keep_their_places():
    assert lowered("İSTANBUL 12") == "İstanbul 12"
    assert ALL.detect(["İ password: hunter2"])[0][0].start == len("İ password: ")


@given(st.text("0123456789AB -./", max_size=60))
def test_runs_hold_every_digit(text):
    inside = {i for run in runs(text, 1) for start, end in run for i in range(start, end)}
    assert {i for i, letter in enumerate(text) if letter.isdigit()} <= inside
    assert [piece for run in runs(text, 1) for piece in run] == sorted(
        piece for run in runs(text, 1) for piece in run
    )


@pytest.mark.parametrize("phrase", list(PHRASES))
def test_every_phrase_is_a_cue(phrase):
    cue = cue_before(f"{phrase} number: 12345", len(f"{phrase} number: "))
    assert cue is not None
    assert cue.strong
    if f"{phrase} number" not in PHRASES:
        assert cue.entity == PHRASES[phrase]


def test_no_word_both_fills_and_links():
    assert not FILL & LINKS


@given(st.lists(st.sampled_from(sorted(said._KINDS)), min_size=1, max_size=3).map(" ".join))
def test_a_branching_pattern_finds_what_a_flat_one_finds(text):
    flat = "|".join(map(re.escape, sorted(said._KINDS, key=len, reverse=True)))
    slow = re.compile(rf"[^a-z0-9](?:{flat})(?![a-z])")
    assert [m.span() for m in said._CUE.finditer(f"\n{text}")] == [
        m.span() for m in slow.finditer(f"\n{text}")
    ]


def test_every_check_is_a_module_or_ours():
    for forms in nations._BY_SHAPE.values():
        for _, check in forms:
            assert not check or check in nations._OWN or nations._module(check).is_valid


@given(st.text("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", min_size=17, max_size=17))
def test_a_vehicle_s_check_digit(vin):
    values = {"A": 1, "B": 2, "C": 3, "D": 4, "E": 5, "F": 6, "G": 7, "H": 8, "J": 1, "K": 2}
    values |= {"L": 3, "M": 4, "N": 5, "P": 7, "R": 9, "S": 2, "T": 3, "U": 4, "V": 5, "W": 6}
    values |= {"X": 7, "Y": 8, "Z": 9}
    total = 0
    for place, letter in enumerate(vin):
        weight = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2][place]
        total += weight * (int(letter) if letter.isdigit() else values[letter])
    check = "X" if total % 11 == 10 else str(total % 11)
    valid = vin[:8] + check + vin[9:]
    if nations._VIN.fullmatch(valid):
        assert nations._is_vin(valid)
        wrong = "0" if check != "0" else "1"
        assert not nations._is_vin(vin[:8] + wrong + vin[9:])


@given(
    st.sampled_from(["1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"])
)
def test_a_wallet_s_checksum(address):
    assert payments._is_checked(address)
    assert bitcoin.is_valid(address)
    for place in range(1, len(address)):
        other = "2" if address[place] != "2" else "3"
        altered = address[:place] + other + address[place + 1 :]
        assert payments._is_checked(altered) == bitcoin.is_valid(altered)


@pytest.mark.parametrize(
    ("text", "entity", "value"),
    [
        ("of counsel (Bar No. TX-440912), for the plaintiff", "REFERENCE_ID", "TX-440912"),
        ("Bar number: 2217409", "REFERENCE_ID", "2217409"),
        ("Notary license: NV-118822", "REFERENCE_ID", "NV-118822"),
        ("Medical license no. G84421", "REFERENCE_ID", "G84421"),
        ("Case 3:19-cv-04471-WHO-LB was filed", "REFERENCE_ID", "3:19-cv-04471-WHO-LB"),
        ("Case 12:19-cr-00471 was filed", "REFERENCE_ID", "12:19-cr-00471"),
        ("Server: 10.20.30.140 answers", "IP", "10.20.30.140"),
    ],
)
def test_numbers_of_registers_dockets_and_servers(text, entity, value):
    assert [(text[s.start : s.end], s.entity) for s in ALL.detect([text])[0]] == [(value, entity)]


@pytest.mark.parametrize(
    "text",
    [
        "we met at the bar 44712 times",
        "a pressure of 5 bar 12345",
        "the progress bar 100200 of 200000",
        "firmware ver: 10.20.30.140",
        "Version 10.20.30.140",
    ],
)
def test_what_only_looks_like_these(text):
    assert ALL.detect([text]) == [[]]

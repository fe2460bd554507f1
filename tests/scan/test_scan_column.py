"""What a column holds, because of what, and what that makes of its label."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scan_rows import CANARY, CARDS, Finds, Throws

from cipherset.app.scanning.request import ScanResult
from cipherset.core.labels import Level, Tag, Trust
from cipherset.pipeline.sanitize import LONGEST, default_rules, look
from cipherset.pipeline.sanitize.bench import Rate
from cipherset.pipeline.sanitize.label import Grounds, Seen, label_column
from cipherset.pipeline.sanitize.label.kinds import KINDS, UNKNOWN, kind_of
from cipherset.pipeline.sanitize.label.masks import DOT, masked
from cipherset.pipeline.sanitize.label.seen import shape_of

BUILT_IN = default_rules().detectors


def label(cells, name="column", detectors=BUILT_IN, **grounds):
    seen = Seen()
    seen.look(cells, partial(look, detectors))
    return label_column(
        name, seen, Grounds(detectors, grounds.pop("n_rows", len(cells)), **grounds)
    )


def test_what_is_found_labels_a_column():
    column = label(["call me", "jane.doe@example.com", f"pay with {CARDS[0]}", None])
    assert column.label.level is Level.RESTRICTED
    assert column.label.tags == (Tag.PCI, Tag.PII)
    assert {entity: each.rows for entity, each in column.entities.items()} == {
        "CARD": 1,
        "EMAIL": 1,
    }
    assert column.entities["CARD"].share == 0.25
    assert "CARD in 1 of 4 rows" in column.because
    assert column.detectors == tuple(f"{each.name}@{each.version}" for each in BUILT_IN)


@pytest.mark.parametrize(
    ("trust", "level"),
    [
        (None, Level.INTERNAL),
        (Trust.INTERNAL, Level.INTERNAL),
        (Trust.CUSTOMER, Level.INTERNAL),
        (Trust.PARTNER, Level.INTERNAL),
        (Trust.PUBLIC, Level.PUBLIC),
        (Trust.CRAWLED, Level.PUBLIC),
    ],
)
def test_nothing_found_is_public_only_where_it_came_from_the_public(trust, level):
    column = label(["all is well"] * 5, trust=trust)
    assert column.label.level is level
    assert column.entities == {}
    assert column.because == ("nothing found in it",)


def test_a_name_is_a_hint_where_nothing_was_found():
    column = label(["1980-01-02", "1975-03-04", "1990-05-06"], name="dateOfBirth")
    assert column.label.level is Level.CONFIDENTIAL
    assert column.entities["DATE_OF_BIRTH"].by_name
    assert column.because == ("its name says DATE_OF_BIRTH",)


def test_a_column_of_two_values_holds_no_address_but_tells_an_illness():
    flags = ["0", "1"] * 20
    assert label(flags, name="email").entities == {}
    assert label(flags, name="has_diabetes").label.level is Level.RESTRICTED
    assert label([None, "", " "], name="email").entities == {}


def test_numbers_that_pass_a_check_by_chance_are_not_cards():
    """One 16-digit number in ten passes Luhn's check."""
    numbers = [str(4 * 10**15 + 7919 * i) for i in range(400)]
    column = label(numbers)
    assert column.entities == {}
    assert any("CARD" in reason and "by chance" in reason for reason in column.because)
    assert "CARD" in label([*CARDS] * 10).entities
    assert "CARD" in label(numbers, name="card number").entities


def test_numbers_that_were_floats_are_read_as_whole():
    assert "CARD" in label([f"{card}.0" for card in CARDS] * 3).entities


def test_digits_within_codes_and_dates_are_no_cards_or_phones():
    codes = [f"x{'4111111111111111' if i == 7 else f'{i:04d}ababab'}f" for i in range(400)]
    assert label(codes).entities == {}
    assert any("codes" in reason for reason in label(codes).because)
    dates = [f"2024-0{i % 9 + 1}-1{i % 10} 10:1{i % 6}:12" for i in range(400)]
    assert label(dates).entities == {}
    assert "EMAIL" in label([*codes, "ann1lee@example.org"]).entities


def test_prices_are_no_phone_numbers():
    assert label([f"{i}.{i % 90 + 10}" for i in range(2000, 2400)]).entities == {}


@pytest.mark.parametrize(("found", "counts"), [(1, False), (2, False), (5, True), (200, True)])
def test_a_loose_kind_has_to_show_more_than_once(found, counts):
    detector = Finds({"Alice": "PERSON", "ghp_x": "SECRET"})
    column = label(["Alice came"] * found + ["rain"] * (1000 - found), detectors=[detector])
    assert ("PERSON" in column.entities) == counts
    assert label(["ghp_x"] + ["rain"] * 999, detectors=[detector]).label.level is Level.RESTRICTED


def test_the_recall_of_the_best_detector_stands_beside_none_found():
    some, more = Finds({"Ann": "PERSON"}, name="some"), Finds({"Bob": "PERSON"}, name="more")
    measured = {("some", "PERSON"): Rate(40, 100), ("more", "PERSON"): Rate(60, 100)}
    column = label(
        ["rain"] * 100,
        detectors=[some, more, Finds({"z": "IP"})],
        n_rows=1000,
        recall=lambda detector, entity: measured.get((detector, entity)),
    )
    assert column.recall == {"IP": None, "PERSON": Rate(60, 100)}
    assert column.at_most["IP"] is None
    assert column.at_most["PERSON"] == pytest.approx((1 - 0.05**0.01) / Rate(60, 100).interval[0])
    told = column.as_json()
    assert told["recall"] == {"IP": None, "PERSON": 0.6}
    assert told["recall_low"] == {"IP": None, "PERSON": 0.502}
    assert told["recall_n"] == {"IP": None, "PERSON": 100}
    assert column.detectors == ("some@7", "more@7", "finds@7")
    result = ScanResult("a.csv", column.label, {"a": column}, 1000, 100, None, "id")
    assert result.none_found == (
        "by detectors with recall 0.60 (at least 0.50, of 100) on PERSON; not measured on IP"
    )
    nobody = label(["rain"], detectors=[some])
    result = ScanResult("a.csv", column.label, {"a": nobody}, 1, 1, None, "id")
    assert result.none_found == "by detectors whose recall nobody has measured"


def test_a_cell_that_a_detector_throws_on_is_counted_and_the_rest_is_read():
    column = label(["key one", f"bad {CANARY}", "key two"], detectors=[Throws("bad")])
    assert column.entities["SECRET"].rows == 2
    assert column.because[-1] == "1 cells could not be read by throws@1"
    assert CANARY not in repr(column)
    unread = label(["bad", "fine"], detectors=[Throws("bad")])
    assert unread.label.level is Level.CONFIDENTIAL


def test_invisible_characters_hide_nothing_and_are_told():
    column = label(["4111\u200b1111\u200b1111\u200b1111 is mine", "fine", "soft\u00adhyphen"])
    assert column.entities["CARD"].rows == 1
    assert column.because[-1] == "invisible characters in 2 rows"


def test_what_is_there_several_times_is_read_once_and_counted():
    class Counts(Finds):
        def detect(self, texts):
            read.extend(texts)
            return super().detect(texts)

    read = []
    column = label(["Ann", "rain", "Ann", None, "Ann"], detectors=[Counts({"Ann": "EMAIL"})])
    assert read == ["Ann", "rain"]
    assert column.entities["EMAIL"].rows == 3
    again = label(["bad", "key", "bad"], detectors=[Throws("bad")])
    assert again.because[-1] == "2 cells could not be read by throws@1"


def test_vectors_are_not_looked_into_and_not_internal():
    column = label([f"[{', '.join(['0.25'] * 16)}]"] * 10)
    assert column.label.level is Level.CONFIDENTIAL
    assert column.because == ("vectors, which can be turned back into what they were made of",)


def test_a_value_per_row_joins_to_other_tables():
    assert any("joins" in each for each in label([f"u-{i}" for i in range(100)]).because)
    assert any("joins" in each for each in label([str(i) for i in range(10_500)]).because)
    assert not any("joins" in each for each in label(["a", "b"] * 50).because)
    assert "dates" in label(["2020-01-02"] * 60).because


def test_every_kind_of_the_vocabulary_has_a_meaning():
    found = {entity for detector in BUILT_IN for entity in detector.entities}
    assert found <= set(KINDS)
    assert kind_of("SOMETHING_NEW") is UNKNOWN
    assert Tag.PHI in kind_of("HEALTH").tags
    assert kind_of("TRADE_SECRET").level is Level.RESTRICTED


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("007", "whole"),
        ("-12.0", "whole"),
        ("3,50", "decimal"),
        ("1.5e-3", "decimal"),
        ("2020-01-02T03:04:05Z", "date"),
        ("31/12/2020", "date"),
        ("[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]", "vector"),
        ("0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8", "vector"),
        ("John Smith", "word"),
        ("a94a8fe5ccb19ba6", "code"),
        ("SKU-00017", "code"),
        ("a1", "word"),
        ("there is rain in the hills", "text"),
        ("call 1 2 3 4 5 6 7 8 times", "text"),
    ],
)
def test_shapes(text, shape):
    assert shape_of(text) == shape


def test_masks_show_a_shape_and_nothing_else():
    assert masked("EMAIL", "Jane.Doe@corp.example.com") == "j•••@•••.com"
    assert masked("EMAIL", "jd@corp.example.com") == "•••@•••.•••.•••"
    assert masked("EMAIL", f"jane@{CANARY}.{CANARY}") == "•••@•••.•••"
    assert masked("PHONE", "+1 (415) 555-2671") == "+••• (•••) •••-•••"
    assert masked("SECRET", "") == "•••"


@given(st.text(min_size=1, max_size=80), st.sampled_from(sorted({*KINDS, "OTHER"})))
def test_a_mask_keeps_no_letter_or_digit_but_of_an_address(text, entity):
    shown = masked(entity, text)
    if entity == "EMAIL" and "@" in shown:
        shown = shown.partition(DOT)[2].rpartition(".")[0]
    assert not any(sign.isalnum() for sign in shown)
    assert len(shown) <= 40


@given(
    st.lists(
        st.one_of(st.none(), st.text(max_size=30), st.sampled_from([*CARDS, "a@b.com", "12"])),
        max_size=30,
    ),
    st.integers(1, 7),
)
def test_batches_do_not_matter(cells, size):
    whole, parts, looking = Seen(), Seen(), partial(look, BUILT_IN)
    whole.look(cells, looking)
    for start in range(0, len(cells), size):
        parts.look(cells[start : start + size], looking)
    assert whole == parts


class Counts:
    """Counts the characters that it is given."""

    name = "counts"
    version = "1"
    entities = frozenset({"SECRET"})

    def __init__(self):
        self.n_read = 0

    def detect(self, texts):
        self.n_read += sum(map(len, texts))
        return [[] for _ in texts]


def test_of_an_endless_cell_so_much_is_read_and_that_is_told():
    """The work for a cell ends where it ends: twice the cell is no more work."""
    work = []
    for times in (2, 4):
        counting = Counts()
        column = label(["word " * (LONGEST // 5) * times, "fine"], detectors=[counting])
        work.append(counting.n_read)
        assert column.truncated == column.as_json()["truncated"] == 1
        assert column.because[-1] == ("of 1 cells only the first 1,000,000 characters were read")
        assert column.label.level is Level.CONFIDENTIAL
    assert work == [LONGEST + 4] * 2


def test_what_others_find_where_one_throws_counts():
    column = label(["bad key"], detectors=[Throws("bad"), Finds({"key": "SECRET"})])
    assert column.entities["SECRET"].rows == 1

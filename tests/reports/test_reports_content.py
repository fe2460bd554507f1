"""What is linked, and what a page shows of many."""

from hypothesis import given
from hypothesis import strategies as st

from cipherset.app.reports.content import (
    MOST_LINKED,
    MOST_ROWS,
    Figure,
    Row,
    Section,
    Table,
    appendix,
    linked,
    spans,
)
from cipherset.app.reports.period import Period
from cipherset.custody.ledger import Event

NUMBERS = st.sets(st.integers(1, 60)).map(sorted)


def slow_spans(numbers):
    """Each number that does not follow another begins one."""
    starts = [n for n in numbers if n - 1 not in numbers]
    ends = [n for n in numbers if n + 1 not in numbers]
    return [list(pair) for pair in zip(starts, ends, strict=True)]


@given(NUMBERS)
def test_spans_are_all_of_the_numbers_and_no_other(numbers):
    found = spans(numbers)
    assert found == slow_spans(numbers)
    assert [n for first, last in found for n in range(first, last + 1)] == numbers
    assert spans([*reversed(numbers), *numbers]) == found


@given(NUMBERS)
def test_of_many_the_first_and_the_last_are_linked(numbers):
    found = linked(numbers)
    assert len(found) == min(len(numbers), MOST_LINKED)
    assert list(found) == sorted(found)
    assert set(found) <= set(numbers)
    assert not numbers or {numbers[0], numbers[-1]} <= set(found)


def event(seq):
    return Event(seq, "t", "ada", "scan", "rows", "done", "{}", "", f"hash-{seq}")


def test_the_appendix_has_every_event_that_a_page_links_and_no_other():
    rows = tuple(Row((f"row {at}",), (at,)) for at in range(1, MOST_ROWS + 50))
    table = Table("rows", ("row",), rows)
    section = Section("s", "S", "", (Figure("last", 1, (900,)),), (table,))
    found = appendix([section], [event(seq) for seq in range(1, 1001)])
    assert [each.seq for each in found] == [*range(1, MOST_ROWS + 1), 900]
    assert (len(table.shown), table.left_off) == (MOST_ROWS, 49)
    assert len(section.as_json()["tables"][0]["rows"]) == len(rows)


def test_what_lasted_into_a_period_was_in_it():
    period = Period("2026-02", "2026-03")
    assert period.overlaps("2026-01", None)
    assert period.overlaps("2026-01", "2026-02-02")
    assert not period.overlaps("2026-01", "2026-02")
    assert not period.overlaps("2026-03", None)
    assert period.holds("2026-02")
    assert not period.holds("2026-03")

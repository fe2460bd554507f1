"""What each row has spent: never above the cap, whoever races, in whatever export it stands."""

import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from cipherset.core.errors import PolicyError
from cipherset.custody.ledger import exposure, spent
from cipherset.custody.ledger.exposure import RowDebit, check_rows, over, spend_rows

EXPORTS = "rows"


def rows(*values):
    return np.array(values, dtype=np.uint64)


def spend(ledger, *debits):
    def work(transaction):
        check_rows(transaction, debits)
        spend_rows(transaction, debits)

    ledger.transact(work)


def most(ledger, asked):
    return ledger.transact(lambda work: over(work, asked))


def test_a_row_leaves_so_often_whatever_stands_beside_it(ledger):
    spend(ledger, RowDebit(EXPORTS, rows(1, 2, 3), 1, 2))
    spend(ledger, RowDebit(EXPORTS, rows(3, 4), 1, 2))
    with pytest.raises(PolicyError) as caught:
        spend(ledger, RowDebit(EXPORTS, rows(3, 5, 6), 1, 2))
    assert caught.value.code == "budget"
    assert "1 of these rows" in caught.value.message
    assert "2 of 2" in caught.value.message
    spend(ledger, RowDebit(EXPORTS, rows(1, 2, 4, 5), 1, 2))  # the refusal has cost 5 and 6 nothing
    assert most(ledger, RowDebit(EXPORTS, rows(1, 2, 4, 5), 1, 2)) == 3


def test_identities_of_every_size_and_copies_count_once(ledger):
    edge = rows(0, 2**63 - 1, 2**63, 2**64 - 1, 2**64 - 1)
    spend(ledger, RowDebit(EXPORTS, edge, 1, 1))
    assert most(ledger, RowDebit(EXPORTS, edge, 1, 1)) == 4
    assert most(ledger, RowDebit(EXPORTS, edge, 1, 2)) == 0


def test_very_many_rows_are_asked_about_a_few_at_a_time(ledger, monkeypatch):
    monkeypatch.setattr(exposure, "_AT_ONCE", 3)
    spend(ledger, RowDebit(EXPORTS, np.arange(8, dtype=np.uint64), 1, 2))
    spend(ledger, RowDebit(EXPORTS, rows(1, 7), 1, 2))
    assert most(ledger, RowDebit(EXPORTS, np.arange(9, dtype=np.uint64), 1, 2)) == 2
    with pytest.raises(PolicyError, match="2 of these rows have not"):
        spend(ledger, RowDebit(EXPORTS, np.arange(8, dtype=np.uint64), 1, 2))
    assert most(ledger, RowDebit(EXPORTS, np.arange(9, dtype=np.uint64), 2, 2)) == 8


def test_kinds_are_apart_and_an_empty_export_spends_nothing(ledger):
    spend(ledger, RowDebit("epsilon", rows(1), 900, 1000), RowDebit(EXPORTS, rows(), 1, 1))
    assert most(ledger, RowDebit("epsilon", rows(1), 101, 1000)) == 1
    assert most(ledger, RowDebit("epsilon", rows(1), 100, 1000)) == 0
    assert most(ledger, RowDebit(EXPORTS, rows(1), 1, 1)) == 0


def test_what_is_more_than_the_cap_in_itself_and_what_has_none(ledger):
    assert most(ledger, RowDebit(EXPORTS, rows(7, 7, 8), 3, 2)) == 2
    with pytest.raises(PolicyError):
        spend(ledger, RowDebit(EXPORTS, rows(7), 3, 2))
    for _ in range(3):
        spend(ledger, RowDebit(EXPORTS, rows(7), 3, None))
    assert most(ledger, RowDebit(EXPORTS, rows(7), 1, 9)) == 1
    assert most(ledger, RowDebit(EXPORTS, rows(7), 1, 10)) == 0


def test_all_of_several_debits_or_none(ledger):
    spend(ledger, RowDebit(EXPORTS, rows(1), 1, 1))
    with pytest.raises(PolicyError):
        spend(ledger, RowDebit("epsilon", rows(1, 2), 5, 9), RowDebit(EXPORTS, rows(2, 1), 1, 1))
    assert most(ledger, RowDebit("epsilon", rows(1, 2), 9, 9)) == 0
    assert most(ledger, RowDebit(EXPORTS, rows(2), 1, 1)) == 0


def test_a_loop_over_rows_counts_the_same(ledger):
    rng = np.random.default_rng(0)
    counts, cap = Counter(), 3
    for _ in range(30):
        asked = rng.integers(0, 40, size=rng.integers(1, 15), dtype=np.uint64) + np.uint64(2**63)
        fits = all(counts[row] + 1 <= cap for row in asked.tolist())
        wanted = RowDebit(EXPORTS, asked, 1, cap)
        assert most(ledger, wanted) == sum(counts[row] >= cap for row in set(asked.tolist()))
        if fits:
            spend(ledger, wanted)
            counts.update(set(asked.tolist()))
    assert sum(counts.values()) > 0
    assert max(counts.values()) == cap


def test_the_rows_are_in_no_message_nor_repr(ledger):
    spend(ledger, RowDebit(EXPORTS, rows(4711000815), 1, 1))
    wanted = RowDebit(EXPORTS, rows(4711000815), 1, 1)
    with pytest.raises(PolicyError) as caught:
        spend(ledger, wanted)
    assert "4711000815" not in f"{caught.value.message} {caught.value.hint} {wanted!r}"


RACE = """
import sys
import numpy as np
from cipherset.core.errors import PolicyError
from cipherset.custody.ledger import Debit, Ledger, debit
from cipherset.custody.ledger.exposure import RowDebit, check_rows, spend_rows

own = int(sys.argv[3])
asked = RowDebit("rows", np.array([7, 8, 100 + own], dtype=np.uint64), 1, 5)

def work(transaction):
    check_rows(transaction, [asked])
    debit(transaction, [Debit("queries", "exports", 1, None)])
    spend_rows(transaction, [asked])

with Ledger(sys.argv[1], password=sys.argv[2] or None) as ledger:
    for _ in range(4):
        try:
            ledger.transact(work)
        except PolicyError:
            pass
"""


@pytest.mark.soak
def test_eight_processes_never_spend_more_than_there_is(place):
    with place.open() as ledger:
        spend(ledger, RowDebit(EXPORTS, rows(9), 1, None))
    racing = [
        subprocess.Popen([sys.executable, "-c", RACE, place.url, place.password or "", str(own)])
        for own in range(8)
    ]
    assert [process.wait(timeout=600) for process in racing] == [0] * 8
    with place.open() as ledger:
        assert ledger.transact(lambda work: spent(work, "queries", "exports")) == 5
        assert most(ledger, RowDebit(EXPORTS, rows(7, 8), 1, 5)) == 2
        assert most(ledger, RowDebit(EXPORTS, rows(7, 8), 1, 6)) == 0
        of_one = [most(ledger, RowDebit(EXPORTS, rows(100 + own), 5, 5)) for own in range(8)]
        assert 2 <= sum(of_one) <= 5  # what left with the shared rows; nobody asked five times

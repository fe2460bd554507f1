"""Budgets: never above the cap, whoever races; a refusal costs nothing; no time refills them."""

from datetime import UTC, datetime

import pytest

from cipherset.core.errors import InputError, PolicyError
from cipherset.custody.ledger import (
    EPSILON,
    PAIRS_NOISY,
    QUERIES,
    Debit,
    Outcome,
    Spent,
    debit,
    rate_kind,
    spent,
)


def spend(ledger, *debits):
    return ledger.transact(lambda work: debit(work, debits))


def used(ledger, kind, scope):
    return ledger.transact(lambda work: spent(work, kind, scope))


def refused(ledger, *debits):
    with pytest.raises(PolicyError) as caught:
        spend(ledger, *debits)
    assert caught.value.code == "budget"
    return caught.value


def test_what_is_spent_is_spent_up_to_the_cap(ledger):
    assert spend(ledger, Debit(QUERIES, "m", 7, 10)) == (Spent(QUERIES, "m", 7, 3),)
    assert spend(ledger, Debit(QUERIES, "m", 3, 10)) == (Spent(QUERIES, "m", 10, 0),)
    told = refused(ledger, Debit(QUERIES, "m", 1, 10))
    assert "queries for m has 0 left of 10" in told.message
    assert spend(ledger, Debit(QUERIES, "m", 0, 10)) == (Spent(QUERIES, "m", 10, 0),)
    assert spend(ledger, Debit(QUERIES, "n", 1, 10)) == (Spent(QUERIES, "n", 1, 9),)
    assert used(ledger, QUERIES, "m") == 10
    assert used(ledger, QUERIES, "nowhere") == 0


def test_an_epsilon_is_told_in_ones_and_not_in_millionths(ledger):
    spend(ledger, Debit(EPSILON, "m", 2_500_001, 4_000_000))
    told = refused(ledger, Debit(EPSILON, "m", 3_000_000, 4_000_000))
    assert "epsilon for m has 1.499999 left of 4, and 3 were asked for" in told.message


def test_all_or_nothing(ledger):
    spend(ledger, Debit(QUERIES, "m", 5, 10))
    wanted = (Debit(PAIRS_NOISY, "k", 4, 9), Debit(QUERIES, "m", 6, 10), Debit(QUERIES, "n", 1, 1))
    told = refused(ledger, *wanted)
    assert "queries for m has 5 left of 10, and 6 were asked for" in told.message
    assert [used(ledger, d.kind, d.scope) for d in wanted] == [0, 5, 0]


def test_all_or_nothing_in_work_that_goes_on(ledger):
    def work(transaction):
        with pytest.raises(PolicyError):
            debit(transaction, [Debit(QUERIES, "m", 4, 9), Debit(QUERIES, "n", 1, 0)])
        transaction.append(actor="a", action="x", subject="m", outcome=Outcome.REFUSED)

    ledger.transact(work)
    assert used(ledger, QUERIES, "m") == 0
    assert ledger.verify().events == 1


def test_one_budget_twice_is_spent_twice(ledger):
    refused(ledger, Debit(QUERIES, "m", 6, 10), Debit(QUERIES, "m", 6, 10))
    assert spend(ledger, Debit(QUERIES, "m", 6, 10), Debit(QUERIES, "m", 4, 10))[1].left == 0


def test_a_cap_of_zero_is_nothing_and_none_does_not_bind(ledger):
    refused(ledger, Debit(QUERIES, "m", 1, 0))
    refused(ledger, Debit(QUERIES, "m", 1, -3))
    assert spend(ledger, Debit(QUERIES, "m", 10**12, None)) == (Spent(QUERIES, "m", 10**12, None),)
    told = refused(ledger, Debit(QUERIES, "m", 1, 5))
    assert "0 left of 5" in told.message
    refused(ledger, Debit(QUERIES, "m", 2**53 - 1, None))


@pytest.mark.parametrize("amount", [-1, 2**53])
def test_nothing_gives_back(amount):
    with pytest.raises(InputError) as caught:
        Debit(QUERIES, "m", amount, None)
    assert caught.value.code == "debit_amount"


def test_a_rate_begins_anew_with_its_minute_and_leaves_nothing(ledger):
    first, next_one = (datetime(2026, 1, 2, 9, m, 59, tzinfo=UTC) for m in (59 - 1, 59))
    assert rate_kind(first) == "rate:2026-01-02T09:58"
    spend(ledger, Debit(rate_kind(first), "ada", 60, 60), Debit(QUERIES, "ada", 5, 9))
    told = refused(ledger, Debit(rate_kind(first), "ada", 1, 60))
    assert "next minute" in told.hint
    spend(ledger, Debit(rate_kind(next_one), "ada", 60, 60))
    assert used(ledger, rate_kind(first), "ada") == 0
    assert used(ledger, QUERIES, "ada") == 5

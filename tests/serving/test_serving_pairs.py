"""Pairs are capped at a quarter of what the attacks took, per key version and per principal."""

import pytest
from serving_samples import Key

from cipherset.app.serving.pairs import pair_debits
from cipherset.core.errors import PolicyError
from cipherset.custody.ledger.budgets import debit


@pytest.mark.parametrize(("noisy", "cap"), [(True, 100), (False, 10)])
def test_noisy_and_noise_free_pairs_are_capped_apart(workspace, export, assessed, noisy, cap):
    assessed(export(), pair_cap=100, n_star=400, n_star_noise_free=40)
    debits = pair_debits(workspace, Key(), "eve", 3, noisy=noisy)
    assert [(one.amount, one.cap) for one in debits] == [(3, cap), (3, cap)]
    kinds = {one.kind for one in debits}
    other = {one.kind for one in pair_debits(workspace, Key(), "eve", 3, noisy=not noisy)}
    assert len(kinds) == 1
    assert not kinds & other


def test_the_lowest_of_all_assessments_of_all_exports_counts(workspace, export, assessed):
    assessed(export("a"), pair_cap=100, n_star=400, n_star_noise_free=400)
    assessed(export("b"), pair_cap=25, n_star=100, n_star_noise_free=100)
    assessed(export("b"), pair_cap=None)
    assert {one.cap for one in pair_debits(workspace, Key(), "eve", 1, noisy=False)} == {25}


def test_where_no_number_of_pairs_passes_they_are_counted_and_do_not_bind(
    workspace, export, assessed
):
    assessed(export())
    debits = pair_debits(workspace, Key(), "eve", 10**6, noisy=False)
    assert {one.cap for one in debits} == {None}
    spent = workspace.gate.ledger.transact(lambda transaction: debit(transaction, debits))
    assert {one.used for one in spent} == {10**6}


@pytest.mark.parametrize("which", ["none", "other version", "one of two"])
def test_what_was_never_assessed_gives_nothing(workspace, export, assessed, which):
    if which == "other version":
        assessed(export(key=Key(version=2)))
    if which == "one of two":
        assessed(export("a"))
        export("b")
    with pytest.raises(PolicyError) as refused:
        pair_debits(workspace, Key(), "eve", 1, noisy=True)
    assert refused.value.code == "not_assessed"


@pytest.mark.parametrize(
    "found",
    [{"pair_cap": 0}, {"pair_cap": 100, "n_star": 400, "n_star_noise_free": 3}],
    ids=["attack without pairs", "fewer than four"],
)
def test_what_is_not_protective_gives_nothing(workspace, export, assessed, found):
    assessed(export(), **found)
    with pytest.raises(PolicyError) as refused:
        pair_debits(workspace, Key(), "eve", 1, noisy=False)
    assert refused.value.code == "not_protective"


def test_the_cap_holds_for_one_and_for_all_together(workspace, export, assessed):
    assessed(export(), pair_cap=2, n_star=8, n_star_noise_free=8)
    ledger = workspace.gate.ledger

    def take(who: str) -> None:
        debits = pair_debits(workspace, Key(), who, 1, noisy=False)
        ledger.transact(lambda transaction: debit(transaction, debits))

    take("eve")
    take("mallory")
    for who in ("eve", "trudy"):
        with pytest.raises(PolicyError) as refused:
            take(who)
        assert refused.value.code == "budget"

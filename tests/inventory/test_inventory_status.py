"""How an asset was reviewed: what was said last counts."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cipherset.custody.policy import Action, Standing, State
from cipherset.evidence.views.inventory.status import (
    APPROVE,
    PROPOSED,
    Asked,
    Review,
    Stands,
    all_stands,
    counted,
    reviewed,
)


@dataclass(frozen=True)
class Remark:
    kind: str
    started: str
    inputs: tuple[str, ...] = ("a",)
    status: str = "done"


def asked(day, state):
    return Asked(f"grant-{day}", f"2026-01-{day:02}", state)


def stands(word, day):
    return Stands(word, f"2026-01-{day:02}")


@pytest.mark.parametrize(
    ("stand", "requests", "status"),
    [
        (Stands(), (), Review.UNREVIEWED),
        (Stands(), (asked(1, "pending"),), Review.IN_REVIEW),
        (Stands(), (asked(1, "scheduled"),), Review.IN_REVIEW),
        (Stands(), (asked(1, "live"),), Review.IN_REVIEW),
        (Stands(), (asked(1, "denied"),), Review.UNAPPROVED),
        (Stands(), (asked(1, "denied"), asked(2, "pending")), Review.IN_REVIEW),
        (Stands(), (asked(1, "denied"), asked(2, "revoked")), Review.UNREVIEWED),
        (Stands(), (asked(1, "expired"),), Review.UNREVIEWED),
        (Stands(), (asked(1, "void"),), Review.UNREVIEWED),
        (stands("approved", 2), (asked(1, "live"),), Review.APPROVED),
        (stands("approved", 2), (asked(3, "denied"),), Review.APPROVED),
        (stands("suspended", 3), (asked(1, "live"),), Review.UNAPPROVED),
        (stands("suspended", 3), (asked(4, "pending"),), Review.IN_REVIEW),
        (stands("retired", 3), (), Review.UNAPPROVED),
    ],
)
def test_what_was_said_last_counts(stand, requests, status):
    found = reviewed(stand, requests)
    assert found.status is status
    assert found.because


def test_a_live_grant_that_was_used_before_the_suspension_approves_nothing():
    found = reviewed(stands("suspended", 3), (asked(1, "live"),))
    assert (found.status, found.grant) == (Review.UNAPPROVED, None)


@given(st.lists(st.tuples(st.integers(1, 28), st.sampled_from(list(State)))))
def test_the_order_of_the_requests_is_that_of_their_times(requests):
    told = [asked(day, state.value) for day, state in {d: (d, s) for d, s in requests}.values()]
    assert reviewed(Stands(), told) == reviewed(Stands(), sorted(told, key=lambda a: a.created))


@given(st.sampled_from(list(State)))
def test_an_approval_is_a_run_and_never_a_request_alone(state):
    assert reviewed(Stands(), (asked(1, state.value),)).status is not Review.APPROVED


def test_the_last_remark_that_was_done_says_where_an_asset_stands():
    remarks = [
        Remark("approve", "1", ("a", "b")),
        Remark("suspend", "2"),
        Remark("suspend", "3", ("b",), status="failed"),
        Remark("discover", "4", ("c",)),
    ]
    assert all_stands(remarks) == {"a": Stands("suspended", "2"), "b": Stands("approved", "1")}


def test_the_words_are_those_of_the_gate():
    assert {Action.APPROVE.value, Standing.PROPOSED.value} == {APPROVE, PROPOSED}
    runs = [Remark(kind, "1") for kind in ("approve", "suspend", "retire")]
    words = {all_stands([run])["a"].word for run in runs}
    assert words | {PROPOSED} == {each.value for each in Standing}


def test_every_status_is_counted():
    assert counted([reviewed(Stands(), ())]) == {
        "unreviewed": 1,
        "in review": 0,
        "approved": 0,
        "unapproved": 0,
    }

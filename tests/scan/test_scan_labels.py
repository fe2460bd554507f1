"""Labels join upward, what may be mixed, and what a label follows from."""

from dataclasses import dataclass, field
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cipherset.core.errors import IntegrityError, PolicyError
from cipherset.core.labels import EXTERNAL, Label, Level, Tag, Trust, check_mixing, joined
from cipherset.evidence.views.labels import label_of

LABELS = st.builds(
    Label,
    level=st.sampled_from(Level),
    tags=st.lists(st.sampled_from(Tag)).map(tuple),
    trusts=st.lists(st.sampled_from(Trust)).map(tuple),
)


@dataclass(frozen=True)
class Run:
    """A run of the ledger."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    parameters: dict = field(default_factory=dict)
    status: str = "done"


def says(kind, asset, level, *tags, trust=None, status="done"):
    label = Label(level=level, tags=tags, trusts=() if trust is None else (trust,))
    return Run(kind, (asset,), parameters={"label": label.as_json()}, status=status)


@given(st.lists(LABELS, min_size=1, max_size=5))
def test_nothing_that_is_joined_is_lost(labels):
    whole = joined(labels)
    assert not any(whole.is_lower_than(label) for label in labels)
    assert whole.level.rank == max(label.level.rank for label in labels)
    assert all(joined(order) == whole for order in list(permutations(labels))[:6])
    assert joined([whole, *labels]) == whole
    assert joined([None]) is None


@given(LABELS)
def test_a_label_is_read_as_it_was_written(label):
    assert Label.parse(label.as_json()) == label
    assert not label.is_lower_than(label)


def test_what_is_no_label_is_refused():
    for bad in ({}, {"level": "secret"}, {"level": "public", "why": "canary"}):
        with pytest.raises(IntegrityError) as caught:
            Label.parse(bad)
        assert caught.value.code == "label_schema"
        assert "canary" not in str(caught.value)


def test_lower_is_a_level_a_tag_or_an_outside_less():
    was = Label(level=Level.CONFIDENTIAL, tags=(Tag.PII,), trusts=(Trust.CRAWLED,))
    same = {"level": was.level, "tags": was.tags, "trusts": was.trusts}
    for change in ({"level": Level.INTERNAL}, {"tags": ()}, {"trusts": (Trust.INTERNAL,)}):
        assert Label(**{**same, **change}).is_lower_than(was)
    for change in ({"level": Level.RESTRICTED}, {"tags": (Tag.PII, Tag.PHI)}):
        assert not Label(**{**same, **change}).is_lower_than(was)


@pytest.mark.parametrize(("level", "trust"), list(product(Level, Trust)))
def test_restricted_rows_and_rows_from_outside_are_not_mixed(level, trust):
    one = Label(level=Level.RESTRICTED, trusts=(Trust.INTERNAL,))
    other = Label(level=level, trusts=(trust,))
    if trust not in EXTERNAL:
        assert not check_mixing([one, other])
        return
    with pytest.raises(PolicyError) as caught:
        check_mixing([other, one])
    assert caught.value.code == "mixing"
    assert trust in caught.value.message
    assert check_mixing([one, other], accepted="a contract")
    less = Label(level=Level.CONFIDENTIAL, trusts=(Trust.INTERNAL,))
    assert check_mixing([less, other], accepted="never asked") is False


def test_one_source_alone_is_no_mixture():
    assert not check_mixing([Label(level=Level.RESTRICTED, trusts=(Trust.CRAWLED,))])
    assert not check_mixing([])


def test_a_label_follows_through_everything_that_is_made():
    runs = [
        says("classify", "tickets", Level.CONFIDENTIAL, Tag.PII, trust=Trust.CUSTOMER),
        says("classify", "cases", Level.RESTRICTED, Tag.PHI),
        Run("protect", ("tickets", "key"), ("export",)),
        Run("merge", ("export", "cases"), ("both",)),
        Run("train", ("both",), ("model",)),
    ]
    assert label_of("export", runs) == label_of("tickets", runs)
    model = label_of("model", runs)
    assert model == Label(level=Level.RESTRICTED, tags=(Tag.PHI, Tag.PII), trusts=(Trust.CUSTOMER,))
    assert label_of("key", runs) is None
    assert label_of("unknown", runs) is None


def test_a_later_look_adds_and_only_a_relabel_takes_away():
    runs = [says("classify", "a", Level.RESTRICTED, Tag.PCI), says("classify", "a", Level.PUBLIC)]
    assert label_of("a", runs).level is Level.RESTRICTED
    runs += [says("relabel", "a", Level.INTERNAL), Run("copy", ("a",), ("b",))]
    assert label_of("b", runs) == Label(level=Level.INTERNAL)
    runs.append(says("classify", "a", Level.CONFIDENTIAL))
    assert label_of("b", runs).level is Level.CONFIDENTIAL


def test_what_a_failed_run_says_does_not_count_and_what_it_made_does():
    runs = [
        says("classify", "a", Level.RESTRICTED, status="failed"),
        says("classify", "a", Level.INTERNAL),
        Run("copy", ("a",), ("b",), status="failed"),
    ]
    assert label_of("a", runs).level is Level.INTERNAL
    assert label_of("b", runs).level is Level.INTERNAL


def test_a_run_that_reads_what_it_writes_ends():
    runs = [says("classify", "a", Level.RESTRICTED), Run("clean", ("a", "b"), ("a", "b"))]
    assert label_of("b", runs).level is Level.RESTRICTED
    assert label_of("a", runs).level is Level.RESTRICTED

"""All assets in one pass give what one at a time gives."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from cipherset.core.labels import Label, Level, Tag
from cipherset.evidence.views.labels import label_of
from cipherset.evidence.views.lineage import upstream
from cipherset.evidence.views.standings import (
    all_labels,
    all_purposes,
    all_stale,
    all_standings,
)

NAMES = [f"asset-{at}" for at in range(7)]


@dataclass(frozen=True)
class Run:
    kind: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    parameters: dict = field(default_factory=dict)
    status: str = "done"
    id: str = "run"
    actor: str = "ada"
    started: str = "2026-01-01T00:00:00+00:00"
    finished: str | None = None


def labels():
    tags = st.lists(st.sampled_from(Tag), max_size=2).map(tuple)
    return st.builds(Label, level=st.sampled_from(Level), tags=tags)


def remarks():
    kinds = st.sampled_from(["classify", "relabel"])
    told = labels().map(lambda label: {"label": label.as_json()})
    names = st.sampled_from(NAMES).map(lambda name: (name,))
    status = st.sampled_from(["done", "failed"])
    return st.builds(Run, kind=kinds, inputs=names, parameters=told, status=status)


def makers(*, circles: bool):
    def made(pair):
        one, other = pair if circles else sorted(pair)
        return Run("train", (NAMES[one],), (NAMES[other],))

    at = st.integers(0, len(NAMES) - 1)
    return st.tuples(at, at).map(made)


def slow(steps):
    found = {name: label_of(name, steps) for name in NAMES}
    return {name: label for name, label in found.items() if label is not None}


@given(st.lists(remarks() | makers(circles=False), max_size=12))
def test_all_labels_are_those_of_each(steps):
    assert all_labels(steps) == slow(steps)


@given(st.lists(remarks() | makers(circles=True), max_size=10))
def test_also_where_assets_were_made_of_each_other(steps):
    assert all_labels(steps) == slow(steps)


@given(st.lists(makers(circles=False), max_size=8), st.lists(st.sampled_from(NAMES), max_size=4))
def test_a_purpose_is_handed_on_unless_something_else_was_said(steps, named):
    said = [
        Run("purpose", (name,), parameters={"purpose": f"p{at}"}) for at, name in enumerate(named)
    ]
    found = all_purposes([*steps, *said])
    for name in NAMES:
        own = [run for run in said if name in run.inputs]
        above = [run for run in said if upstream([name], steps).intersection(run.inputs)]
        last = (own or above)[-1:]
        assert found.get(name) == (last[0].parameters["purpose"] if last else None)


def test_the_last_word_on_an_asset_holds():
    steps = [
        Run("approve", ("a", "b")),
        Run("suspend", ("a",)),
        Run("retire", ("b",), (), {}, "failed"),
    ]
    assert all_standings(steps) == {"a": "suspended", "b": "approved"}


def test_what_was_made_of_forgotten_rows_is_stale():
    steps = [Run("train", ("a",), ("b",)), Run("train", ("b",), ("c",)), Run("forget", ("b",))]
    assert all_stale(steps) == {"b", "c"}
    assert all_stale(steps[:2]) == frozenset()

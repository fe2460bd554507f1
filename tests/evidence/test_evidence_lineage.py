"""What came of an asset and what it came of, against the walk by hand."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from cipherset.evidence.views.lineage import downstream, upstream


@dataclass(frozen=True)
class Run:
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


CHAIN = [Run(("rows", "key"), ("export",)), Run(("export",), ("model",)), Run(("model",), ())]
NAMES = st.sampled_from("abcdef")
RUNS = st.lists(
    st.builds(Run, st.lists(NAMES, max_size=2).map(tuple), st.lists(NAMES, max_size=2).map(tuple)),
    max_size=6,
)


def test_a_chain_is_followed_to_both_ends():
    assert downstream(["rows"], CHAIN) == {"export", "model"}
    assert upstream(["model"], CHAIN) == {"export", "rows", "key"}
    assert upstream(["rows"], CHAIN) == downstream(["model"], CHAIN) == frozenset()


def _by_hand(start, runs):
    found = {start}
    for _ in runs:  # each round reaches one run further
        for run in runs:
            if found & {*run.inputs}:
                found |= {*run.outputs}
    return found - {start}


@given(NAMES, RUNS)
def test_as_by_hand_also_in_circles(start, runs):
    assert downstream([start], runs) == _by_hand(start, runs)


@given(NAMES, NAMES, RUNS)
def test_one_way_is_the_other_turned_round(a, b, runs):
    assert (b in downstream([a], runs)) == (a in upstream([b], runs))

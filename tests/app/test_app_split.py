"""Which rows are held out, fitted on and exported."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cipherset.app.exports import plan, split
from cipherset.app.exports.codes import Codebook, combine
from cipherset.app.exports.dataset import Dataset
from cipherset.core.errors import InputError, PolicyError
from cipherset.core.manifest import Task
from cipherset.core.values import ColumnRoles
from cipherset.pipeline.sanitize.training.copies import Copies

SHARES = st.floats(0.05, 0.95)
SEEDS = st.integers(0, 2**32)


@st.composite
def coded(draw, *, most=12):
    """Codes of at least two values, each of which occurs."""
    codes = np.array(draw(st.lists(st.integers(0, most - 1), min_size=12, max_size=200)))
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


@given(strata=coded(), share=SHARES, seed=SEEDS)
def test_the_share_holds_within_one_row_per_class(strata, share, seed):
    try:
        held = split.test_rows(strata, None, share=share, seed=seed)
    except InputError as error:
        assert error.code == "too_few_rows"
        return
    for stratum in range(strata.max() + 1):
        rows = held[strata == stratum]
        assert abs(rows.sum() - share * len(rows)) <= 1
        assert not rows.all()  # every class can be trained on
    again = split.test_rows(strata, None, share=share, seed=seed)
    np.testing.assert_array_equal(held, again)


@given(groups=coded(most=40), share=SHARES, seed=SEEDS)
def test_a_group_is_on_one_side(groups, share, seed):
    strata = np.zeros(len(groups), dtype=np.int64)
    try:
        held = split.test_rows(strata, groups, share=share, seed=seed)
    except InputError as error:
        assert error.code in {"one_group", "too_few_rows"}
        return
    assert not set(groups[held]) & set(groups[~held])
    largest = np.bincount(groups).max()
    assert abs(held.sum() - share * len(groups)) <= max(largest, 1)


@st.composite
def copied(draw, *, most=60):
    """Clusters of near copies, and finer ones of the same."""
    near = np.array(draw(st.lists(st.integers(0, most), min_size=40, max_size=200)))
    same = 2 * near + np.array(
        draw(st.lists(st.booleans(), min_size=len(near), max_size=len(near)))
    )
    return Copies(near, same)


@given(copies=copied(), share=SHARES, seed=SEEDS)
def test_copies_are_on_one_side_or_counted(copies, share, seed):
    strata = np.arange(len(copies.near)) % 3
    held = split.test_rows(strata, None, copies, share=share, seed=seed)
    both = set(copies.near[held]) & set(copies.near[~held])
    assert split.leaked(held, copies) == np.isin(copies.near[held], [*both]).sum()
    if not both:
        assert 0.5 * share * len(held) <= held.sum() <= len(held) - 0.5 * share * len(held)
    again = split.test_rows(strata, None, copies, share=share, seed=seed)
    np.testing.assert_array_equal(held, again)


@given(strata=coded(), share=SHARES, seed=SEEDS)
def test_rows_without_copies_are_split_as_before(strata, share, seed):
    alone = Copies(np.arange(len(strata)), np.arange(len(strata)))
    try:
        held = split.test_rows(strata, None, share=share, seed=seed)
    except InputError:
        return
    np.testing.assert_array_equal(
        held, split.test_rows(strata, None, alone, share=share, seed=seed)
    )


def test_few_copies_never_straddle():
    rng = np.random.default_rng(4)
    for seed in range(20):
        near = rng.permutation(np.repeat(np.arange(500), rng.integers(1, 4, 500)))
        copies, strata = Copies(near, near), rng.integers(0, 5, len(near))
        held = split.test_rows(strata, None, copies, share=0.25, seed=seed)
        assert split.leaked(held, copies) == 0
        assert abs(held.mean() - 0.25) < 0.06
        assert split.repeated(copies) == len(near) - 500


def test_what_is_there_very_often_is_trained_on():
    near = np.concatenate([np.zeros(100, dtype=np.int64), np.arange(1, 301)])
    held = split.test_rows(near * 0, None, Copies(near, near), share=0.25, seed=1)
    assert not held[:100].any()
    assert 40 < held.sum() < 110


def test_rows_that_are_all_alike_are_split_and_counted():
    near = np.zeros(200, dtype=np.int64)
    same = np.repeat(np.arange(100), 2)
    held = split.test_rows(near, None, Copies(near, same), share=0.25, seed=0)
    assert split.leaked(held, Copies(near, same)) == held.sum() > 0
    assert split.leaked(held, Copies(same, same)) == 0  # the same rows are still together
    held = split.test_rows(near, None, Copies(near, near), share=0.25, seed=0)
    assert held.sum() == 50


def test_a_class_made_of_copies_can_be_trained_on():
    strata = np.array([0] * 200 + [1, 1])
    near = np.concatenate([np.arange(200), [7, 8]])
    for seed in range(20):
        held = split.test_rows(strata, None, Copies(near, near), share=0.4, seed=seed)
        assert not held[strata == 1].all()
        assert split.leaked(held, Copies(near, near)) == 0


def test_groups_with_copies_of_each_other_are_drawn_as_one():
    groups = np.arange(400) // 2
    near = np.arange(400)
    near[[1, 10, 50]] = 1  # groups 0, 5 and 25
    copies = Copies(near, near)
    for seed in range(10):
        held = split.test_rows(groups * 0, groups, copies, share=0.25, seed=seed)
        assert split.leaked(held, copies) == 0
        assert not set(groups[held]) & set(groups[~held])
        assert len({*held[[0, 1, 10, 11, 50, 51]]}) == 1


def test_groups_that_copies_chain_together_stay_as_they_are():
    groups = np.arange(400) // 2
    near = np.arange(400)
    near[::2] = 0  # every group has a row of thanks
    copies = Copies(near, near)
    held = split.test_rows(groups * 0, groups, copies, share=0.25, seed=0)
    assert not set(groups[held]) & set(groups[~held])
    assert split.leaked(held, copies) == held.sum() / 2


def test_copies_of_a_plan_are_told():
    source = dataset(["a", "b"] * 100)
    near = np.arange(200)
    near[:4] = 0
    made = make(replace(source, copies=Copies(near, near)), fit_share=0.5)
    assert (made.n_copies, made.n_leaked) == (3, 0)
    parts = [set(near[rows]) for rows in (made.train, made.fit, made.test)]
    assert sum(map(len, parts)) == len(set.union(*parts))


def test_another_seed_draws_others():
    strata = np.arange(100) % 4
    drawn = {tuple(split.test_rows(strata, None, share=0.3, seed=seed)) for seed in range(5)}
    assert len(drawn) == 5


def test_one_group():
    with pytest.raises(InputError) as refused:
        zeros = np.zeros(4, dtype=np.int64)
        split.test_rows(zeros, zeros, share=0.5, seed=0)
    assert refused.value.code == "one_group"


def test_too_few_rows():
    with pytest.raises(InputError) as refused:
        split.test_rows(np.arange(6), None, share=0.5, seed=0)  # every class has one row
    assert refused.value.code == "too_few_rows"


def dataset(labels, *, groups=None, numbers=None):
    """A dataset whose vectors nobody asks for."""
    classes, codes = np.unique(labels, return_inverse=True)
    return Dataset(
        spool=None,
        dim=2,
        roles=ColumnRoles(vector="v", label="topic"),
        classes=tuple(str(name) for name in classes),
        labels=codes.astype(np.int64),
        numbers=numbers,
        groups=groups,
        clear=codes.astype(np.int64),
        found={},
        identities=np.arange(len(codes), dtype=np.uint64),
        alike=np.arange(len(codes), dtype=np.uint64),
    )


def make(source, **changes):
    return plan.make_plan(source, plan.Drawing(**{"test_share": 0.25} | changes))


@given(labels=coded(most=4), fit_share=st.sampled_from([0.2, 0.5, 1.0]), seed=SEEDS)
def test_parts_are_disjoint_and_complete(labels, fit_share, seed):
    if len(labels) < 40 or labels.max() < 1:
        return
    made = make(dataset(labels), fit_share=fit_share, seed=seed)
    parts = [made.train, made.test] + ([made.fit] if fit_share < 1 else [])
    together = np.concatenate(parts)
    assert sorted(together.tolist()) == list(range(len(labels)))
    if fit_share == 1:
        np.testing.assert_array_equal(made.fit, made.train)
    for part in parts:
        assert (np.diff(part) > 0).all()


def test_groups_are_kept_together_in_fit_train_and_test():
    groups = np.arange(300) // 3
    made = make(dataset(np.arange(300) % 2, groups=groups), fit_share=0.3)
    seen = [set(groups[rows]) for rows in (made.train, made.test, made.fit)]
    assert sum(map(len, seen)) == len(set.union(*seen)) == 100


@pytest.mark.parametrize(
    ("labels", "numbers", "numeric", "task"),
    [
        (["a", "b"], None, False, Task.CLASSIFICATION),
        (["1", "2"], [1.0, 2.0], False, Task.CLASSIFICATION),
        (["1", "2"], [1.0, 2.0], True, Task.REGRESSION),
        (["1.5", "2"], [1.5, 2.0], False, Task.REGRESSION),
    ],
)
def test_what_labels_are_for(labels, numbers, numeric, task):
    many = None if numbers is None else np.array(numbers * 20)
    made = make(dataset(labels * 20, numbers=many), numeric=numeric)
    assert made.task is task
    assert made.has_classes is (task is Task.CLASSIFICATION)


@pytest.mark.parametrize(
    ("labels", "numeric", "code"),
    [
        (["a"] * 20, False, "one_class"),
        ([f"t{i}" for i in range(20)], False, "label_per_row"),
        (["a", "b"] * 10, True, "label_type"),
    ],
)
def test_labels_that_teach_nothing(labels, numeric, code):
    with pytest.raises(InputError) as refused:
        make(dataset(labels), numeric=numeric)
    assert refused.value.code == code
    assert "'topic'" in refused.value.message


def test_enough_rows_to_decide():
    few, many = dataset(["a", "b"] * 20), dataset(["a", "b"] * 300)
    plan.check_enough(many, make(many), 0.05)
    with pytest.raises(PolicyError) as refused:
        plan.check_enough(few, make(few), 0.05)
    assert refused.value.code == "too_few_rows_to_decide"


@given(most=st.integers(1, 50), seed=SEEDS)
def test_a_sample_is_a_part_in_order(most, seed):
    rows = np.arange(3, 90, 3)
    some = plan.sample(rows, most, seed=seed)
    assert len(some) == min(most, len(rows))
    assert set(some) <= set(rows)
    assert (np.diff(some) > 0).all()


@given(st.lists(st.lists(st.sampled_from(["a", "b", "ä", "", None]), max_size=9), max_size=5))
def test_codes_lead_back_to_values(batches):
    """A missing value is another than an empty one, but both read as nothing."""
    book, seen = Codebook(), {}
    for batch in batches:
        codes = book.encode(pa.chunked_array([pa.array(batch, pa.string())])).tolist()
        assert [book.values[code] for code in codes] == [value or "" for value in batch]
        seen |= dict(zip(codes, batch, strict=True))
    assert len(set(seen.values())) == len(seen) == len(book.values)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_combined_codes_tell_combinations_apart(rows):
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    codes = combine(columns)
    for i, j in zip(range(len(rows)), reversed(range(len(rows))), strict=True):
        assert (codes[i] == codes[j]) == (rows[i] == rows[j])

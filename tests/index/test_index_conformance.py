"""What every store does; the database is the real one."""

from dataclasses import replace

import numpy as np
import pytest
from index_samples import DIM, found, rows, same, slowly

from cipherset.core.errors import DimensionError, InputError
from cipherset.pipeline.index import Entries, Filter, Tag


def test_an_index_without_rows_answers_nothing(index):
    assert len(index.query(np.zeros(DIM, np.float32), 5)) == 0
    assert (index.rows(), dict(index.versions())) == (0, {})
    assert index.delete(rows(3).ids) == 0


def test_what_was_added_comes_back_to_the_bit(index):
    every = rows(40)
    index.add(every)
    got = index.query(every.vectors[7], 40)
    back = {one: i for i, one in enumerate(found(got))}
    assert same(got.take(np.array([back[one] for one in found(every)])), every)


@pytest.mark.parametrize("top", [1, 5, 1000])
def test_the_nearest_are_those_of_the_slow_way(index, top):
    parts = [rows(30, seed=seed) for seed in range(3)]
    for part in parts:
        index.add(part)
    every = Entries(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("ids", "vectors", "seals", "tags", "versions")
        )
    )
    for query in rows(5, seed=9).vectors:
        assert found(index.query(query, top)) == slowly(every, query, top)


def test_only_rows_with_the_asked_tokens_answer(index):
    every = rows(60)
    index.add(every)
    wanted = {
        Tag.TENANT: frozenset({bytes([1]) * 16}),
        Tag.LABEL: frozenset({bytes([k]) * 16 for k in (0, 2)}),
    }

    def allowed(i):
        return every.tags[i, Tag.TENANT, 0] == 1 and every.tags[i, Tag.LABEL, 0] in {0, 2}

    query = rows(1, seed=5).vectors[0]
    expected = slowly(every, query, 60, allowed)
    assert 0 < len(expected) < 60
    assert found(index.query(query, 60, Filter(wanted))) == expected


def test_a_token_that_no_row_has_and_no_token_at_all_answer_nothing(index):
    index.add(rows(10))
    query = rows(1, seed=5).vectors[0]
    assert len(index.query(query, 5, Filter({Tag.TENANT: frozenset({bytes([9]) * 16})}))) == 0
    assert len(index.query(query, 5, Filter({Tag.TENANT: frozenset()}))) == 0


def test_versions_are_kept_apart(index):
    index.add(rows(10, seed=1))
    index.add(rows(7, seed=2, version=2))
    assert dict(index.versions()) == {1: 10, 2: 7}
    got = index.query(rows(1, seed=5).vectors[0], 50, Filter(version=2))
    assert set(got.versions.tolist()) == {2}
    assert len(got) == 7


def test_deleted_rows_answer_no_more(index):
    every = rows(20)
    index.add(every)
    gone = every.ids[[3, 11]]
    assert index.delete(np.concatenate([gone, rows(1, seed=8).ids])) == 2
    assert index.rows() == 18
    assert not {one.tobytes() for one in gone} & set(found(index.query(every.vectors[3], 20)))
    assert index.delete(gone) == 0


@pytest.mark.parametrize("twice", ["at once", "later"])
def test_an_id_is_taken_once_and_nothing_is_stored_then(index, twice):
    every = rows(5)
    if twice == "later":
        index.add(every)
        again = rows(5, seed=3)
        again.ids[2] = every.ids[4]
    else:
        again = every
        again.ids[2] = again.ids[4]
    before = index.rows()
    with pytest.raises(InputError) as refused:
        index.add(again)
    assert refused.value.code == "index_row_exists"
    assert index.rows() == before


def test_rows_of_another_width_are_refused(index):
    with pytest.raises(DimensionError):
        index.add(rows(3, dim=DIM + 1))
    with pytest.raises(DimensionError):
        index.query(np.zeros(DIM + 1, np.float32), 5)


@pytest.mark.parametrize(
    ("query", "top", "code"),
    [
        (np.zeros(DIM), 0, "index_top"),
        (np.zeros(DIM), 10_001, "index_top"),
        (np.full(DIM, np.nan), 5, "not_finite"),
        (np.zeros((1, DIM)), 5, "not_finite"),
    ],
)
def test_a_query_that_is_none_is_refused(index, query, top, code):
    with pytest.raises(InputError) as refused:
        index.query(query, top)
    assert refused.value.code == code


def test_nothing_to_add_or_to_replace_is_nothing(index):
    index.add(Entries.none(DIM))
    index.replace(Entries.none(DIM))
    assert index.rows() == 0
    assert len(index.some(5)) == 0


def test_rows_take_the_place_of_those_with_their_ids(index):
    """As re-encryption needs it: other ciphertext, seal, tags and version, and the same id."""
    before, after = rows(20), rows(20, seed=4, version=2)
    index.add(before)
    after.ids[:] = before.ids
    index.replace(after.take(np.arange(5, 15)))
    assert dict(index.versions()) == {1: 10, 2: 10}
    for where in ((5, 15, after, 2), (0, 5, before, 1), (15, 20, before, 1)):
        start, end, every, version = where
        for i in range(start, end):
            got = index.query(every.vectors[i], 1, Filter(version=version))
            assert same(got, every.take(np.array([i])))


def test_some_rows_are_any_that_fit_and_each_once(index):
    index.add(rows(30))
    index.add(rows(12, seed=2, version=2))
    every = {one.tobytes() for one in rows(12, seed=2).ids}
    assert set(found(index.some(50, Filter(version=2)))) == every
    few = index.some(5, Filter(version=2))
    assert len(set(found(few))) == 5
    assert set(found(few)) <= every
    token = frozenset({bytes([1]) * 16})
    tagged = index.some(50, Filter({Tag.LABEL: token}))
    assert len(tagged) == sum(
        (part.tags[:, Tag.LABEL, 0] == 1).sum() for part in (rows(30), rows(12, seed=2))
    )


def test_until_all_are_replaced_some_are_left(index):
    """The loop of re-encryption ends, and every row was in it once."""
    index.add(rows(25))
    moved = []
    while len(some := index.some(10, Filter(version=1))):
        assert len(moved) < 25
        moved += found(some)
        index.replace(replace(some, versions=np.full(len(some), 2, np.int32)))
    assert sorted(moved) == sorted(found(rows(25)))
    assert dict(index.versions()) == {2: 25}


@pytest.mark.parametrize("call", ["replace", "some"])
def test_replacing_and_taking_refuse_as_adding_and_asking_do(index, call):
    twice = rows(3)
    twice.ids[1] = twice.ids[0]
    with pytest.raises(InputError) as refused:
        index.replace(twice) if call == "replace" else index.some(10_001)
    assert refused.value.code == ("index_row_exists" if call == "replace" else "index_top")


def test_parts_of_different_rows_are_none():
    one = rows(3)
    with pytest.raises(DimensionError) as refused:
        Entries(one.ids[:2], one.vectors, one.seals, one.tags, one.versions)
    assert refused.value.code == "entries_shape"


def test_what_is_stored_is_shown_by_nothing(index):
    index.add(rows(3))
    assert "array" not in repr(rows(3)) + repr(Filter({Tag.LABEL: frozenset({b"canary"})}))

"""Rows of one pool become one row: the mean, however the batches fall, and what is refused."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.signer import CryptoSigner

from cipherset.app.reading.batch import NOT_IDENTIFIED, Embedded
from cipherset.app.reading.embedded import Reading, embedded, vectors_of
from cipherset.app.reading.pooled import MOST_ROWS, identities_of_pools, pooled, starts_of
from cipherset.core.errors import InputError, UsageError
from cipherset.core.values import ColumnRoles
from cipherset.custody.keys.identity import RowIdentity
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.pipeline.ingest import open_source
from cipherset.pipeline.sanitize import default_rules
from cipherset.pipeline.sanitize.training.copies import CopyFinder

DIM = 4
IDENTITY = RowIdentity(CryptoSigner.generate_ed25519())


def rows(pools, labels=None, seed=0) -> Embedded:
    """Unit vectors by chance, one per entry of ``pools``."""
    x = np.random.default_rng(seed).normal(size=(len(pools), DIM))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    columns = {
        "row": pa.array(range(len(pools)), pa.int64()),
        "label": list(pools) if labels is None else labels,
        "pool": list(pools),
    }
    known = IDENTITY.of_vectors(x)
    return Embedded(x, pa.table(columns), known, known, [f"text {i}" for i in range(len(pools))])


def cut(batch: Embedded, at: list[int]) -> Iterator[Embedded]:
    ends = sorted({*(i for i in at if 0 < i < len(batch.values)), len(batch.values)})
    for start, end in zip([0, *ends], ends, strict=False):
        yield batch.between(start, end)


def together(batches: Iterator[Embedded]) -> Embedded:
    found = list(batches)
    whole = found[0]
    for each in found[1:]:
        whole = whole.followed_by(each)
    return whole


def refused(batches, code: str) -> str:
    with pytest.raises(InputError) as found:
        list(pooled(batches, "it", None))
    assert found.value.code == code
    return found.value.message


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=8),
    at=st.lists(st.integers(1, 40), max_size=6),
)
def test_it_is_the_mean_wherever_the_batches_end(sizes, at):
    pools = [f"p{i}" for i, n in enumerate(sizes) for _ in range(n)]
    whole = rows(pools)
    found = together(pooled(cut(whole, at), "it", IDENTITY))
    slow, texts, ends = [], [], np.cumsum(sizes)
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        total = sum(whole.values[i].astype(float) for i in range(start, end))
        slow.append(total / np.linalg.norm(total))
        texts.append("\n".join(f"text {i}" for i in range(start, end)))
    np.testing.assert_allclose(found.values, slow, atol=1e-6)
    assert found.values.dtype == np.float32
    assert found.said == texts
    assert found.columns.to_pydict() == {
        "row": list(range(len(sizes))),
        "label": [f"p{i}" for i in range(len(sizes))],
    }
    starts = starts_of(whole.columns.column("pool"))
    expected = identities_of_pools(IDENTITY, whole.identities, starts)
    np.testing.assert_array_equal(found.identities, expected)
    np.testing.assert_array_equal(found.alike, expected)
    pooled_from = np.split(whole.identities, starts[1:])
    assert found.members.to_pylist() == [each.tolist() for each in pooled_from]
    assert found.between(1, 2).members.to_pylist() == found.members.to_pylist()[1:2]


def test_a_pool_is_known_by_its_rows_in_their_order():
    one, two, three = np.array([1, 2, 3], dtype=np.uint64)
    pools = [np.array(each) for each in ([one, two], [two, one], [one, two, three], [one])]
    found = IDENTITY.of_pools(pools)
    assert len(set(found.tolist())) == 4
    assert IDENTITY.of_pools(pools[:1]) == found[:1]


def test_a_pool_of_one_row_is_that_row():
    """Or a column that differs everywhere would make every row another one, with budgets anew."""
    whole = rows(["a", "b", "b", "c"])
    found = together(pooled(iter([whole]), "it", IDENTITY))
    np.testing.assert_array_equal(found.identities[[0, 2]], whole.identities[[0, 3]])
    assert found.identities[1] not in whole.identities
    assert found.identities.dtype == np.uint64


def test_copies_of_a_row_are_that_row():
    """Their mean is that row."""
    one, two = IDENTITY.of_texts(["one", "two"])
    pools = [np.array(each) for each in ([one], [one, one], [one, two])]
    found = IDENTITY.of_pools(pools)
    assert found[:2].tolist() == [one, one]
    assert found[2] not in {one, two}


def test_without_identity_nothing_is_known_and_digests_are_of_a_whole_pool():
    whole = rows(["a", "a", "b"])
    digests = Embedded(
        whole.values, whole.columns, NOT_IDENTIFIED, NOT_IDENTIFIED, [b"x", b"y", b"x"]
    )
    found = together(pooled(iter([digests]), "it", None))
    assert len(found.identities) == len(found.alike) == 0
    assert found.members is None
    assert len(set(found.said)) == 2
    assert all(isinstance(each, bytes) for each in found.said)
    bare = Embedded(whole.values, whole.columns, NOT_IDENTIFIED, NOT_IDENTIFIED, [])
    assert list(together(pooled(iter([bare]), "it", None)).said) == []


@pytest.mark.parametrize("at", [[], [1], [2], [3]])
def test_rows_of_a_pool_stand_together(at):
    assert "sort" not in refused(cut(rows(["a", "b", "b", "a"]), at), "pool_scattered")


@pytest.mark.parametrize("at", [[], [3]])
def test_a_pool_has_one_label(at):
    labels = ["x", "y", "y", "CANARY", "y"]
    message = refused(cut(rows(["a", "b", "b", "b", "b"], labels), at), "pool_differs")
    assert message == "it, row 4: another label than the row before, in one pool"


def test_a_pool_is_not_endless():
    batch = rows(["a"] * 4096)
    batches = (batch for _ in range(MOST_ROWS // 4096 + 1))
    assert str(MOST_ROWS + 1) not in refused(batches, "pool_too_large")


def test_a_mean_needs_a_direction():
    one = rows(["a", "a"])
    values = np.array([[1, 0, 0, 0], [-1, 0, 0, 0]], dtype=np.float32)
    refused(iter([Embedded(values, one.columns, one.identities, one.alike, one.said)]), "pool_zero")


def test_a_source_is_read_so(tmp_path):
    path = tmp_path / "items.jsonl"
    path.write_text(
        '{"v": [1, 0], "who": 7, "next": "a"}\n'
        '{"v": [0, 2], "who": 7, "next": "a"}\n'
        '{"v": [0, 1], "who": 8, "next": "b"}\n'
    )
    roles = ColumnRoles(vector="v", label="next", pool="who", group="who")
    copies = CopyFinder()
    reading = Reading(roles, None, default_rules(), IDENTITY, copies)
    batch = together(embedded(open_source(path), reading, {}, TerminalProgress()))
    half = 0.5**0.5
    np.testing.assert_allclose(batch.values, [[half, half], [0, 1]], atol=1e-6)
    assert batch.columns.to_pydict() == {"row": [0, 1], "label": ["a", "b"], "group": ["7", "8"]}
    copies.add([b"one", b"one"])
    assert copies.found().same.tolist() == [0, 1, 2, 2]
    same = vectors_of(open_source(path), reading, {}, TerminalProgress())
    assert sum(len(each.values) for each in same) == 2


def test_every_row_says_what_it_is_pooled_with(tmp_path):
    path = tmp_path / "said.csv"
    path.write_text("said,visit\nhello,1\nthere,\n")
    source, roles = open_source(path), ColumnRoles(text=("said",), pool="visit")
    with pytest.raises(InputError, match=r"said\.csv, row 2, column 'visit'") as refusal:
        list(source.texts(roles))
    assert refusal.value.code == "pool_missing"
    with pytest.raises(UsageError) as clash:
        source.texts(ColumnRoles(text=("said",), keep=("pool",)))
    assert clash.value.code == "column_clash"

"""Ciphertexts that others made come as they are, from every format; no vector, no row."""

import math

import numpy as np
import pyarrow as pa
import pytest

from cipherset.core.errors import CiphersetError
from cipherset.core.values import ColumnRoles
from cipherset.pipeline.ingest import open_source

ROLES = ColumnRoles(vector="c", label="kind")
NORMS = (1e-20, 0.5, 3.0, 1e20)


def table(n: int = 25) -> list[dict]:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((n, 3))
    return [
        {"c": (NORMS[i % 4] * rows[i]).tolist(), "kind": ["a", "b"][i % 2], "text": "no vector"}
        for i in range(n)
    ]


def refused(call) -> CiphersetError:
    with pytest.raises(CiphersetError) as caught:
        call()
    return caught.value


def test_vectors_of_any_norm_come_as_they_are_in_order(write):
    rows = table()
    batches = list(open_source(write(rows)).encrypted(ROLES, batch_rows=10))
    assert [len(batch.values) <= 10 for batch in batches] == [True] * len(batches)
    c = np.concatenate([batch.values for batch in batches])
    assert c.dtype == np.float32
    np.testing.assert_allclose(c, [row["c"] for row in rows], rtol=1e-6)
    columns = pa.concat_tables([batch.columns for batch in batches])
    assert columns["label"].to_pylist() == [row["kind"] for row in rows]
    assert columns["row"].to_pylist() == list(range(25))


def test_a_vector_of_zeros_is_one(write):
    rows = table()
    rows[3]["c"] = [0.0, 0.0, 0.0]
    c = np.concatenate([batch.values for batch in open_source(write(rows)).encrypted(ROLES)])
    assert (c[3] == 0.0).all()


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "vector_missing"),
        ([1.0, 2.0], "vector_ragged"),
        ([1.0] * 4, "vector_ragged"),
        ([1.0, math.nan, 1.0], "vector_not_finite"),
        ([1.0, -math.inf, 1.0], "vector_not_finite"),
        ([1.0, 1e39, 1.0], "vector_too_large"),
    ],
)
def test_a_row_that_is_no_vector(write, value, code):
    rows = table()
    rows[17]["c"] = value
    error = refused(lambda: list(open_source(write(rows)).encrypted(ROLES, batch_rows=4)))
    assert (error.code, error.exit_code) == (code, 4)
    assert "row 18, column 'c'" in str(error)


def test_columns_are_checked_at_once(write):
    source = open_source(write(table(3)))
    assert refused(lambda: source.encrypted(ColumnRoles(vector="x"))).code == "column_missing"
    assert refused(lambda: source.encrypted(ColumnRoles(text=("text",)))).code == "role_missing"
    both = ColumnRoles(text=("text",), vector="c")
    assert refused(lambda: source.encrypted(both)).code == "role_missing"


def test_text_is_no_vector(write):
    source = open_source(write(table(3)))
    assert refused(lambda: list(source.encrypted(ColumnRoles(vector="text")))).code == "column_type"

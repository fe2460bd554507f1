"""A table of a real PostgreSQL with pgvector, beyond what every store does."""

import sys

import numpy as np
import pytest
from index_samples import DIM, found, rows, same

from cipherset.app.index.build import _filled
from cipherset.core.errors import BackendError, UsageError
from cipherset.pipeline.index import open_pgvector

pytestmark = pytest.mark.extra


def test_what_is_stored_is_there_for_the_next_connection(database):
    every = rows(20)
    first = open_pgvector(database, "kept_rows", DIM)
    first.add(every)
    first.close()
    again = open_pgvector(database, "kept_rows", DIM)
    assert again.rows() == 20
    assert same(again.query(every.vectors[2], 1), every.take(np.array([2])))
    again.drop()
    again.close()


def test_the_graph_finds_a_row_by_itself(table):
    every = rows(500)
    table.add(every)
    table.build_graph()
    for i in range(0, 500, 100):
        assert found(table.query(every.vectors[i], 1)) == [every.ids[i].tobytes()]


def test_more_numbers_than_a_graph_takes(database):
    wide = open_pgvector(database, "wide_rows", 2_001)
    with pytest.raises(UsageError) as refused:
        wide.build_graph()
    assert refused.value.code == "index_graph"
    wide.drop()
    wide.close()


@pytest.mark.parametrize(("name", "dim"), [("rows; drop", DIM), ("rows", 16_001)])
def test_a_table_that_cannot_be_used(database, name, dim):
    with pytest.raises(UsageError) as refused:
        open_pgvector(database, name, dim)
    assert refused.value.code == "index_table"


def test_a_database_that_is_not_there(tmp_path):
    with pytest.raises(BackendError) as refused:
        open_pgvector(f"postgresql://nobody@/none?host={tmp_path}", "rows", DIM)
    assert refused.value.code == "index_database"
    assert "nobody" not in refused.value.message


def test_a_database_without_its_driver(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(BackendError) as refused:
        open_pgvector("postgresql://nobody@/none", "rows", DIM)
    assert refused.value.code == "index_driver"


def test_a_table_with_rows_is_not_built_into(table):
    table.add(rows(3))
    with pytest.raises(UsageError) as refused:
        _filled(None, None, None, table, None)
    assert refused.value.code == "index_table_taken"


def test_a_table_that_went_away(table):
    table.add(rows(3))
    table.drop()
    with pytest.raises(BackendError) as refused:
        table.rows()
    assert refused.value.code == "index_database"

"""The graph beside signed files: what it may miss is little, and what it answers is allowed."""

import numpy as np
import pytest
from index_samples import DIM, found, manifest, rows, slowly

from cipherset.core.errors import IntegrityError
from cipherset.pipeline.index import FileIndex, Filter
from cipherset.pipeline.index.entries import concatenated
from cipherset.pipeline.index.graph import GraphIndex

pytestmark = pytest.mark.extra


@pytest.fixture
def graph(folder, signer):
    FileIndex.create(folder, manifest(signer), signer)
    return GraphIndex(folder, signer, least_rows=0)


def test_the_graph_misses_little_of_what_the_slow_way_finds(graph):
    every = rows(3_000)
    graph.add(every)
    squared = ((every.vectors[:, np.newaxis] - rows(20, seed=9).vectors) ** 2).sum(axis=2)
    hit = 0
    for i, query in enumerate(rows(20, seed=9).vectors):
        true = {every.ids[row].tobytes() for row in np.argsort(squared[:, i])[:10]}
        hit += len(true & set(found(graph.query(query, 10))))
    assert hit >= 190


def test_rows_that_the_filter_does_not_let_answer_are_not_among_them(graph):
    """By the graph where most rows may answer, one by one where few may."""
    parts = [rows(300, seed=1), rows(40, seed=2, version=2)]
    for part in parts:
        graph.add(part)
    every, query = concatenated(parts), rows(1, seed=9).vectors[0]
    for version in (1, 2):
        got = graph.query(query, 30, Filter(version=version))
        expected = slowly(every, query, 30, lambda i, v=version: every.versions[i] == v)
        assert set(got.versions.tolist()) == {version}
        assert len(set(found(got)) & set(expected)) >= 29


def test_what_was_changed_is_in_the_next_answer(graph):
    every = rows(50)
    graph.add(every)
    assert found(graph.query(every.vectors[4], 1)) == [every.ids[4].tobytes()]
    graph.delete(every.ids[4:5])
    assert found(graph.query(every.vectors[4], 50)) == slowly(
        every, every.vectors[4], 50, lambda i: i != 4
    )


def test_its_files_are_checked_as_those_without_a_graph(graph, folder, signer):
    graph.add(rows(5))
    path = next(folder.glob("part-*"))
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(IntegrityError):
        GraphIndex(folder, signer)
    assert graph.dim == DIM

"""Histories, from end to end: items pooled, split by person, predicted, forgotten."""

import shutil

import numpy as np
import pytest
from thread_samples import QUICK, Owner, text_rows, vector_rows, write_rows

from cipherset.pipeline.export import open_cipherset

COLUMNS = ("--vector", "item", "--label", "next", "--pool", "history", "--group", "who")
N_POOLS = 240


def histories(*, who: bool = True) -> list[dict[str, object]]:
    """Three or four items each, around the center of what comes next; three per person."""
    centers = {"a": np.eye(8)[0], "b": np.eye(8)[1], "c": np.eye(8)[2]}
    rng = np.random.default_rng(4)
    rows = []
    for pool in range(N_POOLS):
        label = "abc"[int(rng.integers(3))]
        for _ in range(3 + pool % 2):
            item = centers[label] + 0.6 * rng.normal(size=8)
            row = {"item": item.tolist(), "next": label, "history": pool}
            rows.append(row | ({"who": f"person-{pool // 3}"} if who else {}))
    return rows


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """An owner, the source, and what protect said; read only."""
    owner = Owner(tmp_path_factory.mktemp("histories"))
    owner.key("support")
    source = write_rows(owner.folder / "histories.parquet", histories())
    target = owner.folder / "histories.cipherset"
    told = owner.ok("protect", source, *COLUMNS, "--key", "support", "--to", target, *QUICK)
    owner.ok("train", target, "--to", owner.folder / "next.bundle")
    return owner, source, told


def test_a_history_is_one_row(shown):
    owner, _, told = shown
    assert told["rows"]["train"] + told["rows"]["test"] == N_POOLS
    assert told["utility"]["encrypted"] >= 0.9
    manifest = open_cipherset(owner.folder / "histories.cipherset").manifest
    assert manifest.settings["pooled"] is True
    assert manifest.clear_columns == ()


def test_what_is_asked_later_is_pooled_too(shown):
    owner, source, _ = shown
    bundle = owner.folder / "next.bundle"
    assert owner.ok("evaluate", bundle, source)["n"] == N_POOLS
    found = owner.ok("predict", bundle, source)["predictions"]
    assert [each["row"] for each in found] == list(range(N_POOLS))
    labels = {row["history"]: row["next"] for row in histories()}
    right = [each["label"] == labels[each["row"]] for each in found]
    assert np.mean(right) >= 0.9


@pytest.mark.extra
def test_public_histories_are_pooled_and_words_are_not_asked_for(shown):
    owner, source, _ = shown
    target = owner.folder / "histories.cipherset"
    done = owner.run("assess", target, "--records", source)
    assert (done.code, done.error["code"]) == (4, "records_text")
    told = owner.ok("assess", target, "--public", source)
    assert {"K1", "K4"} <= {each["knowledge"] for each in told["attacks"]}


def test_the_same_is_not_made_twice_and_pooled_otherwise_is_not_the_same(shown, tmp_path):
    shutil.copytree(shown[0].folder, tmp_path / "copy")
    owner, source = Owner(tmp_path / "copy"), tmp_path / "copy" / shown[1].name
    again = ("protect", source, "--key", "support", *QUICK)
    assert owner.ok(*again, *COLUMNS, "--to", tmp_path / "a")["repeated"] is True
    risk = ("--accept-risk", "a test")
    told = owner.ok(*again, *COLUMNS[:4], *risk, "--to", tmp_path / "b")
    assert told["repeated"] is False
    assert told["joined_with"] == []


def test_a_person_is_forgotten_by_group_and_by_the_source(shown):
    owner, source, _ = shown
    assert owner.ok("forget", "person-3", "--foresee")["rows"] == 3
    by = ("--source", source, "--column", "who", "--foresee")
    assert owner.ok("forget", "person-3", *by)["rows"] == 3
    bare = write_rows(owner.folder / "bare.parquet", [{"who": "person-3"}])
    by = ("--source", bare, "--column", "who", "--foresee")
    assert owner.ok("forget", "person-3", *by)["rows"] == 0


@pytest.mark.extra
def test_an_index_of_a_pooled_export_pools_what_is_added_and_leaves_out_who_was_forgotten(
    shown, tmp_path
):
    shutil.copytree(shown[0].folder, tmp_path / "copy")
    owner, source = Owner(tmp_path / "copy"), tmp_path / "copy" / shown[1].name
    given = ("--key", "support", "--approximation-factor", "4", "--accept-risk", "a test")
    build = ("index", "build", owner.folder / "histories.cipherset", *given, "--to")
    index = owner.folder / "histories.index"
    assert owner.ok(*build, index)["rows"] == N_POOLS
    added = owner.ok("index", "add", index, source)
    assert (added["changed"], added["rows"]) == (N_POOLS, 2 * N_POOLS)
    assert owner.ok("forget", "person-3")["rows"] == 3
    assert owner.ok(*build, owner.folder / "rest.index")["rows"] == N_POOLS - 3


@pytest.mark.extra
def test_threads_of_text(owner):
    """Messages are sanitized and embedded one by one; one text is a thread of one message."""
    rows = [row | {"thread": i // 2} for i, row in enumerate(_pairs())]
    source = write_rows(owner.folder / "said.csv", rows)
    columns = ("--text", "body", "--label", "topic", "--pool", "thread")
    settings = ("--minimize", "pca:2", "--approximation-factor", "4", "--accept-risk", "a test")
    target, bundle = owner.folder / "out", owner.folder / "bundle"
    told = owner.ok("protect", source, *columns, "--key", "support", "--to", target, *settings)
    assert told["rows"]["train"] + told["rows"]["test"] == len(rows) // 2
    owner.ok("train", target, "--to", bundle)
    (answer,) = owner.ok("predict", bundle, "--value", "where is my parcel?")["predictions"]
    assert answer["label"] in {"parcel", "refund"}
    assert owner.ok("forget", "1", "--source", source, "--column", "thread")["rows"] == 1


def test_what_is_pooled_is_of_one_label(owner, tmp_path):
    source = write_rows(tmp_path / "rows.parquet", vector_rows(60))
    columns = ("--vector", "vec", "--label", "topic", "--pool", "thread")
    done = owner.run("protect", source, *columns, "--key", "support", "--to", tmp_path / "out")
    assert (done.code, done.error["code"]) == (4, "pool_differs")


def _pairs() -> list[dict[str, object]]:
    """Two messages of one topic after another."""
    return sorted(text_rows(160), key=lambda row: str(row["topic"]))

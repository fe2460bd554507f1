"""Rows ranked within a group, from end to end: protected, trained, and put in order."""

import numpy as np
import pytest
from thread_samples import Owner, Row, write_rows

from cipherset.core.manifest import Task
from cipherset.pipeline.export import open_cipherset

COLUMNS = ("--vector", "vec", "--label", "grade", "--rank-by", "query")
SETTINGS = ("--minimize", "pls:2", "--approximation-factor", "3", "--max-reid", "0.4")


def graded(n: int = 600, *, seed: int = 5) -> list[Row]:
    """Vectors of answers to queries, six each, and how good each answer is: 0 to 3."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 8))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    grades = np.digitize(x[:, 0] + 0.5 * x[:, 1] + 0.05 * rng.standard_normal(n), [-0.3, 0, 0.3])
    return [
        {"vec": x[i].tolist(), "grade": int(grades[i]), "query": f"query-{i // 6}"}
        for i in range(n)
    ]


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """An owner, what protect said, and a bundle; read only."""
    owner = Owner(tmp_path_factory.mktemp("ranking"))
    owner.key("support")
    source = write_rows(owner.folder / "rows.jsonl", graded())
    target = owner.folder / "ranked"
    told = owner.ok("protect", source, *COLUMNS, "--key", "support", "--to", target, *SETTINGS)
    owner.ok("train", target, "--to", owner.folder / "bundle")
    return owner, told


def test_grades_are_numbers_and_queries_stay(shown):
    owner, told = shown
    assert told["utility"]["encrypted"] > 0.5
    manifest = open_cipherset(owner.folder / "ranked").manifest
    assert manifest.task is Task.REGRESSION
    assert manifest.settings["ranked"] is True
    assert manifest.clear_columns == ()


def test_queries_held_out_are_put_in_order(shown):
    owner = shown[0]
    found = owner.ok("evaluate", owner.folder / "bundle", owner.folder / "ranked")
    assert found["pairwise_accuracy"] > 0.85
    assert found["ndcg_at_10"] > 0.9
    assert found["groups"] == 25  # whole: a quarter of a hundred
    fresh = write_rows(owner.folder / "fresh.jsonl", graded(120, seed=9))
    assert owner.ok("evaluate", owner.folder / "bundle", fresh)["pairwise_accuracy"] > 0.85


def test_a_source_without_the_group_cannot_be_put_in_order(shown):
    owner = shown[0]
    rows = [{"vec": row["vec"], "grade": row["grade"]} for row in graded(60)]
    source = write_rows(owner.folder / "bare.jsonl", rows)
    done = owner.run("evaluate", owner.folder / "bundle", source)
    assert (done.code, done.error["code"]) == (4, "column_missing")
    assert len(owner.ok("predict", owner.folder / "bundle", source)["predictions"]) == 60


@pytest.mark.parametrize(
    ("options", "exit_code", "code"),
    [
        ((*COLUMNS, "--group", "grade"), 2, "usage"),
        (("--vector", "vec", "--rank-by", "query"), 2, "usage"),
        ((*COLUMNS, "--labels-sep", ";"), 2, "usage"),
        (("--vector", "vec", "--label", "query", "--rank-by", "grade"), 4, "label_type"),
    ],
)
def test_what_cannot_be_ranked_is_refused(owner, tmp_path, options, exit_code, code):
    source = write_rows(tmp_path / "rows.jsonl", graded(60))
    done = owner.run("protect", source, *options, "--key", "support", "--to", tmp_path / "out")
    assert (done.code, done.error["code"]) == (exit_code, code)


@pytest.mark.soak
def test_a_calibration_measures_grades_as_numbers(owner, tmp_path):
    source = write_rows(tmp_path / "rows.jsonl", graded(900))
    where = ("--to", tmp_path / "frontier", "--max-reid", "0.6")
    found = owner.ok("calibrate", source, *COLUMNS, *where)
    assert found["figure"] == "R2"
    assert {point["minimizer"] for point in found["frontier"]} >= {"pls:4", "pls:2", "none"}
    assert found["plain"] > 0.5

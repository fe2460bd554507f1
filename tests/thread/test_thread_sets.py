"""Rows with several labels each, from end to end: protected, trained, evaluated, predicted."""

import json
import shutil

import numpy as np
import pytest
from thread_samples import Owner, Row, text_rows, write_rows

from cipherset.app.index.search import SearchRequest, search
from cipherset.app.workspace import Session
from cipherset.core.manifest import Task
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.pipeline.export import open_cipherset

NAMES = ("cold", "late", "lost")
COLUMNS = ("--vector", "vec", "--label", "tags", "--labels-sep", ";")
SETTINGS = ("--minimize", "pls:3", "--approximation-factor", "6", "--max-reid", "0.4")
N = 500


def tagged(n: int = N, *, seed: int = 5, dim: int = 8) -> list[Row]:
    """Vectors that say which of three tags a row has, of which it may have none."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, dim))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    has = x[:, :3] + 0.05 * rng.standard_normal((n, 3)) > 0.1
    return [
        {"vec": x[i].tolist(), "tags": [t for t, is_in in zip(NAMES, has[i], strict=True) if is_in]}
        for i in range(n)
    ]


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """An owner, what protect said, and a bundle; read only."""
    owner = Owner(tmp_path_factory.mktemp("sets"))
    owner.key("support")
    source = write_rows(owner.folder / "rows.jsonl", tagged())
    target = owner.folder / "sets"
    told = owner.ok("protect", source, *COLUMNS, "--key", "support", "--to", target, *SETTINGS)
    trained = owner.ok("train", target, "--to", owner.folder / "bundle")
    return owner, told, trained


def test_it_is_as_good_as_plain_and_far_from_a_guess(shown):
    _, told, trained = shown
    utility = told["utility"]
    assert utility["plain"] > 0.9
    assert utility["encrypted"] > 0.85
    assert utility["owner_head"] > 0.85
    assert utility["anchor_control"] > 0.7
    assert told["assessment"]["reid_high"] <= 0.4
    assert told["assessment"]["unprotected"] > 0.9
    assert 0 < trained["metrics"]["macro_f1"] <= 1


def test_the_manifest_names_the_labels_and_the_file_has_lists(shown):
    data = open_cipherset(shown[0].folder / "sets")
    assert data.manifest.task is Task.MULTILABEL
    assert data.manifest.classes == NAMES
    x, y = data.to_numpy("train")
    assert y.shape == (len(x), 3)


def test_it_is_evaluated_on_the_sealed_split_and_on_a_source(shown):
    owner = shown[0]
    bundle = owner.folder / "bundle"
    sealed = owner.ok("evaluate", bundle, owner.folder / "sets")
    assert sealed["balanced_accuracy"] > 0.85
    assert sealed["micro_f1"] > 0.75
    assert set(sealed["labels"]) == set(NAMES)
    fresh = write_rows(owner.folder / "fresh.jsonl", tagged(100, seed=6))
    assert owner.ok("evaluate", bundle, fresh)["n"] == 100
    strange = tagged(100, seed=6)
    strange[7]["tags"] = ["torn"]
    done = owner.run("evaluate", bundle, write_rows(owner.folder / "strange.jsonl", strange))
    assert (done.code, done.error["code"]) == (4, "unknown_label")
    assert "torn" not in done.out


def test_a_prediction_is_a_set(shown):
    owner, fresh = shown[0], tagged(60, seed=7)
    source = write_rows(owner.folder / "asked.jsonl", [{"vec": row["vec"]} for row in fresh])
    told = owner.ok("predict", owner.folder / "bundle", source)["predictions"]
    right = [
        (name in each["label"]) == (name in row["tags"])
        for each, row in zip(told, fresh, strict=True)
        for name in NAMES
    ]
    assert np.mean(right) > 0.85
    assert all(each["label"] == sorted(each["label"]) for each in told)


def test_it_can_be_trained_at_the_gate_and_not_as_trees(shown, tmp_path):
    shutil.copytree(shown[0].folder, tmp_path / "copy")
    owner = Owner(tmp_path / "copy")
    target = owner.folder / "sets"
    owner.ok("train", target, "--to", tmp_path / "gate", "--at-gate")
    assert owner.ok("evaluate", tmp_path / "gate", target)["macro_f1"] > 0.85
    done = owner.run("train", target, "--to", tmp_path / "trees", "--model", "boosting")
    assert (done.code, done.error["code"]) == (2, "model_kind")


def test_an_index_of_it_tags_what_is_added_by_the_same_sets(shown, tmp_path):
    shutil.copytree(shown[0].folder, tmp_path / "copy")
    owner, index = Owner(tmp_path / "copy"), tmp_path / "sets.index"
    given = ("--key", "support", "--approximation-factor", "4", "--accept-risk", "a test")
    owner.ok("index", "build", owner.folder / "sets", *given, "--to", index)
    one = tagged(1, seed=8)[0]
    more = write_rows(tmp_path / "more.csv", [{"vec": json.dumps(one["vec"]), "tags": "lost;cold"}])
    owner.ok("index", "add", index, more)
    session = Session(owner.home, "ada", tmp_path, TerminalProgress())
    asked = SearchRequest(index, vector=tuple(one["vec"]), top=1, label='["cold", "lost"]')
    (hit,) = search(session, asked)
    assert (hit.source, hit.row) == ("more.csv", 0)


def test_the_same_is_not_made_twice_and_is_another_than_one_label(shown, tmp_path):
    shutil.copytree(shown[0].folder, tmp_path / "copy")
    owner = Owner(tmp_path / "copy")
    again = ("protect", owner.folder / "rows.jsonl", "--key", "support", *SETTINGS)
    assert owner.ok(*again, *COLUMNS, "--to", tmp_path / "a")["repeated"] is True
    done = owner.run(*again, *COLUMNS[:4], "--to", tmp_path / "b")
    assert (done.code, done.error["code"]) == (4, "column_type")


def test_an_owner_who_settles_nothing_gets_a_setting_under_the_limit(owner, tmp_path):
    source = write_rows(tmp_path / "rows.parquet", tagged(900))
    told = owner.ok(
        "protect", source, *COLUMNS, "--key", "support", "--to", tmp_path / "out",
        "--max-reid", "0.2",
    )  # fmt: skip
    assert told["minimizer"].startswith("pls:")
    assert told["assessment"]["reid_high"] <= 0.2


def test_a_file_of_cells_says_the_same_with_a_separator(owner, tmp_path):
    rows = [
        {"vec": json.dumps(row["vec"]), "tags": " ; ".join(reversed(row["tags"]))}
        for row in tagged()
    ]
    source = write_rows(tmp_path / "rows.csv", rows)
    target = tmp_path / "out"
    owner.ok("protect", source, *COLUMNS, "--key", "support", "--to", target, *SETTINGS)
    sets = {
        tuple(labels) for labels in open_cipherset(target).to_arrow("train")["label"].to_pylist()
    }
    assert sets <= {tuple(row["tags"]) for row in tagged()}
    assert () in sets


def _with_tags(tags: list[object]) -> list[Row]:
    return [row | {"tags": tags[i % len(tags)]} for i, row in enumerate(tagged(120))]


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ([["a"], [1]], "label_set"),
        ([["a"], None], "label_missing"),
        ([["a"], ["a"]], "one_class"),
        ([["a"], []], "one_class"),
        ([[f"t{i}"] for i in range(40)], "too_many_labels"),
        (
            [[f"{t}{i}" for t in "ab" if i >> "ab".index(t) & 1] for i in range(120)],
            "too_many_labels",
        ),
    ],
)
def test_labels_that_cannot_be_told_are_refused(owner, tmp_path, tags, code):
    source = write_rows(tmp_path / "rows.jsonl", _with_tags(tags))
    done = owner.run(
        "protect", source, *COLUMNS, "--key", "support", "--to", tmp_path / "out", *SETTINGS
    )
    assert (done.code, done.error["code"]) == (4, code)


def test_a_set_of_its_own_for_each_row_is_refused(owner, tmp_path):
    own = [[t for at, t in enumerate("abcdefg") if i >> at & 1] for i in range(120)]
    source = write_rows(tmp_path / "rows.jsonl", _with_tags(own))
    done = owner.run(
        "protect", source, *COLUMNS, "--key", "support", "--to", tmp_path / "out", *SETTINGS
    )
    assert (done.code, done.error["code"]) == (4, "label_per_row")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((*COLUMNS, "--minimize", "bottleneck:2"), "usage"),
        (("--vector", "vec", "--labels-sep", ";", "--minimize", "pca:2"), "label_separator"),
        ((*COLUMNS[:-1], ""), "label_separator"),
        ((*COLUMNS, "--release", "synthetic", "--epsilon", "3", "--delta", "1e-6"), "usage"),
        (("--text", "a", "--text", "b", *COLUMNS[2:]), "usage"),
    ],
)
def test_what_does_not_go_with_several_labels_is_refused(owner, tmp_path, options, code):
    source = write_rows(tmp_path / "rows.jsonl", tagged(30))
    done = owner.run("protect", source, *options, "--key", "support", "--to", tmp_path / "out")
    assert (done.code, done.error["code"]) == (2, code)


@pytest.mark.extra
def test_texts_with_several_labels(owner, tmp_path):
    rows = [
        {"body": row["body"], "tags": [row["topic"]] + ["long"] * (len(row["body"]) > 38)}
        for row in text_rows(240)
    ]
    source, target = write_rows(tmp_path / "rows.jsonl", rows), tmp_path / "out"
    columns = ("--text", "body", "--label", "tags", "--labels-sep", ";")
    risk = ("--minimize", "pls:2", "--approximation-factor", "4", "--accept-risk", "a test")
    owner.ok("protect", source, *columns, "--key", "support", "--to", target, *risk)
    owner.ok("train", target, "--to", tmp_path / "bundle")
    (told,) = owner.ok("predict", tmp_path / "bundle", "--value", "where is my parcel?")[
        "predictions"
    ]
    assert "parcel" in told["label"]


@pytest.mark.extra
def test_an_export_of_sets_is_assessed_and_its_rows_forgotten(shown, tmp_path):
    shutil.copytree(shown[0].folder, tmp_path / "copy")
    owner = Owner(tmp_path / "copy")
    told = owner.ok("assess", owner.folder / "sets")
    assert any(each["knowledge"] == "K4" for each in told["attacks"])
    source = owner.folder / "rows.jsonl"
    fresh = tagged(400, seed=11)
    again = write_rows(tmp_path / "more.jsonl", tagged(250) + fresh)
    joined = owner.ok(
        "protect", again, *COLUMNS, "--key", "support", "--to", tmp_path / "b", *SETTINGS,
        "--accept-risk", "a test",
    )  # fmt: skip
    assert joined["joined_with"]
    assert source.exists()


@pytest.mark.soak
def test_a_calibration_measures_sets(owner, tmp_path):
    source = write_rows(tmp_path / "rows.jsonl", tagged(900))
    where = ("--to", tmp_path / "frontier", "--max-reid", "0.6")
    found = owner.ok("calibrate", source, *COLUMNS, *where)
    assert found["figure"] == "balanced accuracy"
    assert found["plain"] > 0.9
    assert {point["minimizer"] for point in found["frontier"]} >= {"pls:8", "pls:4", "none"}
    assert "balanced accuracy" in (tmp_path / "frontier" / "report.html").read_text()

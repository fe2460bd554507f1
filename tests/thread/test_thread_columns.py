"""Columns beside vectors and texts, from end to end: protected, trained, evaluated, predicted."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from thread_samples import Owner, Row, bytes_below, text_rows, write_rows

from cipherset.app.engine.engine import Engine, EngineKind
from cipherset.app.exports.request import ProtectRequest
from cipherset.core.errors import UsageError
from cipherset.core.values import ColumnRoles
from cipherset.pipeline.export import open_cipherset

BESIDE = ("--columns", "plan, age", "--columns", "seats")
COLUMNS = ("--vector", "vec", *BESIDE, "--label", "leaves")
SETTINGS = ("--minimize", "lda:1", "--approximation-factor", "5", "--max-reid", "0.4")
CANARY = "plan-c4nary"
N = 400


def subscribers(n: int = N, *, seed: int = 5, dim: int = 8) -> list[Row]:
    """Half of who leaves is in the vectors, half in plan and age, of which some are missing."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, dim))
    age = rng.integers(18, 80, n)
    plan = rng.choice(["basic", "pro", CANARY], n)
    leaves = x[:, 0] + 2.0 * (plan == CANARY) + 0.05 * (age - 50) > 0.7
    lacks = rng.random(n) < 0.05
    return [
        {
            "vec": (x[i] / np.linalg.norm(x[i])).tolist(),
            "plan": str(plan[i]),
            "age": None if lacks[i] else int(age[i]),
            "seats": f"{rng.integers(1, 5)}.5",
            "leaves": ("no", "yes")[int(leaves[i])],
        }
        for i in range(n)
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """An owner, what protect said, and a bundle; read only."""
    owner = Owner(tmp_path_factory.mktemp("columns"))
    owner.key("support")
    source = write_rows(owner.folder / "rows.jsonl", subscribers())
    target = owner.folder / "made"
    told = owner.ok("protect", source, *COLUMNS, "--key", "support", "--to", target, *SETTINGS)
    owner.ok("train", target, "--to", owner.folder / "bundle")
    return owner, told


@pytest.fixture
def copied(made, tmp_path):
    """The same, to change."""
    shutil.copytree(made[0].folder, tmp_path / "copy")
    return Owner(tmp_path / "copy")


def test_columns_tell_what_vectors_do_not(made, tmp_path):
    owner, told = made
    alone = Owner(tmp_path)
    alone.key("support")
    without = alone.ok(
        "protect", owner.folder / "rows.jsonl", "--vector", "vec", "--label", "leaves",
        "--key", "support", "--to", tmp_path / "alone", *SETTINGS,
    )  # fmt: skip
    assert told["utility"]["plain"] > without["utility"]["plain"] + 0.05
    assert told["utility"]["encrypted"] > without["utility"]["encrypted"] + 0.05
    assert told["assessment"]["unprotected"] > 0.9
    assert told["assessment"]["reid_high"] <= 0.4


def test_a_number_that_names_a_row_is_found_without_protection_and_not_with_it(made):
    owner, told = made
    data = open_cipherset(owner.folder / "made")
    assert data.manifest.settings["columns_beside"] == 3
    assert data.to_numpy("train")[0].shape[1] == told["dim"] == 1


def test_no_value_of_a_column_leaves_nor_lies_about(made):
    owner = made[0]
    files = bytes_below(owner.folder / "made") | owner.exports() | bytes_below(owner.home)
    assert len(files) > 5
    assert not [name for name, raw in files.items() if CANARY.encode() in raw]
    assert CANARY not in json.dumps(owner.ok("inspect", owner.folder / "made"))


def test_rows_of_another_source_are_joined_by_the_same_columns(made):
    owner, bundle = made[0], made[0].folder / "bundle"
    sealed = owner.ok("evaluate", bundle, owner.folder / "made")
    fresh = subscribers(300, seed=6)
    source = write_rows(owner.folder / "fresh.csv", fresh)
    assert owner.ok("evaluate", bundle, source)["accuracy"] > sealed["accuracy"] - 0.1
    told = owner.ok("predict", bundle, source)["predictions"]
    right = [one["label"] == row["leaves"] for one, row in zip(told, fresh, strict=True)]
    assert np.mean(right) > 0.75
    # The columns count: without plan and age the answers are others.
    blank = [{**row, "plan": "never seen", "age": None} for row in fresh]
    other = owner.ok("predict", bundle, write_rows(owner.folder / "blank.csv", blank))
    assert other["predictions"] != told


def test_a_source_without_the_columns_is_refused(made, tmp_path):
    owner = made[0]
    rows = [{"vec": row["vec"]} for row in subscribers(20)]
    done = owner.run("predict", owner.folder / "bundle", write_rows(tmp_path / "a.jsonl", rows))
    assert (done.code, done.error["code"]) == (4, "column_missing")


@pytest.mark.soak
def test_a_second_export_under_the_key_takes_the_columns_as_they_were_fitted(copied, tmp_path):
    again = ("protect", copied.folder / "rows.jsonl", "--key", "support", *SETTINGS)
    assert copied.ok(*again, *COLUMNS, "--to", tmp_path / "same")["repeated"] is True
    for others in (("--vector", "vec", "--label", "leaves"), (*COLUMNS[:3], "age", *COLUMNS[4:])):
        done = copied.run(*again, *others, "--to", tmp_path / "other")
        assert (done.code, done.error["code"]) == (3, "minimizer_bound")
        assert "another columns" in done.error["message"]
    fresh = write_rows(tmp_path / "fresh.jsonl", subscribers(seed=9))
    told = copied.ok(
        "protect", fresh, *COLUMNS, "--key", "support", "--to", tmp_path / "b", *SETTINGS
    )
    assert told["repeated"] is False
    bundle = copied.folder / "bundle"
    assert copied.ok("evaluate", bundle, tmp_path / "b")["accuracy"] > 0.75


@pytest.mark.soak
def test_a_model_of_them_is_trained_at_the_gate_but_with_no_epsilon(copied, tmp_path):
    target = copied.folder / "made"
    copied.ok("train", target, "--to", tmp_path / "gate", "--at-gate")
    assert copied.ok("evaluate", tmp_path / "gate", target)["accuracy"] > 0.8
    private = ("--at-gate", "--dp", "3,1e-6")
    done = copied.run("train", target, "--to", tmp_path / "private", *private)
    assert (done.code, done.error["code"]) == (4, "columns_beside")


@pytest.mark.soak
def test_the_same_rows_under_another_key_are_joined_with_what_left_before(copied, tmp_path):
    copied.key("other")
    told = copied.ok(
        "protect", copied.folder / "rows.jsonl", *COLUMNS, "--key", "other",
        "--to", tmp_path / "next", *SETTINGS, "--accept-risk", "a test",
    )  # fmt: skip
    assert len(told["joined_with"]) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--pool", "id"), "--pool"),
        (("--minimize", "dp-bottleneck:4,3,1e-5", "--noise", "gaussian:3,1e-5"), "epsilon"),
        (("--release", "synthetic", "--epsilon", "3", "--delta", "1e-5"), "epsilon"),
    ],
)
def test_what_takes_no_columns_says_so(owner, tmp_path, options, said):
    source = write_rows(tmp_path / "rows.jsonl", subscribers(20))
    asked = ("--key", "support", "--to", tmp_path / "out", *options)
    done = owner.run("protect", source, *COLUMNS, *asked)
    assert (done.code, done.error["code"]) == (2, "usage")
    assert said in done.error["message"]


def test_workers_of_another_process_take_none():
    with pytest.raises(UsageError) as refused:
        ProtectRequest(
            "rows.csv",
            ColumnRoles(("body",), beside=("age",)),
            "support",
            Path("out"),
            engine=Engine(EngineKind.RAY, has_token=True),
        )
    assert "--columns" in refused.value.message


def test_which_texts_are_needed_beside_columns_is_not_measured(owner, tmp_path):
    source = write_rows(tmp_path / "rows.csv", [{"a": "x", "b": "y", "n": 1, "leaves": "no"}])
    done = owner.run(
        "protect", source, "--text", "a", "--text", "b", "--columns", "n", "--label", "leaves",
        "--key", "support", "--to", tmp_path / "out",
    )  # fmt: skip
    assert (done.code, done.error["code"]) == (2, "usage")
    assert "--all-fields" in done.error["message"]


@pytest.mark.soak
def test_a_calibration_measures_them_with_their_vectors(owner, tmp_path):
    source = write_rows(tmp_path / "rows.jsonl", subscribers(900))
    plain = {}
    for name, columns in (("with", COLUMNS), ("without", ("--vector", "vec", *COLUMNS[-2:]))):
        where = ("--to", tmp_path / name, "--max-reid", "0.6")
        found = owner.ok("calibrate", source, *columns, *where)
        assert found["figure"] == "accuracy"
        plain[name] = found["plain"]
    assert plain["with"] > plain["without"] + 0.05


@pytest.mark.parametrize("command", ["calibrate", "protect"])
def test_no_columns_beside_pooled_rows(owner, tmp_path, command):
    key = ("--key", "support") if command == "protect" else ()
    options = (*COLUMNS, "--pool", "plan", *key, "--to", tmp_path / "out")
    done = owner.run(command, tmp_path / "none.jsonl", *options)
    assert (done.code, done.error["code"]) == (2, "usage")
    assert command in done.error["hint"]


@pytest.mark.parametrize("column", ["leaves", "vec", "age,age"])
def test_a_column_plays_one_part(owner, tmp_path, column):
    source = write_rows(tmp_path / "rows.jsonl", subscribers(20))
    done = owner.run(
        "protect", source, "--vector", "vec", "--label", "leaves", "--columns", column,
        "--key", "support", "--to", tmp_path / "out",
    )  # fmt: skip
    assert (done.code, done.error["code"]) == (2, "column_clash")


@pytest.mark.soak
def test_a_column_of_texts_is_refused_without_one_of_them(owner, tmp_path):
    rows = [{**row, "plan": f"{CANARY} {i}"} for i, row in enumerate(subscribers(1400))]
    done = owner.run(
        "protect", write_rows(tmp_path / "rows.jsonl", rows), *COLUMNS, "--key", "support",
        "--to", tmp_path / "out", *SETTINGS,
    )  # fmt: skip
    assert (done.code, done.error["code"]) == (4, "column_values")
    assert CANARY not in done.out + done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.soak
def test_rows_are_forgotten_by_a_file_that_has_no_such_columns(copied, tmp_path):
    rows = [{"vec": row["vec"], "who": "ada"} for row in subscribers(3)]
    source = write_rows(tmp_path / "who.jsonl", rows)
    told = copied.ok("forget", "ada", "--column", "who", "--source", source)
    assert [each["rows"] for each in told["exports"]] == [3]


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """An owner with an export of texts and a column beside, and its bundle; read only."""
    owner = Owner(tmp_path_factory.mktemp("texts"))
    owner.key("support")
    rng = np.random.default_rng(3)
    rows = [{**row, "tier": str(rng.choice(["gold", "tin"]))} for row in text_rows(120)]
    for row in rows:
        row["topic"] = "first" if row["tier"] == "gold" else row["topic"]
    source = write_rows(owner.folder / "rows.csv", rows)
    told = owner.ok(
        "protect", source, "--text", "body", "--columns", "tier", "--label", "topic",
        "--key", "support", "--to", owner.folder / "made",
        "--minimize", "none", "--approximation-factor", "0", "--accept-risk", "a test",
    )  # fmt: skip
    assert told["utility"]["plain"] > 0.85
    owner.ok("train", owner.folder / "made", "--to", owner.folder / "bundle")
    return owner


@pytest.mark.soak
def test_one_row_is_a_json_object_with_its_columns(minilm, texts):
    bundle = texts.folder / "bundle"

    def told(**row):
        return texts.ok("predict", bundle, "--value", json.dumps(row))["predictions"][0]["label"]

    assert told(body="please refund 12 euros for order 31", tier="gold") == "first"
    assert told(body="please refund 12 euros for order 31", tier="tin") == "refund"
    assert told(body="my parcel to 5 is 3 days late", tier="tin") == "parcel"
    assert told(body="my parcel to 5 is 3 days late", tier=None) != "first"


@pytest.mark.soak
@pytest.mark.parametrize(
    "value",
    ["just text", "[1]", '{"body": "x"}', '{"body": "c4nary", "tier": "x", "more": 1}',
     '{"body": " ", "tier": "c4nary"}'],
)  # fmt: skip
def test_a_value_that_is_no_such_object_is_refused(minilm, texts, value):
    done = texts.run("predict", texts.folder / "bundle", "--value", value)
    assert (done.code, done.error["code"]) == (4, "value_columns")
    assert "c4nary" not in done.out + done.err


@pytest.mark.soak
def test_an_index_of_it_is_refused(minilm, texts, tmp_path):
    done = texts.run(
        "index", "build", texts.folder / "made", "--key", "support", "--to", tmp_path / "i"
    )
    assert (done.code, done.error["code"]) == (4, "columns_beside")


@pytest.mark.attack
def test_it_is_assessed_with_public_rows_that_have_the_columns(minilm, texts, tmp_path):
    shutil.copytree(texts.folder, tmp_path / "copy")
    owner = Owner(tmp_path / "copy")
    rng = np.random.default_rng(4)
    rows = [{**row, "tier": str(rng.choice(["gold", "tin"]))} for row in text_rows(80, seed=9)]
    public, made = write_rows(tmp_path / "public.csv", rows), owner.folder / "made"
    own = ("--records", owner.folder / "rows.csv", "--attribute", "tier")
    owner.ok("assess", made, "--public", public, *own, "--pairs", "50")
    without = write_rows(tmp_path / "without.csv", [{"body": row["body"]} for row in rows])
    done = owner.run("assess", made, "--public", without)
    assert (done.code, done.error["code"]) == (4, "column_missing")

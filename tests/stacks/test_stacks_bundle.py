"""``cipherset bundle``: an ONNX file of any library becomes what the owner's side takes."""

import re
from pathlib import Path

import numpy as np
import onnx
import pytest
import skl2onnx
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from thread_samples import Owner, cipherset, vector_rows

from cipherset.pipeline.export import open_cipherset
from cipherset.pipeline.train import load_bundle, run_labels
from cipherset.pipeline.train.check import ALLOWED

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "train-with-your-stack.md"


def written(path: Path, model, x) -> Path:
    graph = skl2onnx.to_onnx(model, x[:1], options={"zipmap": False})
    path.write_bytes(graph.SerializeToString())
    return path


def bundled(lab: Path, model: Path, *options: object):
    """The command, in a workspace that is not there."""
    return cipherset(
        *("bundle", model, "--cipherset", lab / "rows.cipherset", "--to", lab / "b", *options),
        *("--home", lab / "nowhere", "--json"),
    )


@pytest.fixture
def rows(lab):
    return open_cipherset(lab / "rows.cipherset").to_numpy("train")


def test_a_model_of_another_library_is_evaluated_and_predicts(owner_once: Owner, lab, rows):
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(*rows)
    done = bundled(lab, written(lab / "m.onnx", model, rows[0]))
    assert done.code == 0, done.out
    test = open_cipherset(lab / "rows.cipherset").to_numpy("test")
    assert done.json["model"] == "external"
    assert done.json["lab_accuracy"] == pytest.approx(model.score(*test))
    assert sorted(path.name for path in lab.iterdir()) == ["b", "m.onnx", "rows.cipherset"]

    scores = owner_once.ok("evaluate", lab / "b", owner_once.folder / "rows.cipherset")
    assert scores["accuracy"] > 0.9
    answers = owner_once.ok("predict", lab / "b", owner_once.folder / "rows.parquet")
    truth = [row["topic"] for row in vector_rows()]
    right = [answer["label"] == truth[answer["row"]] for answer in answers["predictions"]]
    assert np.mean(right) > 0.9


def test_the_bundle_answers_as_the_model_does(lab, rows):
    x, _ = rows
    model = LogisticRegression().fit(*rows)
    assert bundled(lab, written(lab / "m.onnx", model, x)).code == 0
    bundle = load_bundle(lab / "b")
    names = np.array(bundle.manifest.classes)
    assert (names[run_labels(bundle, x)] == model.predict(x)).all()


def test_another_key_does_not_open_it(lab, rows, tmp_path):
    model = LogisticRegression().fit(*rows)
    assert bundled(lab, written(lab / "m.onnx", model, rows[0])).code == 0
    stranger = Owner(tmp_path / "stranger")
    stranger.folder.mkdir()
    stranger.key("support")
    assert stranger.run("predict", lab / "b", "--value", "a text").code == 5


def test_an_operator_that_is_not_listed_is_refused(lab, rows):
    done = bundled(lab, written(lab / "m.onnx", GaussianNB().fit(*rows), rows[0]))
    assert (done.code, done.error["code"]) == (3, "model_operator")
    assert not (lab / "b").exists()


def test_a_model_for_other_vectors_is_refused(lab, rows):
    wider = np.hstack([rows[0], rows[0]])
    model = LogisticRegression().fit(wider, rows[1])
    done = bundled(lab, written(lab / "m.onnx", model, wider))
    assert (done.code, done.error["code"]) == (4, "model_dim")


def test_a_model_of_other_labels_is_found_before_it_leaves(lab, rows):
    model = LogisticRegression().fit(rows[0], np.char.add(rows[1], "!"))
    done = bundled(lab, written(lab / "m.onnx", model, rows[0]))
    assert (done.code, done.error["code"]) == (3, "model_output")
    assert not (lab / "b").exists()


@pytest.mark.parametrize(
    ("raw", "code"), [(None, "model_missing"), (b"\x80\x04.", "model_format"), (b"?", "not_onnx")]
)
def test_what_is_no_model_is_refused(lab, raw, code):
    if raw is not None:
        (lab / "m.onnx").write_bytes(raw)
    done = bundled(lab, lab / "m.onnx")
    assert (done.code, done.error["code"]) == (4, code)


def test_a_folder_is_no_model(lab):
    (lab / "m.onnx").mkdir()
    assert bundled(lab, lab / "m.onnx").error["code"] == "model_missing"


def test_what_is_there_stays(lab, rows):
    model = written(lab / "m.onnx", LogisticRegression().fit(*rows), rows[0])
    assert bundled(lab, model).code == 0
    again = bundled(lab, model)
    assert (again.code, again.error["code"]) == (2, "target_exists")
    assert bundled(lab, model, "--force").code == 0


def test_the_page_lists_the_operators_that_are_allowed():
    listed = re.findall(r"`([A-Z][A-Za-z\s]+)`", PAGE.read_text(encoding="utf-8"))
    words = {word for each in listed for word in each.split()}
    assert words >= frozenset().union(*ALLOWED.values())


def test_every_operator_that_is_allowed_is_one():
    """A wrong letter in the list would let nothing in, and nobody would notice."""
    known = {(schema.domain, schema.name) for schema in onnx.defs.get_all_schemas()}
    assert {(domain, name) for domain, names in ALLOWED.items() for name in names} <= known

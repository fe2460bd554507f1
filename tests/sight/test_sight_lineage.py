"""The lineage of everything an owner made: complete, verified, and altered byte by byte."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import sight_lineage
import sight_thread
from serving_samples import Quiet
from sight_lineage import CANARY, edit, flipped

sys.path.append(str(Path(__file__).parents[1] / "thread"))

from thread_samples import cipherset

from cipherset.app.assets import standing
from cipherset.app.assets.standing import suspend
from cipherset.app.models import TrainRequest, TrainSpec, train_at_gate
from cipherset.app.sight.lineage.documents import Form, write_lineage
from cipherset.app.sight.lineage.view import LineageRequest, lineage_graph, view_lineage
from cipherset.app.workspace import Session, open_workspace
from cipherset.core import canonical
from cipherset.core.envelope import public_key_of
from cipherset.core.errors import UsageError
from cipherset.core.files import write_atomic
from cipherset.core.manifest import ModelKind, SignerFacts
from cipherset.evidence.views.lineage.located import State
from cipherset.pipeline.export import open_cipherset, write_manifest
from cipherset.pipeline.train import load_bundle

EXPORT = ("rows.cipherset/manifest.json", "rows.cipherset/train/part-00000.parquet")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return sight_lineage.made(tmp_path_factory.mktemp("lineage"))


@pytest.fixture
def changed(made, tmp_path):
    """A copy of the workspace, to edit; the artifacts stay where they were put."""
    return sight_lineage.Made(sight_thread.copied(made.owner, tmp_path / "copy"), made.finding)


def states(verified):
    return {(check.what, check.state.value) for check, _ in verified.checks}


def test_a_model_is_followed_to_its_source_its_key_and_the_code(made):
    told = made.look(made.owner.bundle).as_json()
    assert [each["kind"] for each in told["upstream"]] == ["dataset", "key", "dataset"]
    assert {each["name"] for each in told["upstream"]} >= {"rows.parquet", "support"}
    assert [each["id"] for each in told["downstream"]] == ["deployment:router"]
    (protect,) = [each for each in told["runs"] if each["kind"] == "protect"]
    parameters = protect["parameters"]
    manifest = open_cipherset(made.owner.cipherset).manifest
    assert parameters["scheme"] == manifest.scheme
    assert parameters["train_rows"] == manifest.splits.train.rows
    assert parameters["minimizer"] == "lda:2"
    assert parameters["settings"] == dict(manifest.settings)
    assert told["code"] == [protect["code"]]
    assert [each["name"] for each in told["keys"]] == ["support"]


def test_everything_of_a_key_is_below_it(made):
    found = made.look("key:support").lineage
    kinds = sorted(each.kind for each in found.downstream)
    assert kinds == ["dataset", "dataset", "deployment", "finding", "model"]
    assert {each.step.kind for each in found.runs} == {
        "protect",
        "train",
        "deploy",
        "assess",
        "index",
    }
    again = made.look(found.asset.id).lineage
    assert again == found


def test_what_is_to_be_made_again_without_the_rows(made):
    told = made.look(made.owner.rows, if_gone=True).as_json()["if_gone"]
    assert [each["what"] for each in told] == ["export", "model", "deployment", "finding", "index"]
    assert [each["again"] for each in told] == ["protect", "train", "deploy", "assess", "index"]


def test_an_index_is_made_again_once_though_rows_were_added_later(made):
    index = made.look("key:support").lineage.downstream[-1]
    found = made.look(made.folder / "rows.index").lineage
    assert found.asset == index
    assert [each.name for each in found.upstream if each.kind == "dataset"] == ["rows.parquet"]


def test_all_is_verified(made):
    found = made.verify("key:support", made.owner.bundle, made.owner.rows)
    assert found.is_valid
    assert found.first_bad is None
    wanted = {"export", "model", "deployment", "finding", "index", "minimizer", "rows"}
    assert states(found) == {(each, "verified") for each in {*wanted, "checkpoint"}}


# What is flipped, whose run it is located at, and what it is of.
FLIPS = {
    "rows.cipherset/manifest.json": ("protect", "export"),
    "rows.cipherset/train/part-00000.parquet": ("protect", "export"),
    "rows.cipherset/test/part-00000.parquet": ("protect", "export"),
    "router.bundle/bundle.json": ("train", "model"),
    "router.bundle/model.onnx": ("train", "model"),
    "home/models/router/bundle.json": ("deploy", "deployment"),
    "home/models/router/model.onnx": ("deploy", "deployment"),
    "rows.index/index.json": ("index", "index"),
    "rows.index/PART": ("index", "index"),
    "FINDING/finding.json": ("assess", "finding"),
    "FINDING/report.html": ("assess", "finding"),
    "MINIMIZER": ("protect", "minimizer"),
    "rows.parquet": ("protect", "rows"),
}


def path_of(made, name):
    if name == "MINIMIZER":
        return next(path for path in (made.folder / "home" / "minimizers").iterdir())
    if name == "rows.index/PART":
        return next((made.folder / "rows.index").glob("part-*.arrow"))
    if name.startswith("FINDING"):
        return made.finding / name.partition("/")[2]
    return made.folder / name


@pytest.fixture(scope="module")
def kinds(made):
    """What each run did, by its id."""
    return {each.step.id: each.step.kind for each in made.look("key:support").lineage.runs}


# The first byte, one in the middle and the last.
ANYWHERE = [
    pytest.param(0.0, marks=pytest.mark.soak),
    0.5,
    pytest.param(1.0, marks=pytest.mark.soak),
]


@pytest.mark.parametrize("place", ANYWHERE)
@pytest.mark.parametrize("name", FLIPS)
def test_a_flipped_bit_is_located_at_the_run_whose_output_it_was(made, kinds, name, place):
    kind, what = FLIPS[name]
    with flipped(path_of(made, name), place):
        found = made.verify("key:support", made.owner.bundle, made.owner.rows)
    assert not found.is_valid
    bad = [(check.what, run) for check, run in found.checks if check.state.value in BAD]
    assert [(each, kinds[run]) for each, run in bad] == [(what, kind)]
    assert found.first_bad == bad[0][1]


BAD = {"altered", "foreign", "replaced"}


def test_what_came_of_an_altered_export_is_doubtful(made):
    with flipped(path_of(made, EXPORT[1]), 0.5):
        told = made.look("key:support", verify=True).as_json()
    assert told["first_bad"] == told["verified"]["first_bad"] == made.runs("protect")[0]
    below = {each["id"] for each in made.look().as_json()["downstream"]}
    assert set(told["verified"]["doubtful"]) == below
    assert len(below) == 3


@pytest.mark.parametrize("name", [*EXPORT, "router.bundle/bundle.json", "router.bundle/model.onnx"])
def test_what_is_named_by_a_damaged_path_is_known_by_what_is_left(made, name):
    path = path_of(made, name)
    folder = made.folder / name.partition("/")[0]
    whole = made.look(folder).lineage
    with flipped(path, 0.5):
        found = made.look(folder, verify=True)
    assert found.lineage == whole
    assert found.verified.first_bad == whole.asset.by_run


@pytest.mark.parametrize("place", ANYWHERE)
def test_rows_that_were_sanitized_are_known_by_their_name(made, place):
    clean = made.folder / "clean.jsonl"
    assert made.verify(clean).is_valid
    with flipped(clean, place):
        found = made.look(clean, verify=True)
    (sanitize,) = [each for each in found.lineage.runs if each.step.kind == "sanitize"]
    assert found.verified.first_bad == sanitize.step.id


@pytest.mark.parametrize("place", ANYWHERE)
def test_a_checkpoint_that_was_changed_is_none(made, place):
    with flipped(made.folder / "friday.json", place):
        found = made.verify()
        again = made.verify(None, made.folder / "friday.json")
    for each in (found, again):
        assert not each.is_valid
        assert each.first_bad is None  # no run made it


def test_an_artifact_that_is_gone_is_missing_and_nothing_worse(made, tmp_path):
    target = tmp_path / "away"
    (made.folder / "rows.index").rename(target)
    try:
        found = made.verify("key:support")
        elsewhere = made.verify("key:support", target)
    finally:
        target.rename(made.folder / "rows.index")
    assert found.is_valid
    assert ("index", "missing") in states(found)
    assert ("index", "verified") in states(elsewhere)


def praised(raw):
    """A bundle's manifest with a better accuracy, and nothing else in it changed."""
    told = json.loads(raw)
    assert told["metrics"]["accuracy"] < 1
    return canonical.encode(told | {"metrics": told["metrics"] | {"accuracy": 1}})


def test_a_bundle_that_no_run_here_made_is_foreign(made, tmp_path):
    shutil.copytree(made.owner.bundle, tmp_path / "other.bundle")
    raw = (tmp_path / "other.bundle" / "bundle.json").read_bytes()
    write_atomic(tmp_path / "other.bundle" / "bundle.json", praised(raw))
    assert load_bundle(tmp_path / "other.bundle").manifest.metrics["accuracy"] == 1
    found = made.verify(None, tmp_path / "other.bundle")
    assert found.first_bad == made.runs("train")[0]
    assert ("model", "foreign") in states(found)


def test_another_model_under_a_deployed_name_is_located_at_the_deployment(made, tmp_path):
    place = made.folder / "home" / "models" / "router"
    shutil.copytree(place, tmp_path / "kept")
    raw = (place / "bundle.json").read_bytes()
    (place / "bundle.json").write_bytes(praised(raw))
    try:
        assert made.verify().first_bad == made.runs("deploy")[0]
    finally:
        shutil.rmtree(place)
        shutil.copytree(tmp_path / "kept", place)


def test_an_export_that_was_signed_by_somebody_else_is_altered(made, tmp_path):
    other = tmp_path / "other.cipherset"
    shutil.copytree(made.owner.cipherset, other)
    manifest = open_cipherset(other).manifest
    session = Session(tmp_path / "home", "eve", tmp_path, Quiet())
    with open_workspace(session) as workspace:
        signer = workspace.ring.signer()
        theirs = manifest.model_copy(
            update={"signer": SignerFacts(public_key=public_key_of(signer))}
        )
        write_manifest(other, theirs, signer)
    assert open_cipherset(other).fingerprint != open_cipherset(made.owner.cipherset).fingerprint
    found = made.verify(None, other)
    assert found.first_bad == made.runs("protect")[0]  # known by its rows
    assert ("export", "altered") in states(found)


EDITS = {
    "UPDATE runs SET parameters = '{}' WHERE kind = 'protect'": "protect",
    "UPDATE runs SET actor = 'eve' WHERE kind = 'train'": "train",
    "DELETE FROM run_assets WHERE role = 'input' AND run_id IN "
    "(SELECT id FROM runs WHERE kind = 'deploy')": "deploy",
    "UPDATE runs SET status = 'done', finished = started WHERE kind = 'assess'": None,
}


@pytest.mark.parametrize("statement", EDITS)
def test_an_edited_run_is_located(made, changed, statement):
    kind = EDITS[statement]
    edit(changed.session.home, statement)
    found = changed.verify()
    assert found.records.event is None  # the chain of events is whole
    if kind is None:  # nothing was changed by that
        assert found.is_valid
        return
    assert not found.is_valid
    assert found.first_bad == made.runs(kind)[0]


def test_an_edited_asset_and_an_edited_event_are_seen(changed):
    edit(changed.session.home, "UPDATE assets SET attributes = '{}' WHERE kind = 'model'")
    found = changed.verify()
    assert found.records.assets == (load_bundle(changed.owner.bundle).digest,)
    assert found.doubtful == ("deployment:router",)
    edit(changed.session.home, "UPDATE events SET body = '{}' WHERE seq = 3")
    assert changed.verify().records.event == 3


def test_a_suspended_key_and_a_label_show(changed):
    suspend(changed.session, "key:support")
    standing.suspend(changed.session, str(changed.owner.bundle))
    known = {each.id: each for each in changed.look().lineage.nodes}
    (key,) = [each for each in known.values() if each.kind == "key"]
    assert key.status == "suspended"
    assert known[load_bundle(changed.owner.bundle).digest].status == "suspended"


def test_a_graph_of_what_is_near(made):
    told = lineage_graph(made.session, str(made.owner.cipherset), depth=1)
    assert {each["kind"] for each in told["nodes"]} == {"dataset", "key", "model", "finding"}
    assert all(each["from"] != each["to"] for each in told["edges"])


@pytest.mark.parametrize("form", list(Form))
def test_documents_hold_no_row_and_are_the_same_each_time(made, form, tmp_path):
    first = write_lineage(made.session, str(made.owner.cipherset), form, None, overwrite=False)
    target = tmp_path / "lineage"
    again = write_lineage(made.session, first_id(made), form, target, overwrite=False)
    assert again == first
    assert target.read_text(encoding="utf-8") == first.text
    assert CANARY not in first.text
    assert "vec" not in json.loads(json.dumps(first.as_json())).get("columns", [])
    with pytest.raises(UsageError) as refused:
        write_lineage(made.session, first_id(made), form, target, overwrite=False)
    assert refused.value.code == "target_exists"


def first_id(made):
    return open_cipherset(made.owner.cipherset).manifest_digest


def test_nothing_that_people_wrote_is_in_a_lineage(made):
    for asset in ("key:support", made.folder / "clean.jsonl"):
        found = made.look(asset, if_gone=True, verify=True)
        assert CANARY not in json.dumps(found.as_json())
        assert CANARY not in repr(found)


def test_a_cipherset_in_croissant(made):
    told = write_lineage(
        made.session, str(made.owner.cipherset), Form.CROISSANT, None, overwrite=False
    ).as_json()
    manifest = open_cipherset(made.owner.cipherset).manifest
    assert told["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    assert told["@type"] == "sc:Dataset"
    files = {each["@id"]: each for each in told["distribution"] if "sha256" in each}
    parts = (*manifest.splits.train.files, *manifest.splits.test.files)
    assert {name: f"sha256:{each['sha256']}" for name, each in files.items()} == {
        part.path: part.sha256 for part in parts
    }
    for each in files.values():
        assert (made.folder / each["contentUrl"]).is_file()
    for each in told["distribution"]:
        assert "includes" not in each or list(made.folder.glob(each["includes"]))
    assert {each["@id"] for each in told["distribution"]} == {*files, "train-files", "test-files"}
    names = {each["@id"] for each in told["distribution"]}
    for records in told["recordSet"]:
        for field in records["field"]:
            assert field["source"]["fileSet"]["@id"] in names
            assert field["@id"] == f"{records['@id']}/{field['source']['extract']['column']}"
    vector = told["recordSet"][0]["field"][1]
    assert (vector["dataType"], vector["isArray"], vector["arrayShape"]) == (
        "cr:Float32",
        True,
        "2",
    )
    (run,) = told["prov:wasGeneratedBy"]
    assert run["@id"] == made.runs("protect")[0]
    assert {each["@id"] for each in told["prov:wasDerivedFrom"]} == {
        each.id for each in made.look().lineage.upstream
    }


def test_croissant_is_for_ciphersets(made):
    with pytest.raises(UsageError) as refused:
        write_lineage(made.session, "key:support", Form.CROISSANT, None, overwrite=False)
    assert refused.value.code == "lineage_form"


@pytest.mark.parametrize(
    ("asset", "paths", "code"),
    [("nowhere", (), "asset_named"), (None, ("nowhere",), "file_missing")],
)
def test_what_is_not_there_is_said(made, asset, paths, code):
    request = LineageRequest(
        str(asset or made.owner.cipherset),
        verify=True,
        paths=tuple(made.folder / each for each in paths),
    )
    with pytest.raises(UsageError) as refused:
        view_lineage(made.session, request)
    assert refused.value.code == code


def test_from_afar_an_asset_is_named_by_its_id_and_no_file_is_read(made):
    afar = replace(made.session, network="192.0.2.1")
    here = made.look()
    request = LineageRequest(here.lineage.asset.id, verify=True, paths=(made.folder / "nowhere",))
    assert view_lineage(afar, request).lineage == here.lineage
    assert lineage_graph(afar, here.lineage.asset.id)["center"] == here.lineage.asset.id
    for ask in (
        lambda: view_lineage(afar, LineageRequest(str(made.owner.cipherset), verify=True)),
        lambda: lineage_graph(afar, str(made.owner.cipherset)),
    ):
        with pytest.raises(UsageError) as refused:
            ask()
        assert refused.value.code == "asset_named"


def trained(owner, target, penalty, *, overwrite=False):
    """A model of the owner's export in ``target``; what it is."""
    spec = TrainSpec(ModelKind.LOGISTIC, inverse_penalty=penalty)
    train_at_gate(owner.session, TrainRequest(owner.cipherset, target, spec, overwrite=overwrite))
    return load_bundle(target).digest


def put(source, target):
    """Copy the artifact ``source`` over what is in ``target``."""
    shutil.rmtree(target)
    shutil.copytree(source, target)


def test_an_older_artifact_in_the_place_of_a_later_one_is_replaced(changed, tmp_path):
    place, kept = tmp_path / "again.bundle", tmp_path / "kept.bundle"
    older = trained(changed.owner, place, 1.0)
    shutil.copytree(place, kept)
    assert changed.verify(place).is_valid
    later = trained(changed.owner, place, 0.01, overwrite=True)
    assert older != later
    for asset in (place, later):  # a run wrote the later one there, and it is there
        assert (changed.verify(asset).is_valid, changed.verify(asset).missing) == (True, ())
    overwritten = changed.verify(older)
    assert overwritten.is_valid
    (missing,) = overwritten.as_json()["missing"]
    assert (missing["id"], missing["path"]) == (older, str(place))
    put(kept, place)
    for asset in ("key:support", place, older, later):
        found = changed.verify(asset)
        ((bad, run),) = [each for each in found.checks if each[0].state is State.REPLACED]
        assert (found.is_valid, found.first_bad, bad.asset) == (False, run, later)
    assert changed.verify(kept, kept).checks[-1][0].state is State.VERIFIED  # a copy elsewhere


def test_another_artifact_of_ours_in_a_place_is_replaced(changed, tmp_path):
    one, other = tmp_path / "one.bundle", tmp_path / "other.bundle"
    first = trained(changed.owner, one, 1.0)
    trained(changed.owner, other, 0.01)
    assert changed.verify("key:support").is_valid
    put(other, one)
    for asset in ("key:support", first, one):
        found = changed.verify(asset)
        assert not found.is_valid
        assert ("model", "replaced") in states(found)
    assert {"replaced"} == {
        check.state.value for check, _ in found.checks if check.path == str(one)
    }


def test_what_is_missing_is_said_loudly(changed, tmp_path):
    place = tmp_path / "gone.bundle"
    gone = trained(changed.owner, place, 1.0)
    shutil.rmtree(place)
    asked = ("view", "lineage", gone, "--verify", "--home", changed.session.home)
    told = cipherset(*asked, "--json")
    assert told.code == 0, told.err
    assert gone in {each["id"] for each in told.json["verified"]["missing"]}
    for each in (told, cipherset(*asked)):
        assert "warning" in each.err
        assert str(place) in each.err

"""Bills of materials: they hold to the official schemas, and tell what was recorded, no more."""

import copy
import json
from importlib.resources import files

import inventory_samples as samples
import jsonschema_rs
import pytest
from spdx_python_model import v3_0_1

from cipherset.app.discovery.answers import Answer, register
from cipherset.app.discovery.scan import DiscoverRequest, discover
from cipherset.app.sight.inventory import Form, see_bom, see_inventory, write_bom
from cipherset.app.workspace import open_workspace
from cipherset.core import canonical
from cipherset.core.errors import UsageError

FOUND = (
    ("sdk", "openai"),
    ("library", "torch"),
    ("agent", "crewai"),
    ("mcp", "files"),
    ("endpoint", "api.example"),
    ("key", "OpenAI"),
    ("model", "some/model"),
    ("server", "ollama"),
    ("dataset", "squad"),
    ("prompt", "system.txt"),
)


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    """With everything that can be found, told and measured."""
    made = samples.owner(tmp_path_factory.mktemp("bom"))
    seen = [samples.seen(kind, what) for kind, what in FOUND]
    seen.append(samples.seen("model_file", "x.gguf", digest=samples.WEIGHTS))
    path = samples.report(made.folder / "reports", *seen)
    discover(made.session, DiscoverRequest(reports=(path,)))
    answer = Answer(
        name="Notes",
        vendor="Example",
        purpose="minutes",
        owner="sales",
        data=("speech",),
        endpoints=("https://notes.example", "notes.example"),
    )
    register(made.session, answer)
    with open_workspace(made.session) as workspace:
        about = next(a.id for a in workspace.gate.ledger.assets() if "cipherset_id" in a.attributes)
        body = {"manifest": about, "reid": 0.03125, "verdict": "within limit", "limit": 0.05}
        workspace.gate.ledger.append(
            actor="rev", action="assess", subject="rows", outcome="done", body=body
        )
    return made


@pytest.fixture(scope="module")
def bill(owner):
    return see_bom(owner.session)


@pytest.fixture(scope="module")
def schema():
    """CycloneDX 1.6 as its own library has it, with the two schemas that it refers to."""
    at = files("cyclonedx.schema") / "_res"

    def load(name):
        return json.loads((at / f"{name}.SNAPSHOT.schema.json").read_text("utf-8"))

    base = "http://cyclonedx.org/schema"
    known = jsonschema_rs.Registry(
        [(f"{base}/{name}.SNAPSHOT.schema.json", load(name)) for name in ("spdx", "jsf-0.82")]
    )
    return jsonschema_rs.Draft7Validator(load("bom-1.6"), registry=known, validate_formats=True)


def wrong(schema, bill):
    return [f"{error.instance_path}: {error.message}" for error in schema.iter_errors(bill)]


def by_name(bill):
    return {each["name"]: each for each in [*bill["components"], *bill["services"]]}


def test_a_bill_is_valid(bill, schema):
    assert wrong(schema, bill) == []


@pytest.mark.parametrize(
    "path",
    [("specVersion",), ("serialNumber",), ("components", 0, "type"), ("services", 0, "name")],
)
def test_the_schema_finds_what_is_wrong(bill, schema, path):
    broken = copy.deepcopy(bill)
    at = broken
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = 7
    assert wrong(schema, broken)


def test_an_empty_workspace_has_a_valid_bill(schema, tmp_path):
    bill = see_bom(samples.fresh(tmp_path / "new"))
    assert wrong(schema, bill) == []
    assert bill["components"] == []


def test_every_asset_is_in_it_once_and_every_reference_is_to_one(owner, bill):
    refs = [each["bom-ref"] for each in [*bill["components"], *bill["services"]]]
    assert sorted(refs) == sorted(row.thing.id for row in see_inventory(owner.session))
    assert {each["ref"] for each in bill["dependencies"]} == set(refs)
    named = {on for each in bill["dependencies"] for on in each.get("dependsOn", ())}
    for workflow in bill["formulation"][0]["workflows"]:
        told = [*workflow.get("inputs", ()), *workflow.get("outputs", ())]
        named |= {each["resource"]["ref"] for each in told}
    assert named <= set(refs)


def test_each_kind_of_find_is_what_it_is(bill):
    found = by_name(bill)
    assert {name: found[name].get("type", "service") for _, name in FOUND} == {
        "openai": "library",
        "torch": "library",
        "crewai": "framework",
        "files": "application",
        "api.example": "service",
        "OpenAI": "cryptographic-asset",
        "some/model": "machine-learning-model",
        "ollama": "application",
        "squad": "data",
        "system.txt": "data",
    }
    assert found["x.gguf"]["hashes"] == [{"alg": "SHA-256", "content": "a" * 64}]
    assert "hashes" not in found["some/model"]
    assert found["Notes"]["endpoints"] == ["https://notes.example"]


def test_the_card_of_our_model_has_what_was_measured(owner, bill):
    model = next(each for each in bill["components"] if each["name"].startswith("model sha256"))
    onnx = canonical.digest_bytes((owner.bundle / "model.onnx").read_bytes())
    manifest = json.loads((owner.bundle / "bundle.json").read_text())
    card = model["modelCard"]
    assert model["hashes"][0]["content"] == onnx.removeprefix("sha256:")
    assert card["modelParameters"]["task"] == "classification"
    (trained_on,) = card["modelParameters"]["datasets"]
    assert trained_on["ref"] == manifest["trained_on"]["manifest"]
    figures = {
        each["type"]: each["value"] for each in card["quantitativeAnalysis"]["performanceMetrics"]
    }
    assert figures.pop("reid") == "0.03125"
    assert figures == {name: f"{value:.6g}" for name, value in manifest["metrics"].items()}
    (risk,) = card["considerations"]["ethicalConsiderations"]
    assert "within limit (limit 0.05)" in risk["mitigationStrategy"]


def test_what_nobody_measured_is_said_to_be_so(bill):
    card = by_name(bill)["x.gguf"]["modelCard"]
    assert "quantitativeAnalysis" not in card
    assert "not measured" in card["considerations"]["ethicalConsiderations"][0]["name"]


def test_a_model_depends_on_its_export_and_its_key(bill):
    names = {each["bom-ref"]: each for each in bill["components"]}
    on = {each["ref"]: each.get("dependsOn", []) for each in bill["dependencies"]}
    model = next(ref for ref, each in names.items() if each["name"].startswith("model sha256"))
    assert sorted(names[each]["type"] for each in on[model]) == ["cryptographic-asset", "data"]
    kinds = {each["name"] for each in bill["formulation"][0]["workflows"]}
    assert kinds == {"protect", "train", "deploy"}


def test_the_same_ledger_gives_the_same_bytes(owner, tmp_path):
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    for form in Form:
        for path in (one, other):
            write_bom(owner.session, None, form, path, overwrite=True)
        assert one.read_bytes() == other.read_bytes()


def test_another_ledger_has_another_number(bill, tmp_path):
    assert see_bom(samples.fresh(tmp_path / "new"))["serialNumber"] != bill["serialNumber"]


def test_the_bill_of_one_model_holds_what_it_was_made_of(owner, schema):
    bill = see_bom(owner.session, str(owner.bundle))
    assert wrong(schema, bill) == []
    kinds = [each["type"] for each in bill["components"]]
    assert sorted(kinds) == ["cryptographic-asset", "data", "data", "machine-learning-model"]
    assert bill["services"] == []


def test_there_is_no_bill_of_what_is_not_known(owner, tmp_path):
    other = tmp_path / "other.jsonl"
    other.write_text('{"a": 1}\n')
    with pytest.raises(UsageError) as refused:
        see_bom(owner.session, str(other))
    assert refused.value.code == "asset_unknown"


def test_a_file_that_is_there_stays(owner, tmp_path):
    target = tmp_path / "bom.json"
    target.write_text("mine")
    with pytest.raises(UsageError) as refused:
        write_bom(owner.session, None, Form.CYCLONEDX, target, overwrite=False)
    assert refused.value.code == "target_exists"
    assert target.read_text() == "mine"


def test_a_bill_names_no_person(owner):
    for form in Form:
        assert '"ada"' not in json.dumps(see_bom(owner.session, None, form))


def objects(bill):
    found = v3_0_1.SHACLObjectSet()
    v3_0_1.JSONLDDeserializer().deserialize_data(bill, found)
    if found.link():
        raise ValueError("it refers to what is not in it")
    return [type(each).__name__ for each in found.foreach()]


def test_an_spdx_bill_is_of_its_model(owner):
    kinds = objects(see_bom(owner.session, None, Form.SPDX))
    assert kinds.count("SpdxDocument") == 1
    assert kinds.count("ai_AIPackage") == 3
    assert kinds.count("dataset_DatasetPackage") == 4
    assert kinds.count("Relationship") == 2


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("ai_AIPackage", "software_primaryPurpose", "brain"),
        ("dataset_DatasetPackage", "dataset_datasetType", ["rows"]),
        ("Relationship", "relationshipType", "madeOf"),
        ("CreationInfo", "created", "now"),
        ("SpdxDocument", "rootElements", []),
    ],
)
def test_the_model_of_spdx_finds_what_is_wrong(owner, kind, name, value):
    bill = see_bom(owner.session, None, Form.SPDX)
    next(each for each in bill["@graph"] if each["type"] == kind)[name] = value
    with pytest.raises((TypeError, ValueError, KeyError)):
        objects(bill)

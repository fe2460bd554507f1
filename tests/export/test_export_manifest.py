"""A manifest says one thing, in one form, about one cipherset."""

import json

import pytest
from export_samples import LABELED, manifest_of
from pydantic import ValidationError
from securesystemslib.signer import CryptoSigner

from cipherset.core import canonical
from cipherset.core.errors import IntegrityError
from cipherset.core.manifest import (
    Manifest,
    PartFile,
    SplitFacts,
    SplitsFacts,
    manifest_bytes,
    read_bundle_manifest,
    read_manifest,
)

PART = PartFile(path="train/part-00000.parquet", sha256="sha256:" + "1" * 64, bytes=10, rows=4)
SPLITS = SplitsFacts(train=SplitFacts(rows=4, files=(PART,)), test=SplitFacts(rows=0, files=()))
MANIFEST = manifest_of(SPLITS, CryptoSigner.generate_ed25519(), LABELED)
RAW = manifest_bytes(MANIFEST)


def edited(**fields: object) -> bytes:
    return canonical.encode(json.loads(RAW) | fields)


def test_it_comes_back_equal_and_in_the_same_bytes():
    assert read_manifest(RAW) == MANIFEST
    assert manifest_bytes(read_manifest(RAW)) == RAW
    assert json.loads(RAW)["schema"] == "cipherset/manifest/1"


def test_it_does_not_change():
    with pytest.raises(ValidationError):
        MANIFEST.dim = 4  # type: ignore[misc]


COMPOSED = {"exports": 2, "epsilon": None, "delta": None}
PROMISE = {
    "epsilon": 4.0,
    "delta": 1e-6,
    "sigma": 2.4,
    "sensitivity": 2.0,
    "per": "exported row",
    "conditions": ["given the labels"],
    "composed": COMPOSED,
    "minimizer": {"epsilon": 2.0, "delta": 1e-6},
}
GAUSSIAN = {"noise": "gaussian", "approximation_factor": None, "privacy": PROMISE}


def test_gaussian_noise_comes_with_its_promise():
    read = read_manifest(edited(**GAUSSIAN))
    assert read.privacy.epsilon == 4.0
    assert read.privacy.composed.epsilon is None
    assert json.loads(manifest_bytes(read))["privacy"] == PROMISE


@pytest.mark.parametrize(
    "changes",
    [
        {"noise": "ball"},
        {"noise": "ball", "approximation_factor": 4.0},  # an epsilon is never said of the ball
        {"privacy": None},
        {"approximation_factor": 4.0},
        {"privacy": PROMISE | {"epsilon": 0.0}},
        {"privacy": PROMISE | {"conditions": []}},
        {"privacy": PROMISE | {"per": "export"}},
        {"privacy": PROMISE | {"composed": COMPOSED | {"exports": 0}}},
        {"privacy": {name: PROMISE[name] for name in PROMISE if name != "conditions"}},
    ],
)
def test_no_promise_without_its_noise_nor_its_conditions(changes):
    with pytest.raises(IntegrityError) as refused:
        read_manifest(edited(**GAUSSIAN | changes))
    assert refused.value.code == "manifest_schema"


def test_what_was_written_before_there_was_gaussian_noise_is_read():
    old = json.loads(RAW)
    del old["privacy"]
    assert read_manifest(canonical.encode(old)).privacy is None


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"schema": "cipherset/manifest/2"}, "schema"),
        ({"extra": 1}, "extra"),
        ({"dim": "3"}, "dim"),
        ({"dim": 0}, "dim"),
        ({"cipherset_id": "xyz"}, "cipherset_id"),
        ({"created": "yesterday"}, "created"),
        ({"noise": "none"}, "noise"),
        ({"task": "ranking"}, "task"),
        ({"classes": ["a", "a"]}, ""),
        ({"classes": []}, ""),
        ({"task": None}, ""),
        ({"clear_columns": ["label"]}, ""),
        ({"assessment": {"reid": None}}, "assessment.reid"),
    ],
)
def test_what_is_not_of_the_schema_is_refused(fields: dict, where: str):
    with pytest.raises(IntegrityError) as caught:
        read_manifest(edited(**fields))
    assert caught.value.code == "manifest_schema"
    assert repr(where) in caught.value.message


@pytest.mark.parametrize(
    "part",
    [
        {"path": "train/../../etc/passwd"},
        {"path": "/train/part-00000.parquet"},
        {"path": "train/part-00001.parquet"},
        {"path": "test/part-00000.parquet"},
        {"rows": 5},
        {"bytes": -1},
    ],
)
def test_parts_lie_inside_and_add_up(part: dict):
    splits = SPLITS.model_dump(mode="json")
    splits["train"]["files"][0] |= part
    with pytest.raises(IntegrityError) as caught:
        read_manifest(edited(splits=splits))
    assert caught.value.code == "manifest_schema"


def test_a_value_is_never_in_the_message():
    with pytest.raises(IntegrityError) as caught:
        read_manifest(edited(created="canary-4711"))
    assert "canary" not in str(caught.value)
    with pytest.raises(ValidationError) as invalid:
        Manifest.model_validate({"created": "canary-4711"})
    assert "canary" not in str(invalid.value)


def test_a_bundle_is_not_a_manifest():
    with pytest.raises(IntegrityError) as caught:
        read_bundle_manifest(RAW)
    assert caught.value.code == "bundle_schema"

"""The reference names what the source of today has, and its examples give what they show."""

import doctest
import re
import runpy
import shutil

import pytest
from docs_blocks import ROOT

import cipherset
from cipherset.core import manifest
from cipherset.interfaces.cli.command import SHARED


def test_the_page_of_the_command_line_is_that_of_today():
    made = runpy.run_path(str(ROOT / "scripts" / "cli_reference.py"))["page"]()
    there = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    assert there == made, "run: make reference"


def test_every_public_name_is_on_the_page():
    page = (ROOT / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
    assert [name for name in cipherset.__all__ if f"`{name}" not in page] == []


@pytest.mark.parametrize("shown", [cipherset.VectorCipher, cipherset.Cipherset, cipherset.Client])
def test_every_method_of_a_public_class_is_on_the_page(shown):
    page = (ROOT / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
    names = [name for name in dir(shown) if not name.startswith("_")]
    assert [name for name in names if not re.search(rf"[`.]{name}[`(]", page)] == []


@pytest.mark.parametrize(
    "model",
    [
        manifest.Manifest,
        manifest.BundleManifest,
        manifest.EncoderFacts,
        manifest.PartFile,
        manifest.SplitFacts,
        manifest.KAnonymity,
        manifest.Lineage,
        manifest.SignerFacts,
        manifest.CiphersetRef,
        manifest.ValueRange,
    ],
)
def test_every_field_of_a_manifest_is_on_the_page(model):
    page = (ROOT / "docs" / "reference" / "manifest.md").read_text(encoding="utf-8")
    names = [field.alias or name for name, field in model.model_fields.items()]
    assert [name for name in names if f"`{name}`" not in page] == []


@pytest.mark.extra
def test_examples_of_the_reference_give_what_they_show(left_by, tmp_path, monkeypatch):
    lab = tmp_path / "lab"
    shutil.copytree(left_by["docs/tutorial/first-cipherset.md"] / "lab", lab)
    monkeypatch.chdir(lab)
    page = ROOT / "docs" / "reference" / "python.md"
    failed, tried = doctest.testfile(str(page), module_relative=False, verbose=False)
    assert (failed, tried > 0) == (0, True)


def test_the_options_of_every_command_are_on_its_page():
    page = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    assert [name for each in SHARED for name in each.opts if f"| `{name}" not in page] == []

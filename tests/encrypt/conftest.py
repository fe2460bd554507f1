"""The noise of both engines: numpy's, and the compiled one, made here where a compiler is."""

import runpy
import shutil
from pathlib import Path

import pytest

from cipherset.pipeline.encrypt import native

ROOT = Path(__file__).parents[2]
NATIVE = ROOT / "src" / "cipherset" / "pipeline" / "encrypt" / "native"
ENGINES = ["numpy", pytest.param("compiled", marks=pytest.mark.needs("gcc"))]


@pytest.fixture(scope="session")
def builder():
    """What ``hatch_build.py`` defines."""
    return runpy.run_path(str(ROOT / "hatch_build.py"))


@pytest.fixture(scope="session")
def library(builder, tmp_path_factory):
    """The library that installing makes, in a place of its own."""
    folder = tmp_path_factory.mktemp("native")
    shutil.copy(NATIVE / "ball.c", folder)
    made = builder["compiled"](folder)
    assert made is not None
    return made


@pytest.fixture(params=ENGINES)
def engine(request, monkeypatch):
    """Everything in the test is done by numpy, then once more by compiled noise."""
    fill = None
    if request.param == "compiled":
        fill = native.load(request.getfixturevalue("library"))
        assert fill is not None
    monkeypatch.setattr(native, "compiled_fill", fill)
    return request.param

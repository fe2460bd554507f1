"""The wheel installs and runs outside the checkout; what is pinned is what is declared."""

import re
import runpy
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    _run("-m", "hatchling", "build", "-t", "wheel", "-d", str(out), cwd=root)
    (built,) = out.glob("*.whl")
    return built


def test_wheel_holds_the_package_and_nothing_else(root, wheel):
    held = zipfile.ZipFile(wheel).namelist()
    package = {name for name in held if name.startswith("cipherset/")}
    sources = {
        path.relative_to(root / "src").as_posix()
        for path in (root / "src").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert package == sources
    others = {name.split("/")[0] for name in held} - {"cipherset"}
    assert [re.fullmatch(r"cipherset-[\d.]+\.dist-info", name) is not None for name in others] == [
        True
    ]
    assert any(name.endswith("/licenses/LICENSE") for name in held)


def test_wheel_runs_outside_the_checkout(wheel, tmp_path):
    site = tmp_path / "site"
    _run(
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        str(site),
        str(wheel),
    )
    where = "import cipherset; print(cipherset.__file__)"
    assert Path(_run("-c", where, cwd=tmp_path, site=site).strip()).is_relative_to(site)
    shown = _run(str(site / "bin" / "cipherset"), "--help", cwd=tmp_path, site=site)
    assert "protect" in shown


@pytest.mark.parametrize("name", ["base", "test", "extra"])
def test_pins_satisfy_what_is_declared(root, name):
    """If this fails, run ``scripts/lock`` and commit what it writes."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = _pins(root / "requirements" / f"{name}.txt")
    unmet = [
        text
        for text in project["dependencies"]
        if not any(Requirement(text).specifier.contains(version) for version in pins[_key(text)])
    ]
    assert unmet == []


@pytest.mark.parametrize("name", ["base", "test", "extra", "lock"])
def test_pins_are_hashes_without_addresses(root, name):
    text = (root / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert " @ " not in text
    for entry in re.split(r"\n(?=[a-z])", text.strip()):
        assert "--hash=sha256:" in entry, entry


def test_what_is_not_run_can_be_installed(root):
    """Each package a test may need is on the list of scripts/system-packages."""
    needed = runpy.run_path(str(root / "tests" / "conftest.py"))["PROGRAMS"]
    listed = (root / "scripts" / "system-packages").read_text(encoding="utf-8")
    assert [name for name in needed if not re.search(rf"^{name} +#", listed, re.MULTILINE)] == []


def test_changelog_begins_with_this_version(root):
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "version"
    ]
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## \[([^\]]+)\]", changelog, re.MULTILINE)[1] == version


def _pins(path: Path) -> dict[str, list[str]]:
    pins: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([a-z0-9.-]+)==(\S+)", path.read_text(), re.MULTILINE):
        pins.setdefault(name, []).append(version)
    return pins


def _key(text: str) -> str:
    return re.sub(r"[-_.]+", "-", Requirement(text).name).lower()


def _run(*arguments: str, cwd: Path | None = None, site: Path | None = None) -> str:
    done = subprocess.run(
        ["env", f"PYTHONPATH={site or ''}", sys.executable, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout

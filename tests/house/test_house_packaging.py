"""The wheel installs and runs outside the checkout; what is pinned is what is declared."""

import re
import runpy
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

NATIVE = Path("src", "cipherset", "pipeline", "encrypt", "native")


@pytest.fixture
def checkout(root, tmp_path):
    return copied(root, tmp_path / "checkout")


def copied(root, copy):
    """What a build reads, with nothing built in it.

    Building compiles into the sources, which processes of other tests read meanwhile.
    """
    built = shutil.ignore_patterns("*.so", "__pycache__", ".build-*")
    shutil.copytree(root / "src", copy / "src", ignore=built)
    names = ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "CHANGELOG.md")
    for name in (*names, ".gitignore"):
        shutil.copy(root / name, copy)
    return copy


@pytest.fixture(scope="module")
def tree(root, tmp_path_factory):
    """A checkout of which a wheel was built."""
    return copied(root, tmp_path_factory.mktemp("wheel") / "checkout")


@pytest.fixture(scope="module")
def wheel(tree):
    return _wheel(tree, tree.parent)


def test_wheel_holds_the_package_and_nothing_else(tree, wheel):
    held = zipfile.ZipFile(wheel).namelist()
    package = {name for name in held if name.startswith("cipherset/")}
    sources = {
        path.relative_to(tree / "src").as_posix()
        for path in (tree / "src").rglob("*")
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


ENGINE = "from cipherset.pipeline.encrypt import noise_engine; print(noise_engine())"


@pytest.mark.needs("gcc")
def test_wheel_with_compiled_noise_is_of_this_platform_and_any_python(checkout, tmp_path):
    built = _wheel(checkout, tmp_path)
    assert re.fullmatch(r"cipherset-[\d.]+-py3-none-linux_\w+\.whl", built.name)
    archive = zipfile.ZipFile(built)
    (name,) = [name for name in archive.namelist() if name.endswith("/WHEEL")]
    assert "Root-Is-Purelib: false" in archive.read(name).decode()
    archive.extractall(tmp_path / "site")
    assert _run("-c", ENGINE, cwd=tmp_path, site=tmp_path / "site").strip() == "compiled"


def test_wheel_is_pure_and_runs_where_nothing_compiles(checkout, tmp_path):
    stale = checkout / NATIVE / "ball-0123456789abcdef.so"
    stale.write_bytes(b"of another source")
    built = _wheel(checkout, tmp_path, path=str(tmp_path))
    assert built.name.endswith("-py3-none-any.whl")
    archive = zipfile.ZipFile(built)
    assert [name for name in archive.namelist() if name.endswith(".so")] == []
    archive.extractall(tmp_path / "site")
    assert _run("-c", ENGINE, cwd=tmp_path, site=tmp_path / "site").strip() == "numpy"


def test_wheel_is_pure_where_the_compiler_fails(checkout, tmp_path):
    (checkout / NATIVE / "ball.c").write_text("#error no\n", encoding="utf-8")
    assert _wheel(checkout, tmp_path).name.endswith("-py3-none-any.whl")
    assert [path.name for path in (checkout / NATIVE).glob("*.so")] == []


@pytest.mark.needs("gcc")
def test_editable_installation_compiles_into_the_checkout(checkout, tmp_path):
    build = "from hatchling.build import build_editable as build; print(build({str(out)!r}))"
    _run("-c", build.replace("{str(out)!r}", repr(str(tmp_path))), cwd=checkout)
    (built,) = tmp_path.glob("*.whl")
    assert [name for name in zipfile.ZipFile(built).namelist() if name.endswith(".so")] == []
    assert _run("-c", ENGINE, cwd=tmp_path, site=checkout / "src").strip() == "compiled"


def test_sdist_holds_what_a_build_needs_and_nothing_built(checkout, tmp_path):
    (checkout / NATIVE / "ball-0123456789abcdef.so").write_bytes(b"built here")
    _run("-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path), cwd=checkout)
    (built,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(built) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert {"hatch_build.py", "pyproject.toml", f"{NATIVE}/ball.c"} <= held
    assert [name for name in held if name.endswith(".so")] == []


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


@pytest.mark.parametrize("name", ["base", "test", "extra", "lock", "flower"])
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


def _wheel(checkout: Path, out: Path, *, path: str | None = None) -> Path:
    """The wheel of a checkout, built with only the programs in ``path``."""
    build = ("-m", "hatchling", "build", "-t", "wheel", "-d", str(out))
    _run(*build, cwd=checkout, path=path)
    (built,) = out.glob("*.whl")
    return built


def _run(
    *arguments: str, cwd: Path | None = None, site: Path | None = None, path: str | None = None
) -> str:
    programs = [] if path is None else [f"PATH={path}"]
    done = subprocess.run(
        ["env", f"PYTHONPATH={site or ''}", *programs, sys.executable, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout

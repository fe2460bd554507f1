"""Planted uses are found where they are; a tree that only talks of them has none."""

import json
import sys
import sysconfig
from pathlib import Path

import pytest
from discover_later import LATER
from discover_planted import CLEAN, KEY, OTHER_KEY, USES, lay, planted

from cipherset.evidence.discover.code import Kind, ReadFault, scan

# Sources of others, in which AI is spoken of and not used.
INSTALLED = ("click", "jinja2", "starlette", "cryptography")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    root = planted(tmp_path_factory.mktemp("planted"))
    report = scan([root])
    by_path = {}
    for one in report.findings:
        by_path.setdefault(Path(one.path).relative_to(root).as_posix(), []).append(one)
    return report, by_path


@pytest.fixture(scope="module")
def later(tmp_path_factory):
    root = lay({path: text for path, (text, _) in LATER.items()}, tmp_path_factory.mktemp("later"))
    by_path = {}
    for one in scan([root]).findings:
        by_path.setdefault(Path(one.path).relative_to(root).as_posix(), []).append(one)
    return by_path


@pytest.mark.parametrize("path", LATER)
def test_a_use_that_was_planted_later_is_found(path, later):
    _, kinds = LATER[path]
    assert kinds & {one.kind.value for one in later.get(path, [])}


@pytest.mark.parametrize("path", USES)
def test_a_planted_use_is_found(path, found):
    _, kinds = USES[path]
    assert kinds & {one.kind.value for one in found[1].get(path, [])}


def test_each_find_stands_in_a_line_that_says_something(found):
    for one in found[0].findings:
        if one.line and not one.path.endswith(".ipynb"):
            assert Path(one.path).read_text(encoding="utf-8").splitlines()[one.line - 1].strip()


def test_the_same_tree_gives_the_same_findings(found, tmp_path):
    again = scan([planted(tmp_path)])
    assert [one.as_json()["what"] for one in again.findings] == [
        one.as_json()["what"] for one in found[0].findings
    ]


def test_no_value_of_a_key_is_in_the_report(found):
    text = json.dumps(found[0].as_json()) + repr(found[0])
    for key in (KEY, OTHER_KEY):
        for part in (key, key[8:16], key[-8:]):
            assert part not in text
    assert {one.how for one in found[0].findings if one.kind is Kind.KEY} == {
        "a value is held here (not shown)",
        "named here; its value is elsewhere",
    }


def test_a_key_where_a_name_is_expected_is_hidden(tmp_path):
    lay(
        {
            "mcp.json": json.dumps({"mcpServers": {KEY: {"command": f"npx {KEY}"}}}),
            "a.py": f'import transformers\ntransformers.pipeline("ner", model="{KEY}")\n',
            "b.py": f'import httpx\nhttpx.get("https://u:{KEY}@api.openai.com/v1?k={KEY}")\n',
        },
        tmp_path,
    )
    report = scan([tmp_path])
    assert {one.kind for one in report.findings} >= {Kind.MCP, Kind.MODEL, Kind.ENDPOINT}
    assert KEY not in json.dumps(report.as_json())


def test_what_is_not_python_of_today_is_told(found):
    assert [(Path(one.path).name, one.fault) for one in found[0].not_read] == [
        ("legacy.py", ReadFault.NOT_PARSED)
    ]


def test_a_clean_tree_has_none(tmp_path):
    report = scan([lay(CLEAN, tmp_path)])
    assert report.findings == ()
    assert report.n_files == len(CLEAN)


@pytest.mark.parametrize("name", INSTALLED)
def test_sources_of_others_have_none(name):
    """Libraries that are everywhere and use no AI; read as a project's own sources."""
    root = Path(sysconfig.get_path("purelib"), name)
    report = scan([root])
    assert report.n_files > 10
    assert report.findings == ()
    assert [one for one in report.not_read if one.fault is ReadFault.DEFECT] == []


@pytest.mark.soak
def test_the_standard_library_and_numpy_have_none():
    roots = [Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("purelib"), "numpy")]
    for root in roots:
        report = scan([root])
        own = [one for one in report.findings if "site-packages" not in one.path]
        assert own == []
        assert [one for one in report.not_read if one.fault is ReadFault.DEFECT] == []


def test_packages_are_named_by_their_records_and_not_read(tmp_path):
    packages = "venv/lib/python3.12/site-packages"
    lay(
        {
            "venv/pyvenv.cfg": "home = /usr/bin\n",
            "venv/bin/tool": "#!/usr/bin/python3\nimport openai\n",
            f"{packages}/openai-1.52.0.dist-info/METADATA": "Name: openai\n",
            f"{packages}/openai/__init__.py": "import anthropic\n",
            f"{packages}/torch-2.5.egg-info/PKG-INFO": "Name: torch\n",
            "web/node_modules/@anthropic-ai/sdk/package.json": "{}",
            "web/node_modules/ollama/package.json": "{}",
            "web/node_modules/ollama/src/node_modules/openai/package.json": "{}",
            "web/node_modules/left-pad/package.json": '{"dependencies": {"openai": "1"}}',
        },
        tmp_path,
    )
    found = {(one.what, one.how) for one in scan([tmp_path]).findings}
    assert found == {
        ("openai", "installed"),
        ("torch", "installed"),
        ("@anthropic-ai/sdk", "installed"),
        ("ollama", "installed"),
    }


def test_caches_of_models_are_named(tmp_path):
    lay(
        {
            "hub/models--org--tiny/snapshots/abc/config.json": "{}",
            ".ollama/models/manifests/registry.ollama.ai/library/llama3/8b": "{}",
        },
        tmp_path,
    )
    assert {one.what for one in scan([tmp_path]).findings} == {"org/tiny", "llama3:8b"}


def test_this_process_imports_nothing_that_it_finds(found):
    assert not {"openai_agents", "crewai", "langgraph"} & set(sys.modules)

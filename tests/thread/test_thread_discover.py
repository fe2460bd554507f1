"""``discover`` and the inventory from the command line: found, reviewed, never a secret kept."""

import json
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest
from thread_samples import Owner, cipherset

CANARY = "CANARYa1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9"
CHAT = f"""
import openai

client = openai.OpenAI(api_key="sk-proj-{CANARY}")
"""


@pytest.fixture
def quiet(tmp_path):
    """An owner without a key or a row."""
    (tmp_path / "owner").mkdir()
    return Owner(tmp_path / "owner")


@pytest.fixture
def tree(tmp_path):
    """A repository that uses AI in three ways, with a key where none should be."""
    root = tmp_path / "shop"
    root.mkdir()
    (root / "chat.py").write_text(CHAT)
    (root / ".env").write_text(f"OPENAI_API_KEY=sk-proj-{CANARY}\n")
    (root / "model.safetensors").write_bytes(safetensors())
    (root / "README.md").write_text("A shop. It has nothing to do with openai.\n")
    return root


def safetensors():
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(4)


def test_what_is_found_is_told_and_in_the_inventory(quiet, tree):
    found = quiet.ok("discover", tree)
    assert {"kind", "where", "what", "status"} <= set(found["findings"][0])
    kinds = {each["kind"] for each in found["findings"]}
    assert {"sdk", "key", "model_file"} <= kinds
    assert {each["status"] for each in found["findings"]} == {"unreviewed"}
    rows = quiet.ok("view", "inventory")["assets"]
    assert {row["id"] for row in rows} == {each["asset"] for each in found["findings"]}
    assert {row["name"] for row in rows if row["origin"] == "unknown origin"} >= {
        each["what"] for each in found["findings"] if each["kind"] == "model_file"
    }
    assert all(place.startswith("shop/") for row in rows for place in row["where"])


def test_the_same_look_again_adds_nothing(quiet, tree):
    first, again = quiet.ok("discover", tree), quiet.ok("discover", tree)
    assert [each["asset"] for each in first["findings"]] == [
        each["asset"] for each in again["findings"]
    ]
    assert {each["new"] for each in again["findings"]} == {False}


def test_an_image_of_a_file_system_is_looked_into(quiet, tree, tmp_path):
    image = tmp_path / "image.tar"
    with tarfile.open(image, "w") as archive:
        archive.add(tree, "srv/shop")
    found = quiet.ok("discover", image)
    assert {each["kind"] for each in found["findings"]} >= {"sdk", "key", "model_file"}


def test_what_was_not_read_is_not_hidden_by_a_clean_verdict(quiet):
    tree = quiet.folder / "packed"
    tree.mkdir()
    for number in range(7):
        with zipfile.ZipFile(tree / f"code{number}.zip", "w") as archive:
            archive.writestr("use.py", "import openai")
    found = quiet.ok("discover", tree)
    assert (found["findings"], found["n_not_read"], len(found["not_read"])) == ([], 7, 7)
    assert {one["fault"][:20] for one in found["not_read"]} == {"an archive in a fold"}
    shown = cipherset("discover", tree, "--home", quiet.home).out
    assert "no AI found; 7 not read" in shown
    assert "code0.zip: an archive in a folder: give it as a PATH" in shown
    assert "2 more: see --json" in shown
    assert quiet.ok("view", "inventory")["n_not_read"] == 7
    assert "7 files" in cipherset("view", "inventory", "--home", quiet.home).out
    (sdk,) = quiet.ok("discover", tree / "code0.zip")["findings"]
    assert (sdk["kind"], sdk["what"]) == ("sdk", "openai")


def test_no_key_and_no_line_of_a_file_is_kept_or_told(quiet, tree):
    report = quiet.folder / "report.json"
    done = [
        quiet.run("discover", tree),
        cipherset("discover", tree, "--home", quiet.home),
        quiet.run("discover", tree, "--review"),
        quiet.run("discover", tree, "--catalog", tree / ".env"),
        quiet.run("discover", "--from", tree / ".env"),
        quiet.run("discover", "--answers", tree / ".env"),
        quiet.run("view", "inventory"),
        quiet.run("view", "bom"),
        quiet.run("view", "bom", "--format", "spdx", "--to", report),
        quiet.run("audit", "list"),
    ]
    assert [each.code for each in done] == [0, 0, 0, 4, 4, 4, 0, 0, 0, 0]
    for each in done:
        assert CANARY not in each.out + each.err
    kept = [path for path in quiet.folder.rglob("*") if path.is_file()]
    assert any(path.name == "ledger.sqlite" for path in kept)
    assert [path for path in kept if CANARY.encode() in path.read_bytes()] == []


def test_it_fails_on_the_statuses_that_it_is_to_fail_on(quiet, tree):
    assert quiet.run("discover", tree).code == 0
    assert quiet.run("discover", tree, "--fail-on", "unapproved").code == 0
    done = quiet.run("discover", tree, "--fail-on", "unapproved", "--fail-on", "unreviewed")
    assert done.code == 3
    assert done.json["findings"]
    asset = done.json["findings"][0]["asset"]
    quiet.ok("asset", "suspend", asset)
    assert quiet.run("discover", tree, "--fail-on", "unapproved").code == 3


def test_a_review_decides(quiet, tree):
    found = quiet.ok("discover", tree, "--review")["findings"]
    assert {each["status"] for each in found} == {"in review"}
    asked = [each for each in quiet.ok("grant", "list")["grants"] if each["action"] == "approve"]
    assert len(asked) == len({each["asset"] for each in found})
    for each in asked:
        (asset,) = (digest for name, digest in each["assets"].items() if name.startswith(KINDS))
        quiet.ok("grant", "approve", each["grant"])
        quiet.ok("asset", "approve", asset)
    again = quiet.ok("discover", tree, "--review", "--fail-on", "unreviewed")
    assert {each["status"] for each in again["findings"]} == {"approved"}


KINDS = ("service:", "model:", "dataset:")


def test_the_form_of_the_answers_is_printed_and_taken(quiet, tmp_path):
    form = tmp_path / "answers.toml"
    form.write_text(cipherset("discover", "--questions").out)
    assert quiet.ok("discover", "--questions")["questions"] == form.read_text()
    (told,) = quiet.ok("discover", "--answers", form)["findings"]
    assert (told["what"], told["status"]) == ("Meeting notes", "unreviewed")


def test_one_thing_is_done_at_a_time(quiet, tree):
    for options in ((), (tree, "--questions"), ("--questions", "--agent-file", tree / "x")):
        done = quiet.run("discover", *options)
        assert (done.code, done.error["code"]) == (2, "discover_what")


def test_an_agent_reports_from_its_host(quiet, tree, tmp_path):
    agent, report = tmp_path / "agent.pyz", tmp_path / "report.json"
    told = quiet.ok("discover", "--agent-file", agent)
    assert told["bytes"] == agent.stat().st_size
    refused = quiet.run("discover", "--agent-file", agent)
    assert (refused.code, refused.error["code"]) == (2, "target_exists")
    assert quiet.ok("discover", "--agent-file", agent, "--force")["digest"] == told["digest"]
    run = [sys.executable, "-I", str(agent), str(tree), "--host", "web-1", "--to", str(report)]
    subprocess.run(run, check=True, capture_output=True, timeout=600)
    found = quiet.ok("discover", "--from", report)
    here = quiet.ok("discover", tree)
    assert [(each["kind"], each["what"]) for each in found["findings"]] == [
        (each["kind"], each["what"]) for each in here["findings"]
    ]
    assert CANARY not in report.read_text()
    sources = {tuple(row["sources"]) for row in quiet.ok("view", "inventory")["assets"]}
    assert sources >= {("agent",), ("scan",)}


def test_the_inventory_is_searched(quiet, tree):
    quiet.ok("discover", tree)
    every = quiet.ok("view", "inventory")["assets"]

    def names(*options):
        return {row["what"] for row in quiet.ok("view", "inventory", *options)["assets"]}

    assert names("--kind", "sdk") == {"openai"}
    assert names("--search", "CHAT.py") >= {"openai"}
    assert names("--search", "no such thing") == set()
    assert names("--status", "approved") == set()
    assert len(names("--status", "unreviewed")) == len({row["what"] for row in every})


def test_our_own_bundle_is_known_where_it_is_found(changed, tmp_path):
    owner, found = changed.owner, tmp_path / "found"
    shutil.copytree(changed.bundle, found / "copy.bundle")
    shutil.copy(changed.bundle / "model.onnx", found / "alone.onnx")
    assets = {each["asset"] for each in owner.ok("discover", found)["findings"]}
    for row in models(owner, assets):
        assert row["run"].startswith("run-")
        assert row["claimed"]
        assert row["sources"] == ["run", "scan"]


def models(owner, assets):
    """Their rows in the inventory; other tests have trained others of the same rows before."""
    rows = owner.ok("view", "inventory", "--kind", "model")["assets"]
    found = [row for row in rows if row["id"] in assets]
    assert len(found) == len(assets) > 0
    return found


def test_a_model_trained_at_the_gate_is_known_with_its_run(changed, tmp_path):
    owner, bundle = changed.owner, tmp_path / "gate.bundle"
    owner.ok("train", changed.cipherset, "--at-gate", "--to", bundle)
    assets = {each["asset"] for each in owner.ok("discover", bundle)["findings"]}
    (row,) = models(owner, assets)
    assert not row["claimed"]
    assert row["origin"].startswith(f"{row['run']} (train by ")


def test_auditors_ask_for_reviews_and_others_decide(team, tree):
    found = team.ok("eve", "discover", tree, "--review", "--approver", "ron")["findings"]
    asset = found[0]["asset"]
    grants = team.ok("eve", "grant", "list")["grants"]
    grant = next(each for each in grants if asset in each["assets"].values())
    assert (grant["requester"], grant["beneficiary"]) == ("eve", "ron")
    for voter in ("ada", "rev"):
        team.ok(voter, "grant", "approve", grant["grant"])
    team.refused("eve", "asset", "approve", asset)
    team.ok("ron", "asset", "approve", asset)
    status = {row["id"]: row["status"] for row in team.ok("sci", "view", "inventory")["assets"]}
    assert status[asset] == "approved"
    assert team.refused("eve", "grant", "request", "scan", team.source, "--for", "a look")
    assert team.refused("bob", "discover", tree)
    assert team.events()

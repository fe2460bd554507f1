"""What scripts rely on: keys, exit codes, one object on stdout, and nothing that asks."""

import json
import subprocess
import sys

import pytest
from thread_samples import QUICK, cipherset

from cipherset.interfaces.cli.main import COMMANDS

PROTECT = {
    "cipherset",
    "key_id",
    "rows",
    "dim",
    "scheme",
    "approximation_factor",
    "minimizer",
    "sanitized",
    "assessment",
    "utility",
}
KEY = {"key_id", "version", "status", "provider"}


def test_key(owner):
    made = owner.ok("key", "create", "billing", "--purpose", "who pays late")
    assert made.keys() >= KEY
    assert owner.ok("key", "show", "billing") == made
    assert owner.ok("key", "list") == {"keys": [made, owner.ok("key", "show", "support")]}
    assert (made["version"], made["status"], made["provider"]) == (1, "active", "file:kek")
    assert made["purpose"] == "who pays late"


def test_protect(exported):
    shown = exported.protected
    assert shown.keys() >= PROTECT
    assert shown["cipherset"] == str(exported.cipherset)
    assert shown["rows"].keys() == {"train", "test", "anchored"}
    assert shown["utility"].keys() >= {"plain", "owner_head", "anchor_control", "encrypted"}
    assert shown["assessment"].keys() >= {"reid", "reid_low", "reid_high", "label_alone"}


def test_inspect(exported):
    shown = exported.owner.ok("inspect", exported.cipherset)
    assert shown.keys() == {"valid", "signer", "manifest"}
    assert shown["valid"] is True


def test_train(exported, lab):
    assert exported.trained.keys() >= {"model", "lab_accuracy", "key_id"}
    gate = exported.owner.ok("train", exported.cipherset, "--to", lab / "gate", "--at-gate")
    assert gate.keys() == exported.trained.keys()


def test_evaluate_and_predict(exported):
    owner = exported.owner
    for rows in (exported.cipherset, exported.source):
        shown = owner.ok("evaluate", exported.bundle, rows)
        assert shown.keys() == {"accuracy", "macro_f1", "n"}
    answers = owner.ok("predict", exported.bundle, exported.source)["predictions"]
    assert answers[0].keys() == {"row", "label"}


def test_encoder(minilm):
    shown = cipherset("encoder", "list", "--json").json["encoders"]
    assert [each["encoder"] for each in shown] == [
        "minilm-l6-v2",
        "minilm-l6-v2-bf16",
        "minilm-l6-v2-int8",
        "paraphrase-minilm",
        "efficientnet-lite0",
        "face-resnet-128",
    ]
    got = cipherset("encoder", "get", "minilm-l6-v2", "--json").json
    assert got.keys() >= {"encoder", "digest", "path"}
    assert got["cached"]


def test_demo_does_not_write_over_what_is_not_a_demo(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    done = cipherset("demo", "--to", tmp_path / "mine", "--force", "--json")
    assert (done.code, done.error["code"]) == (2, "target_exists")
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("nothing",),
        ("key",),
        ("key", "nothing"),
        ("key", "create"),
        ("protect",),
        ("protect", "rows.csv", "--to", "out"),
        ("protect", "rows.csv", "--key", "k", "--to", "out", "--max-reid", "much"),
        ("protect", "rows.csv", "--key", "k", "--to", "out", "--text", "a", "--seed", "-1"),
        ("protect", "rows.csv", "--key", "k", "--to", "out", "--text", "a", "--seed", "1.5"),
        ("protect", "rows.csv", "--key", "k", "--to", "out", "--text", "a", "--max-reid", "nan"),
        ("protect", "rows.csv", "--key", "k", "--to", "out", "--text", "a", "--max-reid", "0"),
        ("protect", "rows.csv", "--key", "k", "--to", "out", "--text", "a", "--max-reid", "1.5"),
        ("protect", "rows.csv", "--key", "k", "--to", "out"),
        ("protect", "rows.csv", "--key", "k", "--to", "out", "--text", "a", "--vector", "b"),
        ("protect", "rows.csv", "--key", "k", "--to", "out", "--nonsense"),
        ("train", "x", "--to", "y", "--model", "oracle"),
        ("train", "x", "--to", "y", "--seed", "-1"),
        ("train", "x", "--to", "y", "--model", "boosting", "--trees", "0"),
        ("predict", "x"),
        ("predict", "x", "y", "--value", "z"),
        ("evaluate", "x"),
        ("inspect",),
        ("encoder", "get"),
        ("encoder", "get", "oracle"),
        ("demo",),
    ],
    ids=" ".join,
)
def test_usage_errors_keep_the_promise(args, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = cipherset(*args, "--json")
    assert done.code == 2, done.out
    assert done.error["message"]
    assert done.error["hint"]
    assert done.err == ""
    assert not (tmp_path / "out").exists()


def test_errors_without_json_go_to_stderr(tmp_path):
    done = cipherset("inspect", tmp_path / "none")
    assert (done.code, done.out) == (4, "")
    assert "no_directory" in done.err
    assert "what to do:" in done.err


def test_without_json_a_table(exported):
    done = cipherset("inspect", exported.cipherset)
    assert done.code == 0
    assert "rsap/1" in done.out
    assert "whoever that is: compare it" in done.out
    shown = cipherset(
        "evaluate", exported.bundle, exported.cipherset, "--home", exported.owner.home
    )
    assert "accuracy" in shown.out
    answers = cipherset("predict", exported.bundle, exported.source, "--home", exported.owner.home)
    assert answers.out.count("topic-") == 400


def test_progress_goes_to_stderr(owner, exported):
    done = owner.run(
        *("protect", exported.source, "--vector", "vec", "--label", "topic", "--key", "support"),
        *("--to", owner.folder / "out", *QUICK),
    )
    assert done.code == 0, done.out
    assert done.json["rows"]["train"] == 300
    assert "minimize, encrypt, shuffle" in done.err


def test_who_acts_is_written_down(owner, monkeypatch):
    monkeypatch.setenv("CIPHERSET_HOME", str(owner.home))
    assert cipherset("key", "create", "hers", "--as", "mallory").code == 0
    assert {event.actor for event in owner.events()} > {"mallory"}


def test_home_by_default_is_in_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("CIPHERSET_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    assert cipherset("key", "create", "here").code == 0
    home = tmp_path / ".cipherset"
    assert json.loads((home / "workspace.json").read_text()) == {"schema": "cipherset/workspace/1"}
    assert home.stat().st_mode & 0o077 == 0
    for path in home.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_in_a_process_of_its_own(exported):
    """The installed command: nothing is asked of a closed stdin, one object on stdout."""
    script = "import sys; from cipherset.interfaces.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", script]
    shown = subprocess.run(
        [*command, "inspect", str(exported.cipherset), "--json"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert shown.returncode == 0
    assert json.loads(shown.stdout)["valid"]
    refused = subprocess.run(
        [*command, "inspect", "nowhere", "--json"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert refused.returncode == 4
    assert json.loads(refused.stdout)["error"]["code"] == "no_directory"
    assert refused.stderr == ""


GROUPS = {
    "asset",
    "audit",
    "canary",
    "copies",
    "encoder",
    "grant",
    "index",
    "key",
    "mlflow",
    "policy",
    "principal",
    "redteam",
    "review",
    "rounds",
    "service",
    "view",
}


@pytest.mark.parametrize(
    "command",
    [
        *sorted(set(COMMANDS) - GROUPS),
        *("audit verify", "audit prove", "key create", "key list", "encoder get"),
        *("asset approve", "canary plant", "copies index", "grant request", "policy test"),
        *("principal add", "redteam accept", "rounds join", "view lineage"),
    ],
)
def test_help_has_an_example(command):
    done = cipherset(*command.split(), "--help")
    assert done.code == 0
    assert f"Example:  cipherset {command}" in done.out
    for option in ("--json", "--home", "--as", "--help"):
        assert option in done.out

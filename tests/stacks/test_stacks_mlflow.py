"""MLflow by its own client: what is logged, and what promotion asks of the gate.

MLflow is a database here; what depends on the way there is asked of a running server too.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from thread_samples import Owner, cipherset
from thread_team import Team

from cipherset.pipeline.train import load_bundle

pytestmark = [
    pytest.mark.extra,
    # MLflow's own dealings with its database and with what it imports
    pytest.mark.filterwarnings(
        "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
    ),
]


DEADLINE_S = 300
EITHER = pytest.mark.parametrize("tracked", ["database", "server"], indirect=True)


@dataclass(frozen=True)
class Tracked:
    """A bundle of an owner's export, where MLflow is, and a model of this test's own there."""

    owner: Owner
    bundle: Path
    folder: Path
    uri: str
    model: str = "router"

    @property
    def client(self):
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    def log(self, model: str | None = None):
        name = self.model if model is None else model
        return cipherset(
            *("mlflow", "log", self.bundle, "--model", name, "--tracking", self.uri),
            *("--home", self.folder / "nowhere", "--json"),
        )

    def promote(self, version: str, *options: object):
        return self.owner.run(
            *("mlflow", "promote", self.bundle, "--model", self.model, "--version", version),
            *("--alias", "champion", "--tracking", self.uri, *options),
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[str]:
    """The address of a real MLflow server, in processes of its own, which end with it."""
    folder = tmp_path_factory.mktemp("mlflow")
    for _ in range(5):  # somebody may have taken the port meanwhile
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        process = started(folder, port)
        try:
            if is_up(process, f"http://127.0.0.1:{port}/health"):
                yield f"http://127.0.0.1:{port}"
                return
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(DEADLINE_S)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    pytest.fail((folder / "told").read_text())


def started(folder: Path, port: int) -> subprocess.Popen:
    where = ("--backend-store-uri", "sqlite:///mlflow.sqlite", "--artifacts-destination", "kept")
    command = (sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port))
    with (folder / "told").open("ab") as told:
        return subprocess.Popen(
            [*command, *where, "--workers", "1"],
            cwd=folder,
            env={
                "PATH": os.defpath,
                "HOME": str(folder),
                "PYTHONPATH": ":".join(sys.path),
                "MLFLOW_DISABLE_TELEMETRY": "true",
                "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            },
            stdout=told,
            stderr=told,
            start_new_session=True,
        )


def is_up(process: subprocess.Popen, address: str) -> bool:
    end = time.monotonic() + DEADLINE_S
    while process.poll() is None and time.monotonic() < end:
        with suppress(httpx.TransportError):
            if httpx.get(address, trust_env=False).is_success:
                return True
        time.sleep(0.2)
    return False


@pytest.fixture
def tracked(owner_once, tmp_path, monkeypatch, request) -> Tracked:
    """MLflow keeps artifacts below the current folder, unless a server keeps them."""
    monkeypatch.chdir(tmp_path)
    # Each request waits two minutes, and seven more times; a connection may be closed meanwhile.
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    shutil.copytree(owner_once.folder, tmp_path / "owner")
    owner = Owner(tmp_path / "owner")
    bundle = tmp_path / "router.bundle"
    owner.ok("train", owner.folder / "rows.cipherset", "--to", bundle)
    if getattr(request, "param", "database") == "server":
        uri = request.getfixturevalue("server")
        return Tracked(owner, bundle, tmp_path, uri, request.node.originalname)
    return Tracked(owner, bundle, tmp_path, f"sqlite:///{tmp_path / 'mlflow.sqlite'}")


@EITHER
def test_a_bundle_is_logged_with_its_key_and_where_it_comes_from(tracked):
    logged = tracked.log().json
    assert not (tracked.folder / "nowhere").exists()
    manifest, client = load_bundle(tracked.bundle).manifest, tracked.client
    version = client.get_model_version(tracked.model, logged["version"])
    assert version.tags == logged["tags"]
    assert version.tags["cipherset.key_id"] == manifest.key_id
    assert version.tags["cipherset.trained_on"] == manifest.trained_on.manifest
    assert version.tags["cipherset.bundle"] == load_bundle(tracked.bundle).digest
    run = client.get_run(logged["run"])
    assert run.data.metrics == dict(manifest.metrics)
    assert run.info.status == "FINISHED"
    there = client.download_artifacts(logged["run"], "bundle", str(tracked.folder))
    assert load_bundle(there).digest == load_bundle(tracked.bundle).digest
    told = json.dumps([version.tags, run.data.tags])
    assert "topic" not in told  # no class, no column
    assert str(tracked.folder) not in told


def test_another_bundle_is_another_version(tracked):
    assert [tracked.log().json["version"] for _ in range(2)] == ["1", "2"]


@EITHER
def test_an_accepted_risk_promotes_and_is_written_down(tracked):
    version = tracked.log().json["version"]
    told = tracked.promote(version, "--accept-risk", "a trial")
    assert told.code == 0, told.out
    found = tracked.client.get_model_version_by_alias(tracked.model, "champion")
    assert str(found.version) == version
    assert found.tags["cipherset.evidence"] == "not measured"
    assert "a trial" not in json.dumps(found.tags)
    *_, intent, outcome = tracked.owner.events("deploy")
    assert (intent.outcome, outcome.outcome) == ("intended", "done")
    assert intent.subject == f"mlflow/{tracked.model}@champion"
    assert json.loads(intent.body)["accepted_risk"] == "a trial"


def test_what_was_measured_and_the_lineage_go_along(tracked):
    made = tracked.owner.folder / "rows.cipherset"
    assessed = tracked.owner.ok("assess", made)
    version = tracked.log().json["version"]
    tags = tracked.promote(version, "--accept-risk", "a trial").json["tags"]
    assert tags["cipherset.evidence"] == "measured"
    assert tags["cipherset.verdict"] == assessed["verdict"]
    findings = [json.loads(event.body) for event in tracked.owner.events("assess")]
    assert tags["cipherset.finding"] == findings[-1]["finding_digest"]
    lineage = tracked.owner.ok("view", "lineage", load_bundle(tracked.bundle).digest)
    assert "deployment:mlflow/router@champion" in {each["id"] for each in lineage["downstream"]}
    again = tracked.promote(version, "--accept-risk", "a trial").json["tags"]
    assert again["cipherset.lineage"] == tags["cipherset.lineage"]


@EITHER
def test_a_bundle_that_was_put_in_its_place_is_not_promoted(tracked):
    logged = tracked.log().json
    other = tracked.folder / "other.bundle"
    made = tracked.owner.folder / "rows.cipherset"
    tracked.owner.ok("train", made, "--to", other, "--model", "boosting", "--trees", "2")
    for file in other.iterdir():
        tracked.client.log_artifact(logged["run"], str(file), "bundle")
    done = tracked.promote(logged["version"], "--accept-risk", "a trial")
    assert (done.code, done.error["code"]) == (5, "registry_bundle")
    assert tracked.owner.events("deploy") == []


def test_a_version_of_elsewhere_is_not_promoted(tracked):
    logged = tracked.log().json
    client = tracked.client
    moved = client.create_model_version(
        "router", source=str(tracked.bundle), run_id=logged["run"], tags=logged["tags"]
    )
    done = tracked.promote(moved.version, "--accept-risk", "a trial")
    assert (done.code, done.error["code"]) == (5, "registry_source")


def test_what_mlflow_does_not_know_or_refuses_is_told_as_ours(tracked, monkeypatch):
    tracked.log()
    unknown = tracked.promote("99")
    assert (unknown.code, unknown.error["code"]) == (4, "registry_version")
    nameless = tracked.log(model="")
    assert (nameless.code, nameless.error["code"]) == (6, "registry")
    failed = [run for run in tracked.client.search_runs(["1"]) if run.info.status == "FAILED"]
    assert len(failed) == 1
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    away = cipherset(
        *("mlflow", "log", tracked.bundle, "--model", "router"),
        *("--tracking", "http://127.0.0.1:9", "--json"),
    )
    assert (away.code, away.error["code"]) == (6, "registry")


@EITHER
def test_in_a_team_promotion_takes_what_deploying_takes(tracked, tmp_path):
    """Refused, no alias is set and no tag; a grant for deploying covers it."""
    from mlflow.exceptions import MlflowException

    (tmp_path / "team").mkdir()
    team = Team(tmp_path / "team")
    team.granted_protect()
    assert team.protect().code == 0
    bundle = team.folder / "team.bundle"
    team.ok("sci", "train", team.target, "--to", bundle)
    version = replace(tracked, bundle=bundle).log().json["version"]
    asked = ("mlflow", "promote", bundle, "--model", tracked.model, "--version", version)
    asked += ("--alias", "champion", "--tracking", tracked.uri, "--accept-risk", "a trial")
    assert team.refused("dora", *asked)["code"] == "not_allowed"
    with pytest.raises(MlflowException):
        tracked.client.get_model_version_by_alias(tracked.model, "champion")
    tags = tracked.client.get_model_version(tracked.model, version).tags
    assert "cipherset.evidence" not in tags
    team.granted("ada", "approve", bundle, by=("amy", "rev"))
    team.ok("ada", "asset", "approve", bundle)
    risky = ("--accept-risk", "a trial")
    team.granted("dora", "deploy", bundle, by=("ada", "rev", "ron"), options=risky)
    assert team.refused("sci", *asked)["code"] == "not_allowed"
    assert team.ok("dora", *asked)["alias"] == "champion"
    team.ok("rev", "asset", "suspend", bundle)
    assert team.refused("dora", *asked)["code"] == "not_allowed"
    assert [e.outcome for e in team.events() if e.action == "deploy"] == [
        *("refused", "refused", "intended", "done", "refused")
    ]


def test_without_mlflow_its_extra_is_named(tracked, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    done = tracked.log()
    assert (done.code, done.error["code"]) == (4, "missing_extra")


def test_mlflow_tells_its_makers_nothing(tmp_path):
    """In a process of its own, for its client is quiet under pytest anyway."""
    program = (
        "from cipherset.interfaces.mlflow.registry import MlflowRegistry\n"
        "MlflowRegistry('sqlite:///x.sqlite')\n"
        "from mlflow.telemetry.client import get_telemetry_client\n"
        "print(get_telemetry_client())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.stdout == "None\n", done.stderr

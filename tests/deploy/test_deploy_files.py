"""The files of deploy/: units that systemd understands, and an image and manifests that fit."""

import re
import subprocess

import pytest
from deploy_files import (
    ARGUMENTS,
    DEPLOY,
    PROGRAM,
    UNITS,
    container_instructions,
    documents,
    gateway,
)

OPTIONS = {"--as", "--host", "--port", "--tls-cert", "--tls-key", "--client-ca"}


@pytest.fixture
def units(tmp_path):
    """The units, with a program that is there in place of ours."""
    for unit in UNITS.iterdir():
        (tmp_path / unit.name).write_text(unit.read_text().replace(PROGRAM, "/bin/true"))
    return sorted(tmp_path.iterdir())


@pytest.mark.needs("systemd")
def test_systemd_finds_no_fault_in_the_units(units):
    done = subprocess.run(
        ["systemd-analyze", "verify", *units],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.needs("systemd")
def test_the_services_are_confined(units):
    services = [unit for unit in units if unit.suffix == ".service"]
    command = ["systemd-analyze", "security", "--offline=true", *services]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    levels = re.findall(r"exposure level for (\S+): ([\d.]+)", done.stdout)
    assert {name for name, _ in levels} == {unit.name for unit in services}
    assert all(float(level) < 2.0 for _, level in levels), levels  # of 10; 2 and less is OK


@pytest.mark.parametrize("of", ARGUMENTS)
def test_each_serves_to_other_machines_under_mutual_tls(of):
    command, *words = ARGUMENTS[of]()
    told = dict(zip(words[::2], words[1::2], strict=True))
    assert command == "serve"
    assert told.keys() == OPTIONS
    assert (told["--host"], told["--port"]) == ("0.0.0.0", "8443")


def test_the_image_copies_what_is_there_and_runs_as_nobody_in_particular():
    instructions = container_instructions()
    for word, rest in instructions:
        if word == "COPY" and not rest.startswith("--from"):
            *sources, _ = rest.split()
            assert all((DEPLOY.parent / source).exists() for source in sources), rest
    told = dict(instructions)
    assert told["USER"] == "10001:10001"
    installs = [rest for word, rest in instructions if word == "RUN" and " -r " in rest]
    assert installs
    assert all("--require-hashes" in rest and "--no-deps" in rest for rest in installs)


def pods():
    yield documents("gateway.yaml")["StatefulSet"]["spec"]["template"]["spec"]
    yield documents("backup.yaml")["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def test_every_container_is_confined_and_every_mount_is_of_a_volume():
    claims = {"workspace"}
    for pod in pods():
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["securityContext"]["fsGroupChangePolicy"] == "OnRootMismatch"
        assert not pod["automountServiceAccountToken"]
        volumes = {each["name"] for each in pod["volumes"]} | claims
        for container in [*pod.get("initContainers", ()), *pod["containers"]]:
            confined = container["securityContext"]
            assert confined["readOnlyRootFilesystem"]
            assert not confined["allowPrivilegeEscalation"]
            assert confined["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"]
            assert {each["name"] for each in container["volumeMounts"]} <= volumes
            written = [each for each in container["volumeMounts"] if not each.get("readOnly")]
            assert {each["mountPath"].split("/")[1] for each in written} <= {"var", "tmp"}


def test_names_fit_together():
    found = documents("gateway.yaml")
    spec = found["StatefulSet"]["spec"]
    labels = spec["template"]["metadata"]["labels"]
    for selector in (
        spec["selector"]["matchLabels"],
        found["Service"]["spec"]["selector"],
        found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()
    assert spec["replicas"] == 1  # one gateway a workspace
    assert (
        spec["template"]["spec"]["serviceAccountName"]
        == found["ServiceAccount"]["metadata"]["name"]
    )
    claim = spec["volumeClaimTemplates"][0]["metadata"]["name"]
    (workspace,) = [
        each["persistentVolumeClaim"]["claimName"]
        for each in list(pods())[1]["volumes"]
        if each["name"] == "workspace"
    ]
    assert workspace == f"{claim}-{found['StatefulSet']['metadata']['name']}-0"
    images = {each["image"] for pod in pods() for each in pod["containers"]}
    assert len(images) == 1


def test_probes_ask_what_anybody_may():
    probes = {name: gateway()[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness")}
    assert {each["path"] for each in probes.values()} == {"/healthz"}
    ready = gateway()["readinessProbe"]["httpGet"]
    assert ready["path"] == "/healthz?ready=true"
    for probe in (*probes.values(), ready):
        assert (probe["port"], probe["scheme"]) == ("https", "HTTPS")

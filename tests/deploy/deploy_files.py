"""What the files in deploy/ say of how the gateway is started."""

import json
import shlex
from pathlib import Path

import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = DEPLOY / "systemd"
PROGRAM = "/opt/cipherset/bin/cipherset"


def unit_arguments():
    """Of the command that the unit starts."""
    text = (UNITS / "cipherset.service").read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("ExecStart=")]
    program, *words = shlex.split(line.removeprefix("ExecStart="))
    assert program == PROGRAM
    return words


def container_instructions():
    """Each instruction of the Containerfile with the rest of its line."""
    text = (DEPLOY / "container" / "Containerfile").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [tuple(line.split(" ", 1)) for line in lines]


def container_arguments():
    """Of the command that the image starts."""
    told = dict(container_instructions())
    assert json.loads(told["ENTRYPOINT"]) == ["cipherset"]
    return json.loads(told["CMD"])


def documents(name):
    """The Kubernetes objects of a file, by kind."""
    found = list(yaml.safe_load_all((DEPLOY / "kubernetes" / name).read_text()))
    assert len({each["kind"] for each in found}) == len(found)
    return {each["kind"]: each for each in found}


def gateway():
    """The container that serves."""
    (found,) = documents("gateway.yaml")["StatefulSet"]["spec"]["template"]["spec"]["containers"]
    return found


def pod_arguments():
    """Of the command that the pod starts."""
    return [part for word in gateway()["args"] for part in word.split("=", 1)]


ARGUMENTS = {
    "systemd": unit_arguments,
    "container": container_arguments,
    "kubernetes": pod_arguments,
}

"""A Flower server and its clients, each a process of Flower's own environment, on this machine."""

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from ports import free_port

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "flower"
PYTHON = Path(sys.prefix) / "flower" / "bin" / "python"
DEADLINE_S = 600


def trained(folder, agreement, sockets):
    """The head of a whole training and what a curious server keeps of it.

    An owner answers at each of the ``sockets``. All is over when this returns.
    """
    if not PYTHON.is_file():
        pytest.fail("the set-up did not bring the packages of examples/flower: make test-all does")
    (folder / "agreement.json").write_text(json.dumps(agreement.as_json()))
    port = free_port()
    address = f"127.0.0.1:{port}"
    written = (folder / "agreement.json", folder / "head.npz", folder / "kept.npz")
    with ExitStack() as running:
        curious = Path(__file__).with_name("flower_curious.py")
        server = started(running, folder, curious, address, *written)
        until(lambda: is_open(port) or server.poll() is not None)
        clients = [
            started(running, folder, EXAMPLE / "client.py", address, place) for place in sockets
        ]
        assert server.wait(DEADLINE_S) == 0, (folder / "flower_curious.log").read_text()
        for client in clients:
            assert client.wait(DEADLINE_S) == 0, (folder / "client.log").read_text()
    return tuple(dict(np.load(place)) for place in written[1:])


def started(running, folder, program, *arguments):
    """A process of Flower's environment, which is ended with ``running`` if it is still there."""
    env = {
        "HOME": str(folder),
        "PATH": os.defpath,
        "FLWR_HOME": str(folder / "flwr"),
        "FLWR_TELEMETRY_ENABLED": "0",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": f"{ROOT / 'src'}:{EXAMPLE}",
    }
    log = running.enter_context((folder / f"{program.stem}.log").open("ab"))
    process = running.enter_context(
        subprocess.Popen([PYTHON, program, *arguments], env=env, stdout=log, stderr=log)
    )
    running.callback(process.kill)
    return process


def is_open(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def until(is_so):
    end = time.monotonic() + DEADLINE_S
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.05)

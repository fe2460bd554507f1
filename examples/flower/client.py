"""A Flower client for one owner: it carries messages between the server and the owner's socket.

Usage: python client.py SERVER SOCKET, with ``cipherset rounds join … --socket SOCKET`` running.

It holds no row, no step and no key: what passes here is what the server sees.
"""

import base64
import json
import socket
import sys

import numpy as np
from flwr.client import Client, start_client
from flwr.common import (
    Code,
    FitIns,
    FitRes,
    Parameters,
    Status,
    ndarrays_to_parameters,
    parameters_to_ndarrays,
)


class Carrier(Client):
    """Asks the owner what the server asks."""

    def __init__(self, path: str) -> None:
        self.owner = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.owner.connect(path)
        self.lines = self.owner.makefile("rwb")

    def fit(self, ins: FitIns) -> FitRes:
        """One turn: join a round, or send masked values at these weights."""
        asked = json.loads(str(ins.config["asked"]))
        if asked["ask"] == "update":
            (weights,) = parameters_to_ndarrays(ins.parameters)
            asked["weights"] = base64.b64encode(weights.astype("<f8").tobytes()).decode()
        told = self.ask(asked)
        if "error" in told:
            return FitRes(Status(Code.FIT_NOT_IMPLEMENTED, told["error"]), _EMPTY, 0, {})
        hidden = base64.b64decode(told.get("masked", {}).pop("values", ""))
        values = ndarrays_to_parameters([np.frombuffer(hidden, dtype="<u8")])
        return FitRes(Status(Code.OK, ""), values, 0, {"told": json.dumps(told)})

    def ask(self, asked: dict) -> dict:
        """The owner's answer."""
        self.lines.write(json.dumps(asked).encode() + b"\n")
        self.lines.flush()
        return json.loads(self.lines.readline())


_EMPTY = Parameters([], "numpy.ndarray")

if __name__ == "__main__":
    carrier = Carrier(sys.argv[2])
    start_client(server_address=sys.argv[1], client=carrier, insecure=True)
    carrier.ask({"ask": "leave"})

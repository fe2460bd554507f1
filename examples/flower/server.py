"""A Flower server that adds up masked steps of several owners, and sees no single one.

Usage: python server.py ADDRESS AGREEMENT HEAD

It waits for every member of the agreement, runs the rounds, and writes the weights of the model to
HEAD (npz): ``matrix`` (dim, classes), ``offset`` (classes,) and the names of the ``classes``.
"""

import base64
import json
import sys
from pathlib import Path

import numpy as np
from flwr.common import FitIns, ndarrays_to_parameters, parameters_to_ndarrays
from flwr.server import SimpleClientManager, start_server
from flwr.server.client_proxy import ClientProxy
from flwr.server.history import History
from flwr.server.server import Server, fit_clients

from cipherset.pipeline.federated import Round, announcement_json, read_announcements, read_masked
from cipherset.pipeline.private import STEP, descended


class Together(Server):
    """The rounds of one training; what it learns of the owners is the sum of their steps."""

    def __init__(self, agreement: dict, wait_s: int = 600) -> None:
        super().__init__(client_manager=SimpleClientManager())
        self.agreement, self.wait_s = agreement, wait_s
        self.roster = {name: bytes.fromhex(key) for name, key in agreement["roster"].items()}
        self.there: list[ClientProxy] = []
        self.scores = None

    def fit(self, num_rounds: int, timeout: float | None) -> tuple[History, float]:
        """All steps of the descent: each is a round of two turns, or more where a member leaves."""
        agreed = self.agreement
        self.client_manager().wait_for(len(self.roster), timeout=self.wait_s)
        self.there = list(self.client_manager().all().values())
        shape = agreed["dim"], len(agreed["classes"])
        self.scores = descended(self.gradient, shape, agreed["steps"])
        return History(), 0.0

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        """The mean gradient of all rows at ``weights`` (dim + 1, classes)."""
        while (found := self.summed(weights)) is None:
            pass
        return found * STEP**2 / self.agreement["n_rows"]

    def summed(self, weights: np.ndarray) -> np.ndarray | None:
        """The sum of the owners' steps; None where one left: the round is run again without it."""
        turn = Round(self.roster, weights.size)
        for told, _ in self.ask({"ask": "join", "round": turn.round_id.hex()}, weights[:0]):
            turn.announce(*read_announcements([told["announcement"]]))
        announced = [announcement_json(one) for one in turn.close()]
        for told, values in self.ask({"ask": "update", "announced": announced}, weights):
            hidden = base64.b64encode(values.tobytes()).decode()
            turn.take(read_masked({**told["masked"], "values": hidden}))
        return None if turn.missing else turn.total().reshape(weights.shape)

    def ask(self, asked: dict, weights: np.ndarray) -> list[tuple[dict, np.ndarray]]:
        """What every owner that is there answers, and its masked values; who does not is out."""
        ins = FitIns(ndarrays_to_parameters([weights]), {"asked": json.dumps(asked)})
        turns = [(owner, ins) for owner in self.there]
        answered, _ = fit_clients(turns, max_workers=None, timeout=self.wait_s, group_id=0)
        self.there = [owner for owner, _ in answered]
        return [
            (json.loads(str(one.metrics["told"])), parameters_to_ndarrays(one.parameters)[0])
            for _, one in answered
        ]


def run(address: str, server: Together, head: Path) -> None:
    """All rounds, and the model; clients go home after them."""
    start_server(server_address=address, server=server)
    found = server.scores
    names = np.array(server.agreement["classes"])
    norm = server.agreement["row_norm"]
    np.savez(head, matrix=found.matrix / norm, offset=found.offset, classes=names)


if __name__ == "__main__":
    run(sys.argv[1], Together(json.loads(Path(sys.argv[2]).read_text())), Path(sys.argv[3]))

"""The server of examples/flower as a curious one runs it: it keeps all that it is sent of steps.

Usage: python flower_curious.py ADDRESS AGREEMENT HEAD KEPT
"""

import json
import sys
from pathlib import Path

import numpy as np
from server import Together, run


class Curious(Together):
    """What it keeps: of each round its weights, and what each owner sent."""

    def __init__(self, agreement):
        super().__init__(agreement)
        self.weights, self.names, self.hidden = [], [], []

    def ask(self, asked, weights):
        answers = super().ask(asked, weights)
        if asked["ask"] == "update":
            self.weights.append(weights)
            self.names.append([told["masked"]["name"] for told, _ in answers])
            self.hidden.append([values for _, values in answers])
        return answers


if __name__ == "__main__":
    curious = Curious(json.loads(Path(sys.argv[2]).read_text()))
    run(sys.argv[1], curious, Path(sys.argv[3]))
    np.savez(sys.argv[4], weights=curious.weights, names=curious.names, hidden=curious.hidden)

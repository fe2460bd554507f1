"""What a thief gets who has the model and the minimizer, but another key."""

import secrets
from dataclasses import dataclass
from typing import Final

import numpy as np

from cipherset.app.gateway import Gateway
from cipherset.pipeline.encrypt import VectorCipher
from cipherset.pipeline.train import Bundle, run_labels

TRIED: Final = 30


@dataclass(frozen=True, slots=True)
class WrongKeys:
    """Accuracy over many wrong keys: at small dimensions a single one can be lucky."""

    tried: int
    median: float
    low: float
    high: float


def try_wrong_keys(gateway: Gateway, bundle: Bundle) -> WrongKeys:
    """Accuracy of the model on the held-out rows, encrypted under keys that are not its own."""
    batches = list(gateway.stored("test"))
    z = gateway.protection.minimizer.transform(np.concatenate([b.values for b in batches]))
    names = np.concatenate([b.columns.column("label").to_numpy() for b in batches])
    position = {name: code for code, name in enumerate(bundle.manifest.classes)}
    truth = np.array([position[name] for name in names.tolist()])
    own = gateway.protection.cipher
    accuracies = []
    for _ in range(TRIED):
        wrong = VectorCipher(
            secrets.token_bytes(32),
            dim=own.dim,
            scheme=own.scheme,
            approximation_factor=own.approximation_factor,
        )
        accuracies.append(float(np.mean(run_labels(bundle, wrong.encrypt_query(z)) == truth)))
    return WrongKeys(TRIED, float(np.median(accuracies)), min(accuracies), max(accuracies))

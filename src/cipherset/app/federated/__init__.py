"""Owners that train one model on ciphertexts under one purpose key, and show nobody their steps."""

from cipherset.app.federated.account import Account, Counted
from cipherset.app.federated.agreement import Agreement
from cipherset.app.federated.answering import answer, answer_at
from cipherset.app.federated.owner import Contribution, Owner
from cipherset.app.federated.recorded import Recorded, enroll
from cipherset.app.federated.training import train_together
from cipherset.app.federated.written import read_agreement

__all__ = [
    "Account",
    "Agreement",
    "Contribution",
    "Counted",
    "Owner",
    "Recorded",
    "answer",
    "answer_at",
    "enroll",
    "read_agreement",
    "train_together",
]

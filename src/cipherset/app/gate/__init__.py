"""The one door: authenticate, gather facts, decide, debit and record; only then act."""

from cipherset.app.gate.about import NOTHING, WORKSPACE, About, Moment, MomentOf
from cipherset.app.gate.gate import Act, Fact, Gate, KeptPolicies, unheard
from cipherset.app.gate.who import Who
from cipherset.custody.policy import Action

__all__ = [
    "NOTHING",
    "WORKSPACE",
    "About",
    "Act",
    "Action",
    "Fact",
    "Gate",
    "KeptPolicies",
    "Moment",
    "MomentOf",
    "Who",
    "unheard",
]

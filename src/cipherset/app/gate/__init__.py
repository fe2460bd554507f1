"""The one door: authenticate, gather facts, decide, debit and record; only then act."""

from cipherset.app.gate.gate import SOLO, Act, Action, Decision, Fact, Facts, Gate, decide

__all__ = ["SOLO", "Act", "Action", "Decision", "Fact", "Facts", "Gate", "decide"]

"""Whether somebody copies or probes a model through its answers: by count and by the shape of it.

Room: guard/probing. Sees encrypted query vectors and the labels they got; knows core alone. What it
keeps of a caller is bounded, in memory, and no text, no plain vector and no key.
"""

from cipherset.guard.probing.cap import Measured, QueryCap, query_cap
from cipherset.guard.probing.monitor import Monitor, Observed, Verdict
from cipherset.guard.probing.signs import Sign
from cipherset.guard.probing.usual import FEWEST_ROWS, Usual, learn_usual

__all__ = [
    "FEWEST_ROWS",
    "Measured",
    "Monitor",
    "Observed",
    "QueryCap",
    "Sign",
    "Usual",
    "Verdict",
    "learn_usual",
    "query_cap",
]

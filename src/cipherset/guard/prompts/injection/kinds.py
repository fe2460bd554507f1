"""What may be wrong with a text that goes to a model, and which layer says so."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What was found; the values are stable, rules name them."""

    INJECTION = "injection"
    JAILBREAK = "jailbreak"
    HIDDEN_TEXT = "hidden_text"
    ROLE_SMUGGLING = "role_smuggling"


class Layer(StrEnum):
    """What found it, from the cheapest to the dearest."""

    CHARACTERS = "characters"
    PATTERNS = "patterns"
    DECODED = "decoded"
    CLASSIFIER = "classifier"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One layer's say on one text, never its words; a ``score`` of 1 is just enough."""

    kind: Kind
    layer: Layer
    score: float

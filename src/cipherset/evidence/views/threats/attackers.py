"""Who attacks, by what they hold; what they are after, and which measurements speak of it.

What each holds is the threat model's own division: K0 to K6 are what ``assess`` measures.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# The second is the red team's word for what the limit is held against.
_REID: Final = frozenset({"reid_rank1_in_class", "reid_excess"})
# What the red team tries on the guard of prompts, which is one for all services.
PROMPTS: Final = "prompts"
GUARD: Final = "prompt guard"
_MEMBERS: Final = frozenset({"tpr_at_fpr_0.01", "tpr_at_fpr_0.001"})


class Against(StrEnum):
    """The STRIDE category of a path, as tools for threat models sort by.

    Source: A. Shostack, Threat Modeling: Designing for Security, 2014, chapter 3.
    """

    SPOOFING = "Spoofing"
    TAMPERING = "Tampering"
    DISCLOSURE = "Information disclosure"
    ELEVATION = "Elevation of privilege"


@dataclass(frozen=True, slots=True)
class Attacker:
    """One kind: ``references`` are ids of ``REFERENCES``.

    ``knowledge`` and ``metrics`` say which lines of findings measure it; none where nothing does.
    """

    id: str
    who: str
    holds: str
    goal: str
    references: tuple[str, ...]
    knowledge: frozenset[str] = frozenset()
    metrics: frozenset[str] = frozenset()
    against: Against = Against.DISCLOSURE


FILE: Final = Attacker(
    "thief-of-file",
    "a thief of the file",
    "the encrypted rows, and texts of the same kind",
    "find out whose row is whose",
    ("AML.T0025", "LLM02:2025", "LLM08:2025"),
    frozenset({"K0", "K1"}),
    _REID,
)
LAB: Final = Attacker(
    "lab",
    "the lab that trains on it",
    "the encrypted rows with their labels and clear columns",
    "find out whose row is whose",
    ("AML.T0035", "LLM02:2025", "LLM08:2025"),
    frozenset({"K1"}),
    _REID,
)
FILE_AND_KEY: Final = Attacker(
    "thief-of-file-and-key",
    "a thief of the file and the key",
    "the encrypted rows, the key and the minimizer",
    "turn encrypted rows back into records",
    ("AML.T0025", "AML.T0055", "LLM02:2025", "LLM08:2025"),
    frozenset({"K4"}),
    _REID,
)
BOTH_SIDES: Final = Attacker(
    "reads-both-sides",
    "somebody who may read plain and encrypted rows of one key",
    "pairs of a plain row and its encrypted one",
    "learn the map of the key, and undo it for all rows under it",
    ("AML.T0012", "AML.T0035", "LLM08:2025"),
    frozenset({"K2"}),
    _REID,
)
INDEX: Final = Attacker(
    "thief-of-index",
    "a thief of the index, or whoever runs the database that it is in",
    "encrypted vectors that can be told apart and compared",
    "find out whose row is whose",
    ("AML.T0025", "AML.T0036", "LLM08:2025"),
)
MODEL_FILE: Final = Attacker(
    "thief-of-model",
    "a thief of the trained model",
    "its weights, without the key",
    "use it, or read the key's map off its weights",
    ("AML.T0025", "AML.T0044", "ML05:2023"),
    frozenset({"K5"}),
    frozenset({"accuracy", "map_recovered"}),
)
MEMBERSHIP: Final = Attacker(
    "caller-membership",
    "a caller of the model",
    "answers to questions of their choice",
    "tell who was in the training rows",
    ("AML.T0024.000", "AML.T0040", "LLM02:2025", "ML04:2023"),
    frozenset({"K6"}),
    _MEMBERS,
)
INVERSION: Final = Attacker(
    "caller-inversion",
    "a caller of the model",
    "answers to questions of their choice",
    "rebuild training rows",
    ("AML.T0024.001", "AML.T0040", "LLM02:2025", "ML03:2023"),
    frozenset({"K6"}),
    frozenset({"cosine", "token_f1", "attribute_advantage"}),
)
EXTRACTION: Final = Attacker(
    "caller-extraction",
    "a caller of the model",
    "answers to questions of their choice",
    "make a copy of the model",
    ("AML.T0024.002", "AML.T0040", "LLM10:2025", "ML05:2023"),
    frozenset({"K6"}),
    frozenset({"agreement"}),
)
ON_PATH: Final = Attacker(
    "on-path",
    "somebody between a caller and the gateway",
    "the traffic of a deployed model",
    "read answers, change them, or ask in the caller's name",
    ("ML09:2023",),
    against=Against.TAMPERING,
)
BROUGHT: Final = Attacker(
    "maker-of-model",
    "whoever made a model file of unknown origin",
    "what the file makes whoever loads it do",
    "run code where the key is, or answer as they like",
    ("AML.T0010.003", "LLM03:2025", "ML06:2023"),
    against=Against.ELEVATION,
)
ENCODER: Final = Attacker(
    "maker-of-encoder",
    "whoever publishes the encoder",
    "its weights, which every row goes through",
    "make rows recognizable, or useless",
    ("AML.T0010.001", "AML.T0010.003", "LLM03:2025", "ML06:2023"),
    against=Against.TAMPERING,
)
SOURCE: Final = Attacker(
    "poisoner",
    "whoever may write into a source",
    "rows that others train on",
    "teach the model what they like",
    ("AML.T0010.002", "AML.T0020", "LLM04:2025", "ML02:2023"),
    against=Against.TAMPERING,
)
CHUNKS: Final = Attacker(
    "author-of-chunks",
    "whoever may write a text that models are given as context",
    "a place in the prompt of somebody else",
    "make the model follow their instructions",
    ("AML.T0051.001", "AML.T0070", "LLM01:2025", "LLM08:2025"),
    frozenset({PROMPTS}),
    frozenset({"let_through"}),
    against=Against.TAMPERING,
)
PROVIDER: Final = Attacker(
    "service-provider",
    "the provider of a service",
    "every prompt that is sent to it",
    "keep, read or train on what prompts hold",
    ("LLM02:2025", "LLM03:2025"),
)
PROMPTER: Final = Attacker(
    "caller-of-service",
    "a caller of the service",
    "prompts of their choice",
    "make the model say what it should not",
    ("AML.T0051.000", "AML.T0054", "AML.T0057", "LLM01:2025", "LLM02:2025"),
    frozenset({PROMPTS}),
    frozenset({"let_through"}),
    against=Against.ELEVATION,
)
TOOL: Final = Attacker(
    "author-for-agents",
    "whoever may write what an agent or its tools read",
    "a place in what the agent is told",
    "make it act in its owner's name",
    ("AML.T0051.001", "LLM01:2025", "LLM06:2025"),
    against=Against.ELEVATION,
)
CREDENTIAL: Final = Attacker(
    "finder-of-credential",
    "whoever may read where the key of a service lies",
    "a credential of the service",
    "use the service in its owner's name",
    ("AML.T0012", "AML.T0055"),
    against=Against.SPOOFING,
)
LIBRARY: Final = Attacker(
    "maker-of-library",
    "whoever publishes a library that trains or runs models",
    "code that runs where the rows are",
    "run code of their own there",
    ("AML.T0010.001", "LLM03:2025", "ML06:2023"),
    against=Against.ELEVATION,
)
ALONE: Final = Attacker(
    "alone",
    "whoever uses this workspace",
    "records, keys and everything made of them",
    "anything: one person may ask and approve",
    ("AML.T0012",),
    against=Against.ELEVATION,
)

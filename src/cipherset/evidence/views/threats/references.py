"""What the techniques are called elsewhere; an id that is not in this table is used nowhere.

Source: MITRE ATLAS, data/techniques.yaml of https://github.com/mitre-atlas/atlas-data (names as of
April 2025; RAG Poisoning as of its release of March 2025).
Source: OWASP Top 10 for LLM Applications 2025, https://genai.owasp.org/llm-top-10/ (a later edition
has other numbers, so each id bears its year).
Source: OWASP Machine Learning Security Top 10, 2023 (draft 0.3),
https://owasp.org/www-project-machine-learning-security-top-10/.
"""

from dataclasses import dataclass
from typing import Final

_ATLAS: Final = "https://atlas.mitre.org/techniques/"
_LLM: Final = "https://genai.owasp.org/llm-top-10/"
_ML: Final = "https://owasp.org/www-project-machine-learning-security-top-10/"


@dataclass(frozen=True, slots=True)
class Reference:
    """A technique or risk by its id, its name and where it is described."""

    id: str
    name: str
    source: str


_ATLAS_NAMES: Final = {
    "AML.T0010.001": "AI Supply Chain Compromise: AI Software",
    "AML.T0010.002": "AI Supply Chain Compromise: Data",
    "AML.T0010.003": "AI Supply Chain Compromise: Model",
    "AML.T0012": "Valid Accounts",
    "AML.T0020": "Poison Training Data",
    "AML.T0024.000": "Exfiltration via AI Inference API: Infer Training Data Membership",
    "AML.T0024.001": "Exfiltration via AI Inference API: Invert AI Model",
    "AML.T0024.002": "Exfiltration via AI Inference API: Extract AI Model",
    "AML.T0025": "Exfiltration via Cyber Means",
    "AML.T0035": "AI Artifact Collection",
    "AML.T0036": "Data from Information Repositories",
    "AML.T0040": "AI Model Inference API Access",
    "AML.T0044": "Full AI Model Access",
    "AML.T0051.000": "LLM Prompt Injection: Direct",
    "AML.T0051.001": "LLM Prompt Injection: Indirect",
    "AML.T0054": "LLM Jailbreak",
    "AML.T0055": "Unsecured Credentials",
    "AML.T0057": "LLM Data Leakage",
    "AML.T0070": "RAG Poisoning",
}
_LLM_NAMES: Final = {
    "LLM01:2025": "Prompt Injection",
    "LLM02:2025": "Sensitive Information Disclosure",
    "LLM03:2025": "Supply Chain",
    "LLM04:2025": "Data and Model Poisoning",
    "LLM06:2025": "Excessive Agency",
    "LLM08:2025": "Vector and Embedding Weaknesses",
    "LLM10:2025": "Unbounded Consumption",
}
_ML_NAMES: Final = {
    "ML02:2023": "Data Poisoning Attack",
    "ML03:2023": "Model Inversion Attack",
    "ML04:2023": "Membership Inference Attack",
    "ML05:2023": "Model Theft",
    "ML06:2023": "AI Supply Chain Attacks",
    "ML09:2023": "Output Integrity Attack",
}
REFERENCES: Final = {
    each.id: each
    for each in (
        *(Reference(id, name, _ATLAS + id) for id, name in _ATLAS_NAMES.items()),
        *(Reference(id, name, _LLM) for id, name in _LLM_NAMES.items()),
        *(Reference(id, name, _ML) for id, name in _ML_NAMES.items()),
    )
}

"""What one attack got: a value beside chance and the unprotected vectors, and how sure it is."""

from dataclasses import dataclass
from enum import StrEnum


class Knowledge(StrEnum):
    """What an attacker holds; each holds the ciphertexts and clear columns too."""

    CIPHERTEXTS = "K0"
    PUBLIC_TEXT = "K1"
    KNOWN_PAIRS = "K2"
    ORACLE = "K3"
    STOLEN_KEY = "K4"
    STOLEN_MODEL = "K5"
    MODEL_QUERIES = "K6"


class Metric(StrEnum):
    """What is counted; all lie in [0, 1] but ``cosine`` and ``attribute_advantage``."""

    REID_RANK1 = "reid_rank1"
    REID_RANK1_IN_CLASS = "reid_rank1_in_class"
    REID_MRR = "reid_mrr"
    COSINE = "cosine"
    TOKEN_F1 = "token_f1"  # noqa: S105 -- a name
    ENTITY_RECALL = "entity_recall"
    ATTRIBUTE_ADVANTAGE = "attribute_advantage"
    TPR_AT_FPR_0001 = "tpr_at_fpr_0.001"
    TPR_AT_FPR_001 = "tpr_at_fpr_0.01"
    ACCURACY = "accuracy"
    AGREEMENT = "agreement"
    RECOVERED = "map_recovered"
    PURITY = "cluster_purity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One line of the table.

    ``ci`` is the 95 % interval of ``value``. ``chance`` is what somebody gets who holds nothing
    but the clear columns and counts, ``unprotected`` what the same attack gets on plain vectors
    (None where that means nothing). ``n`` is how many rows or trials were scored. ``given`` says
    what else was handed to the attacker, such as a number of pairs.
    """

    attack: str
    knowledge: Knowledge
    metric: Metric
    value: float
    ci: tuple[float, float]
    chance: float
    unprotected: float | None
    n: int
    seed: int
    seconds: float
    given: str = ""

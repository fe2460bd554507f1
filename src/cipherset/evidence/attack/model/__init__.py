"""What a trained model gives away: membership, copies, and what it is worth when stolen.

Models come as functions (``Scorer``) and recipes as functions that make them (``Trainer``).
"""

from cipherset.evidence.attack.model.answers import Answers, Scorer, Trainer
from cipherset.evidence.attack.model.artifacts import (
    Kind,
    Plants,
    Trace,
    search_bytes,
    search_folder,
)
from cipherset.evidence.attack.model.drawn import DrawnMembership
from cipherset.evidence.attack.model.extraction import Agreement, Extraction
from cipherset.evidence.attack.model.head import LinearHead, fit_head
from cipherset.evidence.attack.model.inversion_of_model import ModelInversion, ModelInverter
from cipherset.evidence.attack.model.membership import Membership, ShadowMembership
from cipherset.evidence.attack.model.rates import Rate
from cipherset.evidence.attack.model.stolen import Family, StolenModel, StolenWorth

__all__ = [
    "Agreement",
    "Answers",
    "DrawnMembership",
    "Extraction",
    "Family",
    "Kind",
    "LinearHead",
    "Membership",
    "ModelInversion",
    "ModelInverter",
    "Plants",
    "Rate",
    "Scorer",
    "ShadowMembership",
    "StolenModel",
    "StolenWorth",
    "Trace",
    "Trainer",
    "fit_head",
    "search_bytes",
    "search_folder",
]

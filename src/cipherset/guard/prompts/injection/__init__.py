"""Texts that speak to a model: found in layers, none of which finds all."""

from cipherset.guard.prompts.injection.kinds import Kind, Layer, Verdict
from cipherset.guard.prompts.injection.patterns import (
    ENOUGH,
    Hint,
    hints,
    is_hiding,
    patterns,
    score,
)
from cipherset.guard.prompts.injection.views import View, views

__all__ = [
    "ENOUGH",
    "Hint",
    "Kind",
    "Layer",
    "Verdict",
    "View",
    "hints",
    "is_hiding",
    "patterns",
    "score",
    "views",
]

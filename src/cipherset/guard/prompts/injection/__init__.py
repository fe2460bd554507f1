"""Texts that speak to a model: found in layers, none of which finds all."""

from cipherset.guard.prompts.injection.classifier import InjectionClassifier
from cipherset.guard.prompts.injection.judge import THRESHOLDS, Verdicts, judge
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
    "THRESHOLDS",
    "Hint",
    "InjectionClassifier",
    "Kind",
    "Layer",
    "Verdict",
    "Verdicts",
    "View",
    "hints",
    "is_hiding",
    "judge",
    "patterns",
    "score",
    "views",
]

"""Made-up secrets planted among rows, and how well a trained model knows them."""

from cipherset.pipeline.sanitize.canaries.exposure import (
    Completions,
    Exposure,
    exposure,
    exposure_by_completion,
)
from cipherset.pipeline.sanitize.canaries.plant import (
    Canaries,
    CanaryFormat,
    found_in,
    keep,
    make,
    places,
    plant,
    recall,
)

__all__ = [
    "Canaries",
    "CanaryFormat",
    "Completions",
    "Exposure",
    "exposure",
    "exposure_by_completion",
    "found_in",
    "keep",
    "make",
    "places",
    "plant",
    "recall",
]

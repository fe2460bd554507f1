"""Reference trainers and ONNX model bundles; needs no key."""

from cipherset.pipeline.train.bundle import (
    Bundle,
    describe,
    load_bundle,
    save_bundle,
    write_bundle,
)
from cipherset.pipeline.train.check import MOST_BYTES, check_model
from cipherset.pipeline.train.convert import to_onnx
from cipherset.pipeline.train.fit import (
    Classifier,
    Model,
    TrainSpec,
    linear_classifier,
    train_classifier,
    train_model,
)
from cipherset.pipeline.train.run import run_labels, run_sets, run_values, stepped
from cipherset.pipeline.train.score import (
    LabelScores,
    RankScores,
    SetScores,
    ValueScores,
    score_labels,
    score_ranking,
    score_sets,
    score_values,
)

__all__ = [
    "MOST_BYTES",
    "Bundle",
    "Classifier",
    "LabelScores",
    "Model",
    "RankScores",
    "SetScores",
    "TrainSpec",
    "ValueScores",
    "check_model",
    "describe",
    "linear_classifier",
    "load_bundle",
    "run_labels",
    "run_sets",
    "run_values",
    "save_bundle",
    "score_labels",
    "score_ranking",
    "score_sets",
    "score_values",
    "stepped",
    "to_onnx",
    "train_classifier",
    "train_model",
    "write_bundle",
]

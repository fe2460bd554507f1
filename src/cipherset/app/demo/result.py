"""What the demo measured, as the page and the JSON show it."""

from dataclasses import dataclass, field
from typing import Any

from cipherset.app.demo.thief import WrongKeys
from cipherset.app.exports.codes import Codes
from cipherset.app.exports.request import ProtectResult
from cipherset.core.values import Float32s
from cipherset.pipeline.train import LabelScores


@dataclass(frozen=True, slots=True)
class Pictured:
    """Some held-out rows as they were and as they left, for the picture; classes as codes."""

    class_names: tuple[str, ...]
    plain: Float32s = field(repr=False)
    plain_classes: Codes = field(repr=False)
    exported: Float32s = field(repr=False)
    exported_classes: Codes = field(repr=False)
    all_classes: Codes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DemoResult:
    """Everything the page shows."""

    rows: int
    protected: ProtectResult
    encrypted: LabelScores
    at_gate: LabelScores
    lab_accuracy: float
    wrong_keys: WrongKeys
    chance: float
    answers: tuple[tuple[str, str], ...] = field(repr=False)
    pictured: Pictured = field(repr=False)
    seconds: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The report's JSON."""
        leak, utility = self.protected.leak, self.protected.utility
        worst, manifest = leak.worst, self.protected.manifest
        accuracy = {} if utility is None else utility.figures()
        return {
            "rows": self.rows,
            "accuracy": accuracy
            | {
                "encrypted": self.encrypted.accuracy,
                "encrypted_in_lab": self.lab_accuracy,
                "at_gate": self.at_gate.accuracy,
                "wrong_key": self.wrong_keys.median,
                "wrong_key_range": [self.wrong_keys.low, self.wrong_keys.high],
                "wrong_keys_tried": self.wrong_keys.tried,
                "chance": self.chance,
            },
            "verdict": None if utility is None else utility.verdict,
            "reidentification": leak.summary()
            | {
                "unprotected": leak.unprotected.excess,
                "exported": worst.excess,
                "chance": worst.label_alone,
            },
            "settings": {
                "minimizer": manifest.minimizer,
                "dim": manifest.dim,
                "scheme": manifest.scheme,
                "approximation_factor": manifest.approximation_factor,
                "encoder": manifest.encoder.name,
                "sanitized": dict(manifest.sanitizer),
                "rows_train": manifest.splits.train.rows,
                "rows_test": manifest.splits.test.rows,
                **manifest.settings,
            },
            "seconds": sum(self.seconds.values()),
            "stages": self.seconds,
        }

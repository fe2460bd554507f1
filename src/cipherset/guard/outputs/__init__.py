"""What a reply may hold: copies, personal data, secrets, canaries, topics; also streamed."""

from cipherset.guard.outputs.canaries import CanaryHashes
from cipherset.guard.outputs.finders import Finders
from cipherset.guard.outputs.findings import (
    UNREADABLE,
    Copy,
    CopyIndex,
    Finding,
    Kind,
    Remedy,
    Rows,
)
from cipherset.guard.outputs.rules import OutputRules
from cipherset.guard.outputs.segments import Pace
from cipherset.guard.outputs.stream import (
    BLOCKED,
    HELD,
    Filtered,
    Finish,
    OutputFilter,
    StreamFilter,
    Verdict,
)

__all__ = [
    "BLOCKED",
    "HELD",
    "UNREADABLE",
    "CanaryHashes",
    "Copy",
    "CopyIndex",
    "Filtered",
    "Finders",
    "Finding",
    "Finish",
    "Kind",
    "OutputFilter",
    "OutputRules",
    "Pace",
    "Remedy",
    "Rows",
    "StreamFilter",
    "Verdict",
]

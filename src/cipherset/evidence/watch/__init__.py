"""What is unusual of a principal, against their own past: figures only, no decision."""

from cipherset.evidence.watch.detect import alerts
from cipherset.evidence.watch.sightings import Alert, AlertKind, Sighting

__all__ = ["Alert", "AlertKind", "Sighting", "alerts"]

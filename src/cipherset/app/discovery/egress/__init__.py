"""Shadow AI: which AI services the logs of a network show, and which rows went to them."""

from cipherset.app.discovery.egress.kept import Sightings, sightings
from cipherset.app.discovery.egress.report import EgressReport
from cipherset.app.discovery.egress.request import EgressRequest
from cipherset.app.discovery.egress.run import discover_egress

__all__ = ["EgressReport", "EgressRequest", "Sightings", "discover_egress", "sightings"]

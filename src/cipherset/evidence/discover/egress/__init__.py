"""Which AI services a log shows, by whom, when and with how much sent: pure, and line by line.

Order rules: ``ServiceList`` (``shipped`` or ``read_services``), ``Tally`` over it, ``read_log`` for
each log (those with DNS answers first), then ``Tally.sightings``.
"""

from cipherset.evidence.discover.egress.bodies import Body, read_bodies
from cipherset.evidence.discover.egress.call import Answer, Call, How
from cipherset.evidence.discover.egress.formats.browsers import MAGIC, visits_in
from cipherset.evidence.discover.egress.lines import LogFile
from cipherset.evidence.discover.egress.reading import (
    FORMATS,
    Faults,
    Hints,
    detected,
    read_log,
    tells_addresses,
)
from cipherset.evidence.discover.egress.services import (
    Service,
    ServiceList,
    read_services,
    shipped,
)
from cipherset.evidence.discover.egress.tally import Alike, Sighting, Tally

__all__ = [
    "FORMATS",
    "MAGIC",
    "Alike",
    "Answer",
    "Body",
    "Call",
    "Faults",
    "Hints",
    "How",
    "LogFile",
    "Service",
    "ServiceList",
    "Sighting",
    "Tally",
    "detected",
    "read_bodies",
    "read_log",
    "read_services",
    "shipped",
    "tells_addresses",
    "visits_in",
]

"""What one line of a log says: a call to a host, or an address that a name was answered with."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class How(StrEnum):
    """How a call was seen; one call may be seen in several of these ways."""

    LOOKUP = "lookup"
    REQUEST = "request"
    FLOW = "flow"
    VISIT = "visit"


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody asked for ``host``, or sent to ``address`` whose name is not known.

    ``at`` is UTC, None where the log has no time; ``bytes_up`` None where it does not say, and
    where what it says is no number of bytes: then ``is_part``, for the line was read in part.
    """

    how: How
    principal: str = field(repr=False)
    host: str | None = None
    address: str | None = None
    at: datetime | None = None
    bytes_up: int | None = None
    is_part: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """DNS said that ``host`` is at ``address``."""

    host: str
    address: str


Seen = Call | Answer

"""A sum over several owners of which nobody, not even who adds it up, sees a part.

Room: pipeline/federated. Knows core alone; holds no key but those of one owner in one round.
"""

from cipherset.pipeline.federated.member import Member
from cipherset.pipeline.federated.messages import Announcement, Masked, digest_of, public_of
from cipherset.pipeline.federated.ring import LEAST_MEMBERS, MOST_MEMBERS, MOST_VALUE
from cipherset.pipeline.federated.round import Round, secure_sum
from cipherset.pipeline.federated.wire import (
    announcement_json,
    floats_text,
    masked_json,
    read_announcements,
    read_floats,
    read_hex,
    read_masked,
)

__all__ = [
    "LEAST_MEMBERS",
    "MOST_MEMBERS",
    "MOST_VALUE",
    "Announcement",
    "Masked",
    "Member",
    "Round",
    "announcement_json",
    "digest_of",
    "floats_text",
    "masked_json",
    "public_of",
    "read_announcements",
    "read_floats",
    "read_hex",
    "read_masked",
    "secure_sum",
]

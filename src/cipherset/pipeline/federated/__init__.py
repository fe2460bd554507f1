"""A sum over several owners of which nobody, not even who adds it up, sees a part.

Room: pipeline/federated. Knows core alone; holds no key but those of one owner in one round.
"""

from cipherset.pipeline.federated.member import Member
from cipherset.pipeline.federated.messages import Announcement, Masked, digest_of, public_of
from cipherset.pipeline.federated.ring import LEAST_MEMBERS, MOST_MEMBERS, MOST_VALUE
from cipherset.pipeline.federated.round import Round, secure_sum

__all__ = [
    "LEAST_MEMBERS",
    "MOST_MEMBERS",
    "MOST_VALUE",
    "Announcement",
    "Masked",
    "Member",
    "Round",
    "digest_of",
    "public_of",
    "secure_sum",
]

"""Who there is, what was asked and granted, and which policies hold: rows, in a transaction.

What they mean is the policy room's: here a request, a vote and a policy are text that is kept.
"""

from cipherset.custody.ledger.access.credentials import (
    StoredCredential,
    add_credential,
    credentials_of,
    drop_credential,
    find_credential,
)
from cipherset.custody.ledger.access.grants import (
    StoredRequest,
    StoredVote,
    add_request,
    add_vote,
    find_request,
    has_votes,
    requests,
    requests_for,
    votes_on,
)
from cipherset.custody.ledger.access.policies import (
    StoredPolicies,
    activate,
    active_digest,
    active_policies,
    changed_policies,
    find_policies,
)
from cipherset.custody.ledger.access.principals import (
    PastKey,
    StoredPrincipal,
    changed_principals,
    find_principal,
    principals,
    put_principal,
)

__all__ = [
    "PastKey",
    "StoredCredential",
    "StoredPolicies",
    "StoredPrincipal",
    "StoredRequest",
    "StoredVote",
    "activate",
    "active_digest",
    "active_policies",
    "add_credential",
    "add_request",
    "add_vote",
    "changed_policies",
    "changed_principals",
    "credentials_of",
    "drop_credential",
    "find_credential",
    "find_policies",
    "find_principal",
    "find_request",
    "has_votes",
    "principals",
    "put_principal",
    "requests",
    "requests_for",
    "votes_on",
]

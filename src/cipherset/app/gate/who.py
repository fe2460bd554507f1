"""Who asks, and how that is known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from securesystemslib.signer import Signer

from cipherset.core.envelope import fingerprint, public_key_of
from cipherset.core.errors import PolicyError
from cipherset.custody.ledger import Ledger
from cipherset.custody.ledger.access import find_principal
from cipherset.custody.policy import Authenticated

TENANT: Final = "tenant"


@dataclass(frozen=True, slots=True)
class Who:
    """A name, what vouches for it, and the key that signs for it where there is one.

    ``emergency`` says why glass is to be broken, if it is: policies may allow then what they would
    not, and it is reviewed after. ``network`` is the address that they are connected from.

    Whoever holds the workspace's files is beyond the gate; there a name is claimed. A principal
    with a public key of their own is proved by the private one all the same.
    """

    name: str
    authenticated: Authenticated = Authenticated.CLAIMED
    emergency: str | None = None
    signer: Signer | None = field(default=None, repr=False)
    network: str | None = None

    def unproven(self, public_key: str | None) -> PolicyError | None:
        """Why the name does not hold for a principal with ``public_key``; None where it does."""
        if public_key is None or self.authenticated is not Authenticated.CLAIMED:
            return None
        if self.signer is not None and public_key_of(self.signer) == public_key:
            return None
        return PolicyError(
            f"{self.name} has a key of their own, {fingerprint(public_key)[:16]}, and nothing was "
            "signed with it",
            code="unproven",
            hint="give the file with the private key: CIPHERSET_PRINCIPAL_KEY=FILE",
        )


def tenant_of(ledger: Ledger, who: Who) -> str | None:
    """The tenant of the one who asks, as the ledger has it; None where they have none."""
    stored = ledger.transact(lambda transaction: find_principal(transaction.connection, who.name))
    attributes: Mapping[str, str] = {} if stored is None else stored.attributes
    return attributes.get(TENANT)

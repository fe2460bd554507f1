"""Which set of policies holds, written down with the set itself."""

from collections.abc import Mapping

from cipherset.core import canonical
from cipherset.custody.ledger import Transaction
from cipherset.custody.ledger.access import StoredPolicies, activate
from cipherset.custody.policy import BuiltIn, Policies, builtin


def activate_built_in(transaction: Transaction, name: BuiltIn, *, author: str) -> str:
    """Let a set of the package hold; its digest."""
    return activate_set(
        transaction, name.value, builtin.texts(name), builtin.limits(name), author=author
    )


def activate_set(
    transaction: Transaction, name: str, texts: Mapping[str, str], limits: str, *, author: str
) -> str:
    """Let a set hold from now on; its digest.

    Raises:
        InputError: the set is not fit; see ``Policies.load``.
    """
    digest = Policies.load(texts, limits).digest
    text = canonical.encode({"name": name, "texts": dict(texts), "limits": limits}).decode()
    now = transaction.now.isoformat(timespec="microseconds")
    activate(transaction.connection, StoredPolicies(digest, text, author, now, now))
    return digest


def active_name(stored: StoredPolicies) -> str:
    """What the set that holds is called."""
    return str(canonical.decode(stored.text.encode(), what="the policies in the ledger")["name"])

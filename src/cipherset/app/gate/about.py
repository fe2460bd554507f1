"""What an act is about, in the words of the operation that asks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from cipherset.core import canonical
from cipherset.core.environment import region_of
from cipherset.custody.keys import KeyInfo
from cipherset.custody.ledger import Transaction
from cipherset.custody.ledger.budgets import Debit
from cipherset.custody.ledger.exposure import RowDebit
from cipherset.custody.policy import Action, Kind, Verdict


@dataclass(frozen=True, slots=True)
class About:
    """The asset that an act is about, by its digest; ``name`` is what its owner calls it.

    ``also`` are other assets that take part, ``kind:name`` to digest, as ``bound`` writes it. What
    the ledger knows of an asset (label, trust, standing, makers) the gate looks up itself;
    ``purpose`` is what a key was made for, ``tenant`` whose rows it is for, and ``region`` where
    alone it may be used.
    """

    kind: Kind
    id: str
    name: str
    also: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    purpose: str | None = None
    tenant: str | None = None
    region: str | None = None

    def bound(self) -> dict[str, str]:
        """Every asset of the act, ``kind:name`` to digest."""
        return {f"{self.kind}:{self.name}": self.id, **self.also}


WORKSPACE: Final = About(Kind.WORKSPACE, "workspace", "workspace")


@dataclass(frozen=True, slots=True)
class Moment:
    """What the operation knows at the time; what it leaves out is not known.

    ``purpose`` is what was said to be wanted, and goes before that of a grant; ``key`` is the
    one that the act makes something under, whose purpose holds where neither says anything.
    ``reid`` and ``verdict`` are those of the latest finding about this very asset, and
    ``is_fresh`` says that nothing it was bound to has changed since. ``debits`` and
    ``row_debits`` are spent with the decision, or not at all. ``rows`` counts the rows that the
    act touches, ``exposure_left`` what the budgets leave for them. ``asked``, ``requester`` and
    ``beneficiary`` are those of the request that a vote is about. ``granted_as``: a grant for that
    action covers this one too, for it is a part of it. ``opens`` are keys that the act opens at
    once: whether they may be is decided with it. ``takes_out``: rows only go, so that what for,
    whose they are and where they stay is asked of nobody.
    """

    purpose: str | None = None
    key: About | None = None
    rows: int = 0
    reid: float | None = None
    verdict: Verdict | None = None
    is_fresh: bool = False
    accepted_risk: bool = False
    exposure_left: int | None = None
    asked: Action | None = None
    requester: str | None = None
    beneficiary: str | None = None
    granted_as: Action | None = None
    debits: tuple[Debit, ...] = ()
    row_debits: tuple[RowDebit, ...] = ()
    opens: tuple[About, ...] = ()
    takes_out: bool = False


NOTHING: Final = Moment()
# What is only known in the transaction that decides: it reads, and does nothing else.
MomentOf = Callable[[Transaction], Moment]


def about_key(key: KeyInfo) -> About:
    """A key at its active version; a rotated one is another."""
    digest = key_digest(key.key_id, key.version)
    return About(
        Kind.KEY,
        digest,
        key.name,
        purpose=key.purpose or None,
        tenant=key.tenant,
        region=region_of(key.only_in),
    )


def about_key_named(name: str) -> About:
    """A key that is to be made."""
    return About(Kind.KEY, key_digest(name, 0), name)


def key_digest(key_id: str, version: int) -> str:
    """What stands for one version of a key."""
    return canonical.digest({"key_id": key_id, "version": version})

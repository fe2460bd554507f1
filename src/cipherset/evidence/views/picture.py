"""What the ledger holds at one moment, as plain values: everything that a view is computed from.

``app.sight.gather`` takes it, in one transaction. A view is a function of a picture and nothing
else, so it cannot rot: there is nothing stored that could.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Protocol

from cipherset.core.labels import Label
from cipherset.evidence.views.labels import Labeling

DONE: Final = "done"
# In the attributes of the asset that stands for the guards of the gateway.
GUARDS: Final = "guards"


class Step(Labeling, Protocol):
    """A run: what turned assets into assets, or said something of them."""

    @property
    def id(self) -> str: ...
    @property
    def actor(self) -> str: ...
    @property
    def started(self) -> str: ...
    @property
    def finished(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Thing:
    """An asset, and what the runs say of it.

    ``kind`` is dataset, key, model or service. Nothing is known of a label that is None: it counts
    as restricted. ``stale``: it holds, or was made of, rows of somebody who was forgotten since.
    """

    id: str
    kind: str
    name: str
    created: str
    attributes: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    label: Label | None = None
    standing: str = "proposed"
    owner: str | None = None
    purpose: str | None = None
    is_stale: bool = False

    @property
    def is_guards(self) -> bool:
        """Whether it stands for our own guards, which the red team attacks: no AI of anybody's."""
        told = self.attributes
        return self.kind == "service" and told.get("what") == GUARDS and "seen_as" not in told


@dataclass(frozen=True, slots=True)
class Key:
    """One version of a key; ``id`` is its digest, which it also has as a thing."""

    id: str
    key_id: str
    name: str
    version: int
    status: str
    provider: str
    purpose: str
    created: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What an assessment or a red team wrote down when it was done: one event.

    ``about`` is the id of the asset that it measured. ``is_fresh``: by the suite of today.
    ``facts`` are those of the event: reid, verdict, n_star, pair_cap and limit of an assessment.
    """

    seq: int
    time: str
    actor: str
    action: str
    about: str
    is_fresh: bool
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Person:
    """A principal; ``is_active`` where they have not left."""

    name: str
    roles: tuple[str, ...]
    is_active: bool
    has_key: bool


@dataclass(frozen=True, slots=True)
class Permission:
    """A grant and where it stands; ``bound`` is kind:name to digest; times are UTC, ISO 8601."""

    id: str
    action: str
    beneficiary: str
    requester: str
    purpose: str
    state: str
    because: str
    bound: Mapping[str, str]
    created: str
    until: str | None
    accepts_risk: bool
    approved_by: tuple[str, ...] = ()
    lacking: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Spent:
    """What was used of a budget, for ever."""

    kind: str
    scope: str
    used: int


@dataclass(frozen=True, slots=True)
class Notice:
    """An event that somebody should look at: an alert, a refusal, glass that was broken."""

    seq: int
    time: str
    actor: str
    action: str
    subject: str
    outcome: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Picture:
    """All of it, at ``now``, when the last event was ``events``.

    ``things`` are by id, the oldest first; ``steps`` the oldest first; ``notices`` too, and no
    older than a month. ``alone``: the policies let one person ask and approve.
    """

    now: datetime
    events: int
    policy: str
    alone: bool
    things: Mapping[str, Thing]
    steps: tuple[Step, ...]
    keys: tuple[Key, ...] = ()
    findings: tuple[Finding, ...] = ()
    people: tuple[Person, ...] = ()
    grants: tuple[Permission, ...] = ()
    spent: tuple[Spent, ...] = ()
    notices: tuple[Notice, ...] = ()

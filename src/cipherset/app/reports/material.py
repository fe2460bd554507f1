"""What a report is computed from, gathered once: the picture, the events, the acts."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Any, Final

from cipherset.app.gate import Action
from cipherset.app.records.uses import Use, uses
from cipherset.app.reports.period import Period
from cipherset.app.sight.gather import picture
from cipherset.app.workspace import Workspace
from cipherset.custody.ledger import Event, Outcome
from cipherset.custody.ledger.access.held import PRINCIPAL_HELD
from cipherset.custody.policy import Policies
from cipherset.evidence.views.picture import Picture

# In the attributes of what left.
EXPORT: Final = "cipherset_id"
# How acts that ask for, approve, deny or revoke a grant begin.
VOTE: Final = "grant."
# What an event may call the asset that it is about, beside its subject.
_ABOUT: Final = ("asset", "manifest", "model", "bundle")


@dataclass(frozen=True, slots=True)
class Told:
    """An event with its body read."""

    event: Event
    facts: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Material:
    """The ledger up to now, and which of it is of the period."""

    period: Period
    picture: Picture
    policies: Policies
    told: tuple[Told, ...] = field(repr=False)

    @cached_property
    def recent(self) -> tuple[Told, ...]:
        """The events of the period."""
        return tuple(each for each in self.told if self.period.holds(each.event.time))

    @cached_property
    def all_acts(self) -> tuple[Use, ...]:
        """The acts that were allowed ever, by their beginning."""
        return tuple(uses(each.event for each in self.told))

    @cached_property
    def acts(self) -> tuple[Use, ...]:
        """Those that began in the period."""
        return tuple(act for act in self.all_acts if self.period.holds(act.began))

    @cached_property
    def reid(self) -> dict[str, tuple[float, bool]]:
        """Of each asset the most that was re-identified, and whether today's suite found it.

        Without a finding by today's suite, the last of an older one is what is known.
        """
        found: dict[str, tuple[float, bool]] = {}
        for each in self.picture.findings:
            reid, before = each.facts.get("reid"), found.get(each.about, (0.0, False))
            if not isinstance(reid, int | float) or (before[1] and not each.is_fresh):
                continue
            most = max(float(reid), before[0]) if before[1] else float(reid)
            found[each.about] = (most, each.is_fresh)
        return found

    @cached_property
    def made_of(self) -> dict[str, set[str]]:
        """Of each asset, what runs made it of."""
        return _linked((step.outputs, step.inputs) for step in self.picture.steps)

    @cached_property
    def made_into(self) -> dict[str, set[str]]:
        """Of each asset, what runs made of it."""
        return _linked((step.inputs, step.outputs) for step in self.picture.steps)

    @cached_property
    def first_about(self) -> dict[str, int]:
        """The number of the first event about each asset, by its id."""
        found: dict[str, int] = {}
        for each in self.told:
            for name in (each.event.subject, *(each.facts.get(key) for key in _ABOUT)):
                if isinstance(name, str):
                    found.setdefault(name, each.event.seq)
        return found

    def seen(self, assets: Collection[str]) -> tuple[int, ...]:
        """The first events about the assets, sorted; of a key, all that changed it."""
        known, keys = self.first_about, self.key_changes
        found = {known[each] for each in assets if each in known and each not in keys}
        return tuple(sorted(found.union(*(keys.get(each, ()) for each in assets))))

    @cached_property
    def key_changes(self) -> dict[str, tuple[int, ...]]:
        """The numbers of the events that made, bound, rotated, retired or destroyed each key."""
        by_name: dict[str, list[int]] = {}
        for each in self.told:
            event = each.event
            is_change = event.action.startswith("key.") and event.action != Action.KEY_USE
            if is_change and event.outcome == Outcome.DONE:
                by_name.setdefault(event.subject, []).append(event.seq)
        return {key.id: tuple(by_name.get(key.name, ())) for key in self.picture.keys}

    def of(self, *actions: str, outcome: Outcome | None = None) -> Iterator[Told]:
        """The events of the period of these actions, of one outcome or any."""
        return (
            each
            for each in self.recent
            if each.event.action in actions and outcome in {None, each.event.outcome}
        )

    def name_of(self, asset: str) -> str:
        """What an asset is called, with the beginning of its id."""
        thing = self.picture.things.get(asset)
        return short(asset) if thing is None else f"{thing.name} ({short(asset)})"

    @cached_property
    def by_grant(self) -> dict[str, list[Told]]:
        """What was done about or under each grant ever, by its id."""
        found: dict[str, list[Told]] = {}
        for each in self.told:
            is_vote = each.event.action.startswith(VOTE)
            named = {each.facts.get("grant"), each.event.subject if is_vote else None}
            for grant in named - {None}:
                found.setdefault(str(grant), []).append(each)
        return found

    @cached_property
    def by_actor(self) -> dict[str, list[Told]]:
        """The acts of the period that were allowed, by who did them."""
        found: dict[str, list[Told]] = {}
        for each in self.recent:
            if each.event.outcome == Outcome.INTENDED:
                found.setdefault(each.event.actor, []).append(each)
        return found

    @cached_property
    def held(self) -> dict[str, list[int]]:
        """The numbers of the events that say who each principal is, by name."""
        found: dict[str, list[int]] = {}
        for each in self.told:
            if each.event.action == PRINCIPAL_HELD:
                found.setdefault(each.event.subject, []).append(each.event.seq)
        return found

    @cached_property
    def activation(self) -> tuple[int, ...]:
        """The event with which the policies of today came to hold, if there is one."""
        done = [
            each.event.seq
            for each in self.told
            if each.event.action == Action.POLICY_ACTIVATE and each.event.outcome == Outcome.DONE
        ]
        return tuple(done[-1:])


def gather(workspace: Workspace, period: Period, size: int) -> Material:
    """Everything, of the first ``size`` events, whose chain was verified.

    Raises:
        IntegrityError: ``ledger_corrupt``, ``label_schema``, ``policy_changed``.
        BackendError: ``ledger_unreadable``.
    """
    ledger = workspace.gate.ledger
    told = tuple(Told(event, json.loads(event.body)) for event in islice(ledger.events(), size))
    seen = picture(workspace)
    known = tuple(each for each in seen.findings if each.seq <= size)
    policies = ledger.look(workspace.gate.policies)
    return Material(period, replace(seen, findings=known), policies, told)


def reached(assets: Iterable[str], links: Mapping[str, set[str]]) -> set[str]:
    """What can be come to from ``assets`` by the links, without these."""
    begun = set(assets)
    found, waiting = set(begun), list(begun)
    while waiting:
        new = links.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found - begun


def _linked(pairs: Iterable[tuple[Sequence[str], Sequence[str]]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for start, end in pairs:
        for each in start:
            found.setdefault(each, set()).update(end)
    return found


def minute(time: str) -> str:
    """An event's time for people, in UTC."""
    return time[:16].replace("T", " ")


def short(asset: str) -> str:
    """The beginning of a digest, enough to tell assets of one workspace apart."""
    return asset.rpartition(":")[2][:12]

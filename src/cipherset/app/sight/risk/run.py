"""``view risk``: the scores of all assets, and what they would be if."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cipherset.app.gate.about import About
from cipherset.app.gate.subjects import named
from cipherset.app.serving.relay.rules import read_guard_rules
from cipherset.app.sight.gather import picture
from cipherset.app.sight.look import check_here, looked
from cipherset.app.sight.risk.exposure import Exposure, computed, exposure_of, limits_of
from cipherset.app.sight.risk.may import roles_that_may
from cipherset.app.sight.risk.pairs import held_by_all
from cipherset.app.state import minimizer_of
from cipherset.app.workspace import Session, Workspace
from cipherset.core.canonical import digest_bytes
from cipherset.core.files import disk_errors
from cipherset.custody.policy import Action, Kind, Policies, Role
from cipherset.evidence.views.exposure.budgets import Held, scope_of
from cipherset.evidence.views.picture import Picture
from cipherset.evidence.views.risk.guards import Surroundings
from cipherset.evidence.views.risk.ranking import Ranked, ranked
from cipherset.evidence.views.risk.read import facts_of
from cipherset.evidence.views.risk.sorts import origins, sensed
from cipherset.evidence.views.risk.suppose import Moved, moved, with_grant, with_role


@dataclass(frozen=True, slots=True)
class Risk:
    """Every asset by its score, the highest first; ``events`` is how far the ledger went."""

    assets: tuple[Ranked, ...]
    events: int

    def as_json(self, top: int | None) -> dict[str, Any]:
        """The command's JSON, of the ``top`` assets, or of all."""
        shown = self.assets if top is None else self.assets[:top]
        return {
            "assets": [each.as_json() for each in shown],
            "total": len(self.assets),
            "events": self.events,
        }


@dataclass(frozen=True, slots=True)
class Supposing:
    """A grant for ``action`` on ``asset``, or else ``role``, that ``principal`` would be given."""

    principal: str
    action: Action | None = None
    asset: str = ""
    role: Role | None = None

    def as_json(self) -> dict[str, Any]:
        """What is supposed."""
        if self.role is not None:
            return {"principal": self.principal, "role": self.role.value}
        action = None if self.action is None else self.action.value
        return {"principal": self.principal, "action": action, "asset": self.asset}


@dataclass(frozen=True, slots=True)
class NewPairs:
    """Pairs of a key that somebody would hold; ``is_refused`` where the gate would not have it."""

    held: Held
    before: int
    cap: int | None

    @property
    def is_refused(self) -> bool:
        """Whether the pairs are above the cap of the key."""
        return self.cap is not None and self.held.pairs > self.cap

    def as_json(self) -> dict[str, Any]:
        """The pairs as the command prints them."""
        told = self.held.as_json() | {"key": self.held.key, "before": self.before}
        return {**told, "cap": self.cap, "refused": self.is_refused}


@dataclass(frozen=True, slots=True)
class Supposed:
    """What would be another: scores, and pairs that somebody would hold."""

    what: Supposing
    assets: tuple[Moved, ...]
    pairs: tuple[NewPairs, ...]

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        return {
            "if": self.what.as_json(),
            "assets": [each.as_json() for each in self.assets],
            "pairs": [each.as_json() for each in self.pairs],
        }


def view_risk(session: Session) -> Risk:
    """The score of every asset.

    Raises:
        PolicyError: ``not_allowed``.
        InputError: ``relay_rules``: the gateway's rules cannot be read.
    """
    with looked(session, "risk") as (workspace, _):
        return risk_of(workspace, picture(workspace))


def risk_of(workspace: Workspace, seen: Picture) -> Risk:
    """The scores in a picture that was taken of the workspace."""
    around = _around(workspace, seen, exposure_of(workspace, seen))
    return Risk(ranked(facts_of(seen, around)), seen.events)


def suppose(session: Session, what: Supposing) -> Supposed:
    """What would be another if that were so; nothing is changed.

    Raises:
        PolicyError: ``not_allowed``.
        UsageError: ``asset_named``.
    """
    with looked(session, "risk") as (workspace, _):
        seen = picture(workspace)
        then = _supposed(workspace, seen, what)
        limits = workspace.gate.ledger.look(workspace.gate.policies).limits
        caps = limits_of(seen, limits)
        now_out, then_out = computed(seen, caps), computed(then, caps)
        before = facts_of(seen, _around(workspace, seen, now_out))
        after = facts_of(then, _around(workspace, then, then_out))
    pairs = _new_pairs(held_by_all(seen), held_by_all(then), then_out)
    return Supposed(what, moved(before, after), tuple(pairs))


def _supposed(workspace: Workspace, seen: Picture, what: Supposing) -> Picture:
    if what.role is not None:
        return with_role(seen, what.principal, what.role.value)
    about = _about(workspace, seen, what.asset)
    action = "" if what.action is None else what.action.value
    return with_grant(seen, action, about.bound(), what.principal)


def _about(workspace: Workspace, seen: Picture, asset: str) -> About:
    """The asset; from afar by its id alone: a path would be one of this machine."""
    thing = seen.things.get(asset)
    if thing is not None:
        return About(Kind(thing.kind), thing.id, thing.name)
    check_here(workspace)
    return named(workspace, asset)


def _around(workspace: Workspace, seen: Picture, out: Exposure) -> Surroundings:
    policies: Policies = workspace.gate.ledger.look(workspace.gate.policies)
    limits = policies.limits
    return Surroundings(
        may=roles_that_may(policies, sensed(seen, origins(seen))),
        max_reid=limits.max_reid,
        keys={each.key.id: each for each in out.keys},
        models={each.id: each for each in out.models},
        datasets={each.id: each for each in out.datasets},
        bound=frozenset(each.key_id for each in workspace.ring.list() if each.only_in),
        minimizers=_minimizers(workspace, seen),
        exports=limits.budgets.exports,
        tokens=limits.budgets.tokens,
        knows_rows=bool(read_guard_rules(workspace.home).rows),
    )


def _minimizers(workspace: Workspace, seen: Picture) -> dict[str, str]:
    """The digest of the minimizer of each key version that has one."""
    found = {}
    for key in seen.keys:
        path = minimizer_of(workspace.minimizers, key.key_id, key.version)
        with disk_errors(path):
            if path.is_file():
                found[scope_of(key.key_id, key.version)] = digest_bytes(path.read_bytes())
    return found


def _new_pairs(before: Iterable[Held], after: Iterable[Held], out: Exposure) -> Iterable[NewPairs]:
    known = {(each.principal, each.key): each.pairs for each in before}
    caps = {scope_of(each.key.key_id, each.key.version): each.held_cap for each in out.keys}
    for each in after:
        had = known.get((each.principal, each.key), 0)
        if each.pairs > had:
            yield NewPairs(each, had, caps.get(each.key, 0))

"""The access review: who holds which role and grant, what they used of it, and what nobody uses."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

from cipherset.app.gate import Action
from cipherset.app.reports.content import Figure, Row, Section, Table
from cipherset.app.reports.material import VOTE, Material, minute
from cipherset.custody.ledger import Outcome
from cipherset.custody.policy import Kind, Principal, Role
from cipherset.custody.policy.unused import Unused, unused
from cipherset.evidence.views.picture import Permission, Person

_SAYS: Final = (
    "Who may do what by role, and what was granted on top, as it stands today; what each did in "
    "the period; and what the policies allow that they did not use, so that it can be taken away."
)
_OVER: Final = frozenset({"live", "scheduled", "pending"})


def access(material: Material) -> Section:
    """Roles, grants, last uses, unused permissions."""
    idle = _unused(material)
    others = sorted(material.by_actor.keys() - {each.name for each in material.picture.people})
    grants = [each for each in material.picture.grants if _was_open(each, material)]
    return Section(
        "access",
        "Access review",
        _SAYS,
        _figures(material, grants, idle, others),
        (
            _people(material, idle),
            Table(
                "Grants",
                ("grant", "action", "for", "purpose", "assets", "approved by", "state", "uses"),
                tuple(_grant(each, material) for each in grants),
            ),
            Table(
                "Permissions that were not used",
                ("principal", "may"),
                _idle(idle, material.activation),
                "None.",
            ),
            Table(
                "Names that acted and are no principal",
                ("name", "acts in the period", "last act"),
                tuple(_other(name, material) for name in others),
                "None.",
            ),
        ),
    )


def _figures(
    material: Material, grants: list[Permission], idle: list[Unused], others: list[str]
) -> tuple[Figure, ...]:
    people = material.picture.people
    active = [each.name for each in people if each.is_active]
    live = [each for each in grants if each.state == "live"]
    risky = [each for each in grants if each.accepts_risk]
    return (
        Figure("Principals", len(people), _added(material, [each.name for each in people])),
        Figure("Of these, active", len(active), _added(material, active)),
        Figure("Grants that were open in the period", len(grants), _asked(material, grants)),
        Figure("Live today", len(live), _asked(material, live)),
        Figure("That accept a risk", len(risky), _asked(material, risky)),
        Figure("Permissions that were not used", len(idle), material.activation),
        Figure("Names that acted and are no principal", len(others), _acts(material, others)),
    )


def _people(material: Material, idle: list[Unused]) -> Table:
    counts = Counter(each.principal for each in idle)
    return Table(
        "Principals",
        ("name", "roles", "status", "own key", "acts in the period", "last act", "unused"),
        tuple(_person(each, counts[each.name], material) for each in material.picture.people),
        "Nobody was added: one person does everything.",
    )


def _other(name: str, material: Material) -> Row:
    return Row((name, *_acted(material, name)), _acts(material, [name]))


def _unused(material: Material) -> list[Unused]:
    known = {action.value for action in Action}
    used = [
        (each.event.actor, Action(each.event.action), Kind(each.facts.get("kind", "workspace")))
        for each in material.recent
        if each.event.outcome == Outcome.INTENDED and each.event.action in known
    ]
    people = [
        Principal(each.name, frozenset(map(Role, each.roles)))
        for each in material.picture.people
        if each.is_active
    ]
    return unused(material.policies, used, people)


def _idle(found: list[Unused], activation: tuple[int, ...]) -> tuple[Row, ...]:
    """For each principal what they may do, and to what."""
    may: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for each in found:
        may[each.principal][each.action].append(each.kind)
    return tuple(
        Row(
            (name, "; ".join(f"{act}: {', '.join(kinds)}" for act, kinds in sorted(acts.items()))),
            activation,
        )
        for name, acts in sorted(may.items())
    )


def _acts(material: Material, names: Iterable[str]) -> tuple[int, ...]:
    """The numbers of what these did in the period."""
    return tuple(sorted(each.event.seq for name in names for each in material.by_actor[name]))


def _acted(material: Material, name: str) -> tuple[int, str]:
    """How often somebody acted in the period, and how and when last."""
    acts = material.by_actor.get(name, [])
    if not acts:
        return 0, "none in the period"
    last = acts[-1].event
    return len(acts), f"{last.action}, {minute(last.time)}"


def _person(person: Person, idle: int, material: Material) -> Row:
    cells = (
        person.name,
        ", ".join(person.roles) or "none",
        "active" if person.is_active else "left",
        "yes" if person.has_key else "no",
        *_acted(material, person.name),
        idle,
    )
    last = [each.event.seq for each in material.by_actor.get(person.name, [])[-1:]]
    return Row(cells, tuple(sorted({*_added(material, [person.name]), *last})))


def _added(material: Material, names: Iterable[str]) -> tuple[int, ...]:
    """The events that say who these principals are."""
    return tuple(sorted(seq for name in names for seq in material.held.get(name, ())))


def _was_open(grant: Permission, material: Material) -> bool:
    """Whether it was asked for, waited or was live at some time of the period."""
    ended = None if grant.state in _OVER else grant.until or grant.created
    return material.period.overlaps(grant.created, ended) or material.period.holds(grant.created)


def _asked(material: Material, grants: list[Permission]) -> tuple[int, ...]:
    """The events in which these were asked for and voted on."""
    return tuple(
        sorted(
            each.event.seq
            for grant in grants
            for each in material.by_grant.get(grant.id, ())
            if each.event.action.startswith(VOTE)
        )
    )


def _grant(grant: Permission, material: Material) -> Row:
    uses = [
        each.event.seq
        for each in material.by_grant.get(grant.id, ())
        if each.event.outcome == Outcome.INTENDED
        and not each.event.action.startswith(VOTE)
        and material.period.holds(each.event.time)
    ]
    kinds = frozenset(map(str, Kind))
    cells = (
        grant.id,
        grant.action,
        grant.beneficiary,
        grant.purpose,
        ", ".join(name for name in grant.bound if name.partition(":")[0] in kinds),
        ", ".join(grant.approved_by) or "nobody",
        f"{grant.state}, accepts a risk" if grant.accepts_risk else grant.state,
        len(uses),
    )
    return Row(cells, tuple(sorted({*_asked(material, [grant]), *uses})))

"""What if: the same picture with one grant more, or one role, and what that does to the scores."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from cipherset.evidence.views.picture import Permission, Person, Picture
from cipherset.evidence.views.risk.because import because
from cipherset.evidence.views.risk.facts import Facts
from cipherset.evidence.views.risk.formula import score
from cipherset.evidence.views.risk.reach import LIVE

SUPPOSED: Final = "the grant that is supposed"


@dataclass(frozen=True, slots=True)
class Moved:
    """An asset whose score would be another."""

    facts: Facts
    before: float
    after: float

    def as_json(self) -> dict[str, Any]:
        """The asset as the command prints it; ``score`` is what it would be."""
        then = score(self.facts)
        return {
            "id": self.facts.id,
            "kind": self.facts.kind,
            "name": self.facts.name,
            "before": self.before,
            "score": self.after,
            "because": list(because(self.facts, then)),
        }


def with_grant(picture: Picture, action: str, bound: dict[str, str], name: str) -> Picture:
    """The picture, were a grant for ``action`` live; ``bound`` is kind:name to id."""
    now = picture.now.isoformat(timespec="microseconds")
    grant = Permission(
        id=SUPPOSED,
        action=action,
        beneficiary=name,
        requester=name,
        purpose="",
        state=LIVE,
        because="supposed",
        bound=bound,
        created=now,
        until=None,
        accepts_risk=False,
    )
    return replace(picture, grants=(*picture.grants, grant))


def with_role(picture: Picture, name: str, role: str) -> Picture:
    """The picture, had ``name`` that role too; somebody new has no other."""
    people = {each.name: each for each in picture.people}
    known = people.get(name)
    held = known.roles if known is not None and known.is_active else ()
    roles = tuple(sorted({*held, role}))
    has_key = known is not None and known.has_key
    people[name] = Person(name, roles, is_active=True, has_key=has_key)
    return replace(picture, people=tuple(people.values()))


def moved(before: Iterable[Facts], after: Iterable[Facts]) -> tuple[Moved, ...]:
    """Every asset whose score would be another, the largest change first."""
    scores = {each.id: score(each).value for each in before}
    found = [
        Moved(each, scores[each.id], then)
        for each in after
        if (then := score(each).value) != scores[each.id]
    ]
    return tuple(sorted(found, key=lambda each: (each.before - each.after, each.facts.id)))

"""Who may read both sides of a key, by the same join that refuses grants at the gate."""

from collections.abc import Iterable, Iterator
from typing import Final

from cipherset.app.gate.exposure import CIPHERTEXT, PLAIN, PLAIN_ROLES
from cipherset.custody.policy import Access, Derivation, Exposed, Kind, State, exposed
from cipherset.evidence.views.exposure.budgets import Held, rows_of, step_scope
from cipherset.evidence.views.picture import Picture

_PROTECT: Final = "protect"
_READING: Final = frozenset(action.value for action in PLAIN | CIPHERTEXT)
_STANDING: Final = frozenset({State.LIVE.value, State.SCHEDULED.value})
_DATASET: Final = f"{Kind.DATASET}:"


def held_by_all(picture: Picture) -> tuple[Held, ...]:
    """The pairs that each principal may read on both sides, by key version.

    None where one person does everything: they have all there is.
    """
    derivations, accesses = _derivations(picture), _accesses(picture)
    return tuple(
        Held(each.principal, each.key, each.pairs, _through(each))
        for each in _exposed(accesses, derivations)
    )


def pooled(picture: Picture) -> dict[str, int]:
    """The pairs that all of them would hold together, by key version."""
    derivations = _derivations(picture)
    together = [Access("all", each.asset, each.through) for each in _accesses(picture)]
    return {each.key: each.pairs for each in _exposed(together, derivations)}


def _exposed(
    accesses: Iterable[Access], derivations: tuple[Derivation, ...]
) -> tuple[Exposed, ...]:
    below = dict.fromkeys((each.key for each in derivations), -1)
    return exposed(accesses, derivations, below)


def _through(found: Exposed) -> tuple[str, ...]:
    return tuple(sorted({each.through for each in (*found.plain, *found.ciphertext)}))


def _derivations(picture: Picture) -> tuple[Derivation, ...]:
    return tuple(
        Derivation(source, made, step_scope(step), rows_of(picture, made) or 0)
        for step in picture.steps
        if step.kind == _PROTECT
        for made in step.outputs
        for source in step.inputs
    )


def _accesses(picture: Picture) -> list[Access]:
    if picture.alone:
        return []
    granted = _by_grant(picture)
    sources = sorted(
        {source for step in picture.steps if step.kind == _PROTECT for source in step.inputs}
    )
    by_role = (
        Access(person.name, source, f"the role {role}")
        for person in picture.people
        if person.is_active
        for role in PLAIN_ROLES
        if role in person.roles
        for source in sources
    )
    return [*granted, *by_role]


def _by_grant(picture: Picture) -> Iterator[Access]:
    for grant in picture.grants:
        if grant.state in _STANDING and grant.action in _READING:
            for name, digest in grant.bound.items():
                if name.startswith(_DATASET):
                    yield Access(grant.beneficiary, digest, grant.id)

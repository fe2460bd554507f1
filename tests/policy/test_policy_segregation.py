"""Duties that are parted: by role, by what one can read together, by how many approve."""

from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.custody.policy import (
    Access,
    BuiltIn,
    Clash,
    Derivation,
    Role,
    builtin,
    conflicts,
    exposed,
    lacking,
    refused_with,
)

LIMITS = builtin.load(BuiltIn.TEAM).limits
PLAIN, KEY = "tickets", "support v1"
EXPORT = Derivation(PLAIN, "export", KEY, 1000)


@pytest.mark.parametrize("role", Role)
def test_one_role_alone_is_no_conflict(role):
    assert conflicts([role], LIMITS) == ()


def test_two_of_a_set_are_a_conflict_and_why():
    (clash,) = conflicts([Role.INGESTER, Role.SCIENTIST, Role.PROMPT_ADMINISTRATOR], LIMITS)
    assert clash == Clash(
        (Role.INGESTER, Role.SCIENTIST),
        "with a key and the rows on either side of it the protection is undone alone",
    )


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMINISTRATOR, Role.SERVICE])
def test_some_roles_are_held_alone(role):
    for other in set(Role) - {role}:
        assert any(role in clash.roles for clash in conflicts([role, other], LIMITS))


def test_no_roles_are_no_conflict():
    assert conflicts([], LIMITS) == ()


def reads(who, *assets, through="a grant"):
    return [Access(who, asset, through) for asset in assets]


def test_both_sides_of_a_key_are_pairs():
    (found,) = exposed(reads("ann", PLAIN, "export"), [EXPORT], {KEY: 250})
    assert (found.principal, found.key, found.pairs, found.cap) == ("ann", KEY, 1000, 250)
    assert [access.asset for access in found.plain] == [PLAIN]
    assert [access.asset for access in found.ciphertext] == ["export"]


@pytest.mark.parametrize(
    ("accesses", "caps"),
    [
        (reads("ann", PLAIN), {KEY: 0}),
        (reads("ann", "export"), {KEY: 0}),
        (reads("ann", PLAIN) + reads("bob", "export"), {KEY: 0}),
        (reads("ann", PLAIN, "export"), {KEY: 1000}),
        (reads("ann", PLAIN, "export"), {KEY: None}),
        (reads("ann", "other", "export"), {KEY: 0}),
    ],
)
def test_one_side_two_persons_or_within_the_cap_is_none(accesses, caps):
    assert exposed(accesses, [EXPORT], caps) == ()


def test_a_key_of_which_nothing_was_measured_has_no_room():
    (found,) = exposed(reads("ann", PLAIN, "export"), [EXPORT], {})
    assert found.cap == 0


def test_pairs_add_up_over_the_exports_of_a_key_and_not_over_keys():
    exports = [Derivation(PLAIN, f"export {k}", KEY, 100) for k in range(3)]
    exports.append(Derivation(PLAIN, "export 3", "support v2", 100))
    accesses = reads("ann", PLAIN, *(each.ciphertext for each in exports))
    (found,) = exposed(accesses, exports, {KEY: 250, "support v2": 250})
    assert found.pairs == 300
    assert exposed(accesses[:-2], exports, {KEY: 250, "support v2": 250}) == ()


def test_the_same_access_by_two_grants_is_not_counted_twice():
    accesses = reads("ann", PLAIN, "export") + reads("ann", PLAIN, "export", through="a role")
    (found,) = exposed(accesses, [EXPORT, EXPORT], {KEY: 999})
    assert found.pairs == 1000
    assert len(found.plain) == 2


def test_a_new_grant_is_refused_with_the_other_that_it_clashes_with():
    held = reads("ann", PLAIN, through="grant 7") + reads("bob", "export", through="grant 8")
    ((found, others),) = refused_with(
        reads("ann", "export", through="grant 9"), held, [EXPORT], {KEY: 250}
    )
    assert found.principal == "ann"
    assert others == (Access("ann", PLAIN, "grant 7"),)
    assert refused_with(reads("cyd", "export"), held, [EXPORT], {KEY: 250}) == ()


def test_a_grant_that_brings_both_sides_clashes_with_itself():
    ((found, others),) = refused_with(reads("ann", PLAIN, "export"), [], [EXPORT], {KEY: 250})
    assert (found.pairs, others) == (1000, ())


def test_what_is_no_worse_than_before_is_not_refused_again():
    held = reads("ann", PLAIN, "export")
    assert refused_with(reads("ann", "elsewhere"), held, [EXPORT], {KEY: 250}) == ()


NAMES = st.sampled_from(["a", "b", "c"])
ACCESSES = st.lists(st.builds(Access, NAMES, NAMES, st.sampled_from(["1", "2"])), max_size=8)
DERIVATIONS = st.lists(
    st.builds(Derivation, NAMES, NAMES, st.sampled_from(["k", "l"]), st.integers(1, 9)),
    max_size=6,
    unique_by=lambda each: (each.source, each.ciphertext, each.key),
)
CAPS = st.dictionaries(st.sampled_from(["k", "l"]), st.none() | st.integers(0, 12))


@given(ACCESSES, DERIVATIONS, CAPS)
def test_pairs_are_those_of_the_slow_count(accesses, derivations, caps):
    """Every principal, every derivation, asked one by one."""
    pairs = Counter()
    for who in {access.principal for access in accesses}:
        readable = {access.asset for access in accesses if access.principal == who}
        for each in derivations:
            if each.source in readable and each.ciphertext in readable:
                pairs[who, each.key] += each.rows
    above = {
        (who, key): count
        for (who, key), count in pairs.items()
        if caps.get(key, 0) is not None and count > caps.get(key, 0)
    }
    found = exposed(accesses, derivations, caps)
    assert {(each.principal, each.key): each.pairs for each in found} == above


@given(ACCESSES, ACCESSES, DERIVATIONS, CAPS)
def test_more_access_never_exposes_less(first, more, derivations, caps):
    before = {(e.principal, e.key): e.pairs for e in exposed(first, derivations, caps)}
    after = {(e.principal, e.key): e.pairs for e in exposed(first + more, derivations, caps)}
    assert all(after[each] >= pairs for each, pairs in before.items())


ROLES = st.frozensets(st.sampled_from(list(Role)[:3]))


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcd"), ROLES),
    st.dictionaries(st.sampled_from(list(Role)[:3]), st.integers(1, 2)),
)
def test_open_places_are_those_of_the_best_seating(persons, needed):
    """Every order of the persons over all places tried."""
    places = [role for role, count in needed.items() for _ in range(count)]
    seats = [*persons, *[None] * len(places)]
    best = max(
        sum(
            who is not None and role in persons[who]
            for who, role in zip(order, places, strict=False)
        )
        for order in set(permutations(seats, len(places)))
    )
    found = lacking(persons, needed)
    assert sum(found.values()) == len(places) - best
    assert all(0 < count <= needed[role] for role, count in found.items())


def test_one_person_with_two_roles_fills_one_place():
    both = frozenset({Role.DATA_OWNER, Role.REVIEWER})
    needed = {Role.DATA_OWNER: 1, Role.REVIEWER: 1}
    assert sum(lacking({"ann": both}, needed).values()) == 1
    assert lacking({"ann": both, "bob": frozenset({Role.DATA_OWNER})}, needed) == {}
    assert lacking({"ann": both, "bob": frozenset({Role.REVIEWER})}, needed) == {}
    assert lacking({}, needed) == needed

"""The sum or nothing: exact, refused where a member left, and nobody is stood in for."""

import hmac
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from federated_samples import NAMES, identities, roster, secret, started, whole
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.core.errors import BackendError, CiphersetError, InputError
from cipherset.pipeline.federated import MOST_MEMBERS, MOST_VALUE, Member, Round, secure_sum
from cipherset.pipeline.federated.messages import Masked, digest_of
from cipherset.pipeline.federated.ring import from_ring

EXTREME = st.integers(-MOST_VALUE, MOST_VALUE)


def refused(code, act, *given):
    with pytest.raises(CiphersetError) as caught:
        act(*given)
    assert caught.value.code == code
    return caught.value


@given(st.integers(3, 6), st.integers(0, 40), st.data())
@settings(max_examples=25, deadline=None)
def test_the_sum_is_exact(n_members, n_values, data):
    """Whatever the members, sizes and values, up to the last that is allowed."""
    names = [f"owner {at}" for at in range(n_members)]
    values = {
        name: np.array(
            data.draw(st.lists(EXTREME, min_size=n_values, max_size=n_values)), dtype=np.int64
        )
        for name in names
    }
    slow = [sum(int(of[at]) for of in values.values()) for at in range(n_values)]
    assert secure_sum(values, identities(names)).tolist() == slow


def test_the_largest_sum_of_all_fits():
    assert MOST_MEMBERS * MOST_VALUE < 2**63


def chacha20(key, counter):
    """One block of the keystream. Source: RFC 8439, section 2.3; slow, and by the letter."""
    words = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574]
    words += [int.from_bytes(key[at : at + 4], "little") for at in range(0, 32, 4)]
    words += [counter, 0, 0, 0]
    state = list(words)

    def quarter(a, b, c, d):
        for to, by, at, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[to] = (state[to] + state[by]) % 2**32
            x = state[at] ^ state[to]
            state[at] = (x << turn | x >> (32 - turn)) % 2**32

    for _ in range(10):
        for at in range(4):
            quarter(at, at + 4, at + 8, at + 12)
        for at in range(4):
            quarter(at, 4 + (at + 1) % 4, 8 + (at + 2) % 4, 12 + (at + 3) % 4)
    return b"".join(
        ((a + b) % 2**32).to_bytes(4, "little") for a, b in zip(state, words, strict=True)
    )


def test_masks_are_those_of_the_documents():
    """Against HKDF by HMAC alone and ChaCha20 by the letter of its RFC."""
    _, members, announced = started(n_values=20)
    values = whole(20)
    found = members["north"].seal(values, announced, roster()).values
    own = X25519PrivateKey.from_private_bytes(secret(0, 0))
    public = own.public_key().public_bytes_raw()
    slow = [int(value) for value in values]
    for one in announced[1:]:
        shared = own.exchange(X25519PublicKey.from_public_bytes(one.public_key))
        info = b"cipherset/federated/1/mask" + digest_of(announced)
        info += min(public, one.public_key) + max(public, one.public_key)
        key = hmac.new(
            hmac.new(bytes(32), shared, sha256).digest(), info + b"\x01", sha256
        ).digest()
        stream = b"".join(chacha20(key, counter) for counter in range(3))
        sign = 1 if public < one.public_key else -1
        for at in range(20):
            slow[at] += sign * int.from_bytes(stream[8 * at : 8 * at + 8], "little")
    assert found.tolist() == [value % 2**64 for value in slow]
    assert found.dtype == np.uint64


def test_a_member_that_leaves_ends_the_round_and_the_rest_run_another():
    turn, members, announced = started()
    for name in NAMES[:-1]:
        turn.take(members[name].seal(whole(), announced, roster()))
    assert turn.missing == ("west",)
    with pytest.raises(BackendError) as caught:
        turn.total()
    assert caught.value.code == "round_incomplete"
    left = dict.fromkeys(NAMES[:-1], whole())
    assert (secure_sum(left, identities()) == 3 * whole()).all()


def test_a_round_that_was_not_closed_has_no_sum():
    refused("round_incomplete", Round(roster(), 5).total)


@pytest.mark.parametrize("n_members", [0, 1, 2])
def test_two_members_have_no_secrets_of_each_other(n_members):
    values = {name: whole() for name in NAMES[:n_members]}
    refused("round_size", secure_sum, values, identities())


def test_a_member_does_not_seal_for_fewer_either():
    _, members, announced = started()
    refused("round_size", members["north"].seal, whole(), announced[:2], roster())


@pytest.mark.parametrize("value", [MOST_VALUE + 1, -MOST_VALUE - 1, -(2**63)])
def test_what_would_overflow_is_refused(value):
    _, members, announced = started(1)
    refused("round_values", members["north"].seal, np.array([value]), announced, roster())


def test_fractions_are_refused():
    _, members, announced = started(1)
    refused("round_values", members["north"].seal, np.array([0.5]), announced, roster())


def test_members_of_different_sizes_are_refused():
    values = {name: whole(5 + (name == "west")) for name in NAMES}
    refused("dimension", secure_sum, values, identities())


def test_a_member_seals_once():
    """Two vectors under one mask would tell their difference."""
    _, members, announced = started()
    members["north"].seal(whole(), announced, roster())
    refused("round_twice", members["north"].seal, whole(seed=1), announced, roster())


def test_who_sends_twice_is_refused():
    turn, members, announced = started()
    sealed = members["north"].seal(whole(), announced, roster())
    turn.take(sealed)
    refused("round_twice", turn.take, sealed)
    refused("round_twice", turn.announce, announced[0])


def test_who_comes_late_is_refused():
    turn = Round(roster(), 5)
    members = [Member(name, one, turn.round_id) for name, one in identities().items()]
    for member in members[:3]:
        turn.announce(member.announce())
    announced = turn.close()
    refused("round_twice", turn.announce, members[3].announce())
    late = Masked(turn.round_id, "west", digest_of(announced), np.zeros(5, dtype=np.uint64))
    late = replace(late, signature=identities()["west"].sign(late.signed))
    refused("round_message", turn.take, late)


@pytest.mark.parametrize(
    "change",
    [
        {"values": np.zeros(5, dtype=np.uint64)},
        {"name": "east"},
        {"met": bytes(32)},
        {"round_id": bytes(16)},
        {"signature": bytes(64)},
    ],
)
def test_what_was_altered_is_refused(change):
    turn, members, announced = started()
    sealed = members["north"].seal(whole(), announced, roster())
    refused("round_message", turn.take, replace(sealed, **change))


def test_a_message_of_another_round_is_refused():
    _, members, announced = started()
    sealed = members["north"].seal(whole(), announced, roster())
    turn, members, again = started(seed=1)
    refused("round_message", turn.take, sealed)
    replayed = (announced[0], *again[1:])
    refused("round_message", members["east"].seal, whole(), replayed, roster())


def test_nobody_stands_in_for_a_member():
    """Who passes messages on puts a key of its own in the place of another's: refused."""
    turn, members, announced = started()
    own = Member("west", Ed25519PrivateKey.generate(), turn.round_id).announce()
    refused("round_message", members["north"].seal, whole(), (*announced[:3], own), roster())
    own = Member("stranger", Ed25519PrivateKey.generate(), turn.round_id).announce()
    refused("round_member", members["north"].seal, whole(), (*announced[:3], own), roster())


def test_a_roster_without_a_key_lets_nobody_in():
    _, members, announced = started()
    short = roster() | {"west": b"short"}
    refused("round_message", members["north"].seal, whole(), announced, short)


def test_a_member_is_there_once_and_with_its_own_key():
    _, members, announced = started()
    seal = members["north"].seal
    refused("round_twice", seal, whole(), (*announced, announced[1]), roster())
    refused("round_member", seal, whole(), announced[1:], roster())


def test_a_key_that_shares_nothing_is_refused():
    """A member that announces a point of small order: all would know the mask."""
    _, members, announced = started()
    weak = replace(announced[-1], public_key=bytes(32))
    weak = replace(weak, signature=identities()["west"].sign(weak.signed))
    refused("round_message", members["north"].seal, whole(), (*announced[:3], weak), roster())


def test_members_that_were_told_of_different_members_give_nothing():
    turn, members, announced = started()
    for name in NAMES[:3]:
        turn.take(members[name].seal(whole(), announced, roster()))
    sealed = members["west"].seal(whole(), announced[1:], roster())
    refused("round_message", turn.take, sealed)
    # Were it taken all the same: what is left of the masks is no sum that members can have.
    hidden = sum((turn._taken[name].values for name in NAMES[:3]), sealed.values.copy())
    refused("round_total", from_ring, hidden, 4)


def test_nothing_that_is_secret_is_printed():
    turn, members, announced = started(1)
    sealed = members["north"].seal(np.array([123456789]), announced, roster())
    shown = f"{members['north']!r} {sealed!r} {turn!r}"
    assert "123456789" not in shown
    assert str(int(sealed.values[0])) not in shown
    assert secret(0, 0).hex() not in shown


def test_errors_name_no_values():
    _, members, announced = started(1)
    with pytest.raises(InputError) as caught:
        members["north"].seal(np.array([2**60]), announced, roster())
    assert str(2**60) not in caught.value.message

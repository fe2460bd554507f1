"""Members whose keys a test can repeat, and rounds by hand."""

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cipherset.pipeline.federated import Member, Round, public_of

NAMES = ("north", "east", "south", "west")


def identities(names=NAMES):
    """An identity by name; the same for the same place."""
    return {
        name: Ed25519PrivateKey.from_private_bytes(bytes([7, at]) + bytes(30))
        for at, name in enumerate(names)
    }


def roster(names=NAMES):
    return {name: public_of(identity) for name, identity in identities(names).items()}


def secret(*seed):
    return np.random.default_rng(seed).bytes(32)


def started(n_values=5, names=NAMES, seed=0):
    """A round, its members by name, and what was announced; the same masks for the same seed."""
    turn = Round(roster(names), n_values)
    turn.round_id = secret(seed)[:16]
    members = {
        name: Member(name, identity, turn.round_id, secret_for_testing=secret(seed, at))
        for at, (name, identity) in enumerate(identities(names).items())
    }
    for member in members.values():
        turn.announce(member.announce())
    return turn, members, turn.close()


def whole(n_values=5, seed=0, most=1000):
    return np.random.default_rng(seed).integers(-most, most, size=n_values)

"""Membership in what drawn rows were made of: told where they are copies, else a matter of luck."""

import numpy as np
import pytest

from cipherset.core.errors import InputError
from cipherset.evidence.attack.model import DrawnMembership


def population(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=n)
    x = np.eye(4)[y] + 0.5 * rng.normal(size=(n, 4))
    return x / np.linalg.norm(x, axis=1, keepdims=True), y


def test_rows_that_are_all_but_copies_are_found():
    members, others = population(200, 0), population(200, 1)
    blurred = members[0] + 0.01 * np.random.default_rng(2).normal(size=members[0].shape)
    told = DrawnMembership(blurred, members[1]).run(members, others)
    assert told.area.low > 0.8
    assert told.at_001.value > 0.3


def test_rows_of_others_tell_nothing():
    told = DrawnMembership(*population(500, 3)).run(population(400, 4), population(400, 5))
    assert told.area.low < 0.5 < told.area.high + 0.05
    assert told.at_001.value < 0.05


def test_a_class_that_was_not_drawn_is_taken_for_no_member():
    x, y = population(60, 6)
    kept = y != 2
    told = DrawnMembership(x[kept], y[kept]).run((x[kept], y[kept]), (x[~kept], y[~kept]))
    assert told.area.value == 1.0


def test_nobody_to_tell_apart():
    some, none = population(5, 7), population(0, 8)
    with pytest.raises(InputError) as caught:
        DrawnMembership(*some).run(some, none)
    assert caught.value.code == "no_rows"

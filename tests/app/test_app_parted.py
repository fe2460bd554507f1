"""In a synthetic release each row plays its part by its own identity alone."""

from dataclasses import replace

import numpy as np
import pytest

from cipherset.app.exports.dataset import Dataset
from cipherset.app.exports.plan import FIT_ROWS
from cipherset.app.exports.private.draw import draw, parted
from cipherset.core.errors import InputError
from cipherset.core.values import ColumnRoles, Guarantee


def dataset(n, seed=0):
    identities = np.random.default_rng(seed).integers(0, 2**64, size=n, dtype=np.uint64)
    return Dataset(
        spool=None,  # no vector is looked at
        dim=4,
        roles=ColumnRoles(vector="vec"),
        classes=(),
        labels=None,
        numbers=None,
        groups=None,
        clear=np.zeros(n, dtype=np.int64),
        found={},
        identities=identities,
        alike=identities,
    )


def names(data, rows):
    return set(data.identities[rows].tolist())


def test_no_row_changes_the_part_of_another():
    data = dataset(2000)
    changed = replace(data, identities=data.identities.copy())
    changed.identities[17] = 2**63
    before, after = parted(data, 0.25), parted(changed, 0.25)
    for one, other in ((before.fit, after.fit), (before.test, after.test)):
        assert len(names(data, one) ^ names(changed, other)) <= 2
    order = np.random.default_rng(1).permutation(2000)
    mixed = replace(data, identities=data.identities[order])
    assert names(mixed, parted(mixed, 0.25).test) == names(data, before.test)


def test_all_rows_play_a_part_and_none_plays_two():
    data = dataset(4000)
    parts = parted(data, 0.25)
    assert len(parts.fit) + len(parts.test) == 4000
    assert not names(data, parts.fit) & names(data, parts.test)
    assert 850 < len(parts.test) < 1150


def test_of_many_rows_about_as_many_are_computed_from_as_a_fit_takes():
    parts = parted(dataset(100_000), 0.25)
    assert abs(len(parts.fit) - FIT_ROWS) < 800


def test_without_classes_there_is_nothing_to_draw():
    with pytest.raises(InputError) as caught:
        draw(dataset(10), np.arange(10), Guarantee(1.0, 1e-6), np.random.default_rng(0))
    assert caught.value.code == "label_type"

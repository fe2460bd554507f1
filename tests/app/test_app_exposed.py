"""The most exposed rows are held, and an export that does not hold them is refused."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from cipherset.app.exports.earlier.measured import check_measured
from cipherset.app.exports.exporting import Repeated
from cipherset.app.exports.fitting import hold_exposed
from cipherset.app.exports.leak import TIMES, measure_exposure, measure_reid
from cipherset.app.exports.utility import Part, Protection, Rows
from cipherset.core.errors import PolicyError
from cipherset.core.manifest import Task
from cipherset.pipeline.encrypt import VectorCipher
from cipherset.pipeline.minimize import FitSettings, fit, parse_spec

LIMIT = 0.02
SETTINGS = FitSettings(noise_radius=1.0, seed=0, epochs=8)


def _rows(n, seed, *, wrong=0.015):
    """Three clusters, and rows whose label is not that of their cluster."""
    rng = np.random.default_rng(seed)
    of = np.arange(n) % 3
    x = np.eye(3, 12)[of] + 0.05 * rng.normal(size=(n, 12))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    y = np.where(rng.random(n) < wrong, (of + 1) % 3, of)
    return Rows(x, y, y)


@pytest.fixture(scope="module")
def shown():
    train, test = _rows(900, 0, wrong=0.0), _rows(600, 1)
    minimizer = fit(parse_spec("bottleneck:2"), train.x, train.y, settings=SETTINGS)
    cipher = VectorCipher(bytes(32), dim=2, approximation_factor=2.0)
    return Protection(Task.CLASSIFICATION, minimizer, cipher), train, test


def test_rows_that_stand_out_are_moved_and_then_hidden(shown):
    protection, train, test = shown
    assert measure_exposure(protection, test).top_excess > TIMES * LIMIT  # the weak one is broken
    held = hold_exposed(protection, train, test, max_reid=LIMIT)
    assert measure_exposure(held, test).top_excess < TIMES * LIMIT
    moved = held.minimizer.place(test.x, test.y).moved
    assert moved.any()
    assert not moved.all()


def test_the_attacker_who_knows_the_rule_is_the_one_measured(shown):
    """His list holds the truth: each row where the rule has put it, within the noise."""
    protection, train, test = shown
    held = hold_exposed(protection, train, test, max_reid=LIMIT)
    ciphertexts = held.export(test.x, test.y)
    told = measure_reid(held, Part(test, ciphertexts))
    before = measure_reid(protection, Part(test, protection.export(test.x, test.y)))
    assert told.excess < before.excess
    moved = held.minimizer.place(test.x, test.y).moved
    distance = np.linalg.norm(
        held.cipher.remove_key(ciphertexts) - held.minimized(test.x, test.y), axis=1
    )
    assert (distance <= held.cipher.noise_radius * 1.001).all()
    assert moved.sum() > 0


def test_where_all_are_hidden_nothing_is_moved(shown):
    protection, train, _ = shown
    assert hold_exposed(protection, train, train, max_reid=0.09) is protection


def test_a_limit_that_ten_times_is_no_limit_moves_nothing(shown):
    protection, train, test = shown
    assert hold_exposed(protection, train, test, max_reid=0.1) is protection


def test_a_wide_export_above_the_limit_is_not_saved_by_the_rule(shown):
    _, train, test = shown
    minimizer = fit(parse_spec("none"), train.x, train.y, settings=SETTINGS)
    cipher = VectorCipher(bytes(32), dim=12, approximation_factor=0.5)
    wide = Protection(Task.CLASSIFICATION, minimizer, cipher)
    assert hold_exposed(wide, train, test, max_reid=LIMIT) is wide


def test_a_shrunk_one_is(shown):
    protection, train, test = shown
    held = hold_exposed(protection, train, test, max_reid=LIMIT)
    assert measure_reid(held, Part(test, held.export(test.x, test.y))).high <= 1.5 * LIMIT


def test_numbers_have_no_anchors(shown):
    protection, train, test = shown
    numeric = replace(protection, task=Task.REGRESSION)
    assert hold_exposed(numeric, train, test, max_reid=LIMIT) is numeric


@pytest.mark.parametrize(("excess", "refused"), [(0.5, False), (0.51, True)])
def test_what_is_not_held_is_refused(excess, refused):
    leak = SimpleNamespace(
        worst=SimpleNamespace(decidable=True, high=0.01),
        exposure=SimpleNamespace(top_excess=excess, top_rows=20),
        joined=None,
    )
    request = SimpleNamespace(accept_risk=None, max_reid=0.05)
    if not refused:
        check_measured(request, leak)
        return
    with pytest.raises(PolicyError) as caught:
        check_measured(request, leak)
    assert caught.value.code == "most_exposed"
    assert "0.510" in caught.value.message
    assert "--accept-risk" in caught.value.hint


@pytest.mark.parametrize("with_targets", [False, True])
def test_copies_share_a_ciphertext_unless_the_rule_may_part_them(with_targets):
    identities = np.array([5, 6, 5, 5], dtype=np.uint64)
    dataset = SimpleNamespace(alike=identities, n_rows=4)
    repeated = Repeated(dataset, 1, np.array([0, 0, 1, 0]) if with_targets else None)
    values = np.arange(4, dtype=np.float32)[:, np.newaxis]
    repeated.share(0, values)
    assert values[:, 0].tolist() == ([0, 1, 2, 0] if with_targets else [0, 1, 0, 0])

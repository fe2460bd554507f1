"""Two tenants hold the same rows under different keys: what links them, and what does not."""

import numpy as np
import pytest

import cipherset
from cipherset.core.errors import DimensionError, InputError
from cipherset.evidence.attack.linkage.tenants import link_tenants

N = 700
KEYS = b"a" * 32, b"b" * 32


@pytest.fixture(scope="module")
def rows():
    """Unit vectors (n, 16) around six topics, and the topics."""
    rng = np.random.default_rng(0)
    topics = rng.integers(6, size=N)
    x = 1.5 * np.eye(16)[topics] + 0.5 * rng.gamma(0.7, size=(N, 16))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), topics


def exported(rows, key, factor, seed):
    """Ciphertexts in a random order, and the row of each.

    The noise is that of the scheme, drawn from ``seed`` beforehand: the key's rotation turns it.
    """
    x, _ = rows
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=x.shape)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    noise = direction * factor / 4 * rng.random((len(x), 1)) ** (1 / x.shape[1])
    order = rng.permutation(len(x))
    cipher = cipherset.VectorCipher(key, dim=x.shape[1], approximation_factor=0.0)
    return cipher.encrypt((x + noise).astype(np.float32))[order], order


def linked(rows, factor, keys=KEYS, drop=0):
    """Two exports linked; of the second ``drop`` coordinates of each row were left out."""
    x, topics = rows
    first, a = exported(rows, keys[0], factor, 1)
    second, b = exported((x[:, : x.shape[1] - drop], topics), keys[1], factor, 2)
    truth = np.argsort(b)[a]
    return link_tenants(first, second, truth=truth, first_groups=topics[a], second_groups=topics[b])


def test_one_key_links_what_has_no_noise(rows):
    found = linked(rows, 0.0, keys=(KEYS[0], KEYS[0]))
    assert found.nearest == 1.0
    assert found.is_above_chance


def test_another_key_alone_unlinks_nothing(rows):
    """The attack must work where nothing but the key differs, or chance would say nothing."""
    found = linked(rows, 0.0)
    assert abs(found.nearest - found.chance) < 0.01
    assert found.profile > 0.9
    assert found.is_above_chance


def test_less_noise_links_more(rows):
    rates = [linked(rows, factor).profile for factor in (0.0, 1.0, 4.0)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] > 10 * rates[2]


def test_minimized_and_with_heavy_noise_other_keys_are_at_chance(rows):
    x, topics = rows
    centers = np.stack([x[topics == code].mean(axis=0) for code in range(6)])
    _, _, axes = np.linalg.svd(centers - centers.mean(axis=0))
    few = (x - x.mean(axis=0)) @ axes[:5].T
    few /= np.linalg.norm(few, axis=1, keepdims=True)
    assert linked((few, topics), 0.0).is_above_chance
    found = linked((few, topics), 8.0)
    assert not found.is_above_chance
    assert found.interval.value < 1.5 * found.chance


def test_exports_of_another_width_are_linked_all_the_same(rows):
    found = linked(rows, 0.0, drop=2)
    assert found.nearest == 0.0
    assert found.profile > 0.5


def test_rows_that_one_tenant_alone_has_are_not_asked_about(rows):
    x, topics = rows
    half = N // 2
    (first, a), (second, b) = (
        exported((x[part], topics[part]), key, 0.0, seed)
        for part, key, seed in ((slice(0, N - 100), KEYS[0], 1), (slice(half, N), KEYS[1], 2))
    )
    place = {row + half: at for at, row in enumerate(b)}
    truth = np.array([place.get(row, -1) for row in a])
    groups = {"first_groups": topics[: N - 100][a], "second_groups": topics[half:][b]}
    found = link_tenants(first, second, truth=truth, **groups)
    assert found.n == half - 100
    assert found.is_above_chance
    with pytest.raises(InputError, match="both exports"):
        link_tenants(first, second, truth=np.full(len(a), -1), **groups)


def test_the_same_as_by_loops():
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(14, 3)), rng.normal(size=(12, 3))
    mine, theirs = np.arange(14) % 3, np.arange(12) % 4
    truth = np.array([i % 3 + 4 * (i % 3) for i in range(14)])
    found = link_tenants(a, b, truth=truth, first_groups=mine, second_groups=theirs)
    assert found.profile == pytest.approx(slow(a, b, truth, mine, theirs))
    assert found.chance == pytest.approx(1 / 3)


def slow(a, b, truth, mine, theirs):
    """Features and ranks, a row at a time."""

    def features(x, groups):
        rows = []
        for row in x:
            own = []
            for code in sorted(set(mine) & set(theirs)):
                members = [other for other, group in zip(x, groups, strict=True) if group == code]
                squares = [sum((row - other) ** 2) for other in members]
                own += list(np.quantile(squares, np.linspace(0.02, 0.98, 25)))
                own.append(sum((row - np.mean(members, axis=0)) ** 2))
            rows.append([*own, sum(row**2)])
        out = np.array(rows)
        for code in set(groups):
            of = groups == code
            out[of] = (out[of] - out[of].mean(axis=0)) / np.maximum(out[of].std(axis=0), 1e-9)
        return out

    one, other = features(a, mine), features(b, theirs)
    hits = 0
    for i, row in enumerate(one):
        members = [j for j in range(len(b)) if theirs[j] == mine[i]]
        best = min(members, key=lambda j: sum((row - other[j]) ** 2))
        hits += best == truth[i]
    return hits / len(a)


def test_refusals():
    x, codes = np.zeros((3, 2)), np.zeros(3, dtype=np.int64)
    for first, truth, groups, kind, code in (
        (x[:0], codes[:0], codes[:0], InputError, "no_rows"),
        (np.full((3, 2), np.nan), codes, codes, InputError, "not_finite"),
        (x, codes[:2], codes, DimensionError, "dimension"),
        (x, codes, codes[:2], DimensionError, "dimension"),
    ):
        with pytest.raises(kind) as caught:
            link_tenants(first, x, truth=truth, first_groups=groups, second_groups=codes)
        assert caught.value.code == code

"""What is out of each key, model and dataset: used, cap and left."""

import pytest
from risk_pictures import assessed, exported, spent

from cipherset.evidence.views.exposure.budgets import (
    CAP_SHARE,
    NOT_ASSESSED,
    NOT_PROTECTIVE,
    UNBOUND,
    UNUSED,
    Held,
    Limits,
    Use,
    dataset_uses,
    key_uses,
    model_uses,
)

LIMITS = Limits(oracle_rows=256, exports=5, epsilon=16.0, queries={"model": 1000})
SCOPE = "support-1 v1"


def one_key(seen, held=(), pooled=None, limits=LIMITS):
    (found,) = key_uses(seen, held, pooled or {}, limits)
    return found


def test_nothing_may_be_given_of_a_key_whose_exports_were_not_all_assessed():
    found = one_key(exported())
    assert (found.exports, found.rows) == (1, 400)
    assert found.noisy == Use(0, 0, NOT_ASSESSED)
    assert found.noise_free.left == 0


@pytest.mark.parametrize(
    ("facts", "noisy", "noise_free"),
    [
        ({}, 256, None),
        ({"pair_cap": 10, "n_star": 40}, 10, None),
        ({"pair_cap": 3, "n_star": 13, "n_star_noise_free": 9}, 3, 2),
        ({"pair_cap": 1000, "n_star": 4000}, 256, None),
        ({"pair_cap": 0, "n_star": 100, "n_star_noise_free": 100}, 0, 0),
        ({"pair_cap": 0, "n_star": 3, "n_star_noise_free": None}, 0, 0),
    ],
)
def test_the_cap_is_a_quarter_of_the_fewest_pairs_and_never_above_the_oracles(
    facts, noisy, noise_free
):
    found = one_key(exported(findings=(assessed("export", **facts),)))
    assert CAP_SHARE == 4
    assert (found.noisy.cap, found.noise_free.cap) == (noisy, noise_free)


def test_the_lowest_of_all_assessments_holds_whichever_came_last():
    findings = (
        assessed("export", pair_cap=5, n_star=20),
        assessed("export", 10, pair_cap=50, n_star=200),
    )
    found = one_key(exported(findings=findings))
    assert found.noisy.cap == found.held_cap == 5
    assert one_key(exported(findings=findings[::-1])).noisy.cap == 5


def test_why_a_cap_is_what_it_is():
    unbound = one_key(exported(findings=(assessed("export"),)), limits=Limits(oracle_rows=10**9))
    assert unbound.noise_free.because == UNBOUND
    broken = one_key(exported(findings=(assessed("export", pair_cap=0),)))
    assert broken.noisy.because == NOT_PROTECTIVE
    seen = exported()
    unused = one_key(
        type(seen)(**{name: getattr(seen, name) for name in seen.__slots__} | {"steps": ()})
    )
    assert unused.noisy == Use(0, 0, UNUSED)


def test_what_each_was_given_and_what_all_have_together():
    seen = exported(
        findings=(assessed("export", pair_cap=100, n_star=400),),
        spent=(
            spent("pairs.noisy", SCOPE, 30),
            spent("pairs.noisy", f"ann:{SCOPE}", 20),
            spent("pairs.noisy", f"a:b:{SCOPE}", 10),
            spent("pairs.noise_free", SCOPE, 2),
            spent("pairs.noise_free", f"ann:{SCOPE}", 2),
            spent("pairs.noisy", "other v1", 7),
        ),
    )
    held = (Held("sam", SCOPE, 400, ("grant-1",)), Held("ann", "other v1", 3))
    found = one_key(seen, held, {SCOPE: 400})
    assert (found.noisy.used, found.noisy.left, found.noise_free.used) == (30, 70, 2)
    assert found.by_principal == {"a:b": (10, 0), "ann": (20, 2)}
    assert [each.principal for each in found.held] == ["sam"]
    assert found.coalition == 430
    told = found.as_json()
    assert told["key"] == SCOPE
    assert told["static"] == [{"principal": "sam", "pairs": 400, "through": ["grant-1"]}]
    assert told["coalition"] == {"pairs": 430, "static": 400, "cap": 100}


def test_queries_of_a_model():
    seen = exported(spent=(spent("queries", "model", 40), spent("queries", "ann:model", 40)))
    (found,) = model_uses(seen, LIMITS)
    assert found.as_json() == {
        "id": "model",
        "name": "the model",
        "queries": {"used": 40, "cap": 1000, "left": 960, "because": ""},
    }
    (open_,) = model_uses(seen, Limits(oracle_rows=256))
    assert open_.uses["queries"].is_open
    assert open_.uses["queries"].left is None


def test_exports_and_epsilon_of_a_dataset():
    seen = exported(spent=(spent("rows", "source", 800), spent("epsilon", "source", 4_000_000)))
    (found,) = dataset_uses(seen, LIMITS)
    assert found.uses["rows"] == Use(800, 2000, "each of its rows may leave 5 times")
    assert found.uses["epsilon"] == Use(4_000_000, 16_000_000)
    unknown = exported(spent=(spent("rows", "export", 3),))
    (use,) = dataset_uses(unknown, LIMITS)
    assert use.uses["rows"].is_open
    (open_,) = dataset_uses(seen, Limits(oracle_rows=256))
    assert [use.is_open for use in open_.uses.values()] == [True, True]
    assert dataset_uses(exported(), LIMITS) == ()

"""A model that remembers is caught; one that never looked is at chance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_attacks_samples import clusters, deaf, logistic, nearest_row, unit
from scipy.stats import norm

from cipherset.core.errors import CiphersetError
from cipherset.evidence.attack.model import Answers, ShadowMembership
from cipherset.evidence.attack.model.membership import halves, likelihood_ratios, logit
from cipherset.evidence.attack.outcome import Knowledge, Metric

CLASSES = 4


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def asked(rng, train, *, n=400, dim=8, **more):
    x, y = clusters(rng, n=n, dim=dim, classes=CLASSES)
    noisy = x + 0.5 * unit(rng.normal(size=x.shape))
    fresh = x + 0.5 * unit(rng.normal(size=x.shape))
    queries = {"stored ciphertext": noisy, "fresh encryption": fresh}
    return ShadowMembership(train=train, rows=noisy, labels=y, queries=queries, **more)


def test_a_model_that_remembers_its_rows_is_caught(rng):
    stored, fresh = asked(rng, nearest_row(CLASSES)).run(3)
    assert stored.query == "stored ciphertext"
    assert stored.at_001.value > 0.2
    assert stored.at_001.low > 0.05
    assert stored.auc.low > 0.9
    assert fresh.at_001.value < stored.at_001.value / 2


def test_labels_only_still_catch_it(rng):
    stored, _ = asked(rng, nearest_row(CLASSES), answers=Answers.LABELS).run(3)
    assert stored.auc.low > 0.5
    assert stored.train_accuracy == 1.0


def test_an_unpenalized_head_on_noise_is_caught(rng):
    x = unit(rng.normal(size=(120, 48)))
    y = rng.integers(CLASSES, size=120)
    attack = ShadowMembership(train=logistic(CLASSES, 1e4), rows=x, labels=y, queries={"stored": x})
    (found,) = attack.run(0)
    assert found.at_001.value > 0.2
    assert found.at_001.low > 0.02


@pytest.mark.parametrize("answers", list(Answers))
def test_a_model_that_never_saw_the_rows_is_at_chance(rng, answers):
    for found in asked(rng, deaf(CLASSES), n=1000, answers=answers).run(5):
        assert found.at_001.low <= 0.01
        assert found.at_0001.low <= 0.001
        assert found.auc.low <= 0.5 <= found.auc.high


def test_this_very_model_is_attacked_with_its_own_members(rng):
    attack = asked(rng, nearest_row(CLASSES))
    members = np.arange(400) < 250
    target = attack.train(attack.rows[members], attack.labels[members], 0)
    stored, _ = attack.against(target, members, 1)
    assert (stored.at_001.n, stored.false_positives) == (250, (1, 0))
    assert stored.auc.low > 0.9
    other = attack.train(*(a[~members] for a in (attack.rows, attack.labels)), 0)
    assert attack.against(other, members, 1)[0].auc.high < 0.5


def test_a_seed_repeats_it(rng):
    attack = asked(rng, logistic(CLASSES), n=120, n_shadows=4, n_targets=2)
    one, two = attack.run(4)[0], attack.run(4)[0]
    assert (one.at_001, one.auc) == (two.at_001, two.auc)
    assert attack.run(5)[0].auc != one.auc


def test_outcomes_are_two_lines(rng):
    stored, fresh = asked(rng, logistic(CLASSES), n=120, n_shadows=4, n_targets=2).run(4)
    first, second = stored.outcomes("membership", Knowledge.MODEL_QUERIES, unprotected=fresh)
    assert (first.metric, second.metric) == (Metric.TPR_AT_FPR_001, Metric.TPR_AT_FPR_0001)
    assert (first.chance, second.chance) == (0.01, 0.001)
    assert first.unprotected == fresh.at_001.value
    assert first.ci == (stored.at_001.low, stored.at_001.high)
    assert first.given == "query: stored ciphertext; answers: probabilities"
    assert stored.outcomes("m", Knowledge.STOLEN_MODEL)[0].unprotected is None


@given(st.integers(0, 2**32), st.sampled_from([2, 4, 6]), st.integers(1, 30))
def test_each_row_is_in_half_of_the_models(seed, models, n):
    inside = halves(np.random.default_rng(seed), models, n)
    assert inside.sum(axis=0).tolist() == [models // 2] * n


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=30)
def test_likelihood_ratio_is_the_slow_one(seed):
    rng = np.random.default_rng(seed)
    shadows, inside = rng.normal(size=(6, 5)), halves(rng, 6, 5)
    targets = rng.normal(size=(2, 5))
    assert np.allclose(likelihood_ratios(targets, shadows, inside), slow(targets, shadows, inside))


def slow(targets, shadows, inside):
    models, n = shadows.shape
    mean, apart = {}, {True: [], False: []}
    for i in range(n):
        for side in (True, False):
            of_row = [shadows[m, i] for m in range(models) if inside[m, i] == side]
            mean[side, i] = sum(of_row) / len(of_row)
            apart[side] += [(v - mean[side, i]) ** 2 for v in of_row]
    spread = {side: np.sqrt(sum(a) / (len(a) - n)) for side, a in apart.items()}
    return [
        [
            norm.logpdf(x, mean[True, i], spread[True])
            - norm.logpdf(x, mean[False, i], spread[False])
            for i, x in enumerate(row)
        ]
        for row in targets
    ]


@given(st.lists(st.floats(-8, 8), min_size=3, max_size=3), st.integers(0, 2))
def test_logit_is_that_of_the_probability(logits, label):
    p = np.exp(logits) / np.exp(logits).sum()
    slow_one = np.log(p[label] / (1 - p[label]))
    assert np.isclose(logit(np.log(p)[None], np.array([label]))[0], slow_one, atol=1e-6)


def test_logit_of_a_sure_model_is_bounded():
    told = np.array([[0.0, -900.0], [-900.0, 0.0]])
    assert logit(told, np.array([0, 0])).tolist() == [50.0, -50.0]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"rows": np.zeros(3)}, "dimension"),
        ({"rows": np.zeros((0, 2))}, "no_rows"),
        ({"rows": np.full((3, 2), np.nan)}, "not_finite"),
        ({"labels": np.zeros(2, int)}, "dimension"),
        ({"labels": np.array([0, -1, 0])}, "class_codes"),
        ({"queries": {"stored": np.zeros((3, 1))}}, "dimension"),
        ({"queries": {"stored": np.zeros((2, 2))}}, "dimension"),
        ({"n_shadows": 2}, "shadows"),
        ({"n_shadows": 5}, "shadows"),
        ({"n_targets": 1}, "shadows"),
    ],
)
def test_refusals(change, code):
    rows = np.zeros((3, 2))
    fine = {"rows": rows, "labels": np.zeros(3, int), "queries": {"stored": rows}}
    with pytest.raises(CiphersetError) as refused:
        ShadowMembership(train=deaf(2), **(fine | change))
    assert refused.value.code == code


def test_a_model_with_members_only_is_refused(rng):
    attack = asked(rng, deaf(CLASSES), n=20, n_shadows=4)
    target = attack.train(attack.rows, attack.labels, 0)
    with pytest.raises(CiphersetError) as refused:
        attack.against(target, np.ones(20, bool), 0)
    assert refused.value.code == "no_rows"


@pytest.mark.parametrize(
    ("scorer", "code"),
    [
        (lambda rows: np.zeros(len(rows)), "dimension"),
        (lambda rows: np.zeros((len(rows), 1)), "dimension"),
        (lambda rows: np.full((len(rows), 2), np.nan), "not_finite"),
    ],
)
def test_a_scorer_that_is_none_is_refused(scorer, code):
    rows = np.zeros((4, 2))
    attack = ShadowMembership(
        train=lambda x, y, seed: scorer, rows=rows, labels=np.zeros(4, int), queries={"s": rows}
    )
    with pytest.raises(CiphersetError) as refused:
        attack.run(0)
    assert refused.value.code == code

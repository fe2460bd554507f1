"""Empirical membership falls with epsilon and stays under the bound; without noise it succeeds."""

import math

import numpy as np
import pytest
from private_samples import rows, seeded_words

from cipherset.core.values import Guarantee
from cipherset.evidence.attack.statistics import clopper_pearson
from cipherset.pipeline.private import Share, budget, private_moments, scores_within

DELTA = 1e-5


def told_apart(scores_with, scores_without, tries):
    """A lower bound of epsilon, 95 % sure, by the best of some thresholds; and the best accuracy.

    Source: M. Jagielski et al., Auditing Differentially Private Machine Learning, NeurIPS 2020,
    arXiv:2006.07709, algorithm 1.
    """
    least, best = 0.0, 0.5
    for threshold in np.quantile(np.concatenate([scores_with, scores_without]), (0.2, 0.5, 0.8)):
        hits = (scores_with > threshold).sum()
        false = (scores_without > threshold).sum()
        low, high = clopper_pearson(hits, tries)[0], clopper_pearson(false, tries)[1]
        least = max(least, math.log(max(low - DELTA, 1e-12) / high))
        best = max(best, (1 + (hits - false) / tries) / 2)
    return least, best


def audited(release, tries, rho):
    """The worst case: few rows, of which one is replaced by its opposite; he knows all others."""
    x, y = rows(2, n=12, dim=4, seed=1)
    with_it, without = x.copy(), x.copy()
    with_it[0], without[0] = [1.0, 0, 0, 0], [-1.0, 0, 0, 0]
    y[0] = 0
    told = (
        np.array([release(some, y, rho, seeded_words([seed, part])) for seed in range(tries)])
        for part, some in enumerate((with_it, without))
    )
    return told_apart(*told, tries)


def by_moments(x, y, rho, words):
    """What he looks at: the mean of the row's class, along the row."""
    return private_moments(x, y, rows=np.bincount(y), rho=rho, words=words).means[0, 0]


def by_scores(x, y, rho, words):
    """What he looks at: the weight of the row's class, along the row."""
    found = scores_within(x, y, Share(2, len(x), rho), words=words)
    return found.matrix[0, 0] - found.matrix[0, 1]


# A fit takes a hundred times as long as a sum.
BOTH = [(by_moments, 400), (by_scores, 120)]


@pytest.mark.attack
@pytest.mark.parametrize(("release", "tries"), BOTH)
def test_what_is_told_falls_with_epsilon_and_stays_under_it(release, tries):
    found = []
    for epsilon in (0.5, 2.0, 8.0):
        rho = budget(Guarantee(epsilon, DELTA), draws=10**5)
        least, accuracy = audited(release, tries, rho)
        assert least <= epsilon
        # Source: P. Kairouz et al., The Composition Theorem for DP, ICML 2015, theorem 2.1.
        assert accuracy <= (math.exp(epsilon) + DELTA) / (1 + math.exp(epsilon)) + 0.05
        found.append(accuracy)
    assert found[2] == max(found)
    assert found[0] < 0.62


@pytest.mark.attack
@pytest.mark.parametrize(("release", "tries"), BOTH)
def test_the_attack_succeeds_where_there_is_next_to_no_noise(release, tries):
    least, accuracy = audited(release, tries, 1e6)
    assert accuracy > 0.99
    assert least > 2

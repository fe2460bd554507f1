"""The attacker's own head against the library's, and against the head that gave the answers."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from model_attacks_samples import clusters
from scipy.optimize import approx_fprime
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression

from cipherset.evidence.attack.model.answers import Answers, answered
from cipherset.evidence.attack.model.head import LinearHead, fit_head, solve_head


@given(st.integers(0, 2**32), st.integers(2, 5), st.sampled_from([0.1, 1.0, 10.0]))
@settings(deadline=None, max_examples=8)
def test_fitted_to_labels_it_is_the_library_s(seed, classes, inverse_penalty):
    rng = np.random.default_rng(seed)
    x, y = clusters(rng, n=150, dim=6, classes=classes)
    y[:classes] = np.arange(classes)
    ours = fit_head(x, np.eye(classes)[y], inverse_penalty=inverse_penalty)
    # With two classes the library keeps one column, which doubles the penalty of the pair.
    strength = inverse_penalty * 2 if classes == 2 else inverse_penalty
    theirs = LogisticRegression(C=strength, max_iter=2000, tol=1e-8).fit(x, y)
    apart = np.abs(np.exp(ours(x)) - theirs.predict_proba(x)).max()
    assert apart < 5e-3


def test_fitted_to_probabilities_no_other_head_is_better():
    rng = np.random.default_rng(1)
    x, targets = rng.normal(size=(40, 3)), rng.dirichlet(np.ones(4), size=40)
    head = fit_head(x, targets, inverse_penalty=2.0)

    def loss(flat):
        w = flat.reshape(4, 4)
        told = log_softmax(x @ w[:3] + w[3], axis=1)
        return -(targets * told).sum() + (w[:3] ** 2).sum() / 4

    flat = np.vstack([head.matrix, head.offset]).ravel()
    assert np.abs(approx_fprime(flat, loss, 1e-6)).max() < 1e-2


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=20)
def test_a_head_is_solved_from_its_own_answers(seed):
    rng = np.random.default_rng(seed)
    head = LinearHead(3 * rng.normal(size=(5, 4)), rng.normal(size=4))
    x = rng.normal(size=(60, 5))
    copy = solve_head(x, answered(head, x, Answers.PROBABILITIES))
    other = rng.normal(size=(20, 5))
    assert np.allclose(copy(other), head(other), atol=1e-3)


def test_fewer_answers_than_columns_still_give_a_head():
    rng = np.random.default_rng(0)
    copy = solve_head(rng.normal(size=(5, 20)), np.log(rng.dirichlet(np.ones(3), size=5)))
    assert np.isfinite(copy.matrix).all()


def test_answers_as_told():
    def model(rows):
        return np.log([[0.62, 0.34, 0.04]])

    row = np.zeros((1, 2))
    assert np.allclose(np.exp(answered(model, row, Answers.PROBABILITIES)), [[0.62, 0.34, 0.04]])
    assert np.allclose(np.exp(answered(model, row, Answers.ROUNDED)), [[0.65, 0.3, 0.1 / 3]])
    assert np.allclose(
        np.exp(answered(model, row, Answers.LABELS)), [[1 - 0.1 / 3, 0.1 / 3, 0.1 / 3]]
    )


def test_rounded_answers_name_the_label_where_every_class_is_unlikely():
    p = np.full((1, 40), 0.97 / 39)
    p[0, 7] = 0.03
    told = answered(lambda rows: np.log(p), np.zeros((1, 2)), Answers.ROUNDED)
    assert told.argmax() == 7
    assert len(np.unique(told)) == 2


def test_minus_infinity_is_a_probability_of_zero():
    told = answered(
        lambda rows: np.array([[0.0, -np.inf]]), np.zeros((1, 2)), Answers.PROBABILITIES
    )
    assert told.tolist() == [[0.0, -200.0]]

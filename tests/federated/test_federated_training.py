"""One head on the rows of all: the one that an owner of all rows would have, digit for digit."""

import math

import numpy as np
import onnxruntime
import pytest
from federated_samples import NAMES, identities, roster

from cipherset.app.federated import Agreement, Contribution, Owner, train_together
from cipherset.app.federated.owner import MOST_ROWS
from cipherset.core.errors import BackendError, CiphersetError
from cipherset.core.values import Guarantee
from cipherset.pipeline.encrypt import VectorCipher
from cipherset.pipeline.federated import MOST_VALUE, Member
from cipherset.pipeline.private import SENSITIVITY, STEP, Part, delta_of, descended
from cipherset.pipeline.private.accounting import rho_of
from cipherset.pipeline.train import to_onnx

DIM, CLASSES, EACH = 8, ("a", "b", "c"), 60


def rows(seed, n=EACH):
    """Unit rows around one center a class, under one purpose key; and their classes."""
    rng = np.random.default_rng(seed)
    centers = np.random.default_rng(5).normal(size=(len(CLASSES), DIM))
    y = rng.integers(len(CLASSES), size=n)
    x = centers[y] + rng.normal(size=(n, DIM))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    cipher = VectorCipher(bytes(range(32)), dim=DIM, approximation_factor=1.0)
    stored = cipher.encrypt_for_testing(x, noise_stream_for_testing=bytes([seed]) * 32)
    return Contribution(stored, [CLASSES[code] for code in y])


def agreement(guarantee=None, *, honest=2, repeats=1, names=NAMES, absent=0):
    stored = np.concatenate([rows(at).x for at in range(len(names))])
    longest = float(np.linalg.norm(stored, axis=1).max())
    n_rows = EACH * len(names)
    return Agreement(
        *(roster(names), CLASSES, DIM, n_rows, honest, guarantee),
        row_norm=longest,
        repeats=repeats,
        absent=absent,
    )


def owners(agreed, kind=Owner):
    own = identities(tuple(agreed.roster))
    return [
        kind(name, own[name], rows(at), agreed, seeded_words(at))
        for at, name in enumerate(agreed.roster)
    ]


def seeded_words(seed):
    rng = np.random.default_rng([seed, 9])
    return lambda n: rng.integers(0, 2**64, size=n, dtype=np.uint64)


class Leaving(Owner):
    """The last of them is gone at the third round."""

    rounds = 0

    def update(self, weights, announced):
        self.rounds += 1
        if self.name == NAMES[-1] and self.rounds == 3:
            raise BackendError("gone", code="federated_gone", hint="")
        return super().update(weights, announced)


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    monkeypatch.setattr("cipherset.app.federated.agreement.MOST_STEPS", 20)
    monkeypatch.setattr("cipherset.app.federated.agreement.steps_for", lambda _: 40)


def pooled(agreed):
    """The same descent by one who has all rows."""
    parts = [rows(at) for at in range(len(agreed.roster))]
    x = np.concatenate([part.x for part in parts]) / agreed.row_norm
    x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1.0)
    codes = np.array([CLASSES.index(label) for part in parts for label in part.labels])
    part = Part.of(x, codes, len(CLASSES))

    def gradient(weights):
        return part.noisy_gradient(weights, sigma=0, words=None) * STEP**2 / agreed.n_rows

    return descended(gradient, (DIM, len(CLASSES)), agreed.steps)


def test_together_is_pooled_digit_for_digit():
    """Sums of whole numbers do not depend on who adds which part."""
    agreed = agreement()
    head = train_together(owners(agreed), agreed)
    assert (pooled(agreed).matrix / agreed.row_norm == head.coef_.T).all()
    assert (head.intercept_ == pooled(agreed).offset).all()


def test_the_head_goes_to_onnx_and_knows_the_classes():
    agreed = agreement()
    head = train_together(owners(agreed), agreed)
    unseen = rows(50, n=200)
    assert np.mean(head.predict(unseen.x) == np.array(unseen.labels)) > 0.7
    session = onnxruntime.InferenceSession(to_onnx(head))
    told = session.run(None, {session.get_inputs()[0].name: unseen.x})[0]
    assert np.mean(np.asarray(told).ravel() == head.predict(unseen.x)) == 1.0


def test_who_leaves_is_left_out_and_the_round_run_again():
    agreed = agreement(absent=1)
    those = owners(agreed, Leaving)
    head = train_together(those, agreed)
    assert np.mean(head.predict(rows(50).x) == np.array(rows(50).labels)) > 0.6
    assert [owner.left for owner in those] == [0, 0, 0, agreed.releases - 3 + 1]


class Absent(Owner):
    """The last of them does not come to the third round."""

    rounds = 0

    def join(self, round_id):
        self.rounds += 1
        if self.name == NAMES[-1] and self.rounds == 3:
            raise BackendError("gone", code="federated_gone", hint="")
        return super().join(round_id)


def test_a_round_is_run_without_who_does_not_come():
    agreed = agreement(repeats=0, absent=1)
    those = owners(agreed, Absent)
    train_together(those, agreed)
    assert [owner.left for owner in those] == [0, 0, 0, agreed.releases - 2]


def test_a_round_run_again_is_paid_for():
    agreed = agreement(repeats=0, absent=1)
    with pytest.raises(CiphersetError) as caught:
        train_together(owners(agreed, Leaving), agreed)
    assert caught.value.code == "round_spent"


def test_too_few_that_are_left_end_the_training():
    agreed = agreement()
    with pytest.raises(CiphersetError) as caught:
        train_together(owners(agreed, Leaving), agreed)
    assert caught.value.code == "round_size"


def test_a_server_cannot_choose_a_round_of_those_that_work_with_it():
    """Two of five do, and three shares of noise were agreed on: a round of three would have one."""
    names = (*NAMES, "middle")
    agreed = agreement(Guarantee(3.0, 1e-6), honest=3, names=names)
    (owner, *_), own = owners(agreed), identities(names)
    announced = [owner.join(bytes(16))]
    announced += [Member(name, own[name], bytes(16)).announce() for name in names[3:]]
    with pytest.raises(CiphersetError) as caught:
        owner.update(np.zeros(agreed.shape), announced)
    assert caught.value.code == "round_size"
    assert owner.left == agreed.releases


@pytest.mark.parametrize(
    ("honest", "absent", "least"), [(2, 0, 4), (2, 1, 3), (2, 2, 3), (3, 1, 3), (4, 0, 4)]
)
def test_so_many_members_are_in_any_round(honest, absent, least):
    assert agreement(honest=honest, absent=absent).least_members == least


@pytest.mark.parametrize(("honest", "absent"), [(1, 0), (5, 0), (5, -1), (4, 1), (3, 2), (2, 3)])
def test_some_must_be_honest(honest, absent):
    with pytest.raises(CiphersetError) as caught:
        agreement(honest=honest, absent=absent)
    assert caught.value.code == "honest"


def test_one_key_is_one_member():
    """Under two names it would stand for two shares of noise, and add one."""
    twice = dict.fromkeys(NAMES, roster()["north"])
    with pytest.raises(CiphersetError) as caught:
        Agreement(twice, CLASSES, DIM, EACH, 2, None)
    assert caught.value.code == "agreed_roster"


def test_an_owner_joins_before_it_sends():
    agreed = agreement()
    with pytest.raises(CiphersetError) as caught:
        owners(agreed)[0].update(np.zeros(agreed.shape), ())
    assert caught.value.code == "round_member"


@pytest.mark.parametrize(
    ("x", "labels", "code"),
    [
        (np.ones((1, DIM)), ["d"], "unknown_class"),
        (np.ones((1, DIM + 1)), ["a"], "dimension"),
        (np.ones((2, DIM)), ["a"], "dimension"),
        (np.full((1, DIM), np.nan), ["a"], "norm"),
    ],
)
def test_rows_that_were_not_agreed_on_are_refused(x, labels, code):
    with pytest.raises(CiphersetError) as caught:
        Owner("north", identities()["north"], Contribution(x, labels), agreement())
    assert caught.value.code == code


@pytest.mark.parametrize(
    "weights",
    [
        np.full((DIM + 1, 3), np.nan),
        np.full((DIM + 1, 3), 1e308),
        np.zeros((DIM + 1, 1)),
        np.zeros((DIM, 3)),
    ],
)
def test_weights_at_which_rows_could_show_by_an_error_are_refused(weights):
    """And not paid for: nothing was computed on the rows."""
    agreed = agreement()
    owner, *_ = those = owners(agreed)
    announced = [one.join(bytes(16)) for one in those]
    with pytest.raises(CiphersetError) as caught:
        owner.update(weights, announced)
    assert caught.value.code == "round_weights"
    assert owner.left == agreed.releases


def test_so_many_rows_that_a_sum_could_overflow_are_refused():
    """Before anything is computed on them."""
    n = MOST_ROWS + 1
    many = Contribution(np.broadcast_to(np.zeros(DIM, dtype=np.float32), (n, DIM)), range(n))
    with pytest.raises(CiphersetError) as caught:
        Owner("north", identities()["north"], many, agreement())
    assert caught.value.code == "round_values"
    assert MOST_ROWS * SENSITIVITY / 2 + 12 * 2**44 < MOST_VALUE


@pytest.mark.parametrize("classes", [("a",), ("b", "a"), ("a", "a")])
def test_classes_are_named_once_and_in_order(classes):
    with pytest.raises(CiphersetError) as caught:
        Agreement(roster(), classes, DIM, EACH, 2, None)
    assert caught.value.code == "agreed_classes"


@pytest.mark.parametrize("honest", [2, 3, 4])
@pytest.mark.parametrize("epsilon", [0.5, 3.0, 8.0])
def test_the_honest_shares_alone_keep_what_was_agreed(honest, epsilon):
    agreed = agreement(Guarantee(epsilon, 1e-6), honest=honest)
    sigma = agreed.share * math.sqrt(honest)
    assert delta_of(epsilon, agreed.releases * rho_of(SENSITIVITY, sigma)) <= 1e-6
    # Narrow enough that no sum is refused, wide enough that shares add up to a discrete Gaussian.
    assert 1e5 < agreed.share < 2**44


def test_no_row_moves_a_gradient_further_than_it_may():
    """The most that can be tried: opposite rows, of weights that are sure of the wrong class."""
    steep = np.zeros((DIM + 1, 3))
    steep[0] = [0, 1e6, 0]
    row = np.eye(1, DIM) * 1.0001
    found = [
        Part.of(x, np.array([code]), 3).noisy_gradient(steep * sign, sigma=0, words=None)
        for x in (row, -row)
        for code in range(3)
        for sign in (1, -1)
    ]
    moved = [np.linalg.norm((a - b).astype(float)) for a in found for b in found]
    assert 0.7 * SENSITIVITY < max(moved) <= SENSITIVITY


def test_with_noise_it_still_learns():
    agreed = agreement(Guarantee(20.0, 1e-3), honest=4)
    head = train_together(owners(agreed), agreed)
    assert np.mean(head.predict(rows(50).x) == np.array(rows(50).labels)) > 0.6

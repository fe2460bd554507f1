"""Two owners under two keys: files do not add up, answers do, and one key does."""

import numpy as np
import pytest

from cipherset.pipeline.encrypt import VectorCipher
from cipherset.pipeline.train import TrainSpec, train_classifier

DIM, CLASSES, N, N_TEST, BETA = 8, 4, 60, 600, 4.0
KEYS = range(40)


def drawn(rng, n, centers):
    y = rng.integers(CLASSES, size=n)
    x = centers[y] + 0.8 * rng.normal(size=(n, DIM)) / np.sqrt(DIM)
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), y


def cipher(key):
    secret = np.random.default_rng(key).bytes(32)
    return VectorCipher(secret, dim=DIM, approximation_factor=BETA)


def export(owner, x, stream):
    return owner.encrypt_for_testing(x, noise_stream_for_testing=bytes([stream]) * 32)


def trained(x, y):
    return train_classifier(x, y, TrainSpec(inverse_penalty=1.0), seed=0)


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(5)
    centers = np.linalg.qr(rng.normal(size=(DIM, DIM)))[0][:CLASSES]
    return [drawn(rng, n, centers) for n in (N, N, N_TEST)]


@pytest.fixture(scope="module")
def alone(world):
    """Each owner's cipher, file, model, and how often it is right at its own gate."""
    *owners, (x, y) = world
    made = []
    for key, (rows, labels) in enumerate(owners):
        own = cipher(key)
        stored = export(own, rows, key)
        model = trained(stored, labels)
        made.append((own, stored, model, np.mean(model.predict(own.encrypt_query(x)) == y)))
    return made


def test_each_model_works_at_its_own_gate(alone):
    assert min(right for *_, right in alone) > 0.6


def test_the_model_of_one_is_at_chance_at_the_gate_of_another(world, alone):
    x, y = world[2]
    model = alone[0][2]
    rights = [np.mean(model.predict(cipher(100 + key).encrypt_query(x)) == y) for key in KEYS]
    half = 1.96 * np.std(rights) / np.sqrt(len(rights))
    assert abs(np.mean(rights) - 1 / CLASSES) < half


def test_files_under_two_keys_do_not_add_up(world, alone):
    (_, y_a), (_, y_b), (x, y) = world
    both = np.concatenate([stored for _, stored, *_ in alone])
    model = trained(both, np.concatenate([y_a, y_b]))
    rights = [np.mean(model.predict(own.encrypt_query(x)) == y) for own, *_ in alone]
    assert np.mean(rights) < np.mean([right for *_, right in alone])


def test_averaged_answers_and_one_key_do(world, alone):
    (x_a, y_a), (x_b, y_b), (x, y) = world
    told = sum(model.predict_proba(own.encrypt_query(x)) for own, _, model, _ in alone)
    single = np.mean([right for *_, right in alone])
    assert np.mean(told.argmax(axis=1) == y) > single
    one = cipher(0)
    stored = np.concatenate([export(one, x_a, 0), export(one, x_b, 1)])
    model = trained(stored, np.concatenate([y_a, y_b]))
    assert np.mean(model.predict(one.encrypt_query(x)) == y) > single

"""Whoever adds up gradients has the rows: plain ones are lost, of encrypted ones the ciphertext."""

import numpy as np
import pytest

from cipherset.core.values import NO_NOISE
from cipherset.evidence.attack import clopper_pearson, reidentify
from cipherset.evidence.attack.gradient import Network, matched, recover_batch
from cipherset.pipeline.encrypt import VectorCipher

DIM, CLASSES, N = 16, 4, 200
MODELS = {"head": (DIM, CLASSES), "mlp": (DIM, 32, CLASSES)}
BETA = 2.0


def rows(seed=0):
    """Unit rows around one center a class, and their codes."""
    rng = np.random.default_rng(seed)
    y = rng.integers(CLASSES, size=N)
    x = rng.normal(size=(CLASSES, DIM))[y] + rng.normal(size=(N, DIM))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), y


def encrypted(x):
    cipher = VectorCipher(bytes(range(32)), dim=DIM, approximation_factor=BETA)
    return cipher, cipher.encrypt_for_testing(x, noise_stream_for_testing=bytes(32))


def seen_by_server(x, y, sizes, batch=1):
    """What it makes of the gradients of one round, each of ``batch`` rows, in their order."""
    network = Network.drawn(sizes, seed=1)
    found = np.zeros(x.shape)
    for at in range(0, len(x), batch):
        part, codes = x[at : at + batch], y[at : at + batch]
        got = recover_batch(network, network.gradient(part, codes), codes, seed=at)
        found[at : at + batch] = got[matched(got, part)[0]]
    return found


def identified(found, x, y, noise):
    return reidentify(
        found, x, truth=np.arange(len(x)), ciphertext_groups=y, candidate_groups=y, noise=noise
    )


@pytest.mark.parametrize("sizes", MODELS.values(), ids=MODELS)
def test_plain_rows_are_lost(sizes):
    x, y = rows()
    found = seen_by_server(x, y, sizes)
    assert matched(found, x)[1].min() > 0.999
    assert identified(found, x, y, NO_NOISE).rank1 == 1.0


@pytest.mark.parametrize("sizes", MODELS.values(), ids=MODELS)
def test_of_encrypted_rows_the_server_has_the_ciphertext_and_no_more(sizes):
    x, y = rows()
    cipher, stored = encrypted(x)
    found = seen_by_server(stored, y, sizes)
    assert np.abs(found - stored).max() < 1e-4
    # Without the key: what the labels alone tell.
    blind = identified(found, x, y, cipher.noise)
    low, high = clopper_pearson(blind.nearest * N, N)
    assert low <= blind.label_alone <= high
    # With it: what the file tells whoever steals both, which is what an export is measured by.
    with_key = identified(cipher.remove_key(found), x, y, cipher.noise)
    of_file = identified(cipher.remove_key(stored), x, y, cipher.noise)
    assert with_key.nearest == of_file.nearest > 3 * blind.label_alone


@pytest.mark.parametrize("sizes", MODELS.values(), ids=MODELS)
def test_small_batches_are_lost_too(sizes):
    x, y = rows()
    # One row of each class: labels in the clear say who is who.
    order = [int(np.flatnonzero(y == c)[0]) for c in range(CLASSES)]
    for batch in (order[:2], order[:3]):
        found = seen_by_server(x[batch], y[batch], sizes, batch=len(batch))
        assert matched(found, x[batch])[1].min() > 0.99


def test_of_a_large_batch_only_means_are_found():
    """Many rows behind a head of four classes: fewer equations than unknowns."""
    x, y = rows()
    found = seen_by_server(x[:32], y[:32], MODELS["head"], batch=32)
    assert np.median(matched(found, x[:32])[1]) < 0.95

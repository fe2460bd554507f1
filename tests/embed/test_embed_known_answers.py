"""The real encoder gives the vectors that sentence-transformers gives for the same weights."""

import json
from pathlib import Path

import numpy as np
import pytest

from cipherset.app.encoders import CATALOG, DEFAULT_ENCODER

ANSWERS = Path(__file__).parents[1] / "vectors" / "encoder" / "minilm-l6-v2.txt"


@pytest.fixture(scope="module")
def answers():
    found: dict[str, list[str]] = {}
    for line in ANSWERS.read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(": ")
        found.setdefault(name, []).append(value)
    return found


@pytest.fixture(scope="module")
def texts(answers):
    return [json.loads(text) for text in answers["text"]]


@pytest.fixture(scope="module")
def expected(answers):
    return np.array([[float(number) for number in row.split()] for row in answers["vector"]])


def test_same_vectors(minilm, answers, texts, expected):
    vectors = minilm.encode(texts)
    assert vectors.dtype == np.float32
    assert np.abs(vectors - expected).max() <= float(answers["tolerance"][0])
    cosines = (vectors * expected).sum(axis=1) / np.linalg.norm(expected, axis=1)
    assert cosines.min() >= 0.99999


def test_the_answers_speak_about_the_pinned_weights(answers):
    entry = CATALOG[DEFAULT_ENCODER]
    assert answers["weights"] == [f"sha256:{entry.weights.member.sha256}"]
    assert answers["max tokens"] == [str(entry.settings.max_tokens)]


def test_a_long_text_is_among_them_and_is_cut(minilm, answers, texts, expected):
    (index,) = [i for i, count in enumerate(answers["tokens"]) if count == "256"]
    longer = minilm.encode([texts[index] + " and then something else entirely"])
    np.testing.assert_allclose(longer[0], expected[index], atol=1e-5)


def test_each_alone_is_as_all_together(minilm, texts):
    together = minilm.encode(texts)
    alone = np.concatenate([minilm.encode([text]) for text in texts])
    np.testing.assert_allclose(alone, together, atol=1e-5)


def test_the_encoders_of_the_catalog_have_digests_of_their_own(minilm):
    digests = {name: entry.identity.digest for name, entry in CATALOG.items()}
    assert digests[DEFAULT_ENCODER] == minilm.digest
    assert len(set(digests.values())) == len(CATALOG)

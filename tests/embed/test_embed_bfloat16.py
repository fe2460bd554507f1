"""The encoder in bfloat16: near the exact one, each text alone, float32 where there is no such."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from cipherset.app.encoders import CATALOG, DEFAULT_ENCODER, catalog, get, open_encoder
from cipherset.pipeline.embed import BFLOAT16, TextEncoder, bundle, multiplies_bfloat16
from cipherset.pipeline.embed.batches import batches

BF16 = "minilm-l6-v2-bf16"
TEXTS = [
    "",
    "Reset my password",
    "I was charged a fee that nobody told me about.",
    *(f"The hotel was clean, {'the breakfast was cold, ' * n}and late." for n in range(9)),
    "A film about two brothers who open a bakery in a town without bread " * 6,
]
IMPORT = """
import sys, threading
from cipherset.pipeline.embed import multiplies_bfloat16
multiplies_bfloat16()
print("openvino" in sys.modules, sys.modules["openvino_telemetry"], threading.active_count())
"""


@pytest.fixture
def without_openvino(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)


@pytest.fixture(scope="module")
def bfloat16(minilm, cache_dir):
    return open_encoder(BF16, cache_dir)


def test_it_is_another_encoder_of_the_same_files(minilm, cache_dir):
    entry = CATALOG[BF16]
    assert entry.identity.quantization == BFLOAT16 == "bfloat16/1"
    assert entry.weights == CATALOG[DEFAULT_ENCODER].weights
    assert len({each.identity.digest for each in CATALOG.values()}) == len(CATALOG)
    here = {each.name: each for each in catalog(cache_dir)}
    info, exact = here[BF16], here[DEFAULT_ENCODER]
    assert (info.cached, info.path) == (True, exact.path)
    assert info.digest == entry.identity.digest != exact.digest


def test_without_openvino_it_is_exact(minilm, cache_dir, without_openvino):
    assert not multiplies_bfloat16()
    opened = open_encoder(BF16, cache_dir)
    assert opened.digest == CATALOG[BF16].identity.digest
    np.testing.assert_array_equal(opened.encode(TEXTS[:4]), minilm.encode(TEXTS[:4]))


@given(n_words=st.lists(st.integers(0, 12), min_size=1, max_size=40), span=st.integers(1, 9))
def test_lengths_of_other_spans_are_never_together(tiny_directory, n_words, span):
    tokenizer = Tokenizer.from_file(str(tiny_directory / "tokenizer.json"))
    texts = ["card " * n for n in n_words]
    made = list(batches(texts, range(len(texts)), tokenizer, 64, span))
    assert sorted(np.concatenate([batch.rows for batch in made])) == list(range(len(texts)))
    for batch in made:
        assert len(set(batch.mask.sum(axis=1) // span)) == 1


@pytest.mark.extra
def test_near_the_exact_vectors(minilm, bfloat16):
    cosines = (minilm.encode(TEXTS) * bfloat16.encode(TEXTS)).sum(axis=1)
    assert cosines.min() > 0.9998
    # Where the processor does not multiply bfloat16, nothing is rounded.
    assert (cosines.min() < 0.9999999) == multiplies_bfloat16()


@pytest.mark.extra
@pytest.mark.parametrize(("batch_tokens", "workers"), [(1, 1), (100, 2), (400, 1), (2048, 2)])
def test_a_text_does_not_depend_on_its_batch(bfloat16, cache_dir, batch_tokens, workers):
    folder = get(BF16, cache_dir).path
    other = TextEncoder(
        BF16,
        CATALOG[BF16].identity,
        graph=(folder / bundle.GRAPH).read_bytes(),
        tokenizer=(folder / bundle.TOKENIZER).read_bytes(),
        batch_tokens=batch_tokens,
        workers=workers,
    )
    texts = [text[:cut] for text in TEXTS[:12] for cut in (20, 45, 60, 75, 90, 200)]
    np.testing.assert_allclose(other.encode(texts), bfloat16.encode(texts), atol=1e-5)


@pytest.mark.extra
def test_openvino_keeps_and_sends_nothing(tmp_path):
    """Its makers' package would, in a thread of its own, as soon as it is imported."""
    path = f"import sys; sys.path[:0] = {sys.path!r}\n"
    shown = subprocess.run(
        [sys.executable, "-c", path + IMPORT],
        env={"HOME": str(tmp_path), "CI": ""},
        check=True,
        capture_output=True,
        text=True,
        timeout=600,
    ).stdout
    assert shown.split() == ["True", "None", "1"]
    assert list(tmp_path.rglob("*")) == []

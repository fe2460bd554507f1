"""What holds for every encoder: order, batches, threads, odd texts, refusals, no network."""

import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.app.encoders import open_encoder
from cipherset.core.errors import InputError, IntegrityError
from cipherset.pipeline.embed import TextEncoder, bundle, read_directory, write_bundle
from cipherset.pipeline.embed.batches import WINDOW_CHARACTERS, WINDOW_TEXTS, batches, windows

WORDS = st.lists(st.sampled_from(["card", "lost", "my", "is", "new", "?", "zebra", "é"]))
TEXTS = st.lists(WORDS.map(" ".join), max_size=12)


@pytest.fixture(scope="module")
def small_batches(tiny_directory, tmp_path_factory):
    """The tiny encoder with other batches: a function of their size and the number of threads."""
    folder = tmp_path_factory.mktemp("small") / "tiny"
    files = read_directory(tiny_directory)
    write_bundle(folder, files)

    def opened(batch_tokens, workers):
        return TextEncoder(
            "tiny",
            files.identity,
            graph=(folder / bundle.GRAPH).read_bytes(),
            tokenizer=files.tokenizer,
            batch_tokens=batch_tokens,
            workers=workers,
        )

    return opened


@settings(max_examples=30)
@given(TEXTS, st.integers(1, 60), st.integers(1, 3))
def test_neither_batches_nor_threads_change_a_vector(tiny, small_batches, texts, tokens, workers):
    np.testing.assert_allclose(
        small_batches(tokens, workers).encode(texts), tiny.encode(texts), atol=1e-5
    )


@settings(max_examples=30)
@given(TEXTS, st.randoms(use_true_random=False))
def test_rows_follow_the_order_of_the_texts(tiny, texts, shuffler):
    order = list(range(len(texts)))
    shuffler.shuffle(order)
    shuffled = tiny.encode([texts[index] for index in order])
    np.testing.assert_allclose(shuffled, tiny.encode(texts)[order], atol=1e-5)


@given(st.text(max_size=40))
@settings(max_examples=50)
def test_any_text_has_a_unit_vector(tiny, text):
    vector = tiny.encode([text])
    assert vector.shape == (1, tiny.dim)
    assert vector.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vector), 1, atol=1e-6)


def test_no_texts_no_rows(tiny):
    assert tiny.encode([]).shape == (0, tiny.dim)


def test_empty_and_blank_are_the_same(tiny):
    vectors = tiny.encode(["", " \n\t"])
    np.testing.assert_array_equal(vectors[0], vectors[1])


def test_what_is_beyond_the_last_token_does_not_count(tiny):
    ten = " ".join(["card"] * 10)  # and its two marks: the twelve tokens of this encoder
    vectors = tiny.encode([ten, ten + " lost", " ".join(["card"] * 9)])
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)
    assert np.abs(vectors[0] - vectors[2]).max() > 1e-3


def test_many_windows_are_as_one(tiny):
    texts = ["card lost", "my new card is lost ?", ""] * WINDOW_TEXTS
    np.testing.assert_allclose(
        tiny.encode(texts), np.tile(tiny.encode(texts[:3]), (WINDOW_TEXTS, 1)), atol=1e-5
    )


def test_windows_are_bounded_by_texts_and_by_characters():
    short, long = [""] * (WINDOW_TEXTS + 1), ["x" * (WINDOW_CHARACTERS // 2)] * 5
    assert list(windows(short)) == [range(WINDOW_TEXTS), range(WINDOW_TEXTS, WINDOW_TEXTS + 1)]
    assert list(windows(long)) == [range(2), range(2, 4), range(4, 5)]


@pytest.mark.parametrize("batch_tokens", [1, 9, 40])
def test_batches_hold_every_row_once_and_stay_small(tiny_directory, batch_tokens):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tiny_directory / "tokenizer.json"))
    texts = [" ".join(["card"] * (index % 7)) for index in range(30)]
    made = list(batches(texts, range(5, 30), tokenizer, batch_tokens))
    assert sorted(np.concatenate([batch.rows for batch in made])) == list(range(5, 30))
    assert all(batch.ids.size <= batch_tokens or len(batch.rows) == 1 for batch in made)
    for batch in made:
        for row, ids, mask in zip(batch.rows, batch.ids, batch.mask, strict=True):
            assert ids[mask == 1].tolist() == tokenizer.encode(texts[row]).ids
            assert not ids[mask == 0].any()


def test_progress_counts_every_row_and_leaves_the_stage_to_the_caller(tiny):
    told = []

    class Count:
        def start(self, stage, total):
            pytest.fail("the stage is the caller's")

        def advance(self, steps):
            told.append(steps)

        def finish(self):
            pytest.fail("the stage is the caller's")

    tiny.encode(["card", "my card", ""] * 20, progress=Count())
    assert sum(told) == 60


def test_memory_does_not_grow_with_the_texts(tiny):
    def peak(n):
        texts = ["my new card is lost ?"] * n
        tracemalloc.start()
        vectors = tiny.encode(texts)
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest - vectors.nbytes

    few, many = peak(WINDOW_TEXTS), peak(4 * WINDOW_TEXTS)
    assert many < 1.5 * few  # how many answers wait at once is the threads' chance


@pytest.mark.parametrize(
    ("texts", "code", "names"),
    [
        ("card", "texts_expected", "list"),
        (["card", None], "text_expected", "row 1 is a NoneType"),
        (["card", 3.5], "text_expected", "row 1 is a float"),
        (["card", "SECRET \ud83c"], "text_not_unicode", "row 1"),
    ],
)
def test_what_is_no_text_is_refused_by_row(tiny, texts, code, names):
    with pytest.raises(InputError, match=names) as refusal:
        tiny.encode(texts)
    assert refusal.value.code == code
    assert "SECRET" not in str(refusal.value)


def test_weights_that_are_no_numbers_are_refused(changed_directory, tiny_tensors, tmp_path):
    from safetensors.numpy import save_file

    directory = changed_directory("config.json")
    name = "embeddings.LayerNorm.bias"
    broken = tiny_tensors | {name: np.full_like(tiny_tensors[name], np.nan)}
    save_file(broken, directory / "model.safetensors")
    with pytest.raises(IntegrityError) as refusal:
        open_encoder(str(directory), tmp_path).encode(["card"])
    assert refusal.value.code == "encoder_output"


OFFLINE = """
import os, socket, sys
def refuse(*arguments):
    raise SystemExit("reached for the network")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
from pathlib import Path
from cipherset.app.encoders import open_encoder
vectors = open_encoder("minilm-l6-v2", Path(sys.argv[1])).encode(["no network", "none at all"])
links = [os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")
         if os.path.exists(f"/proc/self/fd/{n}")]
print(vectors.shape, [link for link in links if link.startswith("socket:")],
      sorted({"torch", "transformers", "openvino", "huggingface_hub"} & set(sys.modules)))
"""


def test_encoding_uses_no_network_and_no_torch(minilm, cache_dir):
    """In a namespace without network devices where this system allows it."""
    command = [sys.executable, "-c", OFFLINE, str(cache_dir)]
    alone = ["unshare", "--map-root-user", "--net", "--"]
    if Path("/usr/bin/unshare").exists():
        tried = subprocess.run([*alone, "true"], capture_output=True, check=False, timeout=600)
        command = [*alone, *command] if tried.returncode == 0 else command
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert (done.stdout.strip(), done.stderr) == ("(2, 384) [] []", "")

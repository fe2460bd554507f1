"""Texts of many requests are encoded together; a fault of one is not another's."""

import threading
import time

import numpy as np
import pytest

from cipherset.app.serving.models.batcher import EncodingBatcher
from cipherset.core.errors import CiphersetError, InputError


class Held:
    """An encoder that waits until it is let go, and refuses one word; it counts its batches."""

    name, digest, dim = "held", "sha256:00", 1

    def __init__(self):
        self.go = threading.Event()
        self.started = threading.Event()
        self.batches = []

    def encode(self, texts, *, progress=None):
        self.started.set()
        assert self.go.wait(60)
        self.batches.append(list(texts))
        if "bad" in texts:
            raise InputError("one is bad", code="text_not_unicode", hint="")
        if "defect" in texts:
            raise RuntimeError("not ours")
        return np.array([[float(len(text))] for text in texts], dtype="f4")


@pytest.fixture
def encoder():
    return Held()


@pytest.fixture
def asked(encoder):
    """Ask from threads of their own; what each got, once all are answered."""
    batcher = EncodingBatcher(encoder, most_texts=8, most_waiting=20)
    got, threads = {}, []

    def one(texts):
        try:
            got[texts] = batcher.encode(texts).ravel().tolist()
        except CiphersetError as error:
            got[texts] = error.code

    def ask(*requests):
        for texts in requests:
            before = batcher.n_waiting
            thread = threading.Thread(target=one, args=(texts,), daemon=True)
            thread.start()
            threads.append(thread)
            if not encoder.started.wait(0 if len(threads) > 1 else 60):
                pytest.fail("the first never came")
            end = time.monotonic() + 60
            while len(threads) > 1 and batcher.n_waiting == before and texts not in got:
                assert time.monotonic() < end
                time.sleep(0.001)
        return got

    def answered():
        encoder.go.set()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
        return got

    ask.answered = answered
    yield ask
    encoder.go.set()
    batcher.close()


def test_what_waits_is_encoded_together_and_each_gets_its_own(encoder, asked):
    asked(("a",), ("bb", "ccc"), ("dddd",))
    assert asked.answered() == {("a",): [1], ("bb", "ccc"): [2, 3], ("dddd",): [4]}
    assert encoder.batches == [["a"], ["bb", "ccc", "dddd"]]


def test_one_bad_text_fails_its_own_request_alone(encoder, asked):
    asked(("a",), ("bb",), ("bad", "ccc"), ("dddd",))
    assert asked.answered() == {
        ("a",): [1],
        ("bb",): [2],
        ("bad", "ccc"): "text_not_unicode",
        ("dddd",): [4],
    }


def test_a_batch_is_no_larger_than_it_may_be_but_for_one_request(encoder, asked):
    asked(("a",), ("b",) * 5, ("c",) * 5, ("d",) * 9)
    asked.answered()
    assert [len(batch) for batch in encoder.batches] == [1, 5, 5, 9]


def test_more_than_may_wait_are_told_that_it_is_busy(encoder, asked):
    asked(("a",), ("b",) * 20, ("c",))
    assert asked.answered()[("c",)] == "busy"


def test_what_waits_is_answered_before_it_stops_and_nothing_after(encoder):
    batcher = EncodingBatcher(encoder)
    encoder.go.set()
    assert batcher.encode(["abc"]).tolist() == [[3]]
    assert batcher.dim == 1
    batcher.close()
    with pytest.raises(CiphersetError) as refused:
        batcher.encode(["abc"])
    assert refused.value.code == "stopping"


def test_a_defect_of_the_encoder_leaves_nobody_waiting_and_the_next_is_answered(encoder):
    batcher = EncodingBatcher(encoder)
    encoder.go.set()
    with pytest.raises(CiphersetError) as refused:
        batcher.encode(["defect"])
    assert refused.value.code == "encoder_failed"
    assert batcher.encode(["abc"]).tolist() == [[3]]
    batcher.close()

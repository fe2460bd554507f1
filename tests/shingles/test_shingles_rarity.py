"""How improbable a passage is, by a slow count; and from how many bits on a copy counts."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cipherset.core.errors import InputError, IntegrityError
from cipherset.core.secret import KeyHandle, Secret
from cipherset.custody.keys import KeyedHashes, ephemeral_sealer
from cipherset.pipeline.sanitize.shingles import Counting, Threshold, build, open_rarity

FEW = ["a", "b", "c", "dog"]
TEXTS = st.lists(st.lists(st.sampled_from(FEW), max_size=8).map(" ".join), max_size=12)


def hashes(byte=7):
    return KeyedHashes(KeyHandle("tickets", 1, Secret(bytes([byte]) * 32)), "shingles")


def counted(batches):
    counting = Counting(hashes())
    passed = list(counting.watching(batches))
    assert passed == batches
    return counting.done()


def slow_bits(rows, text):
    single, pairs = Counter(), Counter()
    for row in rows:
        words = row.split()
        single.update(set(words))
        pairs.update({(words[i], words[i + 1]) for i in range(len(words) - 1)})
    words = text.split()
    if not words:
        return 0.0
    p = (single[words[0]] + 1) / (len(rows) + 1)
    for i in range(1, len(words)):
        p *= (pairs[words[i - 1], words[i]] + 0.5) / (single[words[i - 1]] + 1)
    return -math.log2(p)


@given(TEXTS, TEXTS, st.lists(st.sampled_from([*FEW, "new"]), max_size=10).map(" ".join))
def test_the_slow_answer_is_the_same(first, second, text):
    rarity = counted([first, [], second])
    assert rarity.n_rows == len(first) + len(second)
    assert rarity.bits(text) == pytest.approx(slow_bits(first + second, text))


def test_case_and_signs_make_no_other_word():
    rarity = counted([["the card was lost"]])
    assert rarity.bits("THE, card - was lost!") == rarity.bits("the card was lost")


def test_saved_and_opened_it_is_the_same(tmp_path):
    sealer = ephemeral_sealer()
    rarity = counted([["a dog", "a b c"]])
    rarity.save(tmp_path / "rarity", sealer, dataset="d")
    again = open_rarity(tmp_path / "rarity", hashes(), sealer)
    assert again.bits("a b dog") == rarity.bits("a b dog")
    assert b"dog" not in (tmp_path / "rarity").read_bytes()
    assert "dog" not in repr(rarity)
    with pytest.raises(IntegrityError) as caught:
        open_rarity(tmp_path / "rarity", hashes(), ephemeral_sealer())
    assert caught.value.code == "spool_corrupt"
    counted([]).save(tmp_path / "empty", sealer, dataset="d")
    assert open_rarity(tmp_path / "empty", hashes(), sealer).bits("a") == 0.0


def test_of_another_version(tmp_path):
    sealer = ephemeral_sealer()
    table = counted([["a dog"]])
    table.n_rows = "one"
    table.save(tmp_path / "rarity", sealer, dataset="d")
    with pytest.raises(IntegrityError) as caught:
        open_rarity(tmp_path / "rarity", hashes(), sealer)
    assert caught.value.code == "rarity_format"


def test_the_threshold_flags_no_more_than_asked_for():
    rng = np.random.default_rng(2)
    phrases = [" ".join(rng.choice(FEW, size=9)) for _ in range(30)]
    rows = [f"{rng.choice(phrases)} {place}" for place in range(300)]
    index, rarity = build([rows], hashes()), counted([rows])
    harmless = [f"so {rng.choice(phrases)} ok" if place % 3 else "no" for place in range(300)]
    assert sum(bool(index.matches(text)) for text in harmless) > 150
    for rate in (0.0, 0.02, 0.3):
        threshold = Threshold.for_rate(index, rarity, harmless, rate)
        assert threshold.flagged <= rate
    assert Threshold.for_rate(index, rarity, ["no"] * 100).bits == 0.0
    with pytest.raises(InputError) as caught:
        Threshold.for_rate(index, rarity, harmless[:99])
    assert caught.value.code == "too_few_texts"

"""Sketches estimate the overlap of texts; near duplicates are found, others are left."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.core.errors import InputError, UsageError
from cipherset.core.values import Records
from cipherset.pipeline.sanitize.training import Duplicates, Reason, check_leak
from cipherset.pipeline.sanitize.training.copies import CopyFinder
from cipherset.pipeline.sanitize.training.minhash import RUN, Sketcher, joined, overlap, plain
from cipherset.pipeline.sanitize.training.splits import leak, near_clusters

WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("r", "ten", "lo", "m")]


def sentence(rng, n_words=20):
    return " ".join(rng.choice(WORDS, size=n_words))


def altered(rng, text, n_words):
    words = text.split()
    for place in rng.choice(len(words), size=n_words, replace=False):
        words[place] = str(rng.choice([word for word in WORDS if word != words[place]]))
    return " ".join(words)


def jaccard(a, b):
    """The slow, obviously right one: sets of runs."""
    runs = []
    for text in (plain(a).ljust(RUN, "\0"), plain(b).ljust(RUN, "\0")):
        runs.append({text[i : i + RUN] for i in range(len(text) - RUN + 1)})
    return len(runs[0] & runs[1]) / len(runs[0] | runs[1])


@pytest.fixture
def rng():
    """Of each test its own, so that no order of tests changes its rows."""
    return np.random.default_rng(5)


def test_overlap_is_the_jaccard_similarity_of_runs(rng):
    texts = [sentence(rng) for _ in range(300)]
    others = [altered(rng, text, n % 12) for n, text in enumerate(texts)]
    sketcher = Sketcher()
    estimated = overlap(sketcher.sketch(texts).bytes_, sketcher.sketch(others).bytes_)
    true = np.array([jaccard(a, b) for a, b in zip(texts, others, strict=True)])
    error = estimated - true
    assert abs(error.mean()) < 0.01
    assert np.abs(error).max() < 5 * 0.046
    assert error.std() < 0.046


@given(st.lists(st.text(max_size=30), min_size=1, max_size=6))
@settings(max_examples=50)
def test_a_text_has_the_same_sketch_in_any_batch(texts):
    sketcher = Sketcher()
    together = sketcher.sketch(texts)
    alone = joined([Sketcher().sketch([text]) for text in texts])
    np.testing.assert_array_equal(together.bytes_, alone.bytes_)
    np.testing.assert_array_equal(together.bands, alone.bands)


def test_no_texts_have_no_sketches():
    assert len(Sketcher().sketch([])) == len(joined([])) == 0


def test_long_texts_are_sketched_in_blocks(rng):
    long = " ".join(sentence(rng, 2000) for _ in range(12))
    short = sentence(rng)
    sketches = Sketcher().sketch([short, long, short])
    np.testing.assert_array_equal(sketches.bands[0], sketches.bands[2])
    np.testing.assert_array_equal(sketches.bands[1], Sketcher().sketch([long]).bands[0])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("How do I pay?", "how do i  PAY"),
        ("Ｈow much", "How much!"),
        ("ﬁne", "fine"),
        ("straße", "STRASSE"),
        ("!!!", "!!!"),
    ],
)
def test_the_same_once_evened_out(first, second):
    assert Duplicates().judge_texts([first, second]) == [None, Reason.DUPLICATE]


@pytest.mark.parametrize(
    ("first", "second"), [("yes", "no"), ("!!!", "???"), ("1", "2"), ("😀", "😡"), ("ok", "okay")]
)
def test_short_texts_differ(first, second):
    assert Duplicates().judge_texts([first, second]) == [None, None]


def planted(rng, n_rows=400):
    """Rows, and after them one copy of each with one of twenty words changed."""
    rows = [sentence(rng) for _ in range(n_rows)]
    return rows, [altered(rng, row, 1) for row in rows]


@pytest.mark.parametrize("batch", [1, 64, 1000])
def test_near_duplicates_are_found_in_and_across_batches(rng, batch):
    rows, copies = planted(rng, 200)
    close = np.array([jaccard(a, b) for a, b in zip(rows, copies, strict=True)])
    texts = [text for pair in zip(rows, copies, strict=True) for text in pair]
    duplicates, verdicts = Duplicates(), []
    for start in range(0, len(texts), batch):
        verdicts += duplicates.judge_texts(texts[start : start + batch])
    found = np.array([verdict is not None for verdict in verdicts]).reshape(-1, 2)
    assert not found[:, 0].any()  # the first of the two is kept
    assert found[close >= 0.85, 1].mean() > 0.95
    assert not found[close < 0.65, 1].any()


def test_batches_do_not_change_who_is_kept(rng):
    """But for chains, in which a row is near one that went."""
    rows, copies = planted(rng, 60)
    texts = rows + copies + [text.upper() for text in rows]
    alone, together = Duplicates(), Duplicates()
    one_by_one = [verdict for text in texts for verdict in alone.judge_texts([text])]
    assert one_by_one == together.judge_texts(texts)


def test_other_rows_are_left(rng):
    texts = [sentence(rng) for _ in range(2000)]
    assert set(Duplicates().judge_texts(texts)) == {None}


def test_only_the_same_when_asked(rng):
    rows, copies = planted(rng, 20)
    exact = Duplicates(least_overlap=1)
    assert set(exact.judge_texts(rows + copies)) == {None}
    assert exact.judge_texts(rows[:1]) == [Reason.DUPLICATE]


@pytest.mark.parametrize("least", [0.0, 0.49, 1.01, float("nan")])
def test_an_overlap_that_bands_do_not_find(least):
    with pytest.raises(UsageError) as refused:
        Duplicates(least_overlap=least)
    assert refused.value.code == "overlap"


def test_templated_rows_cost_no_square():
    """All share most of their text; the rest differs too much to be near."""
    rng = np.random.default_rng(1)
    head = sentence(rng, 12)
    texts = [f"{head} {sentence(rng, 24)}" for _ in range(3000)]
    verdicts = Duplicates().judge_texts(texts)
    assert verdicts.count(None) > 2900


def test_as_a_filter():
    table = pa.table({"row": [4, 5]})
    assert Duplicates().judge(Records(["a b", "A  B"], table)) == [None, Reason.DUPLICATE]


def test_clusters_link_rows_and_their_copies(rng):
    rows, copies = planted(rng)
    close = np.array([jaccard(a, b) for a, b in zip(rows, copies, strict=True)]) >= 0.85
    clusters = near_clusters(Sketcher().sketch(rows + copies))
    linked = clusters[: len(rows)] == clusters[len(rows) :]
    assert linked[close].mean() > 0.95
    assert len(set(clusters[: len(rows)].tolist())) == len(rows)


def test_clusters_of_many_copies_are_one():
    texts = ["the same row over and over"] * 500 + ["another row that stands alone here"]
    clusters = near_clusters(Sketcher().sketch(texts))
    assert np.bincount(clusters).tolist() == [500, 1]


def test_a_leak_between_splits_is_counted_and_refused(rng):
    rows, copies = planted(rng, 50)
    others = [sentence(rng) for _ in range(50)]
    close = sum(jaccard(a, b) >= 0.85 for a, b in zip(rows[:9], copies, strict=False))
    test = [others[:30], [rows[40].upper(), *copies[:9]], others[30:]]
    found = leak([rows[:20], rows[20:]], test)
    assert (found.rows, found.same) == (60, 1)
    assert close <= found.near <= 9
    with pytest.raises(InputError) as refused:
        check_leak([rows], test)
    assert refused.value.code == "split_leak"
    assert "of 60 test rows 1 " in refused.value.message
    check_leak([rows], [others])


def test_copies_of_a_source_by_text_and_by_vector(rng):
    rows, copies = planted(rng, 30)
    finder = CopyFinder()
    for texts in ([*rows, rows[0]], copies, [rows[1]]):
        finder.add(texts)
    found = finder.found()
    assert found.same[0] == found.same[30]
    assert found.same[1] == found.same[-1]
    assert len(set(found.same.tolist())) == 60
    assert len(set(found.near.tolist())) < 40
    vectors = CopyFinder()
    vectors.add([bytes(row) for row in np.eye(3, dtype=np.float32)])
    vectors.add([bytes(np.eye(3, dtype=np.float32)[1])])
    found = vectors.found()
    assert found.near.tolist() == found.same.tolist()
    assert len(set(found.same.tolist())) == 3
    assert found.take(np.array([1, 3])).same.tolist()[0] == found.same[3]

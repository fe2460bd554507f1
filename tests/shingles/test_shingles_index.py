"""Every copy of eight words is found, altered ones as promised, and nothing without the key."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.core.errors import InputError, IntegrityError
from cipherset.core.secret import KeyHandle, Secret
from cipherset.custody.keys import KeyedHashes, ephemeral_sealer
from cipherset.pipeline.sanitize.shingles import NgramIndex, build, open_index
from cipherset.pipeline.sanitize.shingles.index import SHAPES, windows
from cipherset.pipeline.sanitize.shingles.words import n_pieces, words_of

VOCABULARY = [
    f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("r", "ten", "lo", "m")
]
DATASET = "dataset-1"


def hashes(byte=7):
    return KeyedHashes(KeyHandle("tickets", 1, Secret(bytes([byte]) * 32)), "shingles")


def sentence(rng, n_words):
    return " ".join(rng.choice(VOCABULARY, size=n_words))


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(11)
    return [sentence(rng, int(rng.integers(3, 60))) for _ in range(400)]


@pytest.fixture(scope="module")
def index(rows):
    return build([rows[:150], [], rows[150:]], hashes())


@given(data=st.data())
@settings(max_examples=200)
def test_every_copy_of_eight_words_is_found_where_it_stands(data, rows, index):
    row = data.draw(st.sampled_from([row for row in rows if len(row.split()) >= 8]))
    words = row.split()
    length = data.draw(st.integers(8, len(words)))
    start = data.draw(st.integers(0, len(words) - length))
    passage = " ".join(words[start : start + length])
    before = data.draw(st.sampled_from(["", "so: ", "he said “", "мир \U0001f600 "]))
    (match,) = index.matches(f"{before}{passage}… and more")
    assert (match.start, match.end) == (len(before), len(before) + len(passage))
    assert match.n_words == match.exact_words == length == index.longest_copy(passage)
    assert match.rows == match.shared_by == 1
    assert index.rows_of(passage) == {rows.index(row)}


def test_case_width_signs_and_invisible_characters_make_no_other_word(rows, index):
    words = rows[0].split()[:10] if len(rows[0].split()) >= 10 else rows[1].split()[:10]
    for changed in (
        " ".join(words).upper(),
        ", ".join(words) + "!",
        "\n".join(f"*{word}*" for word in words),
        "  ".join("\u200b".join(word) for word in words),
        " ".join("".join(chr(ord(letter) + 0xFEE0) for letter in word) for word in words),
    ):
        assert [match.n_words for match in index.matches(changed)] == [10]


def test_seven_words_and_other_texts_are_none(rows, index):
    rng = np.random.default_rng(12)
    long = next(row for row in rows if len(row.split()) >= 30)
    words = long.split()
    assert index.matches(" ".join(words[:7])) == []
    assert index.longest_copy(" ".join(words[:7])) == 7
    assert index.longest_copy(" ".join(words[:5])) == 0
    assert all(not index.matches(sentence(rng, 200)) for _ in range(50))
    assert index.matches("") == []


@pytest.mark.parametrize(("step", "found"), [(8, True), (5, True), (4, False), (3, False)])
def test_altered_copies(rows, index, step, found):
    """Four words on either side of an altered one must be as they were."""
    words = next(row for row in rows if len(row.split()) >= 25).split()[:25]
    changed = " ".join("other" if i % step == step - 1 else word for i, word in enumerate(words))
    matches = index.matches(changed)
    assert bool(matches) is found
    if found:
        assert matches[0].n_words >= 20
        assert matches[0].exact_words in {0, 7}


def test_a_copy_from_several_rows_tells_them_apart(rows, index):
    long = [row for row in rows if len(row.split()) >= 12][:3]
    text = " and then ".join(" ".join(row.split()[:12]) for row in long)
    assert len(index.matches(text)) == 3
    assert index.rows_of(text) == {rows.index(row) for row in long}


def test_phrases_of_many_rows_say_so():
    phrase = "thank you for your patience while we look into this"
    index = build([[phrase] * 3, [phrase, "nothing else"]], hashes())
    (match,) = index.matches(phrase)
    assert (match.shared_by, match.rows, index.n_rows) == (4, 1, 5)


def test_a_repeated_phrase_counts_once_per_row():
    phrase = "please restart the router and then wait for ten minutes "
    (match,) = build([[phrase * 5]], hashes()).matches(phrase)
    assert match.shared_by == 1


def test_the_slow_answer_is_the_same(rows, index):
    """Random texts that take pieces from the rows: the longest run by comparing word by word."""
    rng = np.random.default_rng(13)
    known = [row.split() for row in rows]
    padded = [" " + " ".join(row) + " " for row in known]
    for _ in range(40):
        pieces = []
        for _ in range(4):
            words = known[rng.integers(len(known))]
            start = int(rng.integers(len(words)))
            pieces += [*words[start : start + int(rng.integers(1, 14))], "between"]
        longest = max(
            (
                j - i
                for i in range(len(pieces))
                for j in range(i + 6, len(pieces) + 1)
                if any(f" {' '.join(pieces[i:j])} " in row for row in padded)
            ),
            default=0,
        )
        assert index.longest_copy(" ".join(pieces)) == longest


def test_batches_do_not_matter(rows):
    one, many = build([rows], hashes()), build([[row] for row in rows], hashes())
    for column in ("keys", "rows", "counts"):
        np.testing.assert_array_equal(getattr(one._ngrams, column), getattr(many._ngrams, column))
    assert one.size_bytes == 14 * one.n_ngrams


def test_saved_and_opened_it_is_the_same(tmp_path, rows, index):
    sealer = ephemeral_sealer()
    index.save(tmp_path / "index", sealer, dataset=DATASET)
    again = open_index(tmp_path / "index", hashes(), sealer)
    assert (again.n_rows, again.n_ngrams) == (400, index.n_ngrams)
    assert again.matches(rows[3] + rows[5]) == index.matches(rows[3] + rows[5])


def test_an_empty_index_finds_nothing(tmp_path):
    sealer = ephemeral_sealer()
    empty = build([], hashes())
    empty.save(tmp_path / "index", sealer, dataset=DATASET)
    again = open_index(tmp_path / "index", hashes(), sealer)
    assert (again.n_ngrams, again.matches("word " * 20), again.longest_copy("a " * 9)) == (0, [], 0)


def test_another_key_finds_nothing(tmp_path, rows, index):
    sealer = ephemeral_sealer()
    index.save(tmp_path / "index", sealer, dataset=DATASET)
    assert NgramIndex(index._ngrams, hashes(8), 400).matches(rows[3]) == []
    with pytest.raises(IntegrityError) as refused:
        open_index(tmp_path / "index", hashes(8), sealer)
    assert refused.value.code == "index_format"
    with pytest.raises(IntegrityError) as refused:
        open_index(tmp_path / "index", hashes(), ephemeral_sealer())
    assert refused.value.code == "spool_corrupt"


def test_one_changed_byte(tmp_path, index):
    sealer, path = ephemeral_sealer(), tmp_path / "index"
    index.save(path, sealer, dataset=DATASET)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(IntegrityError) as refused:
        open_index(path, hashes(), sealer)
    assert refused.value.code == "spool_corrupt"


def test_too_many_ngrams(rows):
    with pytest.raises(InputError) as refused:
        build([rows], hashes(), most_ngrams=1000)
    assert refused.value.code == "index_full"


def test_nothing_shows_a_row(tmp_path):
    planted = "kilroy seven was here on a monday in may"
    index = build([[planted]], hashes())
    index.save(tmp_path / "index", ephemeral_sealer(), dataset=DATASET)
    shown = repr(index) + repr(index.matches(planted)) + repr(hashes()) + repr(words_of(planted))
    assert "kilroy" not in shown
    assert b"kilroy" not in (tmp_path / "index").read_bytes()


def test_work_grows_as_an_output_does(growth, index):
    """Twenty times the output of four hundred words: what it takes is measured elsewhere."""
    text = sentence(np.random.default_rng(14), 400)
    assert growth(index.matches, text * 5, text * 100) < 60


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't STOP", ["dont", "stop"]),
        ("don’t", ["dont"]),
        ("cafe\u0301 café", ["café", "café"]),
        ("naïve—ﬁne", ["naïve", "fine"]),
        ("zero\u200bwidth so\u00adft", ["zerowidth", "soft"]),
        ("3.5% of 1,000", ["3", "5", "of", "1", "000"]),
        ("我不好 ok", ["我", "不", "好", "ok"]),
        ("snake_case", ["snake", "case"]),
        ("‘’ … 😀", []),
        ("\u0301\u200b", []),
    ],
)
def test_words(text, words):
    found = words_of(text)
    assert [word.decode() for word in found.words] == words


@given(st.text())
def test_words_stand_where_they_stand(text):
    found = words_of(text)
    bounds = [*zip(found.starts.tolist(), found.ends.tolist(), strict=True)]
    flat = [place for both in bounds for place in both]
    assert flat == sorted(flat)
    for (start, end), word in zip(bounds, found.words, strict=True):
        assert [word] == words_of(text[start:end]).words


@pytest.mark.parametrize(
    ("text", "first", "last", "pieces"),
    [
        ("pay - now", 0, 2, 3),
        ("- pay now -", 0, 2, 4),
        ("a, b - (c) d", 1, 2, 2),
        ("a-b c", 0, 2, 1),
        ("one two", 1, 2, 1),
    ],
)
def test_pieces(text, first, last, pieces):
    assert n_pieces(text, words_of(text), first, last) == pieces


def test_signs_between_blanks_count(rows):
    text = "Pain: (+) in the left knee - since May"
    index = build([[f"She says {text} and no more"]], hashes())
    assert len(text.split()) == 9
    assert [match.n_words for match in index.matches(text)] == [7]


def slow_shares(rows, text):
    """By the n-grams themselves: those of a row that none before it has."""
    of_rows = [ngrams(row) for row in rows]
    there, shares = ngrams(text), {}
    for i, grams in enumerate(of_rows):
        mine = grams.difference(*of_rows[:i])
        if mine:
            shares[i] = len(mine & there) / len(mine)
    return shares


def ngrams(text):
    return {gram for shape in SHAPES for gram in windows(words_of(text).words, shape)}


@settings(max_examples=40)
@given(
    st.lists(st.lists(st.sampled_from("abcd"), min_size=6, max_size=16).map(" ".join), max_size=4),
    st.lists(st.sampled_from("abcd"), min_size=8, max_size=16).map(" ".join),
)
def test_the_share_of_a_row_that_is_there_by_a_slow_count(rows, text):
    index = build([rows], hashes())
    for asked in (text, *rows):
        found, slow = index.shares_of(asked), slow_shares(rows, asked)
        assert set(found) == index.rows_of(asked)
        assert all(found[row] <= slow[row] + 1e-9 for row in found)


def test_a_row_that_is_there_whole_has_all_of_its_share(rows, index):
    long = [(i, row) for i, row in enumerate(rows) if len(row.split()) >= 8]
    for i, row in long[:40]:
        assert index.shares_of(f"see: {row}. thanks") == {i: 1.0}
    i, row = max(long, key=lambda each: len(each[1].split()))
    words = row.split()
    half = index.shares_of(" ".join(words[: len(words) // 2]))
    assert 0.3 < half[i] < 0.6

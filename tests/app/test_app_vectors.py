"""What was embedded under a key is not embedded again, and what is wrong is never returned."""

import hashlib
import shutil
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.app.vectors import segments
from cipherset.app.vectors.remember import (
    FOLDER,
    Whose,
    folder_of,
    forget_vectors,
    forget_vectors_of,
    remembering,
)
from cipherset.core.errors import CiphersetError, InputError
from cipherset.core.secret import KeyHandle, Secret

DIM = 8
KEY = KeyHandle("support-0000000000000001", 1, Secret(bytes(32)))
WHOSE = Whose("ada", "/rows.csv")
CANARY = "canary-zyxw-4711"


class Hashed:
    """An encoder whose vectors follow from the text and its own name; it counts what it embeds."""

    dim = DIM

    def __init__(self, name: str = "hashed") -> None:
        self.name = name
        self.digest = "sha256:" + hashlib.sha256(name.encode()).hexdigest()
        self.embedded: list[str] = []

    def encode(self, texts: Sequence[str], *, progress=None):
        self.embedded += texts
        if progress is not None:
            progress.advance(len(texts))
        return np.array([self.vector(text) for text in texts], dtype=np.float32).reshape(-1, DIM)

    def vector(self, text):
        raw = hashlib.sha256(f"{self.name}/{text}".encode()).digest()
        values = np.frombuffer(raw, dtype="<u4").astype(np.float32)
        return values / np.linalg.norm(values)


class Counted:
    """A progress that only counts."""

    def __init__(self) -> None:
        self.steps = 0

    def start(self, stage, total) -> None: ...
    def finish(self) -> None: ...
    def advance(self, steps) -> None:
        self.steps += steps


def run(home, texts, encoder=None, *, key=KEY, whose=WHOSE, **options):
    """Vectors of ``texts`` in a run of their own, what it embedded, and how many it found."""
    encoder = encoder or Hashed()
    before = len(encoder.embedded)
    with remembering(home, key, encoder, whose, **options) as remembered:
        vectors = remembered.encode(texts)
    np.testing.assert_array_equal(vectors, encoder.__class__(encoder.name).encode(texts))
    return vectors, encoder.embedded[before:], remembered.found


def files(home):
    return sorted(path for path in home.rglob("*") if path.is_file())


def test_the_second_run_embeds_nothing(tmp_path):
    texts = ["one", "two", "one", ""]
    assert run(tmp_path, texts)[1:] == (["one", "two", ""], 0)
    assert run(tmp_path, texts)[1:] == ([], 4)
    assert run(tmp_path, ["two", "three"])[1:] == (["three"], 1)
    assert run(tmp_path, ["three", "one"])[1:] == ([], 2)


@settings(max_examples=25)
@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=6), max_size=5))
def test_always_what_the_encoder_gives(tmp_path_factory, runs):
    """The slow oracle: a dictionary of what was embedded."""
    home, known = tmp_path_factory.mktemp("home"), set()
    for texts in runs:
        _, embedded, found = run(home, texts)
        assert embedded == [text for text in dict.fromkeys(texts) if text not in known]
        assert found == sum(text in known for text in texts)
        known.update(texts)


def test_it_is_an_encoder_like_the_one_inside(tmp_path):
    encoder, progress = Hashed(), Counted()
    with remembering(tmp_path, KEY, encoder, WHOSE) as remembered:
        told = (remembered.name, remembered.digest, remembered.dim)
        assert told == (encoder.name, encoder.digest, DIM)
        remembered.encode(["a", "b", "a"], progress=progress)
        assert progress.steps == 3
        assert remembered.encode([]).shape == (0, DIM)


def test_neither_another_key_nor_version_nor_encoder_shares(tmp_path):
    run(tmp_path, ["one"])
    others = (
        KeyHandle("billing-000000000000002", 1, Secret(bytes(32))),
        KeyHandle(KEY.key_id, 2, Secret(bytes(range(32)))),
    )
    for key in others:
        assert run(tmp_path, ["one"], key=key)[1] == ["one"]
    assert run(tmp_path, ["one"], Hashed("another"))[1] == ["one"]
    assert run(tmp_path, ["one"])[1] == []


def test_a_guess_finds_nothing_of_what_somebody_else_or_another_source_holds(tmp_path):
    run(tmp_path, [CANARY])
    others = [Whose("bob", "/rows.csv"), Whose("ada", "/guess.csv"), Whose("ada/", "rows.csv")]
    for whose in others:
        assert run(tmp_path, [CANARY], whose=whose)[1:] == ([CANARY], 0)
    assert run(tmp_path, [CANARY, "new"])[1:] == (["new"], 1)


def test_what_was_embedded_before_a_refusal_is_kept(tmp_path):
    encoder = Hashed()
    with pytest.raises(InputError), remembering(tmp_path, KEY, encoder, WHOSE) as remembered:
        remembered.encode(["one"])
        raise InputError("refused", code="text_expected", hint="")
    assert run(tmp_path, ["one"], encoder)[1] == []


@pytest.mark.parametrize("part", [segments.HASHES, segments.VECTORS])
@pytest.mark.parametrize("how", ["flip", "cut", "empty", "gone"])
def test_a_changed_file_is_made_again_and_never_believed(tmp_path, part, how):
    run(tmp_path, ["one", "two"])
    (path,) = [each for each in files(tmp_path) if each.name == part]
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes({"flip": bytes(raw), "cut": raw[:-9], "empty": b""}[how])
    assert run(tmp_path, ["two", "one"])[1:] == (["two", "one"], 0)
    assert run(tmp_path, ["two", "one"])[1:] == ([], 2)


def test_files_that_changed_places_do_not_open(tmp_path):
    """Two segments of two texts each: the hashes of one with the vectors of the other."""
    run(tmp_path, ["one", "two"])
    run(tmp_path, ["three", "four"])
    first, second = (path for path in files(tmp_path) if path.name == segments.VECTORS)
    swapped = first.read_bytes(), second.read_bytes()
    first.write_bytes(swapped[1])
    second.write_bytes(swapped[0])
    assert len(run(tmp_path, ["one", "two", "three", "four"])[1]) == 4


def test_a_segment_under_another_name_key_or_encoder_does_not_open(tmp_path):
    run(tmp_path, ["one"])
    run(tmp_path, ["one"], Hashed("another"))
    ours, other = sorted(folder_of(tmp_path, KEY.key_id, 1).iterdir())
    (segment,) = segments.names(other)
    shutil.copytree(other / segment, ours / segment, dirs_exist_ok=True)
    (ours / segment).rename(ours / "00000007-0123456789abcdef")
    for encoder in (Hashed(), Hashed("another")):
        assert run(tmp_path, ["one"], encoder)[1] == []
    assert not any("00000007" in str(path) for path in files(tmp_path))


def test_it_is_bounded_and_the_oldest_goes_first(tmp_path):
    most = 3000
    for number in range(6):
        run(tmp_path, [f"text {number}"], most_bytes=most)
        assert sum(path.stat().st_size for path in files(tmp_path)) <= most
    assert run(tmp_path, ["text 5"], most_bytes=most)[1] == []
    assert run(tmp_path, ["text 0"], most_bytes=most)[1] == ["text 0"]


def test_a_run_takes_no_more_than_the_bound(tmp_path):
    many = [str(number) for number in range(40)]
    with remembering(tmp_path, KEY, Hashed(), WHOSE, most_bytes=20 * DIM * 4) as remembered:
        for start in range(0, 40, 10):
            remembered.encode(many[start : start + 10])
        kept = [path for path in files(tmp_path) if path.name == segments.VECTORS]
        assert len(kept) == 1
    assert len(files(tmp_path)) <= 2


def test_segments_are_bounded_too(tmp_path):
    for number in range(5):
        run(tmp_path, [str(number)])
    segments.shrink(tmp_path / FOLDER, most_bytes=1 << 20, most_segments=2)
    assert run(tmp_path, ["3", "4"])[1] == []
    assert run(tmp_path, ["0"])[1] == ["0"]


def test_what_is_forgotten_is_not_on_the_disk(tmp_path):
    run(tmp_path, ["one"])
    forget_vectors(tmp_path)
    assert files(tmp_path) == []
    assert run(tmp_path, ["one"])[1] == ["one"]
    forget_vectors(tmp_path / "never")


def test_what_a_run_was_embedding_meanwhile_is_not_kept_either(tmp_path):
    encoder = Hashed()
    run(tmp_path, ["before"], encoder)
    with remembering(tmp_path, KEY, encoder, WHOSE) as remembered:
        remembered.encode(["meanwhile"])
        forget_vectors(tmp_path)
        np.testing.assert_array_equal(remembered.encode(["before"]), Hashed().encode(["before"]))
    assert files(tmp_path) == []


def test_a_destroyed_key_takes_its_vectors_along(tmp_path):
    second = KeyHandle(KEY.key_id, 2, Secret(bytes(range(32))))
    run(tmp_path, ["one"])
    run(tmp_path, ["one"], key=second)
    forget_vectors_of(tmp_path, KEY.key_id, 1)
    forget_vectors_of(tmp_path, KEY.key_id, 3)
    assert run(tmp_path, ["one"], key=second)[1] == []
    assert run(tmp_path, ["one"])[1] == ["one"]


def test_neither_text_nor_vector_is_in_the_clear(tmp_path):
    vectors, _, _ = run(tmp_path, [CANARY])
    raw = b"".join(path.read_bytes() for path in files(tmp_path))
    names = "".join(map(str, tmp_path.rglob("*")))
    assert CANARY.encode() not in raw
    assert vectors.tobytes() not in raw
    assert hashlib.sha256(CANARY.encode()).digest()[:8] not in raw
    assert CANARY not in names
    for path in files(tmp_path):
        assert path.stat().st_mode & 0o077 == 0
    assert tmp_path.joinpath(FOLDER).stat().st_mode & 0o077 == 0


def test_it_does_not_hide_what_the_encoder_refuses(tmp_path):
    class Refusing(Hashed):
        def encode(self, texts, *, progress=None):
            raise InputError(f"row {len(texts)}", code="text_not_unicode", hint="")

    with (
        pytest.raises(CiphersetError) as refusal,
        remembering(tmp_path, KEY, Refusing(), WHOSE) as it,
    ):
        it.encode(["\ud800"])
    assert refusal.value.code == "text_not_unicode"

"""A ledger that was restored from an older copy is recognized, though its chain is whole."""

import shutil

import pytest
from custody_ledgers import fill, place_of

from cipherset.core.errors import IntegrityError
from cipherset.custody.ledger import Head, Heads


@pytest.fixture
def heads(tmp_path):
    (tmp_path / "keys").mkdir()
    return Heads((tmp_path / "head.json", tmp_path / "keys" / "_head.json"))


def refused(place, heads):
    with place.open(heads=heads) as ledger, pytest.raises(IntegrityError) as caught:
        ledger.check_heads()
    return caught.value.code


def test_what_goes_on_is_let_in(place, heads):
    for _ in range(3):
        with place.open(heads=heads) as ledger:
            ledger.check_heads()
            fill(ledger, 2)
    assert heads.read().seq == 6
    with place.open(heads=heads) as ledger:
        ledger.check_heads()
        assert heads.read() == ledger.head()
        assert ledger.verify(seen=heads.read()).valid


def test_a_restored_backup_is_refused_until_it_is_accepted(tmp_path, request, heads):
    place = place_of("sqlite", tmp_path, request)
    with place.open(heads=heads) as ledger:
        fill(ledger, 4)
    backup = shutil.copy(place.file, tmp_path / "backup")
    with place.open(heads=heads) as ledger:
        fill(ledger, 3)
    shutil.copy(backup, place.file)
    assert refused(place, heads) == "ledger_regressed"
    with place.open(heads=heads) as ledger:
        found = ledger.verify(seen=heads.read())
        assert (found.valid, found.events, found.first_bad) == (False, 4, 5)
        assert ledger.verify().valid
        fill(ledger, 1)
    assert refused(place, heads) == "ledger_regressed"
    with place.open(heads=heads) as ledger:
        ledger.accept_head()
        ledger.check_heads()
        assert heads.read().seq == 5


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM events WHERE seq > 4",
        "DELETE FROM events",
        "UPDATE events SET hash = previous WHERE seq = 6",
        "UPDATE events SET hash = previous WHERE seq = 1",
    ],
)
def test_a_ledger_that_was_cut_or_changed_at_its_ends_is_refused(place, heads, statement):
    with place.open(heads=heads) as ledger:
        fill(ledger, 6)
    place.alter(statement)
    assert refused(place, heads) == "ledger_regressed"


def test_one_that_was_cut_and_grew_again_is_refused(place, heads):
    with place.open(heads=heads) as ledger:
        fill(ledger, 6)
    place.alter("DELETE FROM events WHERE seq > 4")
    with place.open() as ledger:
        fill(ledger, 9)
    assert refused(place, heads) == "ledger_regressed"


def test_one_file_that_remembers_is_enough(place, heads, tmp_path):
    with place.open(heads=heads) as ledger:
        fill(ledger, 6)
    place.alter("DELETE FROM events WHERE seq > 4")
    (tmp_path / "head.json").unlink()
    assert refused(place, heads) == "ledger_regressed"
    (tmp_path / "keys" / "_head.json").unlink()
    with place.open(heads=heads) as ledger:
        ledger.check_heads()


def test_the_furthest_is_remembered(heads):
    one, two = (Head("sha256:" + "a" * 64, seq, "sha256:" + "b" * 64) for seq in (3, 7))
    heads.keep(two)
    heads.keep(one)
    assert heads.read() == two
    heads.keep(one, in_any_case=True)
    assert heads.read() == one


def test_a_folder_that_is_not_there_remembers_nothing(tmp_path, place):
    heads = Heads((tmp_path / "absent" / "head.json",))
    with place.open(heads=heads) as ledger:
        fill(ledger, 1)
        ledger.accept_head()
    assert heads.read() is None
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "not_json"),
        (b"[]", "head_corrupt"),
        (b"{}", "head_corrupt"),
        (
            b'{"hash":"sha256:1","ledger":"sha256:1","schema":"cipherset/head/1","seq":1}',
            "head_corrupt",
        ),
    ],
)
def test_a_file_that_says_nothing_is_refused_until_accepted(place, heads, tmp_path, raw, code):
    with place.open(heads=heads) as ledger:
        fill(ledger, 2)
    (tmp_path / "head.json").write_bytes(raw)
    assert refused(place, heads) == code
    with place.open(heads=heads) as ledger:
        fill(ledger, 1)
        ledger.accept_head()
        ledger.check_heads()


def test_what_cannot_be_remembered_is_written_all_the_same(place, tmp_path):
    (tmp_path / "head.json").mkdir()
    with place.open(heads=Heads((tmp_path / "head.json",))) as ledger:
        fill(ledger, 2)
        assert ledger.verify().events == 2


def test_a_long_life_remembers_now_and_then(place, heads):
    with place.open(heads=heads) as ledger:
        fill(ledger, 2)
        assert heads.read().seq == 1
        heads._next_s = 0.0
        fill(ledger, 1)
        assert heads.read().seq == 3
    assert heads.read().seq == 3

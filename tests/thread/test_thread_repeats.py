"""The same rows again: the export made before, or an exposure that is measured joined."""

import json
import shutil
from typing import Any

import numpy as np
import pytest
from thread_samples import Owner, bytes_below, leftovers, write_rows

LABELS = tuple(f"label{i}" for i in range(5))
# Little is given away by one of them.
ROOM = ("--max-reid", "0.3")  # where chance is not to decide
ALONE = ("--minimize", "lda:2", "--approximation-factor", "16")


def _rows(n, *, seed=0) -> list[dict[str, Any]]:
    """Vectors without clusters, and labels that each say something else of them."""
    rng = np.random.default_rng([7, seed])
    directions = np.random.default_rng(8).normal(size=(len(LABELS), 3, 24))
    x = rng.normal(size=(n, 24)).astype(np.float32)
    classes = np.argmax(np.einsum("rd,lcd->rlc", x, directions), axis=2)
    return [
        {"vec": x[i].tolist()} | {name: f"c{classes[i, j]}" for j, name in enumerate(LABELS)}
        for i in range(n)
    ]


def _ask(owner, source, label, *options, key=None, to="out") -> tuple[object, ...]:
    columns = ("--vector", "vec", "--label", label, "--key", key or label)
    return ("protect", source, *columns, "--to", owner.folder / to, *ALONE, *options)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Owner:
    """An owner with one export, ``out``; tests copy it."""
    owner = Owner(tmp_path_factory.mktemp("repeats") / "owner")
    owner.folder.mkdir()
    for label in LABELS:
        owner.key(label)
    source = write_rows(owner.folder / "rows.parquet", _rows(1600))
    owner.ok(*_ask(owner, source, "label0"))
    return owner


@pytest.fixture
def source(owner):
    return owner.folder / "rows.parquet"


@pytest.fixture
def owner(made, tmp_path) -> Owner:
    """A copy, in whose state ``out`` is still where it was at first: at ``made``."""
    folder = tmp_path / "owner"
    shutil.copytree(made.folder, folder)
    return Owner(folder)


def test_what_was_made_before_is_returned_as_it_is(owner, source):
    before, sealed = bytes_below(owner.folder / "out"), owner.exports().keys()
    done = owner.run(*_ask(owner, source, "label0"))
    assert (done.code, done.error["code"]) == (2, "target_exists")
    again = owner.ok(*_ask(owner, source, "label0", "--force"))
    assert again["repeated"] is True
    assert bytes_below(owner.folder / "out") == before
    assert owner.exports().keys() == sealed
    facts = json.loads(owner.events("protect")[-1].body)
    assert facts["repeated"] is True
    assert facts["cipherset"] == again["cipherset_id"]
    assert owner.ok(*_ask(owner, source, "label0", "--force")) == again


def test_it_is_copied_to_another_place(owner, source):
    again = owner.ok(*_ask(owner, source, "label0", to="there"))
    assert again["repeated"] is True
    copied, first = (bytes_below(owner.folder / name) for name in ("there", "out"))
    assert list(copied.values()) == list(first.values())
    assert owner.ok("inspect", owner.folder / "there")["valid"] is True
    assert leftovers(owner.folder) == []
    facts = [json.loads(event.body) for event in owner.events("export")]
    facts = [one for one in facts if "rows" in one]
    told = [(one["rows"], one["reid_high"], one.get("repeated", False)) for one in facts]
    assert {one[:2] for one in told} == {told[0][:2]}
    assert {one[2] for one in told} == {False, True}


def test_what_left_at_an_accepted_risk_goes_nowhere_else_without_a_reason(owner, source):
    weak = ("--minimize", "none", "--approximation-factor", "1")
    asked = ("protect", source, "--vector", "vec", "--label", "label1", "--key", "label1", *weak)
    owner.ok(*asked, "--to", owner.folder / "weak", "--accept-risk", "kept at home")
    done = owner.run(*asked, "--to", owner.folder / "lab")
    assert (done.code, done.error["code"]) == (3, "measured_risk")
    assert not (owner.folder / "lab").exists()
    again = owner.ok(*asked, "--to", owner.folder / "lab", "--accept-risk", "asked by ada")
    assert again["repeated"] is True


def test_a_copy_is_not_put_over_something_else(owner, source):
    other = owner.folder / "other"
    other.mkdir()
    done = owner.run(*_ask(owner, source, "label0", to="other"))
    assert (done.code, done.error["code"]) == (2, "target_exists")
    assert list(other.iterdir()) == []
    (other / "manifest.json").write_text("{}")
    done = owner.run(*_ask(owner, source, "label0", to="other"))
    assert (done.code, done.error["code"]) == (2, "target_exists")
    owner.ok(*_ask(owner, source, "label0", "--force", to="other"))
    assert owner.ok("inspect", other)["valid"] is True


@pytest.fixture
def lost(made, owner):
    """The export is at neither place; it comes back for others."""
    shutil.rmtree(owner.folder / "out")
    away = made.folder / "away"
    (made.folder / "out").rename(away)
    yield away
    away.rename(made.folder / "out")


def test_what_is_lost_is_not_made_again_unless_that_is_accepted(owner, source, lost):
    before = owner.exports()
    done = owner.run(*_ask(owner, source, "label0"))
    assert (done.code, done.error["code"]) == (3, "export_lost")
    assert "--accept-risk REASON" in done.error["hint"]
    assert owner.exports() == before
    again = owner.ok(*_ask(owner, source, "label0", "--accept-risk", "the disk is gone"))
    assert again["repeated"] is False
    assert len(again["joined_with"]) == 1
    assert again["joined_drawn"] == again["joined_with"]
    found = owner.ok(*_ask(owner, source, "label0", "--force"))
    assert (found["repeated"], found["cipherset_id"]) == (True, again["cipherset_id"])


def test_what_was_changed_is_not_returned(owner, source, lost):
    shutil.copytree(lost, owner.folder / "out")
    part = owner.folder / "out" / "train" / "part-00000.parquet"
    part.write_bytes(part.read_bytes()[:-1] + b"x")
    done = owner.run(*_ask(owner, source, "label0", "--force"))
    assert (done.code, done.error["code"]) == (3, "export_lost")


def test_what_another_signer_made_is_unreadable(owner, source):
    (owner.home / "keys" / "_signer.json").unlink()
    done = owner.run(*_ask(owner, source, "label1", to="there"))
    assert (done.code, done.error["code"]) == (3, "export_unreadable")
    assert not (owner.folder / "there").exists()


def test_an_export_whose_key_is_not_named_is_unreadable(owner, source):
    for folder in (owner.home / "exports").iterdir():
        (folder / "key").unlink(missing_ok=True)
    done = owner.run(*_ask(owner, source, "label1", to="there"))
    assert (done.code, done.error["code"]) == (3, "export_unreadable")


@pytest.mark.parametrize("changed", [("--max-reid", "0.06"), ("--group", "label1")])
def test_other_settings_are_not_a_repeat(owner, source, changed):
    made = owner.ok(*_ask(owner, source, "label0", *changed, "--accept-risk", "r", to="there"))
    assert made["repeated"] is False
    assert len(made["joined_with"]) == 1


def test_five_labels_join(owner, source):
    """Each alone keeps the limit by far; together they do not."""
    alone, joined, refused = [], [], []
    for label in LABELS[1:]:
        done = owner.run(*_ask(owner, source, label, to=label))
        if done.code:
            assert done.error["code"] == "joined_risk"
            assert "limit 0.05" in done.error["message"]
            assert not (owner.folder / label).exists()
            refused.append(label)
            shown = owner.ok(*_ask(owner, source, label, "--accept-risk", "to see", to=label))
        else:
            shown = done.json
        alone.append(shown["assessment"]["reid_high"])
        joined.append(shown["assessment"]["joined_reid"])
        assert shown["assessment"]["joined_exports"] == len(joined)
        assert shown["assessment"]["joined_rows"] == 1600
        assert shown["joined_drawn"] == []
    assert max(alone) < 0.05
    assert joined == sorted(joined)
    assert joined[-1] > 0.15 > 0.03 > joined[0]
    # Fresh noise each time: the third stands close to the limit, the last two far above.
    assert refused[-2:] == list(LABELS[3:])
    assert LABELS[1] not in refused
    assert json.loads(owner.events("protect")[-1].body)["joined_reid"] == joined[-1]


def test_another_factor_under_another_key_is_an_exposure(owner, source):
    owner.key("other")
    factor = ("--approximation-factor", "5", *ROOM)
    shown = owner.ok(*_ask(owner, source, "label0", *factor, key="other", to="there"))
    assert (shown["repeated"], shown["assessment"]["joined_exports"]) == (False, 1)
    assert shown["assessment"]["joined_rows"] == 1600
    assert shown["assessment"]["joined_reid"] > 0


def test_other_rows_are_not_joined(owner):
    fresh = write_rows(owner.folder / "fresh.parquet", _rows(1200, seed=1))
    shown = owner.ok(*_ask(owner, fresh, "label1", *ROOM, to="there"))
    assert (shown["assessment"]["joined_exports"], shown["joined_with"]) == (0, [])
    assert (
        "joined_reid" not in owner.ok("inspect", owner.folder / "there")["manifest"]["assessment"]
    )


def test_some_shared_rows_are_found_among_others(owner):
    some = _rows(1000, seed=2) + _rows(1600)[:200]
    mixed = write_rows(owner.folder / "mixed.jsonl", some)
    shown = owner.ok(*_ask(owner, mixed, "label1", *ROOM, to="there"))
    assert shown["assessment"]["joined_rows"] == 200


def test_an_export_that_cannot_be_read_may_hold_the_rows(owner):
    fresh = write_rows(owner.folder / "fresh.parquet", _rows(600, seed=1))
    (export,) = (owner.home / "exports").iterdir()
    (export / "meta").write_bytes(b"")
    done = owner.run(*_ask(owner, fresh, "label1", to="there"))
    assert (done.code, done.error["code"]) == (3, "export_unreadable")
    assert export.name in done.error["message"]
    assert not (owner.folder / "there").exists()
    owner.ok(*_ask(owner, fresh, "label1", "--accept-risk", "other rows, I know", to="there"))


def test_copies_of_a_row_get_one_ciphertext(owner):
    rows = _rows(700, seed=3)
    doubled = write_rows(owner.folder / "doubled.parquet", rows + rows[:300])
    owner.ok(*_ask(owner, doubled, "label1", "--accept-risk", "copies", to="there"))
    vectors = np.concatenate([_vectors(owner.folder / "there", split) for split in SPLITS])
    assert len(vectors) == 1000
    assert len(np.unique(vectors, axis=0)) == 700


SPLITS = ("train", "test")


def _vectors(path, split):
    import cipherset

    return cipherset.open(path).to_numpy(split)[0]

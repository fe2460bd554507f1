"""Answers that a stopped job has left hold rows: whatever is erased anywhere takes them along."""

from dataclasses import replace

import pytest
from engine_rows import RAY, rows, write

from cipherset.app.engine.run import Distributed
from cipherset.app.engine.scanned import STAGE, settings
from cipherset.app.erasure.forget import foresee, forget
from cipherset.app.erasure.subject import Subject
from cipherset.app.gate.subjects import about_source
from cipherset.app.keys import destroy
from cipherset.app.workspace import open_workspace
from cipherset.core.errors import BackendError
from cipherset.pipeline.ingest import open_source

NOBODY = Subject("nobody-of-that-name")


@pytest.fixture
def begun(owner, ray):
    """A job of five parts of which one or more are done; the source has rows of somebody."""
    ray(in_order=True)
    source = write(owner.folder / "rows.parquet", rows(100))
    with open_workspace(owner.session) as workspace:
        there = open_source(source)
        about = about_source(workspace, there)
        yield stopped_later(owner, workspace, there, about, RAY)


def stopped_later(owner, workspace, source, about, engine):
    on = Distributed(owner.session, workspace, engine, str(owner.folder / "rows.parquet"), about.id)
    job = on.answers(source, STAGE, settings([]))
    next(job)
    return job


@pytest.fixture
def elsewhere(owner, ray):
    """Such a job whose answers are not in the workspace."""
    ray(in_order=True)
    source = write(owner.folder / "rows.parquet", rows(100))
    shared = owner.folder / "shared"
    shared.mkdir()
    with open_workspace(owner.session) as workspace:
        there = open_source(source)
        about = about_source(workspace, there)
        yield stopped_later(owner, workspace, there, about, replace(RAY, folder=shared))


def left(owner):
    return [path for path in (owner.home / "jobs").rglob("*") if path.is_file()]


ERASE = pytest.mark.parametrize(
    "erase",
    [
        lambda session: forget(session, NOBODY),
        lambda session: destroy(session, "support", 1, force=True),
    ],
    ids=["forget", "destroy"],
)


@ERASE
def test_answers_of_a_stopped_job_go(owner, begun, erase):
    begun.close()
    assert left(owner)
    foresee(owner.session, NOBODY)
    assert left(owner)
    erase(owner.session)
    assert left(owner) == []


def test_a_job_that_is_under_way_leaves_none_either(owner, begun):
    forget(owner.session, NOBODY)
    with pytest.raises(BackendError) as refusal:
        list(begun)
    assert refusal.value.code == "disk"
    assert left(owner) == []


def test_a_job_whose_parts_were_all_taken_is_done(owner, begun):
    for _ in range(4):
        _, tables = next(begun)
        list(tables)
    forget(owner.session, NOBODY)
    assert next(begun, None) is None
    assert left(owner) == []


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


@ERASE
def test_answers_elsewhere_of_a_stopped_job_go_too(owner, elsewhere, erase):
    elsewhere.close()
    assert files(owner.folder / "shared")
    erase(owner.session)
    assert files(owner.folder / "shared") == files(owner.home / "answers") == []


def test_of_a_job_that_is_done_no_note_is_kept(owner, elsewhere):
    assert len(files(owner.home / "answers")) == 1
    for _, tables in elsewhere:
        list(tables)
    assert files(owner.folder / "shared") == files(owner.home / "answers") == []


def test_a_folder_that_is_not_there_is_named_until_it_is(owner, elsewhere):
    elsewhere.close()
    shared = owner.folder / "shared"
    shared.rename(owner.folder / "unmounted")
    for _ in range(2):
        (unreached,) = forget(owner.session, NOBODY).unreached
        assert unreached.folder.startswith(str(shared))
    (owner.folder / "unmounted").rename(shared)
    assert forget(owner.session, NOBODY).unreached == ()
    assert files(shared) == files(owner.home / "answers") == []


def test_no_link_is_followed_to_files_of_others(owner, elsewhere):
    elsewhere.close()
    (folder,) = (owner.folder / "shared").iterdir()
    folder.rename(folder.with_name("aside"))
    others = owner.folder / "others"
    others.mkdir()
    (others / "kept").write_text("not ours")
    folder.symlink_to(others)
    assert len(forget(owner.session, NOBODY).unreached) == 1
    assert (others / "kept").exists()


def test_a_note_that_was_changed_empties_nothing(owner, elsewhere):
    elsewhere.close()
    (note,) = files(owner.home / "answers")
    others = owner.folder / "others"
    others.mkdir()
    (others / "kept").write_text("not ours")
    note.write_text(str(others))
    assert len(forget(owner.session, NOBODY).unreached) == 1
    assert (others / "kept").exists()

"""Answers that a stopped job has left hold rows: whatever is erased anywhere takes them along."""

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
        on = Distributed(owner.session, workspace, RAY, str(source), about.id)
        job = on.answers(there, STAGE, settings([]))
        next(job)
        yield job


def left(owner):
    return [path for path in (owner.home / "jobs").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "erase",
    [
        lambda session: forget(session, NOBODY),
        lambda session: destroy(session, "support", 1, force=True),
    ],
    ids=["forget", "destroy"],
)
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

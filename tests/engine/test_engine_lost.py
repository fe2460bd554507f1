"""Workers that die, drivers that stop, sources that change, clusters that are not there."""

import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from engine_rows import CANARY, GROUP_ROWS, RAY, rows, write

from cipherset.app.engine import pool, run, worker
from cipherset.app.engine.engine import Engine, EngineKind
from cipherset.app.engine.run import Distributed
from cipherset.app.engine.sanitized import STAGE
from cipherset.app.gate.subjects import about_source
from cipherset.app.sanitizing.request import SanitizeRequest
from cipherset.app.sanitizing.run import sanitize_file
from cipherset.app.scanning.request import ScanRequest
from cipherset.app.scanning.run import scan
from cipherset.app.workspace import open_workspace
from cipherset.core.errors import CiphersetError
from cipherset.pipeline.ingest import open_source
from cipherset.pipeline.sanitize import default_policy

SETTINGS = {
    "text": ["body"],
    "rules": default_policy().text,
    "largest_row": 1000,
    "filters": ["empty"],
    "marked": {},
}


def refused(code: str, act) -> CiphersetError:
    with pytest.raises(CiphersetError) as caught:
        act()
    assert caught.value.code == code
    assert caught.value.hint
    assert CANARY not in caught.value.message
    return caught.value


@pytest.fixture
def source(owner) -> Path:
    return write(owner.folder / "rows.parquet", rows(100))


@pytest.fixture
def answers(owner, source):
    """The answers of the stage ``sanitize`` of the source, part by part."""

    def asked(settings=SETTINGS, engine=RAY):
        with open_workspace(owner.session) as workspace:
            there = open_source(source)
            about = about_source(workspace, there)
            on = Distributed(owner.session, workspace, engine, str(source), about.id)
            for part, tables in on.answers(there, STAGE, settings):
                yield on, part, tables

    return asked


def test_workers_that_die_are_replaced(ray, answers):
    simulated = ray(dies=[("hello", 1), ("work", 1), ("work", 4), ("after", 4)])
    assert len([list(tables) for _, _, tables in answers()]) == 5
    assert simulated.hired == 5
    assert simulated.killed == 2


def test_part_that_was_done_by_one_that_died_then_is_there_once(owner, ray, source):
    ray(dies=[("work", 2), ("after", 2)])
    target = owner.folder / "out.parquet"
    asked = SanitizeRequest(str(source), ("body",), target, keep_duplicates=True, filters=())
    done = sanitize_file(owner.session, replace(asked, engine=RAY))
    assert done.counts.rows == 100
    ids = pa.parquet.read_table(target).column("id").to_pylist()
    assert ids == list(range(100))


def test_run_that_stopped_is_taken_up(owner, ray, answers):
    ray(in_order=True)
    begun = answers()
    next(begun)
    next(begun)
    begun.close()
    jobs = owner.folder / "workspace" / "jobs"
    (job,) = jobs.iterdir()
    kept = {path.name: path.stat().st_ino for path in job.iterdir()}
    assert 2 <= len(kept) < 5
    simulated = ray()
    (on, *_), *rest = list(answers())
    assert len(rest) == 4
    told = {"engine": "ray", "parts": 5, "parts_kept": len(kept), "workers_lost": 0}
    assert on.facts == told
    assert simulated.calls["work"] == 5 - len(kept)
    assert not list(jobs.iterdir())


def test_other_settings_are_another_job(owner, ray, answers):
    ray()
    begun = answers()
    next(begun)
    begun.close()
    simulated = ray()
    assert len(list(answers({**SETTINGS, "largest_row": 999}))) == 5
    assert simulated.calls["work"] == 5


@pytest.mark.parametrize("place", [0, 100, -20], ids=["head", "rows", "footer"])
def test_answer_that_was_tampered_with_is_made_again(owner, ray, answers, place):
    ray(in_order=True)
    begun = answers()
    next(begun)
    begun.close()
    (job,) = (owner.folder / "workspace" / "jobs").iterdir()
    there = sorted(job.iterdir())
    raw = bytearray(there[0].read_bytes())
    raw[place] ^= 1
    there[0].write_bytes(raw)
    simulated = ray()
    assert len([list(tables) for _, _, tables in answers()]) == 5
    assert simulated.calls["work"] == 5 - len(there) + 1


def test_all_at_one_part_die(ray, answers):
    ray(never=["work"])
    refused("worker_lost", lambda: list(answers()))


def test_all_die_at_once(ray, answers):
    ray(never=["hello"])
    refused("worker_lost", lambda: list(answers()))


def test_cluster_without_a_core(ray, answers):
    ray(n_cpus=0)
    refused("no_workers", lambda: list(answers()))


def test_cluster_that_lost_its_last_node(ray, answers, monkeypatch):
    simulated = ray(silent=2)
    seen = []

    def resources() -> dict[str, float]:
        seen.append(True)
        return {"CPU": 2.0} if len(seen) < 3 else {}

    monkeypatch.setattr(simulated, "cluster_resources", resources)
    refused("no_workers", lambda: list(answers()))


def test_slow_cluster_is_waited_for(ray, answers):
    ray(silent=3)
    assert len(list(answers())) == 5


def test_grants_that_were_late_are_given_anew(ray, answers, monkeypatch):
    times = iter([1e12])
    real = worker.Worker

    class Late(real):
        def __init__(self) -> None:
            super().__init__(lambda: next(times, 0.0))

    monkeypatch.setattr(pool, "Worker", Late)
    simulated = ray()
    assert len(list(answers())) == 5
    assert simulated.calls["work"] == 6


def test_workers_whose_clock_is_ahead_are_not_granted_for_ever(ray, answers, monkeypatch):
    real = worker.Worker
    monkeypatch.setattr(pool, "Worker", lambda: real(lambda: 1e12))
    simulated = ray()
    refused("worker_clock", lambda: list(answers()))
    assert simulated.calls["work"] <= 5 * 5


def test_worker_of_another_version(ray, answers, monkeypatch):
    monkeypatch.setattr(run, "code_digest", lambda: "sha256:another")
    ray()
    refused("worker_code", lambda: list(answers()))


def test_defect_is_told_by_its_kind(ray, answers):
    ray()
    error = refused("worker_failed", lambda: list(answers({**SETTINGS, "text": 7})))
    assert "TypeError" in error.message


def test_refusal_of_a_worker_is_that_of_the_operation(owner, ray):
    table = rows(60)
    body = pa.array([CANARY.encode()] * 60)
    source = write(owner.folder / "bytes.parquet", table.set_column(1, "body", body))
    here = ScanRequest(str(source), ("missing",), all_rows=True)
    ray()
    expected = refused("column_missing", lambda: scan(owner.session, here))
    found = refused("column_missing", lambda: scan(owner.session, replace(here, engine=RAY)))
    assert found.message == expected.message
    assert type(found) is type(expected)


def test_worker_that_cannot_read_says_so(owner, ray, source, answers):
    ray(in_order=True)
    begun = answers()
    next(begun)
    source.unlink()
    error = refused("source_missing", lambda: list(begun))
    assert type(error).__name__ == "InputError"


def test_source_that_changes_meanwhile(owner, ray, source, monkeypatch):
    ray()
    real = Distributed.answers

    def changing(self, *args):
        for number, found in enumerate(real(self, *args)):
            if number == 1:
                write(source, rows(100), GROUP_ROWS // 2)
            yield found

    monkeypatch.setattr(Distributed, "answers", changing)
    asked = SanitizeRequest(str(source), ("body",), owner.folder / "out.parquet", engine=RAY)
    refused("part_changed", lambda: sanitize_file(owner.session, asked))
    assert not asked.target.exists()


def test_package_that_is_not_there(answers, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    refused("ray_missing", lambda: list(answers()))


def test_cluster_that_does_not_answer(ray, answers):
    ray(connected=False)
    refused("ray_unreachable", lambda: list(answers()))
    refused("ray_unreachable", lambda: list(answers(engine=replace(RAY, address="10.0.0.1:6379"))))


def test_engine_that_contradicts_itself(tmp_path):
    refused("usage", lambda: Engine(address="127.0.0.1:6379"))
    refused("usage", lambda: Engine(folder=tmp_path))
    refused("ray_without_token", lambda: Engine(EngineKind.RAY))
    refused("target_parent", lambda: replace(RAY, folder=tmp_path / "nowhere"))
    refused("usage", lambda: ScanRequest("rows.csv", engine=RAY))


def test_answers_go_where_they_are_told(owner, ray, answers, tmp_path):
    ray()
    shared = tmp_path / "shared"
    shared.mkdir()
    begun = answers(engine=replace(RAY, folder=shared))
    next(begun)
    (job,) = shared.iterdir()
    assert job.stat().st_mode & 0o077 == 0
    assert len(list(begun)) == 4
    assert not list(shared.iterdir())

"""Sources in an object store: a real server on this machine, and addresses that are none."""

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from engine_rows import CANARY, GROUP_ROWS, RAY, rows, write
from engine_store import BUCKET
from ports import free_port

from cipherset.app.sanitizing.request import SanitizeRequest
from cipherset.app.sanitizing.run import sanitize_file
from cipherset.app.scanning.request import ScanRequest
from cipherset.app.scanning.run import scan
from cipherset.core.errors import CiphersetError
from cipherset.core.objects import ObjectPath, address
from cipherset.pipeline.ingest import open_source


def refused(code: str, act) -> None:
    with pytest.raises(CiphersetError) as caught:
        act()
    assert caught.value.code == code
    assert caught.value.hint
    assert CANARY not in caught.value.message


@pytest.mark.extra
def test_object_is_read_as_the_file_is(owner, ray, store):
    path = write(owner.folder / "rows.parquet", rows(90))
    source = store("2026/rows.parquet", path.read_bytes())
    assert open_source(source).name == "rows.parquet"
    here = scan(owner.session, ScanRequest(str(path), all_rows=True))
    simulated = ray()
    there = scan(owner.session, ScanRequest(source, all_rows=True, engine=RAY))
    assert there.as_json() == here.as_json()
    assert there.asset == here.asset
    assert simulated.calls["work"] == 5
    target = owner.folder / "out.parquet"
    asked = SanitizeRequest(str(path), ("body",), owner.folder / "here.parquet")
    sanitize_file(owner.session, asked)
    sanitize_file(owner.session, replace(asked, source=source, target=target, engine=RAY))
    assert target.read_bytes() == asked.target.read_bytes()


@pytest.mark.extra
def test_object_that_is_not_there_or_is_cut(owner, store):
    raw = write(owner.folder / "rows.parquet", rows(60), GROUP_ROWS).read_bytes()
    whole = store("rows.parquet", raw)
    refused("source_missing", lambda: open_source(whole.replace("rows", "other")))
    cut = store("cut.parquet", raw[:-9])
    refused("source_corrupt", lambda: open_source(cut).columns())


@pytest.mark.extra
def test_store_that_does_not_answer(credentials):
    where = f"endpoint_override=127.0.0.1:{free_port()}&scheme=http&region=us-east-1"
    refused("object_store", lambda: open_source(f"s3://{BUCKET}/rows.parquet?{where}"))


def test_store_that_is_lost_in_the_middle(credentials):
    from cipherset.pipeline.ingest import faults

    def lost() -> None:
        with faults.reading(ObjectPath("s3://b/k.parquet")):
            raise OSError(CANARY)

    refused("object_store", lost)


@pytest.mark.parametrize(
    "address",
    [
        *("s3://", "s3://bucket", "s3://bucket/", f"s3://{CANARY}:x@b/k"),
        *("s3://[::1/k", "s3://b/\udc80", "s3://b/%ff"),
    ],
)
def test_address_that_is_none(address):
    refused("object_address", lambda: open_source(address))


def test_only_parquet(credentials):
    refused("source_kind", lambda: open_source("s3://bucket/rows.csv"))


def to_store(owner, to: str, **more: object) -> SanitizeRequest:
    """Rows, some to be quarantined, to be sanitized and sent."""
    source = write(owner.folder / "rows.parquet", rows(60))
    return SanitizeRequest(str(source), ("body",), ObjectPath(to), **more)


@pytest.mark.extra
def test_rows_are_written_to_a_store_as_to_a_file(owner, store, monkeypatch):
    monkeypatch.chdir(owner.folder)
    there = store.at("2026/clean.parquet")
    asked = to_store(owner, there)
    sanitize_file(owner.session, replace(asked, target=owner.folder / "here.parquet"))
    told = sanitize_file(owner.session, asked).as_json()
    assert store.get("2026/clean.parquet") == (owner.folder / "here.parquet").read_bytes()
    assert told["to"] == "s3://tickets/2026/clean.parquet"
    assert told["quarantine"] == "clean.parquet.quarantine.jsonl"
    assert (owner.folder / "clean.parquet.quarantine.jsonl").stat().st_size > 0
    assert owner.events("sanitize")[-1]["at"] == told["to"]
    assert not [*owner.home.glob("*rows-to-send*")]
    (owner.folder / "clean.parquet.quarantine.jsonl").unlink()  # it would be what is there
    other = to_store(owner, there)
    refused("target_exists", lambda: sanitize_file(owner.session, other))
    again = to_store(owner, there, overwrite=True, keep_duplicates=True)
    assert sanitize_file(owner.session, again).as_json()["rows"] > told["rows"]
    assert open_source(there).columns() == open_source(asked.source).columns()
    with pytest.raises(CiphersetError, match="files of their own"):
        replace(again, source=there)


@pytest.mark.extra
def test_store_that_keeps_less_or_nothing(owner, store, monkeypatch):
    copy = address.pyarrow.fs.copy_files

    def cut(here, there, **systems) -> None:
        Path(here).write_bytes(Path(here).read_bytes()[:-1])
        copy(here, there, **systems)
        Path(here).write_bytes(Path(here).read_bytes() + b"1")

    monkeypatch.chdir(owner.folder)
    asked = to_store(owner, store.at("clean.parquet"), keep_duplicates=True)
    with monkeypatch.context() as patch:
        patch.setattr(address.pyarrow.fs, "copy_files", cut)
        refused("object_store", lambda: sanitize_file(owner.session, asked))
    elsewhere = store.at("clean.parquet").replace("tickets/", "no-such-bucket/")
    file = owner.folder / "rows.parquet"
    refused("object_store", lambda: ObjectPath(elsewhere).put(file))
    assert not [*owner.home.glob("*rows-to-send*")]


PUT = """
import pathlib, signal, sys
from cipherset.core.objects import ObjectPath
signal.signal(signal.SIGINT, signal.default_int_handler)
ObjectPath(sys.argv[1]).put(pathlib.Path(sys.argv[2]))
"""


@pytest.mark.extra
def test_who_interrupts_the_sending_finds_all_of_it_or_what_was_before(tmp_path, store):
    """Not what was sent until then: a stream that is closed is a whole object to a store."""
    before, file = b"what was before", tmp_path / "rows.parquet"
    file.write_bytes(bytes(40 << 20))
    store.client.put_object(Bucket=BUCKET, Key="clean.parquet", Body=before)
    with subprocess.Popen([sys.executable, "-c", PUT, store.at("clean.parquet"), file]) as putting:
        try:
            end = time.monotonic() + 600
            while putting.poll() is None and time.monotonic() < end:
                if store.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads"):
                    putting.send_signal(signal.SIGINT)
                    break
            putting.wait(timeout=600)
        finally:
            putting.kill()
    assert store.get("clean.parquet") in (before, file.read_bytes())


def test_rows_are_written_to_a_store_as_parquet_alone(owner, credentials):
    refused("target_kind", lambda: to_store(owner, "s3://bucket/rows.csv"))


@pytest.mark.extra
def test_a_store_that_does_not_answer_is_asked_before_rows_are_read(owner, credentials):
    where = f"endpoint_override=127.0.0.1:{free_port()}&scheme=http&region=us-east-1"
    asked = to_store(owner, f"s3://{BUCKET}/clean.parquet?{where}")
    refused("object_store", lambda: sanitize_file(owner.session, asked))
    assert {each.name for each in owner.folder.iterdir()} == {"rows.parquet", "workspace"}

"""Sources in an object store: a real server on this machine, and addresses that are none."""

from dataclasses import replace

import pytest
from engine_rows import CANARY, GROUP_ROWS, RAY, rows, write
from engine_store import BUCKET, free_port

from cipherset.app.sanitizing.request import SanitizeRequest
from cipherset.app.sanitizing.run import sanitize_file
from cipherset.app.scanning.request import ScanRequest
from cipherset.app.scanning.run import scan
from cipherset.core.errors import CiphersetError
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
    from cipherset.core.objects import ObjectPath
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

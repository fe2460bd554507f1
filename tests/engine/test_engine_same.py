"""On workers as in this process: the same rows, the same counts, the same record of it."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest
from engine_rows import CANARY, RAY, rows, vectors, write

from cipherset.app.encoders import open_encoder
from cipherset.app.engine import embedded as on_workers
from cipherset.app.engine.run import Distributed
from cipherset.app.erasure.sealed import open_exports
from cipherset.app.exports.protect import protect
from cipherset.app.exports.request import ProtectRequest
from cipherset.app.gate import Action
from cipherset.app.gate.subjects import about_source
from cipherset.app.keys import create
from cipherset.app.reading.embedded import Reading, embedded
from cipherset.app.sanitizing.request import SanitizeRequest
from cipherset.app.sanitizing.rules import keyed_rules
from cipherset.app.sanitizing.run import sanitize_file
from cipherset.app.scanning.request import ScanRequest
from cipherset.app.scanning.run import scan
from cipherset.app.workspace import open_workspace
from cipherset.core.errors import IntegrityError, PolicyError, UsageError
from cipherset.core.values import ColumnRoles
from cipherset.custody.keys.identity import RowIdentity
from cipherset.interfaces.cli import settings
from cipherset.pipeline.ingest import Consent, open_source
from cipherset.pipeline.sanitize import default_policy
from cipherset.pipeline.sanitize.training.copies import CopyFinder

KEYED = """
[entities]
EMAIL = "token"
PHONE = "sealed"
"""


def told(event: dict[str, object]) -> dict[str, object]:
    """What an entry says, but where things are and what is only said of workers."""
    apart = {"engine", "parts", "parts_kept", "workers_lost", "at", "subject", "made", "run"}
    return {name: value for name, value in event.items() if name not in apart}


def test_scan(owner, ray):
    source = str(write(owner.folder / "rows.parquet", rows(90)))
    here = scan(owner.session, ScanRequest(source, all_rows=True))
    simulated = ray()
    there = scan(owner.session, ScanRequest(source, all_rows=True, engine=RAY))
    assert there.as_json() == here.as_json()
    assert there.n_looked == 90
    assert simulated.calls["work"] == 5
    events = owner.events("scan")
    assert told(events[-1]) == told(events[-3])
    assert (events[-1]["engine"], events[-1]["parts"], events[-1]["parts_kept"]) == ("ray", 5, 0)
    assert not list((owner.folder / "workspace" / "jobs").iterdir())


@pytest.mark.parametrize(
    ("ending", "keyed"), [("parquet", True), ("csv", False), ("jsonl.gz", True)]
)
def test_sanitize(owner, ray, ending, keyed):
    source = str(write(owner.folder / "rows.parquet", rows(90)))
    asked = SanitizeRequest(source, ("body",), owner.folder / f"here.{ending}", key="support")
    if keyed:
        rules = owner.folder / "rules.toml"
        rules.write_text(KEYED, encoding="utf-8")
        asked = replace(asked, rules=rules)
    here = sanitize_file(owner.session, asked)
    simulated = ray(dies=[("work", 2)])
    away = replace(asked, target=owner.folder / f"away.{ending}", engine=RAY)
    there = sanitize_file(owner.session, away)
    assert replace(there, request=here.request).as_json() == here.as_json()
    assert there.counts.quarantined > 1
    assert away.target.read_bytes() == asked.target.read_bytes()
    assert away.sidecar.read_bytes() == asked.sidecar.read_bytes()
    assert simulated.hired == 3
    events = owner.events("sanitize")
    assert told(events[-1]) == told(events[-3])


def test_other_files_are_one_part(owner, ray):
    source = owner.folder / "rows.csv"
    source.write_text("body\nmail a@example.com\ncall me\n", encoding="utf-8")
    ray()
    asked = SanitizeRequest(str(source), ("body",), owner.folder / "out.csv", engine=RAY)
    assert sanitize_file(owner.session, asked).counts.rows == 2
    assert asked.target.read_text(encoding="utf-8") == "body\nmail [EMAIL]\ncall me\n"
    assert owner.events("sanitize")[-1]["parts"] == 1


def test_embedded(owner, ray):
    source = open_source(vectors(owner.folder))
    simulated = ray()
    with open_workspace(owner.session) as workspace:
        identity = RowIdentity(workspace.ring.signer())
        rules = keyed_rules(default_policy(), None)
        reading = Reading(ColumnRoles((), "vec", "topic", None, ("id",)), None, rules, identity)
        about = about_source(workspace, source)
        path = str(owner.folder / "vectors.parquet")
        on = Distributed(owner.session, workspace, RAY, path, about.id, identifies=True)
        settings = on_workers.settings(reading, default_policy(), "")
        there = [
            each
            for _, tables in on.answers(source, on_workers.STAGE, settings)
            for each in on_workers.decoded(tables, {})
        ]
    comparing = replace(reading, copies=CopyFinder())
    here = list(embedded(source, comparing, {}, owner.session.progress))
    for name in ("identities", "alike"):
        one, other = ([getattr(each, name) for each in batches] for batches in (here, there))
        assert np.array_equal(np.concatenate(one), np.concatenate(other))
    values = [np.concatenate([e.vectors.values for e in batches]) for batches in (here, there)]
    assert np.array_equal(*values)
    ours, theirs = (
        [row for each in batches for row in each.vectors.columns.to_pylist()]
        for batches in (here, there)
    )
    assert theirs == ours
    told = [[said for each in batches for said in each.said] for batches in (here, there)]
    assert told[0] == told[1]
    assert simulated.calls["work"] == 4


def test_protect(owner, ray):
    source = str(vectors(owner.folder))
    roles = ColumnRoles((), "vec", "topic", None, ())
    asked = ProtectRequest(
        source, roles, "support", owner.folder / "a.cipherset", "lda:2", 5.0, max_reid=0.4
    )
    simulated = ray(dies=[("work", 1)])
    there = protect(owner.session, replace(asked, engine=RAY))
    splits = there.manifest.splits
    assert splits.train.rows + splits.test.rows == 400
    found = [
        pq.read_table(part).column("row").to_pylist()
        for part in sorted(asked.target.rglob("*.parquet"))
    ]
    assert len({row for part in found for row in part}) == 400
    event = owner.events("protect")[-1]
    assert (event["engine"], event["parts"]) == ("ray", 4)
    assert simulated.hired == 3
    again = protect(owner.session, replace(asked, target=owner.folder / "b.cipherset"))
    assert again.repeated, "where it was made is no part of what was asked for"
    assert CANARY not in repr(there)


def test_a_worker_keeps_to_one_core(minilm):
    cache = settings.cache()
    asked = ["minilm-l6-v2", open_encoder("minilm-l6-v2", cache).digest]
    task = SimpleNamespace(settings={"encoder": asked}, cache=str(cache))
    assert on_workers._encoder(task, {})._workers == 1


@pytest.mark.extra
def test_protect_of_texts(owner, ray, minilm):
    table = rows(240)
    body = [[text or "nothing" for text in table.column("body").to_pylist()]]
    table = table.set_column(1, "body", body)
    source = str(write(owner.folder / "rows.parquet", table, 80))
    asked = ProtectRequest(
        source,
        ColumnRoles(("body",), None, "topic", None, ()),
        "support",
        owner.folder / "a.cipherset",
        "lda:2",
        5.0,
        max_reid=0.4,
        accept_risk="a test",
    )
    create(owner.session, "other", purpose="routing", provider=None)
    ray(dies=[("work", 2)])
    there = protect(owner.session, replace(asked, engine=RAY)).manifest
    here = protect(owner.session, replace(asked, key="other", target=owner.folder / "b.cipherset"))
    assert there.sanitizer == here.manifest.sanitizer
    assert there.encoder == here.manifest.encoder
    assert there.splits.train.rows + there.splits.test.rows == 240


def agreeing(folder: Path, agreed: list[str | None]) -> str:
    """The vectors, with what each row's person has agreed to."""
    path = vectors(folder)
    table = pq.read_table(path).append_column("agreed", [agreed])
    return str(write(path, table, 100))


def test_rows_without_consent_are_dropped_by_workers(owner, ray):
    """Of the first part some rows, of the second all."""
    agreed = ["routing" if row % 3 else None for row in range(400)]
    agreed[100:200] = ["billing"] * 100
    source = agreeing(owner.folder, agreed)
    create(owner.session, "other", purpose="routing", provider=None)
    asked = ProtectRequest(
        *(source, ColumnRoles((), "vec", "topic"), "support", owner.folder / "a", "lda:2", 5.0),
        max_reid=0.4,
        consent=Consent("agreed", ""),
        accept_risk="a test",
    )
    simulated = ray(dies=[("work", 2)])
    there = protect(owner.session, replace(asked, engine=RAY)).manifest
    assert simulated.calls["work"] > 4, "some were done twice"
    here = protect(owner.session, replace(asked, key="other", target=owner.folder / "b")).manifest
    assert there.settings["rows_without_consent"] == 201
    assert here.settings["rows_without_consent"] == 201
    assert there.splits.train.rows + there.splits.test.rows == 199
    with open_workspace(owner.session) as workspace, workspace.gate.act(Action.AUDIT, "a", {}):
        told = {
            each.meta.cipherset_id: sorted(
                (row["source"], row["identity"])
                for table in each.rows.chunks()
                for row in table.to_pylist()
            )
            for each in open_exports(workspace).exports
        }
    assert told[there.cipherset_id] == told[here.cipherset_id]
    assert [source for source, _ in told[here.cipherset_id]] == list(range(199))


def test_where_nobody_consents_no_worker_is_asked(owner, ray):
    source = agreeing(owner.folder, [None] * 400)
    simulated = ray()
    asked = ProtectRequest(
        *(source, ColumnRoles((), "vec", "topic"), "support", owner.folder / "a", "lda:2", 5.0),
        consent=Consent("agreed", "routing"),
        engine=RAY,
    )
    with pytest.raises(PolicyError) as refused:
        protect(owner.session, asked)
    assert refused.value.code == "no_consent"
    assert simulated.hired == 0


@pytest.mark.parametrize(
    "roles",
    [ColumnRoles((), "vec", "topic", pool="id"), ColumnRoles(label="topic", image="picture")],
)
def test_what_is_not_done_by_the_row_is_done_here_alone(tmp_path, roles):
    with pytest.raises(UsageError, match="--engine ray draws no rows"):
        ProtectRequest("rows.parquet", roles, "support", tmp_path, "lda:2", 5.0, engine=RAY)


def test_another_encoder_under_the_same_name_is_refused():
    task = SimpleNamespace(settings={"encoder": ["minilm", "sha256:a"]}, cache="cache")
    made = {("encoder", "minilm"): SimpleNamespace(digest="sha256:b")}
    with pytest.raises(IntegrityError) as refused:
        on_workers._encoder(task, made)
    assert refused.value.code == "encoder_digest"

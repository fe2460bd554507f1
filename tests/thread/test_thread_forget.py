"""A person is forgotten: rows leave what is sealed, what held them is named, no name is written."""

import json
import random
import shutil
from contextlib import closing

import numpy as np
import pytest
from test_thread_killed import Killer
from thread_people import COLUMNS, RISK, WHO
from thread_samples import (
    QUICK,
    bytes_below,
    cipherset,
    leftovers,
    opened,
    vector_rows,
    write_rows,
)

from cipherset.app.erasure.sealed import open_exports
from cipherset.app.exports.dataset import VECTOR
from cipherset.app.state import add_copy
from cipherset.app.workspace import Session
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.pipeline.export import open_cipherset

PIECES = ("zyxw", "qrst")  # which no digest has in it
AGAIN = [("export", "protect"), ("export", "protect"), ("model", "train"), ("deployment", "deploy")]


def test_the_rows_are_gone_from_every_export_and_the_others_stay(held):
    before = held.exports()
    told = held.owner.ok("forget", WHO)
    assert told["rows"] == 8
    assert {each["rows"] for each in told["exports"]} == {4}
    after = held.exports()
    for export, (rows, vectors) in after.items():
        kept = {row["row"]: row for row in rows}
        old = {row["row"]: row for row in before[export][0]}
        gone = [row for name, row in old.items() if name not in kept]
        assert sorted(row["source"] for row in gone) == [3, 77, 200, 201]
        assert all(old[name] == row for name, row in kept.items())
        for i, (now, then) in enumerate(zip(vectors, before[export][1], strict=True)):
            expected = dict.fromkeys(then) if i in {3, 77, 200, 201} else then
            assert now == expected


def test_nothing_of_a_forgotten_vector_is_left_behind_a_gap(held):
    told = held.owner.ok("forget", WHO)
    session = Session(held.owner.home, "ada", held.owner.folder, TerminalProgress())
    wanted = np.array([vector_rows(300)[i]["vec"] for i in (3, 77, 200, 201)], dtype=np.float32)
    assert told["rows"]
    with opened(session) as workspace:
        for export in open_exports(workspace).exports:
            for table in export.vectors.chunks():
                flat = table.column(VECTOR).combine_chunks().values.to_numpy(zero_copy_only=False)
                for vector in wanted / np.linalg.norm(wanted, axis=1, keepdims=True):
                    assert not np.isclose(flat.reshape(-1, 8), vector, atol=1e-6).all(1).any()


def test_nobody_reads_the_name_anywhere(held):
    done = held.owner.run("forget", WHO)
    assert not any(piece in done.out + done.err for piece in (WHO, *PIECES))
    text = held.owner.run("forget", "another-qrst").out
    assert "qrst" not in text
    files = bytes_below(held.owner.home)
    assert not any(WHO.encode() in raw for raw in files.values())
    assert not any(WHO.encode() in event.body.encode() for event in held.owner.events())


def test_what_held_them_is_named_and_marked(held):
    told = held.owner.ok("forget", WHO)
    assert told["deployed"] == ["router"]
    assert [each["name"] for each in told["sources"]] == ["rows.parquet"]
    assert len(told["models"]) == 1
    stale = {each["asset"] for each in held.owner.ok("asset", "list")["assets"] if each["stale"]}
    assert stale == {each["asset"] for each in told["exports"]} | set(told["models"])
    (event,) = [e for e in held.owner.events("forget") if e.outcome == "done"]
    assert event.subject == told["subject"]
    assert event.subject.startswith("hmac-sha256:")


def test_a_copy_that_was_put_at_another_place_is_named(held):
    there = held.owner.folder / "copy.cipherset"
    asked = ("protect", held.source, *COLUMNS, "--group", "thread", "--to", there, *QUICK)
    assert held.owner.ok(*asked)["repeated"] is True
    told = held.owner.ok("forget", WHO)
    assert [copy for each in told["exports"] for copy in each["copies"]] == [str(there)]


def test_it_can_be_foreseen_and_nothing_is_taken_out(held):
    before, files = held.exports(), bytes_below(held.owner.home / "exports")
    told = held.owner.ok("forget", WHO, "--foresee")
    assert held.exports() == before
    assert bytes_below(held.owner.home / "exports") == files
    assert not any(each["stale"] for each in held.owner.ok("asset", "list")["assets"])
    assert [(each["what"], each["again"]) for each in told["again"]] == AGAIN
    done = held.owner.ok("forget", WHO)
    assert done == told
    (event,) = [e for e in held.owner.events("forget") if e.outcome == "intended"][:1]
    assert json.loads(event.body)["foreseen"] is True


def test_a_model_of_forgotten_rows_is_made_again_or_used_under_a_grant(held):
    before = held.owner.ok("evaluate", held.bundle, held.grouped)
    held.owner.ok("forget", WHO)
    for args in (
        ("evaluate", held.bundle, held.grouped),
        ("predict", held.bundle, held.source),
        ("deploy", held.bundle, "--force"),
    ):
        refused = held.owner.run(*args)
        assert (refused.code, refused.error["code"]) == (3, "not_allowed")
        assert "somebody who was forgotten" in refused.error["message"]
        assert "cipherset train DIR --to BUNDLE" in refused.error["hint"]
    asked = held.owner.ok("grant", "request", "evaluate", held.bundle, "--for", "a last look")
    held.owner.ok("grant", "approve", asked["grant"])
    after = held.owner.ok("evaluate", held.bundle, held.grouped)
    assert after["n"] <= before["n"]
    assert held.owner.run("predict", held.bundle, held.source).code == 3
    assert held.owner.ok("assess", held.grouped)["verdict"]


def test_the_export_is_not_handed_out_again(held):
    """The same request after forgetting is another export, of which the old one is told."""
    options = (
        "--group",
        "thread",
        "--accept-risk",
        "a test",
        "--to",
        held.owner.folder / "n.cipherset",
    )
    assert held.owner.ok("protect", held.source, *COLUMNS, *QUICK, *options)["repeated"] is True
    held.owner.ok("forget", WHO)
    options = (*options[:-1], held.owner.folder / "m.cipherset")
    assert held.owner.ok("protect", held.source, *COLUMNS, *QUICK, *options)["repeated"] is False


def test_a_second_time_finds_nothing(held):
    held.owner.ok("forget", WHO)
    again = held.owner.ok("forget", WHO)
    assert (again["rows"], again["exports"]) == (0, [])


def test_rows_are_known_by_a_source_where_no_column_was_sealed(held):
    shutil.rmtree(held.owner.home / "exports" / _cipherset_id(held.grouped))
    assert held.owner.ok("forget", WHO, "--column", "thread")["rows"] == 0
    unseen = cipherset("forget", WHO, "--column", "thread", "--home", held.owner.home).out
    assert unseen.startswith("no row found")  # not "forgotten"
    assert "--source" in unseen
    told = held.owner.ok("forget", WHO, "--column", "thread", "--source", held.source)
    assert told["rows"] == 4
    assert told["by_rows_only"] == [_cipherset_id(held.plain)]


def _cipherset_id(path):
    return open_cipherset(path).manifest.cipherset_id


def test_a_source_needs_the_column(held):
    assert held.owner.run("forget", WHO, "--source", held.source).error["code"] == "subject_column"
    found = held.owner.run("forget", WHO, "--source", held.source, "--column", "who")
    assert found.error["code"] == "column_missing"


def test_by_a_column_that_left_in_the_clear(held):
    target = held.owner.folder / "kept.cipherset"
    risk = ("--accept-risk", "a test")
    held.owner.ok(
        "protect", held.source, *COLUMNS, "--keep", "region", "--to", target, *QUICK, *risk
    )
    told = held.owner.ok("forget", "north", "--column", "region")
    assert {each["left"] for each in told["exports"]} == {150}


def test_an_export_that_is_all_theirs_is_gone(held):
    rows = [row | {"thread": WHO} for row in vector_rows(300, seed=5)]
    source = write_rows(held.owner.folder / "theirs.parquet", rows)
    target = held.owner.folder / "theirs.cipherset"
    options = ("--keep", "thread", "--to", target, *RISK)
    held.owner.ok("protect", source, *COLUMNS, *QUICK, *options)
    session = Session(held.owner.home, "ada", held.owner.folder, TerminalProgress())
    with opened(session) as workspace:
        (theirs,) = [
            export
            for export in open_exports(workspace).exports
            if export.meta.cipherset_id == _cipherset_id(target)
        ]
        add_copy(theirs.folder, "s3://tickets/theirs", theirs.sealer)
    told = held.owner.ok("forget", WHO, "--column", "thread")
    (gone,) = [each for each in told["exports"] if each["left"] == 0]
    assert gone["copies"] == ["s3://tickets/theirs"], "it is called back from there too"
    assert _cipherset_id(target) not in held.exports()


def test_what_cannot_be_opened_is_named(held):
    held.owner.ok("key", "destroy", "second", "--force", "--yes")
    assert held.owner.ok("forget", WHO)["unreadable"] == [_cipherset_id(held.plain)]


def test_in_a_team_the_data_owner_forgets(held):
    held.owner.ok("init", "--policy", "team", "--as", "root")
    held.owner.ok("principal", "add", "ada", "--role", "data-owner", "--as", "root")
    held.owner.ok("principal", "add", "sci", "--role", "scientist", "--as", "root")
    refused = held.owner.run("forget", WHO, "--as", "sci")
    assert (refused.code, refused.error["code"]) == (3, "not_allowed")
    assert held.owner.ok("forget", WHO, "--as", "ada")["rows"] == 8


@pytest.mark.soak
def test_killed_at_any_time_each_export_is_the_old_or_the_new_one(held):
    """And the same command again finishes."""
    with closing(Killer()) as killer:
        args = ("forget", WHO, "--home", held.owner.home, "--json")
        rng = random.Random(0)
        for _ in range(12):
            ended = killer.run(*args, after=rng.uniform(0.02, 0.6))["ended"]
            for rows, vectors in held.exports().values():
                gaps = sum(row["vector"] is None for row in vectors)
                assert (len(rows), gaps) in {(300, 0), (296, 4)}
            if ended:
                break
    held.owner.run("forget", WHO)
    assert {len(rows) for rows, _ in held.exports().values()} == {296}
    stale = [each for each in held.owner.ok("asset", "list")["assets"] if each["stale"]]
    assert len(stale) == 3
    assert held.owner.ok("audit", "verify")["valid"]
    assert leftovers(held.owner.home) == []

"""Bad input: each has its exit code, its code, a message that says where, and leaves no trace."""

import json
import re
import shutil
import signal

import pytest
from thread_samples import (
    QUICK,
    bytes_below,
    cipherset,
    leftovers,
    text_rows,
    vector_rows,
    write_rows,
)

from cipherset.core import canonical

SMALL = vector_rows(60)


def _changed(number, **values):
    rows = [dict(row) for row in SMALL]
    rows[number - 1] |= values
    return rows


def _refused(owner, source, *options, columns=("--vector", "vec", "--label", "topic")):
    """Run ``protect``, which must fail; its exit code and error, after looking for traces."""
    target, before = owner.folder / "out", owner.exports()
    there = sorted(owner.folder.iterdir())
    asked = ("protect", source, *columns, "--key", "support", "--to", target, *QUICK)
    done = owner.run(*asked, *options)
    assert done.code != 0
    assert done.error["hint"]
    assert sorted(owner.folder.iterdir()) == there
    assert owner.exports() == before
    assert leftovers(owner.folder) == []
    assert "Traceback" not in done.err
    return done.code, done.error["code"], done.error["message"]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_missing_column(owner, suffix):
    source = write_rows(owner.folder / f"rows{suffix}", SMALL)
    found = _refused(owner, source, columns=("--vector", "vex", "--label", "topic"))
    assert found[:2] == (4, "column_missing")
    assert source.name in found[2]
    assert "'vex'" in found[2]
    for option in ("--label", "--group", "--keep"):
        _, code, message = _refused(owner, source, option, "absent")
        assert (code, "'absent'" in message) == ("column_missing", True)


def test_not_utf8(owner):
    source = owner.folder / "rows.csv"
    lines = ["body,topic", *(f"{row['body']},{row['topic']}" for row in text_rows(20))]
    raw = "\n".join(lines).replace(", ", " ").encode()
    source.write_bytes(raw.replace(b"parcel to", b"p\xe4rcel to", 1))
    columns = ("--text", "body", "--label", "topic")
    code, name, message = _refused(owner, source, columns=columns)
    assert (code, name) == (4, "source_encoding")
    assert "rows.csv" in message
    assert "row" in message


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_row_without_label(owner, suffix):
    source = write_rows(owner.folder / f"rows{suffix}", _changed(17, topic=None))
    code, name, message = _refused(owner, source)
    assert (code, name) == (4, "label_missing")
    assert f"rows{suffix}, row 17, column 'topic'" in message


def test_one_class_only(owner):
    source = write_rows(owner.folder / "rows.jsonl", [row | {"topic": "all"} for row in SMALL])
    code, name, message = _refused(owner, source)
    assert (code, name) == (4, "one_class")
    assert "'topic'" in message
    assert "60 rows" in message


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_vector_that_is_not_finite(owner, suffix, bad):
    source = write_rows(
        owner.folder / f"rows{suffix}", _changed(23, vec=[bad, *SMALL[0]["vec"][1:]])
    )
    code, name, message = _refused(owner, source)
    assert code == 4
    assert name in {"vector_not_finite", "source_corrupt"}  # NaN is no JSON
    assert f"rows{suffix}" in message
    assert "row 23" in message


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_ragged_vectors(owner, suffix):
    source = write_rows(owner.folder / f"rows{suffix}", _changed(9, vec=[1.0, 0.0]))
    code, _, message = _refused(owner, source)
    assert code == 4
    assert f"rows{suffix}, row 9, column 'vec'" in message


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_no_rows(owner, suffix):
    source = owner.folder / f"rows{suffix}"
    if suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(SMALL).slice(0, 0), source)
    else:
        source.write_text("vec,topic\n" if suffix == ".csv" else "")
    assert _refused(owner, source) == (4, "source_empty", f"rows{suffix}: 0 rows")


def test_ten_rows(owner):
    source = write_rows(owner.folder / "rows.csv", vector_rows(10))
    code, name, message = _refused(owner, source, "--max-reid", "0.05")
    assert (code, name) == (3, "too_few_rows_to_decide")
    assert re.search(r"it takes \d+ held out, about \d+ in all", message)


def test_a_label_per_row(owner):
    rows = [row | {"topic": f"topic-{i}"} for i, row in enumerate(SMALL)]
    code, name, message = _refused(owner, write_rows(owner.folder / "rows.csv", rows))
    assert (code, name) == (4, "label_per_row")
    assert "'topic' has 60 classes in 60 rows" in message


def test_corrupt_parquet(owner):
    source = write_rows(owner.folder / "rows.parquet", SMALL)
    raw = source.read_bytes()
    for bad in (raw[:-20], b"not parquet at all", raw[: len(raw) // 2] + raw[len(raw) // 2 + 9 :]):
        source.write_bytes(bad)
        code, name, message = _refused(owner, source)
        assert (code, name) == (4, "source_corrupt")
        assert "rows.parquet" in message


def test_missing_source(owner):
    code, name, message = _refused(owner, owner.folder / "rows.csv")
    assert (code, name) == (4, "source_missing")
    assert "rows.csv" in message
    (owner.folder / "rows.xlsx").write_text("x")
    assert _refused(owner, owner.folder / "rows.xlsx")[:2] == (4, "source_kind")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--minimize", "magic:3"), (4, "minimizer_spec")),
        (("--minimize", "lda:3"), (4, "minimizer_dim")),
        (("--minimize", "pca:9"), (4, "minimizer_dim")),
        (("--minimize", "pls:2"), (4, "label_type")),
        (("--approximation-factor", "nan"), (2, "usage")),
        (("--approximation-factor", "-1"), (2, "usage")),
        (("--approximation-factor", "1e308"), (4, "approximation_factor")),
        (("--scheme", "rot13/1"), (4, "scheme")),
        (("--noise", "gaussian:1,1e-5"), (2, "usage")),
        (("--test-share", "1"), (2, "test_share")),
        (("--test-share", "nan"), (2, "test_share")),
        (("--test-share", "0.001"), (4, "too_few_rows")),
        (("--fit-share", "0"), (2, "fit_share")),
        (("--keep", "vec"), (2, "column_clash")),
        (("--key", "Not A Name"), (4, "key_name")),
        (("--key", "absent"), (5, "key_unknown")),
        (("--to", "no/such/folder/out"), (2, "target_parent")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value[0], str) else None,
)
def test_settings_that_cannot_be(owner, options, expected):
    source = write_rows(owner.folder / "rows.jsonl", SMALL)
    assert _refused(owner, source, *options)[:2] == expected


def test_one_group(owner):
    rows = [row | {"thread": "one"} for row in SMALL]
    source = write_rows(owner.folder / "rows.csv", rows)
    assert _refused(owner, source, "--group", "thread")[:2] == (4, "one_group")


def test_unknown_encoder(owner):
    source = write_rows(owner.folder / "rows.csv", text_rows(20))
    columns = ("--text", "body", "--label", "topic")
    code, name, message = _refused(owner, source, "--encoder", "oracle", columns=columns)
    assert (code, name) == (2, "encoder_unknown")
    assert "oracle" in message


def test_encoder_not_in_the_cache(owner, monkeypatch, tmp_path):
    monkeypatch.setenv("CIPHERSET_CACHE", str(tmp_path / "empty"))
    source = write_rows(owner.folder / "rows.csv", text_rows(20))
    columns = ("--text", "body", "--label", "topic")
    assert _refused(owner, source, columns=columns)[:2] == (6, "encoder_missing")
    target = owner.folder / "out"
    done = owner.run("protect", source, *columns, "--key", "support", "--to", target)
    assert "cipherset encoder get minilm-l6-v2" in done.error["hint"]


def test_target_that_is_there(changed):
    owner, before = changed.owner, changed.owner.exports()
    whole = bytes_below(changed.cipherset)
    asked = ("protect", changed.source, "--vector", "vec", "--label", "topic", "--key", "support")
    done = owner.run(*asked, "--to", changed.cipherset, *QUICK, "--max-reid", "0.39")
    assert (done.code, done.error["code"]) == (2, "target_exists")
    mine = owner.folder / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("dear")
    for target in (mine, mine / "letter.txt"):
        done = owner.run(*asked, "--to", target, "--force", *QUICK)
        assert (done.code, done.error["code"]) == (2, "target_not_ours")
        done = owner.run("train", changed.cipherset, "--to", target, "--force")
        assert (done.code, done.error["code"]) == (2, "target_not_ours")
    assert owner.run("train", changed.cipherset, "--to", changed.bundle).error["code"] == (
        "target_exists"
    )
    assert (mine / "letter.txt").read_text() == "dear"
    assert bytes_below(changed.cipherset) == whole
    assert owner.exports() == before


def test_a_cipherset_is_no_place_for_a_bundle(changed):
    """--force replaces like with like."""
    done = changed.owner.run("train", changed.cipherset, "--to", changed.cipherset, "--force")
    assert (done.code, done.error["code"]) == (2, "target_not_ours")
    assert cipherset("inspect", changed.cipherset).code == 0


def test_force_replaces_a_bundle(changed):
    made = changed.owner.ok(
        *("train", changed.cipherset, "--to", changed.bundle, "--force", "--at-gate")
    )
    assert made["at_gate"]
    assert leftovers(changed.owner.folder) == []


def test_one_flipped_byte_anywhere(changed):
    for path in sorted(changed.cipherset.rglob("*")):
        if not path.is_file():
            continue
        whole = path.read_bytes()
        for place in (0, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            target = changed.owner.folder / "b"
            for command in (("inspect",), ("train", "--to", target)):
                done = changed.owner.run(command[0], changed.cipherset, *command[1:])
                assert done.code == 5, (path, place)
            assert not target.exists()
        path.write_bytes(whole)
    assert cipherset("inspect", changed.cipherset).code == 0


def test_another_signer(changed):
    done = cipherset("inspect", changed.cipherset, "--signer", "0" * 64, "--json")
    assert done.code == 5
    (changed.cipherset / "extra").write_text("x")
    assert cipherset("inspect", changed.cipherset, "--json").code == 5


# --- the wrong key, or none --------------------------------------------------------------------


def _asks(exported):
    return (
        ("evaluate", exported.bundle, exported.cipherset),
        ("evaluate", exported.bundle, exported.source),
        ("predict", exported.bundle, exported.source),
        ("predict", exported.bundle, "--value", "a text"),
        ("train", exported.cipherset, "--at-gate", "--to", exported.owner.folder / "gate"),
    )


def test_without_the_key(exported, stranger, tmp_path):
    for home in (tmp_path / "empty", stranger.home):
        for asked in _asks(exported):
            done = cipherset(*asked, "--home", home, "--json")
            assert done.code == 5, done.out
            assert done.error["code"] in {"key_unknown", "signer"}
            assert done.error["hint"]
    assert not (exported.owner.folder / "gate").exists()


def test_another_secret_under_the_same_id(changed, stranger):
    """A thief who renames a key of his own has still not the key."""
    ring = changed.owner.home / "keys"
    before = changed.owner.exports()
    (ring / "support.json").unlink()
    changed.owner.key("support")
    mine = (ring / "support.json").read_text()
    key_id = changed.owner.ok("key", "show", "support")["key_id"]
    (ring / "support.json").write_text(mine.replace(key_id, changed.protected["key_id"]))
    for asked in _asks(changed):
        done = changed.owner.run(*asked)
        assert done.code == 5, done.out
    assert changed.owner.exports() == before


def _sealed(exported):
    home = exported.owner.home
    export = home / "exports" / exported.protected["cipherset_id"]
    (minimizer,) = (home / "minimizers").iterdir()
    return {"meta": export / "meta", "minimizer": minimizer, "vectors": export / "vectors"} | {
        "rows": export / "rows"
    }


@pytest.mark.parametrize("part", ["meta", "minimizer", "vectors", "rows"])
def test_a_sealed_part_is_gone_or_changed(changed, part):
    path = _sealed(changed)[part]
    whole = path.read_bytes()
    on_dir = ("evaluate", changed.bundle, changed.cipherset)
    for damage in (None, b"", whole[:-1], whole[:40] + bytes([whole[40] ^ 1]) + whole[41:]):
        path.unlink(missing_ok=True)
        if damage is not None:
            path.write_bytes(damage)
        done = changed.owner.run(*on_dir)
        assert done.code == 5, (damage and len(damage), done.out)
    path.write_bytes(whole)
    assert changed.owner.run(*on_dir).code == 0


def test_another_minimizer_under_the_key(changed):
    """Sealed under the right key, but not what this export was made with."""
    path = _sealed(changed)["minimizer"]
    path.unlink()
    asked = ("protect", changed.source, "--vector", "vec", "--label", "topic", "--key", "support")
    other = (*asked, "--to", changed.owner.folder / "new", *QUICK, "--seed", "3")
    assert changed.owner.run(*other).error["code"] == "export_unreadable"
    changed.owner.ok(*other, "--accept-risk", "a rehearsal")
    done = changed.owner.run("evaluate", changed.bundle, changed.cipherset)
    assert (done.code, done.error["code"]) == (5, "minimizer_changed")


def test_bundle_of_another_key(changed):
    owner = changed.owner
    owner.key("other")
    asked = ("protect", changed.source, "--vector", "vec", "--label", "topic", "--key", "other")
    owner.ok(*asked, "--to", owner.folder / "other", *QUICK)
    done = owner.run("evaluate", changed.bundle, owner.folder / "other")
    assert (done.code, done.error["code"]) == (5, "other_key")


def test_a_bundle_that_names_another_secret_under_the_same_key(changed):
    path = changed.bundle / "bundle.json"
    named = json.loads(path.read_bytes())
    path.write_bytes(canonical.encode(named | {"key_check": "00" * 16}))
    done = changed.owner.run("predict", changed.bundle, changed.source)
    assert (done.code, done.error["code"]) == (5, "wrong_key")


def test_evaluate_on_a_handful_of_rows(changed):
    few = write_rows(changed.owner.folder / "few.csv", vector_rows(19))
    done = changed.owner.run("evaluate", changed.bundle, few)
    assert (done.code, done.error["code"]) == (3, "evaluate_rows")
    assert "19 rows" in done.error["message"]


def test_evaluate_on_rows_the_model_does_not_know(changed):
    owner = changed.owner
    rows = vector_rows(30)
    rows[6] |= {"topic": "weather"}
    done = owner.run("evaluate", changed.bundle, write_rows(owner.folder / "new.csv", rows))
    assert (done.code, done.error["code"]) == (4, "unknown_label")
    assert "row 7" in done.error["message"]
    assert "weather" not in done.out + done.err
    wide = write_rows(owner.folder / "wide.csv", vector_rows(30, dim=9))
    for command in ("evaluate", "predict"):
        done = owner.run(command, changed.bundle, wide)
        assert done.code == 4, done.out
    unlabeled = [{"vec": row["vec"]} for row in rows]
    done = owner.run("evaluate", changed.bundle, write_rows(owner.folder / "un.jsonl", unlabeled))
    assert (done.code, done.error["code"]) == (4, "column_missing")


def test_broken_bundle(changed):
    whole = (changed.bundle / "bundle.json").read_bytes()
    (changed.bundle / "bundle.json").write_bytes(whole[:-2])
    for asked in (("evaluate", changed.bundle, changed.cipherset),):
        assert changed.owner.run(*asked).code in {4, 5}
    shutil.rmtree(changed.bundle)
    done = changed.owner.run("predict", changed.bundle, changed.source)
    assert done.code == 4
    assert changed.bundle.name in done.error["message"]


# --- the disk ----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [3_000, 9_000, 16_000])
def test_disk_full(owner, size, small_files):
    """Wherever it fills up: reading, sealing or writing the export."""
    source = write_rows(owner.folder / "rows.parquet", vector_rows(1500, spread=1.0))
    owner.ok("key", "list")
    was = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        target, before = owner.folder / "out", owner.exports()
        there = sorted(owner.folder.iterdir())
        options = ("--vector", "vec", "--label", "topic", "--key", "support", "--to", target)
        with small_files(size):
            done = owner.run("protect", source, *options, *QUICK)
    finally:
        signal.signal(signal.SIGXFSZ, was)
    assert (done.code, done.error["code"]) in {(6, "disk_full"), (6, "ledger_unwritable")}
    assert sorted(owner.folder.iterdir()) == there
    assert owner.exports() == before
    assert leftovers(owner.folder) == []


def test_no_permission(owner):
    """The kernel lets nobody, not even root, make a folder there."""
    source = write_rows(owner.folder / "rows.jsonl", SMALL)
    code, name, message = _refused(owner, source, "--to", "/proc/out")
    assert code == 6
    assert name in {"no_permission", "disk"}
    assert "/proc" in message
    done = cipherset("key", "create", "k", "--home", "/proc/home", "--json")
    assert done.code == 6


def test_target_removed_parent_is_a_file(owner):
    source = write_rows(owner.folder / "rows.jsonl", SMALL)
    assert _refused(owner, source, "--to", source / "out")[:2] == (2, "target_parent")


def test_key_that_cannot_be_read(changed):
    for name, damage in (("keys/support.json", b"{}"), ("kek", b"x" * 32)):
        path = changed.owner.home / name
        whole = path.read_bytes()
        path.write_bytes(damage)
        done = changed.owner.run("evaluate", changed.bundle, changed.cipherset)
        assert done.code == 5, done.out
        path.write_bytes(whole)
        path.chmod(0o600)
    assert changed.owner.run("evaluate", changed.bundle, changed.cipherset).code == 0


def test_home_that_is_something_else(tmp_path):
    (tmp_path / "workspace.json").write_text('{"schema":"other"}')
    done = cipherset("key", "list", "--home", tmp_path, "--json")
    assert (done.code, done.error["code"]) == (5, "workspace_schema")
    (tmp_path / "file").write_text("x")
    done = cipherset("key", "list", "--home", tmp_path / "file", "--json")
    assert done.code == 2


def test_vectors_of_one_dimension(owner):
    rows = [row | {"vec": [row["vec"][0]]} for row in vector_rows(300)]
    source = write_rows(owner.folder / "thin.parquet", rows)
    columns = ("--vector", "vec", "--label", "topic", "--key", "support")
    refused = owner.run(
        "protect", source, *columns, "--to", owner.folder / "thin", "--max-reid", "0.5"
    )
    assert (refused.code, refused.error["code"]) == (2, "too_narrow")

"""``scan`` and ``relabel`` from outside: what they say, what they write down, what never shows."""

import json
import re

import pytest
from thread_samples import QUICK, Owner, cipherset, vector_rows, write_rows

from cipherset.app.scanning.look import scan_detectors
from cipherset.core.labels import Tag, Trust
from cipherset.custody.ledger import Ledger, RunStatus
from cipherset.pipeline.sanitize import default_policy
from cipherset.pipeline.sanitize.bench import recall_of
from cipherset.pipeline.sanitize.label import at_most

BY_TOPIC = ("--vector", "vec", "--label", "topic")
CARD = "5500 0055 5555 5559"
CANARY = "canary4d2b"


def people(n=60):
    return [
        {
            "id": f"row-{i}",
            "customerEmail": f"{CANARY}{i}@example.com" if i % 2 else "",
            "note": f"paid with {CARD}, thank you" if i % 20 == 7 else "the parcel is late",
            "opened": "2020-01-02",
        }
        for i in range(n)
    ]


@pytest.fixture
def scanned(tmp_path):
    """A fresh owner whose folder holds a source with cards and addresses."""
    owner = Owner(tmp_path)
    write_rows(tmp_path / "people.csv", people())
    return owner


def _scan(owner, *options, source="people.csv"):
    return owner.ok("scan", owner.folder / source, *options)


def _ledger(owner):
    return Ledger(f"sqlite:///{owner.home / 'ledger.sqlite'}")


def test_what_scan_says(scanned):
    shown = _scan(scanned, "--trust", "customer")
    assert (shown["label"], shown["tags"]) == ("restricted", ["PCI", "PII"])
    assert (shown["trust"], shown["rows"], shown["sampled"]) == ("customer", 60, 60)
    assert set(shown["columns"]) == {"id", "customerEmail", "note", "opened"}
    for column in shown["columns"].values():
        assert column.keys() >= {"label", "entities", "detector", "recall", "because", "at_most"}
        assert set(column["recall"]) >= {"EMAIL", "CARD", "IBAN", "PHONE", "SECRET"}
    mail, note = shown["columns"]["customerEmail"], shown["columns"]["note"]
    assert mail["label"] == "confidential"
    assert mail["entities"]["EMAIL"] == {"count": 30, "share": 0.5, "by": "detector"}
    assert note["label"] == "restricted"
    assert note["entities"]["CARD"]["count"] == 3
    assert shown["columns"]["opened"]["entities"] == {}


def test_none_found_is_said_with_the_measured_recall(scanned):
    """In the table, the JSON and the page; and the more may be there, the less is seen."""
    measured = recall_of(scan_detectors(default_policy()))
    recall = measured("name lists and cues", "PERSON")
    told = f"{recall.value:.2f} (at least {recall.interval[0]:.2f}, of {recall.n}) on PERSON"
    page = scanned.folder / "page.html"
    shown = _scan(scanned, "--sample", "20", "--html", page)
    opened = shown["columns"]["opened"]
    assert opened["recall"]["PERSON"] == recall.value
    assert opened["recall_n"]["PERSON"] == recall.n
    bound = at_most(20, 60, recall.interval[0])
    assert opened["at_most"]["PERSON"] == pytest.approx(bound, abs=1e-6)
    assert told in shown["confidence"]["none_found"]
    assert f"with recall {recall.value:.2f}" in page.read_text("utf-8")
    table = cipherset("scan", scanned.folder / "people.csv", "--home", scanned.home)
    assert re.search(rf"none found +by detectors (?s:.*) {re.escape(told)}\n", table.out)
    _, _, said = table.out.partition("none found")
    assert max(map(len, said.splitlines())) <= 100


def test_a_sample_says_how_sure_it_is(scanned):
    some = _scan(scanned, "--sample", "20")
    assert (some["rows"], some["sampled"]) == (60, 20)
    assert some["confidence"]["level"] == 0.95
    assert some["confidence"]["at_most"] == pytest.approx(1 - 0.05 ** (1 / 20), abs=1e-6)
    assert "of 60 rows 20 were looked at" in some["confidence"]["statement"]
    whole = _scan(scanned, "--all-rows")
    assert (whole["sampled"], whole["confidence"]["at_most"]) == (60, 0.0)
    assert _scan(scanned, "--sample", "20", "--seed", "5")["sampled"] == 20


def test_only_the_columns_that_are_named(scanned):
    assert set(_scan(scanned, "--text", "note")["columns"]) == {"note"}
    done = scanned.run("scan", scanned.folder / "people.csv", "--text", "notes")
    assert (done.code, done.error["code"]) == (4, "column_missing")


def test_a_look_at_some_columns_says_that_it_is_no_label_of_the_source(owner):
    source = write_rows(owner.folder / "people.csv", people())
    part = owner.ok("scan", source, "--text", "note")
    assert "not written down" in part["notes"][0]
    clean = ("sanitize", source, "--text", "note", "--accept-risk", "a test", "--to")
    assert owner.ok(*clean, owner.folder / "a.csv")["label"] is None
    whole = owner.ok("scan", source)
    assert whole["notes"] == []
    assert owner.ok(*clean, owner.folder / "b.csv")["label"] == whole["label"]
    assert owner.ok("scan", source, "--text", "note")["notes"] == []


@pytest.mark.parametrize("rows", [(), ("--all-rows",)])
def test_every_format_says_the_same(tmp_path, rows):
    owner = Owner(tmp_path)
    shown = []
    for ending in ("csv", "jsonl", "parquet"):
        write_rows(tmp_path / f"people.{ending}", people())
        shown.append(_scan(owner, *rows, source=f"people.{ending}")["columns"])
    assert shown[0] == shown[1] == shown[2]


def test_the_table_and_the_page_show_no_value(scanned):
    page = scanned.folder / "people.html"
    asked = ("scan", scanned.folder / "people.csv", "--home", scanned.home, "--html", page)
    done = cipherset(*asked)
    assert done.code == 0
    assert "customerEmail" in done.out
    assert "EMAIL in 30 of 60 rows" in done.out
    text = page.read_text(encoding="utf-8")
    assert "c•••@•••.com" in text
    assert "••• ••• ••• •••" in text
    assert "none found by a detector" in text
    assert "<script" not in text
    assert "http" not in text
    assert page.stat().st_mode & 0o077 == 0
    for shown in (done.out, done.err, text):
        assert CANARY not in shown
        assert CARD not in shown
    again = cipherset(*asked, "--json")
    assert (again.code, again.error["code"]) == (2, "target_exists")
    assert cipherset(*asked, "--force").code == 0


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--html", "nowhere/page.html"), "target_parent"),
        (("--html", "."), "target_exists"),
        (("--fields",), "usage"),
        (("--label", "note"), "usage"),
        (("--fields", "--label", "note"), "usage"),
        (("--sample", "0"), "usage"),
        (("--trust", "anybody"), "usage"),
    ],
)
def test_what_makes_no_sense_is_refused(scanned, options, code, monkeypatch):
    monkeypatch.chdir(scanned.folder)
    done = scanned.run("scan", "people.csv", *options)
    assert (done.code, done.error["code"]) == (2, code)


def test_the_ledger_holds_the_label_and_no_value_nor_column(scanned):
    shown = _scan(scanned, "--trust", "partner")
    with _ledger(scanned) as ledger:
        (asset,) = ledger.assets()
        (run,) = ledger.runs()
        events = [f"{event.body} {event.subject}" for event in ledger.events()]
    assert asset.id == shown["asset"]
    assert (asset.kind, asset.name) == ("dataset", "people.csv")
    assert asset.id.startswith("hmac-sha256:")
    assert (run.kind, run.inputs, run.status) == ("classify", (asset.id,), "done")
    assert run.parameters["label"] == {
        "level": "restricted",
        "tags": ["PCI", "PII"],
        "trusts": ["partner"],
    }
    told = " ".join([*events, json.dumps(dict(run.parameters))])
    for hidden in (CANARY, CARD, "customerEmail", "opened"):
        assert hidden not in told
    actions = [event.action for event in scanned.events() if event.action == "scan"]
    assert actions == ["scan", "scan"]


def test_the_digest_of_a_source_is_keyed(scanned, tmp_path):
    other = Owner(tmp_path / "other")
    other.folder.mkdir()
    write_rows(other.folder / "people.csv", people())
    ids = {_scan(owner)["asset"] for owner in (scanned, scanned, other)}
    assert len(ids) == 2


def test_what_was_known_before_stays(scanned):
    _scan(scanned, "--trust", "crawled")
    less = _scan(scanned, "--text", "opened")
    assert (less["label"], less["trust"]) == ("restricted", "crawled")
    assert less["columns"]["opened"]["label"] == "public"
    more = _scan(scanned, "--trust", "internal")
    assert more["trusts"] == ["crawled", "internal"]


def test_a_file_without_a_header_does_not_show_its_first_record(tmp_path):
    owner = Owner(tmp_path)
    rows = [f"{CANARY}@example.com,{CARD},{CANARY} {'word ' * 20}\n"] * 5
    (tmp_path / "bare.csv").write_text("".join(rows))
    done = owner.run("scan", tmp_path / "bare.csv", "--html", tmp_path / "page.html")
    assert set(done.json["columns"]) == {"column 1", "column 2", "column 3"}
    assert "header" in done.json["notes"][0]
    for shown in (done.out, done.err, (tmp_path / "page.html").read_text()):
        assert CANARY not in shown
        assert CARD not in shown


def test_names_of_columns_that_a_terminal_would_act_on(tmp_path):
    owner = Owner(tmp_path)
    rows = [{"\x1b[2Jbell": "a", "column 1": "b", "turned\u202e": "c", "2020-01-02": "d"}] * 3
    write_rows(tmp_path / "odd.jsonl", rows)
    assert list(_scan(owner, source="odd.jsonl")["columns"]) == [
        "column 1*",
        "column 1",
        "column 3",
        "column 4",
    ]


def test_no_value_is_in_anything_that_scan_leaves(scanned):
    """Also where it is refused half way: rows that are cut, not UTF-8, or no rows at all."""
    folder, printed = scanned.folder, []
    good = (folder / "people.csv").read_bytes()
    bad = {
        "cut.csv": good + b'a,"b',
        "bytes.csv": good + b"\xff,a,b,c\n",
        "ragged.csv": good + b"a,b\n",
        "empty.csv": good.split(b"\n")[0],
        "cut.jsonl": b'{"a": "' + CANARY.encode(),
    }
    for name, raw in bad.items():
        (folder / name).write_bytes(raw)
    page = folder / "page.html"
    for name in ("people.csv", *bad):
        for form in ((), ("--json",)):
            done = cipherset(
                *("scan", folder / name, "--home", scanned.home, "--html", page, "--force", *form)
            )
            assert done.code == (0 if name == "people.csv" else 4)
            printed.append(done.out + done.err)
    left = [path.read_bytes() for path in scanned.home.rglob("*") if path.is_file()]
    for raw in [*(text.encode() for text in printed), *left, page.read_bytes()]:
        for form in (CANARY.encode(), CANARY.encode("utf-16-le"), CARD.encode()):
            assert form not in raw


def test_a_label_is_raised_and_not_lowered(scanned):
    source = scanned.folder / "people.csv"
    asked = ("relabel", source, "--reason", "a clinic's")
    first = scanned.ok(*asked, "--level", "internal", "--trust", "customer")
    assert first["before"] is None
    higher = scanned.ok(*asked, "--level", "confidential", "--tag", "PHI")
    assert higher["label"] == {"level": "confidential", "tags": ["PHI"], "trusts": ["customer"]}
    assert scanned.ok(*asked, "--level", "restricted")["label"]["tags"] == ["PHI"]
    for lower in (("--level", "public"), ("--level", "restricted", "--exactly")):
        done = scanned.run(*asked, *lower)
        assert (done.code, done.error["code"]) == (3, "label_lower")
    *_, outcome = scanned.events("relabel")
    assert (outcome.outcome, json.loads(outcome.body)["code"]) == ("refused", "label_lower")
    table = cipherset(*asked, "--level", "restricted", "--home", scanned.home)
    assert "now     restricted PHI customer" in table.out
    assert _scan(scanned)["label"] == "restricted"


def test_a_grant_lowers_a_label(scanned):
    """Also where one person may do everything: they grant it themselves, and the ledger says so."""
    source = scanned.folder / "people.csv"
    _scan(scanned, "--trust", "crawled")
    asked = ("relabel", source, "--level", "internal", "--reason", "pseudonyms only")
    assert scanned.run(*asked).error["code"] == "label_lower"
    request = ("grant", "request", "relabel", source, "--for", "the pilot")
    grant = scanned.ok(*request)["grant"]
    assert scanned.run(*asked).error["code"] == "label_lower"
    scanned.ok("grant", "approve", grant)
    done = scanned.ok(*asked)
    assert done["before"]["level"] == "restricted"
    assert done["label"] == {"level": "internal", "tags": [], "trusts": []}
    assert scanned.run("scan", source).json["label"] == "restricted"  # found again


def test_in_a_team_the_one_who_looks_raises_and_nobody_lowers(tmp_path):
    owner = Owner(tmp_path)
    source = write_rows(tmp_path / "people.csv", people())
    owner.ok("init", "--policy", "team", "--as", "root")
    for name, role in (("ida", "ingester"), ("otto", "data-owner"), ("sue", "scientist")):
        owner.ok("principal", "add", name, "--role", role, "--as", "root")
    raising = ("relabel", source, "--level", "restricted", "--reason", "x")
    assert owner.run(*raising, "--as", "sue").error["code"] == "not_allowed"
    assert owner.ok(*raising, "--as", "ida")["label"]["level"] == "restricted"
    lowering = ("relabel", source, "--level", "public", "--reason", "x")
    for name in ("ida", "otto", "sue"):
        done = owner.run(*lowering, "--as", name)
        assert (done.code, done.error["code"]) == (3, "not_allowed")


@pytest.fixture
def sources(owner):
    """Vectors of the house, restricted, and vectors from elsewhere."""
    for name, seed, note in (("ours", 1, CARD), ("theirs", 2, "fine")):
        rows = [row | {"note": note} for row in vector_rows(400, seed=seed)]
        write_rows(owner.folder / f"{name}.parquet", rows)
    return owner


def _protect(owner, name, *options):
    return owner.run(
        *("protect", owner.folder / f"{name}.parquet", *BY_TOPIC, "--key", "support"),
        *("--to", owner.folder / f"{name}.cipherset", *QUICK, *options),
    )


def test_an_export_and_its_models_bear_the_label_of_the_source(sources):
    known = _scan(sources, "--trust", "customer", source="ours.parquet")
    assert known["columns"]["vec"]["label"] == "confidential"
    done = _protect(sources, "ours")
    label = {"level": "restricted", "tags": ["PCI", "PII"], "trusts": ["customer"]}
    assert done.json["label"] == label
    export = sources.folder / "ours.cipherset"
    assert sources.ok("inspect", export)["manifest"]["label"] == label
    sources.ok("train", export, "--to", sources.folder / "bundle")
    assert json.loads((sources.folder / "bundle" / "bundle.json").read_text())["label"] == label
    with _ledger(sources) as ledger:
        run = next(run for run in ledger.runs() if run.kind == "protect")
    assert run.inputs == (known["asset"],)
    assert run.status == "done"
    higher = sources.ok("relabel", export, "--level", "restricted", "--tag", "PHI", "--reason", "x")
    assert run.outputs == (higher["asset"],)
    assert higher["before"] == label
    assert higher["label"]["tags"] == ["PCI", "PHI", "PII"]


def test_a_source_that_nobody_looked_at_has_no_label(exported):
    assert exported.protected["label"] is None


def test_a_cipherset_of_elsewhere_has_no_label_to_change(exported, stranger):
    asked = ("relabel", exported.cipherset, "--level", "public", "--reason", "x")
    done = stranger.run(*asked)
    assert (done.code, done.error["code"]) == (4, "label_unknown")


def test_restricted_rows_and_outside_rows_do_not_go_under_one_key(sources):
    _scan(sources, "--trust", "customer", source="ours.parquet")
    _scan(sources, "--trust", "crawled", source="theirs.parquet")
    assert _protect(sources, "ours").code == 0
    done = _protect(sources, "theirs")
    assert (done.code, done.error["code"]) == (3, "mixing")
    assert not (sources.folder / "theirs.cipherset").exists()
    with _ledger(sources) as ledger:
        assert [run.status for run in ledger.runs() if run.kind == "protect"] == ["done", "failed"]
    apart = _protect(sources, "theirs", "--key", _other_key(sources))
    assert apart.code == 0
    mixed = _protect(sources, "theirs", "--accept-mixing", "a contract", "--force")
    assert mixed.code == 0, mixed.out
    manifest = sources.ok("inspect", sources.folder / "theirs.cipherset")["manifest"]
    assert manifest["settings"]["mixing_accepted"] is True
    assert manifest["label"]["trusts"] == ["crawled"]
    *_, intent, _ = sources.events("protect")
    assert json.loads(intent.body)["accepted_mixing"] == "a contract"
    again = _protect(sources, "ours", "--force")
    assert again.json["repeated"]


def test_an_export_under_way_counts_and_one_that_failed_does_not(sources):
    """A run that was killed may have placed its export."""
    ours = _scan(sources, "--trust", "customer", source="ours.parquet")["asset"]
    _scan(sources, "--trust", "crawled", source="theirs.parquet")
    key = sources.ok("key", "show", "support")
    parameters = {"key_id": key["key_id"], "key_version": 1}
    with _ledger(sources) as ledger:
        run = ledger.start_run("protect", actor="owner", inputs=[ours], parameters=parameters)
        assert _protect(sources, "theirs").error["code"] == "mixing"
        ledger.finish_run(run.id, status=RunStatus.FAILED)
    assert _protect(sources, "theirs").code == 0


def _other_key(owner):
    owner.key("apart")
    return "apart"


def test_the_other_way_round_is_refused_too(sources):
    """Outside rows first, restricted ones later."""
    _scan(sources, "--trust", "public", source="theirs.parquet")
    assert _protect(sources, "theirs").code == 0
    _scan(sources, "--trust", "internal", source="ours.parquet")
    done = _protect(sources, "ours")
    assert (done.code, done.error["code"]) == (3, "mixing")
    assert Trust.PUBLIC in done.error["message"]
    assert Tag.PCI not in done.error["message"]

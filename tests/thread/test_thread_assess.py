"""``assess`` on the command line: what it says, what it writes, and when it goes stale."""

import json
import shutil

import pytest
from thread_samples import (
    Owner,
    opened,
    text_rows,
    vector_rows,
    without_pictures,
    write_rows,
)

from cipherset.app.assess.finding import FINDING_TYPE, latest, read_finding
from cipherset.app.gateway import open_gateway
from cipherset.app.workspace import Session
from cipherset.core import canonical
from cipherset.core.envelope import public_key_of, sign
from cipherset.core.errors import IntegrityError
from cipherset.custody.policy import Verdict
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.pipeline.export import open_cipherset

CONTRACT = {"name", "knowledge", "metric", "value", "ci", "chance", "unprotected"}
METRICS = {
    *("reid_rank1", "reid_rank1_in_class", "reid_mrr", "cosine", "token_f1", "entity_recall"),
    *("attribute_advantage", "tpr_at_fpr_0.001", "tpr_at_fpr_0.01"),
    *("accuracy", "agreement", "map_recovered", "cluster_purity"),
}


@pytest.fixture(scope="module")
def assessed(exported):
    return exported.owner.ok("assess", exported.cipherset)


def test_it_prints_what_the_contract_says(assessed):
    assert assessed["verdict"] in {"not protective", "within limit", "inconclusive"}
    assert "n_star" in assessed
    for line in assessed["attacks"]:
        assert set(line) >= CONTRACT
        assert line["knowledge"] in {f"K{i}" for i in range(7)}
        assert line["metric"] in METRICS
        low, high = line["ci"]
        assert low <= line["value"] <= high
    assert {"K0", "K1", "K2", "K3", "K4"} <= {line["knowledge"] for line in assessed["attacks"]}


def test_the_suite_found_what_was_planted(assessed):
    assert len(assessed["controls"]) >= 4
    assert all(control["holds"] for control in assessed["controls"]), assessed["controls"]


def test_what_could_not_be_run_is_named(assessed):
    assert any(missing.startswith("words:") for missing in assessed["not_run"])


def test_the_finding_is_signed_and_in_the_ledger(assessed, exported):
    owner = exported.owner
    signer = owner.ok("inspect", exported.cipherset)["signer"]
    folder = owner.home / "findings" / assessed["finding_id"]
    finding = read_finding(folder / "finding.json", signer=signer)
    assert finding.verdict.value == assessed["verdict"]
    assert finding.bound.cipherset_id == exported.protected["cipherset_id"]
    bodies = [json.loads(event.body) for event in owner.events("assess")]
    (done,) = [body for body in bodies if body.get("finding") == finding.finding_id]
    assert done["verdict"] == assessed["verdict"]


def test_a_changed_finding_is_refused(assessed, exported, tmp_path):
    folder = exported.owner.home / "findings" / assessed["finding_id"]
    raw = (folder / "finding.json").read_bytes()
    changed = tmp_path / "finding.json"
    changed.write_bytes(raw.replace(b"A", b"B", 1))
    with pytest.raises(IntegrityError):
        read_finding(changed, signer=None)


def test_the_page_stands_alone(assessed, exported):
    path = exported.owner.home / "findings" / assessed["finding_id"] / "report.html"
    page = without_pictures(path.read_text())
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    for words in ("What somebody gets", "Proved, not measured", "What was not tested"):
        assert words in page


def _facts(owner, target):
    session = Session(owner.home, "tester", owner.home, TerminalProgress())
    with opened(session) as workspace:
        there = open_cipherset(target)
        gateway = open_gateway(workspace, there.manifest.cipherset_id, there.manifest)
        return latest(workspace, gateway, there)


def test_facts_for_the_gate_and_when_they_go_stale(assessed, exported, changed):
    facts = _facts(exported.owner, exported.cipherset)
    assert facts is not None
    assert facts.verdict.value == assessed["verdict"]
    assert facts.stale == ()
    assert facts.reid == max(
        line["excess_ci"][1] for line in assessed["attacks"] if "excess_ci" in line
    )
    (minimizer,) = (changed.owner.home / "minimizers").iterdir()
    minimizer.write_bytes(minimizer.read_bytes())  # the same bytes: still fresh
    assert _facts(changed.owner, changed.cipherset).stale == ()


def test_an_unprotected_export_is_not_protective(owner, tmp_path):
    source = write_rows(tmp_path / "rows.parquet", vector_rows(n=600, dim=24, spread=1.0))
    columns = ("--vector", "vec", "--label", "topic", "--key", "support")
    wide = ("--minimize", "none", "--approximation-factor", "0.1", "--accept-risk", "a test")
    target = tmp_path / "wide.cipherset"
    owner.ok("protect", source, *columns, "--to", target, *wide)
    found = owner.ok("assess", target, "--pairs", "300")
    assert found["verdict"] == Verdict.NOT_PROTECTIVE.value
    assert found["n_star"] is not None
    assert found["n_star"] <= 100
    stolen = [line for line in found["attacks"] if line["knowledge"] == "K4" and "excess" in line]
    assert stolen[0]["excess"] > 0.95


@pytest.mark.attack
def test_words_are_attacked_where_the_records_are_given(owner, tmp_path, minilm):
    source = write_rows(tmp_path / "texts.csv", text_rows(n=240))
    target = tmp_path / "texts.cipherset"
    columns = ("--text", "body", "--label", "topic", "--key", "support")
    settings = ("--minimize", "none", "--approximation-factor", "1", "--accept-risk", "a test")
    owner.ok("protect", source, *columns, "--to", target, *settings)
    found = owner.ok("assess", target, "--records", source, "--samples", "--pairs", "50")
    metrics = {line["metric"]: line for line in found["attacks"]}
    assert metrics["token_f1"]["value"] > metrics["token_f1"]["chance"]
    folder = owner.home / "findings" / found["finding_id"]
    private = (folder / "samples.html").read_text()
    assert "Private" in private
    assert "parcel" in private
    assert (folder / "samples.html").stat().st_mode & 0o077 == 0
    for shared in ("finding.json", "report.html"):
        assert "refund" not in (folder / shared).read_text().replace("topic", "")


def test_refusals(exported, tmp_path):
    owner = exported.owner
    wrong = owner.run("assess", exported.cipherset, "--samples")
    assert (wrong.code, wrong.error["code"]) == (2, "records_needed")
    missing = owner.run("assess", tmp_path / "nothing")
    assert missing.code == 4
    other = write_rows(tmp_path / "other.parquet", vector_rows(n=50, seed=5))
    vectors = owner.run("assess", exported.cipherset, "--records", other)
    assert (vectors.code, vectors.error["code"]) == (4, "records_text")


def test_a_stranger_cannot_assess(exported, stranger):
    refused = stranger.run("assess", exported.cipherset)
    assert refused.code == 5


def test_a_lost_sealed_part(changed):
    (changed.owner.home / "minimizers").iterdir().__next__().unlink()
    refused = changed.owner.run("assess", changed.cipherset)
    assert (refused.code, refused.error["code"]) == (5, "sealed_missing")
    assert json.loads(changed.owner.events("assess")[-1].body)["code"] == "sealed_missing"


def test_too_few_rows(owner, tmp_path):
    source = write_rows(tmp_path / "few.parquet", vector_rows(n=60))
    target = tmp_path / "few.cipherset"
    columns = ("--vector", "vec", "--label", "topic", "--key", "support")
    settings = ("--minimize", "lda:2", "--approximation-factor", "4", "--accept-risk", "a test")
    owner.ok("protect", source, *columns, "--to", target, *settings)
    refused = owner.run("assess", target)
    assert (refused.code, refused.error["code"]) == (3, "assess_rows")


@pytest.fixture
def protected(owner, tmp_path):
    """Make an export of given rows with given settings, and assess it."""

    def run(rows, *settings, options=()):
        source = write_rows(tmp_path / "given.parquet", rows)
        target = tmp_path / "given.cipherset"
        owner.ok(
            "protect", source, "--vector", "vec", "--key", "support", "--to", target, *settings
        )
        return owner.ok("assess", target, "--pairs", "60", *options)

    return run


ACCEPTED = ("--accept-risk", "a test")


def test_an_export_with_gaussian_noise(protected):
    settings = ("--label", "topic", "--minimize", "lda:2", "--noise", "gaussian:8,1e-6")
    found = protected(vector_rows(n=500), *settings, *ACCEPTED)
    assert found["proved"]["noise"] == "gaussian"
    assert {"K1", "K2", "K4"} <= {line["knowledge"] for line in found["attacks"]}


def test_labels_that_are_whole_floats(protected):
    rows = [row | {"stars": float(row["topic"][-1]) + 1.0} for row in vector_rows(n=500)]
    settings = ("--label", "stars", "--minimize", "lda:2", "--approximation-factor", "4")
    found = protected(rows, *settings, *ACCEPTED)
    assert any(line["knowledge"] == "K5" for line in found["attacks"])


@pytest.mark.soak
def test_numeric_labels(protected):
    settings = ("--label", "price", "--minimize", "pls:2", "--approximation-factor", "4")
    found = protected(vector_rows(n=500), *settings, *ACCEPTED)
    assert any("needs classes" in missing for missing in found["not_run"])


def test_no_more_pairs_than_asked_for(protected):
    settings = ("--label", "topic", "--minimize", "lda:2", "--approximation-factor", "4")
    found = protected(vector_rows(n=500), *settings, *ACCEPTED)
    assert found["pairs_tested"] == 60
    given = [line["given"] for line in found["attacks"] if line["knowledge"] == "K2"]
    assert {int(text.split()[0]) for text in given} == {10, 60}


def test_a_group_too_large_for_the_victims(protected):
    rows = [row | {"thread": "all" if i % 3 else f"t{i}"} for i, row in enumerate(vector_rows(900))]
    settings = ("--label", "topic", "--group", "thread", "--minimize", "lda:2")
    found = protected(rows, *settings, "--approximation-factor", "4", *ACCEPTED)
    assert all(line["n"] > 0 for line in found["attacks"])


def test_a_newer_finding_cannot_be_taken_away(assessed, exported, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(exported.owner.folder, folder)
    copy = Owner(folder)
    for finding in (copy.home / "findings").iterdir():
        (finding / "finding.json").unlink()
    with pytest.raises(IntegrityError) as refused:
        _facts(copy, folder / "rows.cipherset")
    assert refused.value.code == "finding_lost"


def test_a_finding_of_another_version(exported, tmp_path):
    session = Session(exported.owner.home, "tester", exported.owner.home, TerminalProgress())
    with opened(session) as workspace:
        signer = workspace.ring.signer()
    payload = canonical.encode({"schema": "x", "signer": {"public_key": public_key_of(signer)}})
    path = tmp_path / "finding.json"
    path.write_bytes(sign(payload, FINDING_TYPE, signer))
    with pytest.raises(IntegrityError) as refused:
        read_finding(path, signer=None)
    assert refused.value.code == "finding_schema"


def test_public_vectors_of_another_width(changed, tmp_path):
    other = write_rows(tmp_path / "other.parquet", vector_rows(n=200, dim=6))
    refused = changed.owner.run("assess", changed.cipherset, "--public", other)
    assert (refused.code, refused.error["code"]) == (4, "dimension")


def test_public_vectors_and_labels(changed, tmp_path):
    other = write_rows(tmp_path / "other.parquet", vector_rows(n=300, seed=3))
    found = changed.owner.ok("assess", changed.cipherset, "--public", other)
    assert any("300 public texts and their labels" in line["given"] for line in found["attacks"])
    strange = [row | {"topic": "none of them"} for row in vector_rows(n=300, seed=3)]
    without = write_rows(tmp_path / "strange.parquet", strange)
    found = changed.owner.ok("assess", changed.cipherset, "--public", without)
    assert any(missing.startswith("class centroids") for missing in found["not_run"])


def test_public_labels_that_are_no_numbers(owner, tmp_path):
    source = write_rows(tmp_path / "rows.parquet", vector_rows(n=300))
    target = tmp_path / "rows.cipherset"
    columns = ("--vector", "vec", "--label", "price", "--key", "support")
    settings = ("--minimize", "pls:2", "--approximation-factor", "4", *ACCEPTED)
    owner.ok("protect", source, *columns, "--to", target, *settings)
    words = [row | {"price": "dear"} for row in vector_rows(n=300, seed=1)]
    public = write_rows(tmp_path / "public.parquet", words)
    refused = owner.run("assess", target, "--public", public)
    assert (refused.code, refused.error["code"]) == (4, "public_labels")


def test_other_records_than_those_protected(owner, tmp_path, minilm):
    source = write_rows(tmp_path / "texts.csv", text_rows(n=120))
    target = tmp_path / "texts.cipherset"
    columns = ("--text", "body", "--label", "topic", "--key", "support")
    settings = ("--minimize", "none", "--approximation-factor", "1", *ACCEPTED)
    owner.ok("protect", source, *columns, "--to", target, *settings)
    other = write_rows(tmp_path / "other.csv", text_rows(n=120, seed=1))
    refused = owner.run("assess", target, "--records", other)
    assert (refused.code, refused.error["code"]) == (4, "records_differ")


@pytest.mark.attack
def test_full(changed):
    found = changed.owner.ok("assess", changed.cipherset, "--full")
    names = {line["name"] for line in found["attacks"]}
    assert {"model copied from its answers", "class means from the model alone"} <= names
    assert len(found["pair_curve"]) > 2

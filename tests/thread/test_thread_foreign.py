"""``assess`` of a file of vectors that were encrypted elsewhere: no key, no scheme, public text."""

import itertools
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from thread_samples import Owner, cipherset, without_pictures, write_rows

from cipherset.app.calibration.permutation import PermutationScheme
from cipherset.app.encoders import DEFAULT_ENCODER, open_encoder
from cipherset.interfaces.cli.settings import cache

CONTRACT = {"name", "knowledge", "metric", "value", "ci", "chance", "unprotected"}
KEYS = {"attacks", "objectives", "n_star", "verdict", "controls", "reasons", "rows", "dim"}
KINDS = {
    "parcel": ("parcel", "letter", "crate of wine", "bicycle", "sofa", "violin", "mirror"),
    "account": ("password", "invoice", "refund", "gift card", "subscription", "login", "receipt"),
}
TROUBLES = {
    "parcel": ("never arrived in", "came broken to", "is stuck at customs in", "went back from"),
    "account": ("was rejected in", "was charged twice in", "disappeared in", "is still wrong in"),
}
PLACES = ("Lisbon", "a village near Oslo", "Chicago", "my hotel", "the office", "Nairobi", "Kyoto")
ENDINGS = ("what now?", "this is the third time", "please call me", "I leave on Friday")


def texts() -> list[tuple[str, str]]:
    """Text and topic; no two alike, in an order of their own."""
    made = [
        (f"the {thing} {trouble} {place}, {ending}", kind)
        for kind in KINDS
        for thing, trouble, place, ending in itertools.product(
            KINDS[kind], TROUBLES[kind], PLACES, ENDINGS
        )
    ]
    return [made[i] for i in np.random.default_rng(0).permutation(len(made))]


@dataclass(frozen=True)
class There:
    """Public text, the records in private hands, and their vectors."""

    owner: Owner
    x: np.ndarray
    kinds: list[str]

    def write(self, name: str, c: np.ndarray) -> Path:
        path = self.owner.folder / name
        columns = {"vector": list(c.astype(np.float32)), "kind": self.kinds[: len(c)]}
        pq.write_table(pa.table(columns), path)
        return path

    def options(self, *, scored: bool) -> tuple[object, ...]:
        public = ("--public", self.owner.folder / "public.jsonl", "--text", "body")
        return (*public, "--records", self.owner.folder / "records.csv") if scored else public

    def assess(self, path: Path, *more: object, scored: bool = True):
        return self.owner.ok("assess", path, *self.options(scored=scored), *more)

    def assess_from_afar(self, path: Path, folder: Path):
        """With public text of another kind."""
        far = [
            {"body": f"theorem {i}: {i * i} is the square of {i}, base {i % 7}"} for i in range(150)
        ]
        public = ("--public", write_rows(folder / "far.jsonl", far), "--text", "body")
        return self.owner.ok("assess", path, *public, *self.options(scored=True)[-2:])

    def refused(self, path: Path, *more: object, scored: bool = True):
        done = self.owner.run("assess", path, *self.options(scored=scored), *more)
        return done.code, done.error["code"]


@pytest.fixture(scope="module")
def there(tmp_path_factory, minilm) -> There:
    owner = Owner(tmp_path_factory.mktemp("elsewhere"))
    made = texts()[:640]
    public, records = made[:240], made[240:]
    write_rows(
        owner.folder / "public.jsonl", [{"body": text, "kind": kind} for text, kind in public]
    )
    write_rows(owner.folder / "records.csv", [{"body": text} for text, _ in records])
    x = open_encoder(DEFAULT_ENCODER, cache()).encode([text for text, _ in records])
    return There(owner, x, [kind for _, kind in records])


def permuted(x: np.ndarray, factor: float) -> np.ndarray:
    rng = np.random.default_rng(1)
    return PermutationScheme.drawn(x.shape[1], factor, rng).encrypt(x, rng)


def rotated(x: np.ndarray, factor: float) -> np.ndarray:
    """Scale, a Haar-distributed rotation, noise uniform in a ball of radius factor / 4."""
    rng = np.random.default_rng(2)
    q, r = np.linalg.qr(rng.standard_normal((x.shape[1], x.shape[1])))
    noise = rng.standard_normal(x.shape)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    noise *= factor / 4 * rng.random((len(x), 1)) ** (1 / x.shape[1])
    return 1.4 * (x @ (q * np.sign(np.diag(r))) + noise)


def excess(found, knowledge: str) -> list[float]:
    return [
        line["excess"]
        for line in found["attacks"]
        if line["knowledge"] == knowledge and "excess" in line
    ]


@pytest.fixture(scope="module")
def opened(there):
    """A permutation at factor 2.5, with a page."""
    path = there.write("perm.parquet", permuted(there.x, 2.5))
    return there.assess(path, "--to", there.owner.folder / "page")


def test_a_permutation_is_not_protective_without_a_pair(opened):
    assert opened["verdict"] == "not protective"
    assert max(excess(opened, "K1")) > 0.9
    assert opened["objectives"]["coordinates matched by moments and covariance"] > 0.9
    assert opened["n_star"] is not None
    assert opened["n_star"] <= 50
    assert all(control["holds"] for control in opened["controls"]), opened["controls"]


def test_it_prints_what_the_contract_says(opened):
    assert set(opened) >= KEYS
    assert (opened["rows"], opened["dim"]) == (400, 384)
    for line in opened["attacks"]:
        assert set(line) >= CONTRACT
        assert line["ci"][0] <= line["value"] <= line["ci"][1]
        assert line["unprotected"] > 0.9


def test_the_page_stands_alone(opened, there):
    folder = there.owner.folder / "page"
    assert sorted(path.name for path in folder.iterdir()) == ["assessment.json", "report.html"]
    assert json.loads((folder / "assessment.json").read_text())["verdict"] == "not protective"
    page = without_pictures((folder / "report.html").read_text())
    assert "<script" not in page
    assert "http" not in page
    assert "Not protective" in page
    assert "a low one no assurance" in page
    assert "violin" not in page


def test_the_ledger_knows(opened, there):
    bodies = [json.loads(event.body) for event in there.owner.events("assess")]
    assert bodies[0]["foreign"] is True
    assert "not protective" in {body.get("verdict") for body in bodies}


def test_a_folder_that_is_there(opened, there, tmp_path):
    path = there.owner.folder / "perm.parquet"
    assert there.refused(path, "--to", there.owner.folder / "page") == (2, "target_exists")
    (tmp_path / "mine").mkdir()
    assert there.refused(path, "--to", tmp_path / "mine", "--force") == (2, "target_not_ours")
    assert there.refused(path, "--to", tmp_path / "no" / "folder") == (2, "target_parent")


def test_a_page_is_overwritten_where_asked_for(opened, there):
    target = there.owner.folder / "another"
    shutil.copytree(there.owner.folder / "page", target)
    path = there.write("small.parquet", permuted(there.x[:150], 1.0))
    found = there.assess(path, "--to", target, "--force", scored=False)
    assert found["verdict"] == "inconclusive"
    assert json.loads((target / "assessment.json").read_text())["rows"] == 150
    assert "no guess can be scored" in (target / "report.html").read_text()
    shown = cipherset("assess", path, *there.options(scored=False), "--home", there.owner.home)
    assert shown.code == 0
    assert shown.out.startswith("inconclusive: small.parquet")
    assert "the attacker's own objective" in shown.out


def test_without_records_nothing_is_decided(opened, there):
    found = there.assess(there.owner.folder / "perm.parquet", scored=False)
    assert found["verdict"] == "inconclusive"
    assert found["attacks"] == []
    assert found["n_star"] is None
    assert found["pairs_tested"] == 0
    assert any("a warning" in reason for reason in found["reasons"])


@pytest.mark.attack
def test_without_records_noise_alarms_nobody(there):
    noise = there.write("noise.parquet", np.random.default_rng(3).normal(size=there.x.shape))
    quiet = there.assess(noise, scored=False)
    assert max(quiet["objectives"].values()) < 0.5
    assert any("no assurance" in reason for reason in quiet["reasons"])


def test_random_numbers_are_never_not_protective(there):
    rng = np.random.default_rng(4)
    found = there.assess(there.write("random.parquet", rng.normal(size=there.x.shape)))
    assert found["verdict"] in {"within limit", "inconclusive"}
    assert found["n_star"] is None
    assert max(excess(found, "K1") + excess(found, "K2")) < 0.05


@pytest.mark.attack
def test_a_plain_copy_is_not_protective_whatever_the_public_text(there, tmp_path):
    path = there.write("plain.parquet", there.x)
    assert there.assess(path)["verdict"] == "not protective"
    found = there.assess_from_afar(path, tmp_path)
    assert found["verdict"] == "not protective"


@pytest.mark.attack
def test_public_text_from_elsewhere_is_never_a_pass(there, tmp_path):
    path = there.write("far.parquet", rotated(there.x, 16.0))
    found = there.assess_from_afar(path, tmp_path)
    assert found["verdict"] == "inconclusive"
    assert [c["name"][:13] for c in found["controls"] if not c["holds"]] == ["a permutation"]


@pytest.mark.attack
def test_a_rotation_with_heavy_noise_is_not_found(there):
    found = there.assess(there.write("rotated.parquet", rotated(there.x, 16.0)))
    assert found["verdict"] in {"within limit", "inconclusive"}
    assert max(excess(found, "K1")) < 0.05


@pytest.mark.attack
def test_clear_labels_help_the_attacker_and_are_counted(there):
    path = there.write("labeled.parquet", permuted(there.x, 2.5))
    found = there.assess(path, "--label", "kind")
    assert "class centroids as pairs" in found["objectives"]
    line = next(one for one in found["attacks"] if one["metric"] == "reid_rank1_in_class")
    everywhere = next(one for one in found["attacks"] if one["metric"] == "reid_rank1")
    assert line["chance"] > everywhere["chance"]
    assert found["verdict"] == "not protective"


@pytest.mark.attack
@pytest.mark.parametrize("size", [1e-15, 1e15])
def test_the_scale_of_the_file_is_no_secret(there, size):
    found = there.assess(there.write("scaled.parquet", size * permuted(there.x, 2.5)))
    assert found["verdict"] == "not protective"


def test_a_file_that_is_not_there_is_said_before_anything_is_asked_for(owner):
    for options in ((), ("--full",)):
        done = owner.run("assess", owner.folder / "missing.csv", *options)
        assert (done.code, done.error["code"]) == (4, "source_missing")


def test_options_of_the_other_form(there, tmp_path):
    path = there.write("some.parquet", there.x[:120])
    for option in (("--full",), ("--pairs", "5"), ("--samples",), ("--attribute", "kind")):
        assert there.refused(path, *option) == (2, "assess_option")
    done = there.owner.run("assess", path, "--records", path)
    assert (done.code, done.error["code"]) == (2, "public_needed")
    done = there.owner.run("assess", path, "--public", path)
    assert (done.code, done.error["code"]) == (2, "public_needed")
    (tmp_path / "some.cipherset").mkdir()
    for option in (
        *(("--vector", "v"), ("--encoder", "x"), ("--max-reid", "0"), ("--to", "x")),
        ("--force",),
    ):
        done = there.owner.run("assess", tmp_path / "some.cipherset", *option)
        assert (done.code, done.error["code"]) == (2, "assess_option")
        assert option[0] in done.error["message"]


def test_files_that_do_not_fit(there, tmp_path):
    few = there.write("few.parquet", there.x[:99])
    assert there.refused(few, scored=False) == (4, "assess_few_rows")
    same = there.write("same.parquet", np.zeros((150, 384)))
    assert there.refused(same, scored=False) == (4, "assess_few_rows")
    short = there.write("short.parquet", there.x[:120])
    assert there.refused(short) == (4, "records_length")
    narrow = there.write("narrow.parquet", there.x[:120, :100])
    assert there.refused(narrow, scored=False) == (4, "dimension")
    assert there.refused(short, "--vector", "vec", scored=False) == (4, "column_missing")
    assert there.refused(short, "--label", "topic", scored=False) == (4, "column_missing")
    assert there.refused(tmp_path / "none.parquet", scored=False) == (4, "source_missing")
    (tmp_path / "vectors.npy").write_bytes(b"")
    assert there.refused(tmp_path / "vectors.npy", scored=False) == (4, "source_kind")


def test_too_little_text(there, tmp_path):
    path = there.write("alike.parquet", there.x[:120])
    few = write_rows(tmp_path / "few.jsonl", [{"body": "a text"}] * 50)
    done = there.owner.run("assess", path, "--public", few, "--text", "body")
    assert (done.code, done.error["code"]) == (4, "assess_few_rows")
    assert "public texts" in done.error["message"]
    alike = write_rows(tmp_path / "alike.jsonl", [{"body": "One text"}, {"body": "one  text"}] * 60)
    public = there.options(scored=False)
    done = there.owner.run("assess", path, *public, "--records", alike)
    assert (done.code, done.error["code"]) == (4, "assess_few_rows")
    assert "1 different records" in done.error["message"]


def test_an_encoder_that_is_not_there(there):
    path = there.write("other.parquet", there.x[:120])
    done = there.owner.run("assess", path, *there.options(scored=False), "--encoder", "nothing")
    assert done.code in {2, 4, 6}

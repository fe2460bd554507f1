"""``calibrate`` on the command line."""

import pytest
from thread_samples import cipherset, vector_rows, write_rows

KEYS = {"minimizer", "scheme", "approximation_factor", "utility", "gain", "reid"}


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calibrated")
    source = write_rows(folder / "rows.parquet", vector_rows(n=900, dim=40, spread=0.9))
    done = cipherset(
        *("calibrate", source, "--vector", "vec", "--label", "topic", "--max-reid", "0.3"),
        *("--to", folder / "frontier", "--home", folder / "home", "--json"),
    )
    assert done.code == 0, done.err
    return folder, source, done.json


def test_it_prints_what_the_contract_says(calibrated):
    folder, _, found = calibrated
    assert found["plain"] > 0.8
    for point in found["frontier"]:
        assert set(point) >= KEYS
    schemes = {point["scheme"] for point in found["frontier"]}
    assert schemes == {"rsap/1", "sap-perm"}
    assert any(point["minimizer"] == "none" for point in found["frontier"])
    page = (folder / "frontier" / "report.html").read_text()
    assert "<script" not in page
    assert "for comparison, not offered" in page


def test_what_is_recommended_keeps_the_limit_and_is_ours(calibrated):
    found = calibrated[2]
    best = found["recommended"]
    assert best["scheme"] == "rsap/1"
    assert best["reid_ci"][1] <= 0.3
    allowed = [p for p in found["frontier"] if p["offered"] and p["reid_ci"][1] <= 0.3]
    assert best["utility"] >= max(p["utility"] for p in allowed) - 0.01


def test_a_permutation_leaks_and_is_never_recommended(calibrated):
    found = calibrated[2]
    weak = [p for p in found["frontier"] if p["scheme"] == "sap-perm"]
    assert max(p["reid"] for p in weak) > 0.9
    for name in ("recommended", "safest", "knee"):
        assert found[name] is None or found[name]["offered"]


@pytest.mark.soak
def test_the_same_seed_gives_the_same_frontier(calibrated, tmp_path):
    _, source, found = calibrated
    again = cipherset(
        *("calibrate", source, "--vector", "vec", "--label", "topic", "--max-reid", "0.3"),
        *("--to", tmp_path / "again", "--home", tmp_path / "home", "--json"),
    ).json
    assert again["frontier"] == found["frontier"]
    assert again["recommended"] == found["recommended"]


@pytest.mark.soak
def test_more_classes_than_dimensions(tmp_path):
    source = write_rows(
        tmp_path / "rows.parquet", vector_rows(n=700, dim=8, classes=20, spread=0.2)
    )
    done = cipherset(
        *("calibrate", source, "--vector", "vec", "--label", "topic", "--max-reid", "0.5"),
        *("--to", tmp_path / "frontier", "--home", tmp_path / "home", "--json"),
    )
    assert done.code == 0, done.err
    assert {p["minimizer"] for p in done.json["frontier"]} >= {"bottleneck:8", "none"}


def test_a_password_is_not_recorded(tmp_path):
    url = "postgresql://user:SEKRET99@host/base#table"
    columns = ("--text", "body", "--label", "topic", "--to", tmp_path / "x")
    refused = cipherset("calibrate", url, *columns, "--home", tmp_path / "home", "--json")
    assert (refused.code, refused.error["code"]) == (4, "source_kind")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_no_setting_satisfies_both(tmp_path):
    source = write_rows(tmp_path / "rows.parquet", vector_rows(n=300, dim=16, spread=0.9))
    done = cipherset(
        *("calibrate", source, "--vector", "vec", "--label", "topic", "--max-reid", "0.001"),
        *("--to", tmp_path / "frontier", "--home", tmp_path / "home", "--json"),
    )
    assert done.code == 0, done.err
    assert done.json["recommended"] is None
    assert "no setting" in done.json["in_words"]


def test_refusals(calibrated, tmp_path):
    folder, source, _ = calibrated
    columns = ("--vector", "vec", "--label", "topic")
    home = ("--home", tmp_path / "home", "--json")
    there = cipherset("calibrate", source, *columns, "--to", folder / "frontier", *home)
    assert (there.code, there.error["code"]) == (2, "target_exists")
    both = cipherset("calibrate", source, *columns, "--text", "a", "--to", tmp_path / "x", *home)
    assert (both.code, both.error["code"]) == (2, "usage")
    limit = cipherset(
        "calibrate", source, *columns, "--max-reid", "1.5", "--to", tmp_path / "x", *home
    )
    assert (limit.code, limit.error["code"]) == (2, "usage")

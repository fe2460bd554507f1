"""A part of docs/evidence.json, measured anew on data that every machine can get.

Keys and noise are fresh, so a rate may differ from the committed one by three binomial standard
errors of its rows and one point: beyond that, either the code or the file has changed.
"""

import json
import re
import sys
import tempfile
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

from cipherset.interfaces.cli.settings import cache

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import reviews

pytestmark = pytest.mark.attack
FILE = Path(__file__).parents[2] / "docs" / "evidence.json"
COMMITTED = json.loads(FILE.read_text(encoding="utf-8"))
N_CANDIDATES, N_TEST, N_COORDINATES = 2000, 1500, 384


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Vectors made anew: benchmarks keep theirs in the folder for temporary files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("vectors")))
        return reviews.read(cache())


@pytest.fixture(scope="module")
def attacks(data):
    rest = data.vectors[reviews.N_PUBLIC :]
    with threadpool_limits(1):
        return reviews.attacks(rest[: reviews.N_ENCRYPTED], data.vectors[: reviews.N_PUBLIC])


@pytest.fixture(scope="module")
def exports(data):
    with threadpool_limits(1):
        return reviews.exports(data)


def rows(table, n_keys):
    """Rows by their first cells, each with its other cells by column."""
    header = table["header"]
    return {
        tuple(row[:n_keys]): dict(zip(header[n_keys:], row[n_keys:], strict=True))
        for row in table["rows"]
    }


def pairs(table, n_keys):
    """Each row as committed and as measured."""
    committed, measured = COMMITTED[table.name], {"header": table.header, "rows": table.rows}
    assert committed["header"] == list(table.header)
    old, new = rows(committed, n_keys), rows(measured, n_keys)
    assert list(old) == list(new)
    return [(key, old[key], new[key]) for key in old]


def rate(cell):
    return float(cell.rstrip("%")) / (100 if cell.endswith("%") else 1)


def same(old, new, n):
    spread = max(p * (1 - p) for p in (old, new, 1 / n))
    return abs(old - new) <= 3 * (spread / n) ** 0.5 + 0.01


def test_attacks_get_what_the_file_says(attacks):
    for key, old, new in pairs(attacks, 3):
        assert same(rate(old["re-id"]), rate(new["re-id"]), N_CANDIDATES), key
        if old["recovered"]:
            assert same(rate(old["recovered"]), rate(new["recovered"]), N_COORDINATES), key


def test_what_must_be_broken_is_and_what_must_not_is_not(attacks):
    found = {key: new for key, _, new in pairs(attacks, 3)}
    for beta in ("2.5", "5"):
        assert rate(found["permutation", beta, "0"]["recovered"]) > 0.97
    assert rate(found["rotation", "2", "0"]["re-id"]) < 0.1
    assert rate(found["rotation", "2", "0"]["its own objective"]) < 0.3
    assert rate(found["rotation", "2", "200"]["re-id"]) > 0.85


def test_exports_are_worth_and_leak_what_the_file_says(exports):
    for (name,), old, new in pairs(exports, 1):
        for column in ("plain", "on the export", "owner's head", "anchor control"):
            assert same(rate(old[column]), rate(new[column]), N_TEST), (name, column)
        column = "re-id excess, %"
        assert same(rate(old[column]) / 100, rate(new[column]) / 100, N_TEST), name


def test_a_minimized_export_adds_nothing_and_hides_the_rows(exports):
    plain, minimized = (new for _, _, new in pairs(exports, 1))
    low, high = map(
        float, re.search(r"\((\S+) to (\S+)\)", minimized["gain, points (95 %)"]).groups()
    )
    assert low <= 0 <= high
    assert rate(minimized["re-id excess, %"]) < 1
    assert rate(plain["re-id excess, %"]) > 95


@pytest.mark.parametrize(("old", "new", "is_same"), [(0.5, 0.54, True), (0.5, 0.56, False)])
def test_the_tolerance_lets_chance_through_and_nothing_else(old, new, is_same):
    assert same(old, new, N_CANDIDATES) == is_same

"""``view risk`` and ``view exposure`` as they are typed: JSON, tables, and what is refused."""

import sys
from pathlib import Path

import pytest
import sight_thread

sys.path.append(str(Path(__file__).parents[1] / "thread"))

from thread_samples import cipherset


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    return sight_thread.owner(tmp_path_factory.mktemp("risk-commands"))


@pytest.fixture
def view(owner):
    def run(*args):
        return cipherset("view", *args, "--home", owner.folder / "home", "--as", "ada")

    return run


def test_risk_as_json(view):
    found = view("risk", "--json").json
    assert (len(found["assets"]), found["total"]) == (4, 4)
    scores = [each["score"] for each in found["assets"]]
    assert scores == sorted(scores, reverse=True)
    top = found["assets"][0]
    assert {part["name"] for part in top["parts"]} == {
        *("attack", "reach", "exposure", "guards", "label", "rows")
    }
    product = 100.0
    for part in top["parts"]:
        assert part["factor"] == pytest.approx(1 - part["weight"] * (1 - part["badness"]))
        product *= part["factor"]
    assert top["score"] == pytest.approx(product, abs=0.06)
    assert len(top["because"]) == 6
    assert all(change["score"] < top["score"] for change in top["lower"])


def test_the_top_and_all_of_it(view):
    assert len(view("risk", "--json", "--top", "1").json["assets"]) == 1
    assert len(view("risk", "--json", "--top", "1", "--all").json["assets"]) == 4


def test_risk_for_people(view):
    told = view("risk").out
    assert "no attack was measured of cipherset" in told
    assert "cipherset assess DIR" in told


def test_what_if_for_people_and_as_json(view):
    asset = view("risk", "--json").json["assets"][0]["id"]
    supposed = ("--if-grant", "export", asset, "--to", "eve")
    told = view("risk", *supposed, "--json").json
    assert told["if"] == {"principal": "eve", "action": "export", "asset": asset}
    assert (told["assets"], told["pairs"]) == ([], [])
    assert "nothing" in view("risk", *supposed).out
    role = view("risk", "--if-role", "eve", "scientist", "--json").json
    assert role["if"] == {"principal": "eve", "role": "scientist"}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--if-grant", "export", "x"), "risk_supposing"),
        (("--to", "eve"), "risk_supposing"),
        (
            ("--if-grant", "export", "x", "--to", "eve", "--if-role", "a", "reviewer"),
            "risk_supposing",
        ),
        (("--if-grant", "steal", "x", "--to", "eve"), "risk_word"),
        (("--if-role", "eve", "king"), "risk_word"),
        (("--if-grant", "export", "nowhere", "--to", "eve"), "asset_named"),
        (("--top", "0"), "usage"),
    ],
)
def test_what_cannot_be_supposed(view, options, code):
    done = view("risk", *options, "--json")
    assert (done.code, done.error["code"]) == (2, code)


def test_exposure_as_json_and_for_people(view):
    found = view("exposure", "--json").json
    (key,) = found["keys"]
    assert (key["name"], key["version"], key["exports"], key["rows"]) == ("support", 1, 1, 400)
    assert key["pairs"]["noisy"]["left"] == 0
    assert [each["rows"]["used"] for each in found["datasets"]] == [400]
    assert found["rows"] == [{"times": 1, "rows": 400}]
    told = view("exposure").out
    assert "not every export under it was assessed" in told
    assert "may read both sides" in told


def test_exposure_of_one_key(view):
    found = view("exposure", "support", "--json").json
    assert [each["name"] for each in found["keys"]] == ["support"]
    assert (found["models"], found["datasets"], found["rows"]) == ([], [], [])
    done = view("exposure", "nobody", "--json")
    assert (done.code, done.error["code"]) == (5, "key_unknown")


def test_an_empty_workspace(tmp_path):
    home = tmp_path / "home"
    assert cipherset("view", "risk", "--home", home, "--json").json["assets"] == []
    assert "nothing is here yet" in " ".join(cipherset("view", "risk", "--home", home).out.split())
    assert cipherset("view", "exposure", "--home", home, "--json").json["keys"] == []
    assert cipherset("view", "exposure", "--home", home).out

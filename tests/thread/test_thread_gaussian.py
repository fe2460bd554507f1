"""Gaussian noise through the command line: what it promises, on what conditions, and when not."""

import re

import numpy as np
import pytest
from thread_samples import Owner, cipherset, vector_rows, write_rows

import cipherset as package

BY_TOPIC = ("--vector", "vec", "--label", "topic")
MILD = ("--minimize", "lda:2", "--noise", "gaussian:4,1e-6", "--max-reid", "0.3")


def _ask(owner, key, *options, to=None):
    source = owner.folder / "rows.parquet"
    target = owner.folder / (to or f"{key}.cipherset")
    return ("protect", source, *BY_TOPIC, "--key", key, "--to", target, *options)


@pytest.fixture
def owner(tmp_path) -> Owner:
    owner = Owner(tmp_path)
    for name in ("one", "two", "three"):
        owner.key(name)
    rows = vector_rows(500)
    write_rows(owner.folder / "rows.parquet", [*rows, rows[0]])  # one of them twice
    return owner


def test_an_export_says_what_it_promises_and_on_what_conditions(owner):
    shown = owner.ok(*_ask(owner, "one", *MILD))
    promise = shown["privacy"]
    assert (shown["noise"], shown["approximation_factor"]) == ("gaussian", None)
    assert (promise["epsilon"], promise["delta"], promise["per"]) == (4.0, 1e-6, "exported row")
    assert promise["composed"] == {"exports": 1, "epsilon": 4.0, "delta": 1e-6}
    assert 2.3 < promise["sigma"] < 2.5
    assert promise["sensitivity"] == pytest.approx(2.0002, abs=1e-5)
    words = " ".join(promise["conditions"])
    for condition in ("minimizer", "labels", "settings", "public data", "randomized", "release"):
        assert condition in words
    found = owner.ok("inspect", owner.folder / "one.cipherset")["manifest"]
    assert (found["noise"], found["privacy"]) == ("gaussian", promise)
    text = cipherset("inspect", owner.folder / "one.cipherset", "--home", owner.home).out
    assert "4, 1e-06 per exported row" in text
    assert all(condition in text for condition in promise["conditions"])


def test_the_noise_that_left_is_as_wide_as_it_says(owner):
    shown = owner.ok(*_ask(owner, "one", *MILD))
    x, _ = package.open(owner.folder / "one.cipherset").to_numpy("train")
    scale = 1.5  # in [1, 2); rows are of norm 1, far below the noise
    assert x.std() == pytest.approx(scale * shown["privacy"]["sigma"], rel=0.45)


def test_copies_of_a_row_are_one_release(owner):
    owner.ok(*_ask(owner, "one", *MILD))
    data = package.open(owner.folder / "one.cipherset")
    x = np.concatenate([data.to_numpy(split)[0] for split in ("train", "test")])
    assert len(np.unique(x, axis=0)) == len(x) - 1 == 500


def test_its_model_is_evaluated_without_noise(owner):
    owner.ok(*_ask(owner, "one", *MILD))
    bundle = owner.folder / "a.bundle"
    owner.ok("train", owner.folder / "one.cipherset", "--to", bundle)
    assert owner.ok("evaluate", bundle, owner.folder / "one.cipherset")["accuracy"] > 0.6


def test_the_same_in_other_words_is_not_made_again(owner):
    first = owner.ok(*_ask(owner, "one", *MILD))
    words = ("--noise", "gaussian:4.0,0.000001", "--force")
    again = owner.ok(*_ask(owner, "one", *MILD, *words))
    assert again["repeated"] is True
    assert again["privacy"] == first["privacy"]


def test_exports_of_a_row_add_up(owner):
    owner.ok(*_ask(owner, "one", *MILD))
    second = owner.ok(*_ask(owner, "two", *MILD, "--noise", "gaussian:2,1e-6"))
    total = second["privacy"]["composed"]
    assert (second["privacy"]["epsilon"], total["exports"]) == (2.0, 2)
    assert 4.0 < total["epsilon"] < 6.0
    assert total["delta"] == pytest.approx(2e-6)
    manifest = owner.ok("inspect", owner.folder / "two.cipherset")["manifest"]
    assert manifest["privacy"]["composed"] == total


def test_beside_noise_in_a_ball_there_is_no_finite_epsilon(owner):
    ball = ("--minimize", "lda:2", "--approximation-factor", "8", "--max-reid", "0.3")
    shown = owner.run(*_ask(owner, "one", *ball))
    assert shown.json["privacy"] is None
    second = owner.ok(*_ask(owner, "two", *MILD))
    assert second["privacy"]["epsilon"] == 4.0
    assert second["privacy"]["composed"] == {"exports": 2, "epsilon": None, "delta": None}
    text = cipherset(*_ask(owner, "three", *MILD), "--home", owner.home).out
    assert "no finite epsilon (3 live)" in text


def test_no_epsilon_is_ever_said_of_the_ball(owner):
    ball = ("--minimize", "lda:2", "--approximation-factor", "8", "--max-reid", "0.3")
    shown = [
        owner.run(*_ask(owner, "one", *ball)),
        cipherset(*_ask(owner, "one", *ball, "--force"), "--home", owner.home),
        owner.run("inspect", owner.folder / "one.cipherset"),
        cipherset("inspect", owner.folder / "one.cipherset", "--home", owner.home),
    ]
    for done in shown:
        assert done.code == 0
        said = done.out.replace(str(owner.folder), "").lower()  # the folder is named by the test
        assert not {"epsilon", "delta"} & set(re.findall(r"[a-z]+", said))


def test_a_key_is_bound_to_its_noise(owner):
    owner.ok(*_ask(owner, "one", *MILD))
    for noise in (("--noise", "gaussian:5,1e-6"), ("--noise", "gaussian:4,1e-7"), ()):
        done = owner.run(*_ask(owner, "one", *MILD[:2], *noise, "--max-reid", "0.3", to="other"))
        assert (done.code, done.error["code"]) == (3, "minimizer_bound")
        assert "noise" in done.error["message"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--noise", "gaussian:4"), (4, "noise")),
        (("--noise", "gaussian:0,1e-6"), (4, "noise")),
        (("--noise", "gaussian:1,1"), (4, "noise")),
        (("--noise", "laplace:1"), (4, "noise")),
        (("--noise", "gaussian:4,1e-6", "--approximation-factor", "4"), (2, "usage")),
    ],
)
def test_nonsense_is_refused_before_a_row_is_read(owner, options, expected):
    done = owner.run(*_ask(owner, "one", *options))
    assert (done.code, done.error["code"]) == expected
    assert not (owner.folder / "one.cipherset").exists()


def test_what_is_measured_still_decides(owner):
    """A promise of next to nothing, on vectors with all that is in them and no class to hide in."""
    loud = ("--minimize", "none", "--noise", "gaussian:30,1e-6")
    source, target = owner.folder / "rows.parquet", owner.folder / "out"
    done = owner.run("protect", source, "--vector", "vec", "--key", "one", "--to", target, *loud)
    assert (done.code, done.error["code"]) == (3, "measured_risk")
    assert "lower epsilon" in done.error["hint"]
    assert not target.exists()


def test_it_chooses_the_minimizer_alone(owner):
    shown = owner.ok(*_ask(owner, "one", "--noise", "gaussian:4,1e-6", "--max-reid", "0.3"))
    assert shown["minimizer"].startswith("bottleneck:")
    assert shown["privacy"]["epsilon"] == 4.0


def test_without_labels_it_takes_what_it_is_given(owner):
    source, target = owner.folder / "rows.parquet", owner.folder / "out"
    options = ("--minimize", "pca:2", "--noise", "gaussian:4,1e-6", "--max-reid", "0.3")
    asked = ("protect", source, "--vector", "vec", "--key", "one", "--to", target, *options)
    assert owner.ok(*asked)["privacy"]["epsilon"] == 4.0

"""Releases with an epsilon of every row: minimizers, drawn rows, heads; and what is spent."""

import json

import numpy as np
import pytest
from thread_samples import Owner, cipherset, opened, vector_rows, write_rows

import cipherset as package
from cipherset.app.gateway import open_gateway
from cipherset.app.workspace import Session
from cipherset.custody.policy import BuiltIn, builtin
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.pipeline.train import load_bundle

BY_TOPIC = ("--vector", "vec", "--label", "topic")
SYNTHETIC = ("--release", "synthetic", "--epsilon", "3", "--delta", "1e-6")
MINIMIZER = ("--minimize", "dp-bottleneck:3,4,1e-6")
GAUSSIAN = ("--noise", "gaussian:4,1e-6", "--max-reid", "0.3")
RISK = ("--accept-risk", "a test")


def ask(owner, key, *options, source="rows.parquet"):
    target = owner.folder / f"{key}.cipherset"
    return ("protect", owner.folder / source, *BY_TOPIC, "--key", key, "--to", target, *options)


def owner_in(folder, n=1500):
    """An owner with two keys and so many rows."""
    owner = Owner(folder)
    for name in ("one", "two"):
        owner.key(name)
    write_rows(folder / "rows.parquet", vector_rows(n))
    return owner


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """An owner with one synthetic release, and what was printed; other keys come and go."""
    owner = owner_in(tmp_path_factory.mktemp("drawn"))
    return owner, owner.ok(*ask(owner, "one", *SYNTHETIC))


@pytest.fixture
def owner(tmp_path):
    return owner_in(tmp_path, 500)


def limited(owner, epsilon):
    """Policies under which each row has so much of epsilon."""
    folder = owner.folder / "own"
    folder.mkdir()
    for name, text in builtin.texts(BuiltIn.SOLO).items():
        (folder / name).write_text(text)
    limits = f"\n[budgets]\nepsilon = {epsilon}\n"
    (folder / "limits.toml").write_text(builtin.limits(BuiltIn.SOLO) + limits)
    owner.ok("policy", "activate", folder)


def spent(owner):
    [dataset] = owner.ok("view", "exposure")["datasets"]
    return dataset["epsilon"]["used"] / 1e6


# Drawn rows


def test_what_it_keeps_is_said_and_signed(drawn):
    owner, shown = drawn
    promise = shown["synthetic"]
    assert (promise["epsilon"], promise["delta"]) == (3.0, 1e-6)
    assert promise["per"] == "row of the source"
    manifest = owner.ok("inspect", owner.folder / "one.cipherset")["manifest"]
    assert manifest["synthetic"] == promise
    text = cipherset("inspect", owner.folder / "one.cipherset", "--home", owner.home).out
    assert "3, 1e-06 per row of the source" in text
    for words in ("its label", "n times epsilon", "models trained at the gate"):
        assert words in text


def test_nothing_that_was_measured_on_the_rows_is_in_it(drawn):
    owner, shown = drawn
    manifest = owner.ok("inspect", owner.folder / "one.cipherset")["manifest"]
    assert (manifest["assessment"], manifest["utility"], manifest["sanitizer"]) == ({}, {}, {})
    assert manifest["k_anonymity"] is None
    figures = shown["for_the_owner_alone"]
    assert figures["synthetic"] > 0.8
    assert str(figures["membership_auc"]) not in json.dumps(manifest)


def test_how_many_rows_there_are_is_told_with_noise(drawn):
    _, shown = drawn
    total = shown["rows"]["train"] + shown["rows"]["test"]
    assert abs(total - 0.75 * 1500) < 120


def test_no_row_of_it_is_known_at_home(drawn):
    """The ids of the source's rows, by which others are joined, stand in no file that left."""
    owner, _ = drawn
    data = package.open(owner.folder / "one.cipherset")
    x = np.concatenate([data.to_numpy(split)[0] for split in ("train", "test")])
    assert len(np.unique(x, axis=0)) == len(x)
    left = {row for split in ("train", "test") for row in data.to_arrow(split)["row"].to_pylist()}
    session = Session(owner.home, "tester", owner.home, TerminalProgress())
    with opened(session) as workspace:
        gateway = open_gateway(workspace, data.manifest.cipherset_id, data.manifest)
        kept = {row for table in gateway.export.rows.chunks() for row in table["row"].to_pylist()}
    assert len(kept) == 1500
    assert not kept & left


def test_its_model_answers_real_rows(drawn):
    owner, _ = drawn
    bundle, target = owner.folder / "a.bundle", owner.folder / "one.cipherset"
    text = cipherset("train", target, "--to", bundle, "--home", owner.home).out
    assert "measured on drawn rows" in text
    found = owner.ok("evaluate", bundle, target)
    assert found["accuracy"] > 0.8
    assert 280 < found["n"] < 470


def test_whoever_holds_everything_cannot_tell_who_was_in_it(drawn):
    _, shown = drawn
    figures = shown["for_the_owner_alone"]
    assert 0.4 < figures["membership_auc"] < 0.6
    assert figures["membership_at_1pct"] < 0.08


def test_there_is_no_row_to_find_again(drawn):
    owner, _ = drawn
    done = owner.run("assess", owner.folder / "one.cipherset")
    assert (done.code, done.error["code"]) == (2, "synthetic_release")


def test_a_key_has_one_release(drawn):
    owner, _ = drawn
    done = owner.run(*ask(owner, "one", *SYNTHETIC, "--force"))
    assert (done.code, done.error["code"]) == (3, "minimizer_bound")


@pytest.mark.soak
def test_it_is_shown_to_a_person(owner):
    text = cipherset(*ask(owner, "one", *SYNTHETIC), "--home", owner.home).out
    assert "all drawn" in text
    assert "for you alone" in text


@pytest.mark.soak
def test_too_few_rows_for_the_epsilon(owner):
    write_rows(owner.folder / "few.parquet", vector_rows(60))
    small = ("--release", "synthetic", "--epsilon", "0.1", "--delta", "1e-9")
    done = owner.run(*ask(owner, "one", *small, source="few.parquet"))
    assert (done.code, done.error["code"]) == (4, "private_classes")
    assert not (owner.folder / "one.cipherset").exists()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--release", "synthetic"), (2, "usage")),
        (("--epsilon", "3", "--delta", "1e-6"), (2, "usage")),
        (("--release", "synthetic", "--epsilon", "3"), (2, "usage")),
        (("--release", "synthetic", "--epsilon", "0", "--delta", "1e-6"), (4, "guarantee")),
        ((*SYNTHETIC, "--keep", "region"), (2, "usage")),
        ((*SYNTHETIC, "--group", "thread"), (2, "usage")),
        ((*SYNTHETIC, "--minimize", "lda:2"), (2, "usage")),
        ((*SYNTHETIC, "--approximation-factor", "4"), (2, "usage")),
        ((*SYNTHETIC, "--noise", "gaussian:1,1e-6"), (2, "usage")),
        ((*SYNTHETIC, "--fit-share", "0.5"), (2, "usage")),
        ((*SYNTHETIC, "--drop-suspects"), (2, "usage")),
        ((*MINIMIZER, "--approximation-factor", "4"), (2, "usage")),
        (("--minimize", "dp-bottleneck:3,99,1e-6", *GAUSSIAN), (4, "minimizer_epsilon")),
    ],
)
def test_what_contradicts_the_promise_is_refused(drawn, options, expected):
    owner, _ = drawn
    done = owner.run(*ask(owner, "two", *options))
    assert (done.code, done.error["code"]) == expected
    assert not (owner.folder / "two.cipherset").exists()


def test_it_needs_a_label_and_columns_that_were_not_chosen_by_looking(drawn):
    owner, _ = drawn
    source, target = owner.folder / "rows.parquet", owner.folder / "out"
    to = ("--key", "two", "--to", target, *SYNTHETIC)
    done = owner.run("protect", source, "--vector", "vec", *to)
    assert (done.code, done.error["code"]) == (2, "usage")
    done = owner.run("protect", source, "--text", "a", "--text", "b", "--label", "topic", *to)
    assert (done.code, done.error["code"]) == (2, "usage")
    assert "--all-fields" in done.error["hint"] + done.error["message"]


# A minimizer with an epsilon


@pytest.mark.soak
def test_a_private_minimizer_lifts_its_condition_and_is_counted(owner):
    promise = owner.ok(*ask(owner, "one", *MINIMIZER, *GAUSSIAN))["privacy"]
    assert promise["minimizer"] == {"epsilon": 4.0, "delta": 1e-6}
    assert promise["composed"] == {"exports": 1, "epsilon": 8.0, "delta": 2e-6}
    assert not promise["conditions"][0].startswith("given the minimizer")
    text = cipherset("inspect", owner.folder / "one.cipherset", "--home", owner.home).out
    assert "4, 1e-06 per row fitted on" in text
    assert spent(owner) == 8.0


@pytest.mark.soak
def test_in_other_words_it_is_the_same_minimizer(owner):
    owner.ok(*ask(owner, "one", *MINIMIZER, *GAUSSIAN))
    words = ("--minimize", "dp-bottleneck:3,4.0,0.000001", *GAUSSIAN, "--force")
    assert owner.ok(*ask(owner, "one", *words))["repeated"] is True
    more = ("--minimize", "dp-bottleneck:3,5,1e-6", *GAUSSIAN, "--force")
    other = owner.run(*ask(owner, "one", *more))
    assert (other.code, other.error["code"]) == (3, "minimizer_bound")


@pytest.mark.soak
def test_a_minimizer_is_paid_for_once(owner):
    owner.ok(*ask(owner, "one", *MINIMIZER, *GAUSSIAN))
    write_rows(owner.folder / "more.parquet", vector_rows(520)[500:] + vector_rows(500))
    target = owner.folder / "again.cipherset"
    again = ("protect", owner.folder / "more.parquet", *BY_TOPIC, "--key", "one", "--to", target)
    shown = owner.ok(*again, *MINIMIZER, *GAUSSIAN, *RISK)
    total = shown["privacy"]["composed"]
    assert total["exports"] == 2
    assert 8.0 < total["epsilon"] < 12.0
    sources = owner.ok("view", "exposure")["datasets"]
    assert sorted(each["epsilon"]["used"] for each in sources) == [4_000_000, 8_000_000]


@pytest.mark.soak
def test_numbers_have_no_private_bottleneck(owner):
    target = owner.folder / "out"
    asked = ("protect", owner.folder / "rows.parquet", "--vector", "vec", "--key", "one")
    priced = owner.run(*asked, "--label", "price", "--to", target, *MINIMIZER, *GAUSSIAN, *RISK)
    assert (priced.code, priced.error["code"]) == (4, "labels_numeric")
    unlabeled = owner.run(*asked, "--to", target, *MINIMIZER, *GAUSSIAN, *RISK)
    assert (unlabeled.code, unlabeled.error["code"]) == (4, "labels_needed")


# A head with an epsilon


@pytest.mark.soak
def test_a_head_keeps_what_its_bundle_says_and_tells_no_figure(owner):
    owner.ok(*ask(owner, "one", *MINIMIZER, *GAUSSIAN))
    target, head = owner.folder / "one.cipherset", owner.folder / "head.bundle"
    shown = owner.ok("train", target, "--to", head, "--at-gate", "--dp", "3,1e-6")
    assert (shown["privacy"]["epsilon"], shown["privacy"]["delta"]) == (3.0, 1e-6)
    assert (shown["metrics"], shown["lab_accuracy"]) == ({}, None)
    manifest = load_bundle(head).manifest
    assert manifest.privacy.per == "row trained on"
    assert owner.ok("evaluate", head, target)["accuracy"] > 0.6
    again = ("train", target, "--to", head, "--at-gate", "--dp", "3,1e-6", "--force")
    text = cipherset(*again, "--home", owner.home).out
    assert "3, 1e-06 per row trained on" in text
    assert spent(owner) == 8.0 + 3.0 + 3.0
    assert owner.ok("audit", "verify")["valid"]


@pytest.mark.soak
def test_a_head_for_two_classes(tmp_path):
    owner = Owner(tmp_path)
    owner.key("one")
    write_rows(tmp_path / "rows.parquet", vector_rows(500, classes=2))
    target = tmp_path / "one.cipherset"
    owner.ok(*ask(owner, "one", "--minimize", "lda:1", "--approximation-factor", "5", *RISK))
    owner.ok("train", target, "--to", tmp_path / "head", "--at-gate", "--dp", "3,1e-6")
    assert owner.ok("evaluate", tmp_path / "head", target)["accuracy"] > 0.6


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--dp", "3,1e-6"), (2, "usage")),
        (("--at-gate", "--dp", "3"), (4, "guarantee")),
        (("--at-gate", "--dp", "3,1e-6", "--model", "mlp"), (2, "private_model")),
    ],
)
def test_a_head_that_cannot_be(drawn, options, expected):
    owner, _ = drawn
    done = owner.run("train", owner.folder / "one.cipherset", "--to", owner.folder / "no", *options)
    assert (done.code, done.error["code"]) == expected
    assert not (owner.folder / "no").exists()


# What is spent is spent


@pytest.mark.soak
def test_a_row_has_so_much_and_no_more(owner):
    limited(owner, 10.0)
    owner.ok(*ask(owner, "one", *MINIMIZER, *GAUSSIAN))
    done = owner.run(*ask(owner, "two", *SYNTHETIC))
    assert (done.code, done.error["code"]) == (3, "budget")
    assert not (owner.folder / "two.cipherset").exists()
    head = ("train", owner.folder / "one.cipherset", "--to", owner.folder / "head", "--at-gate")
    done = owner.run(*head, "--dp", "3,1e-6")
    assert (done.code, done.error["code"]) == (3, "budget")
    assert not (owner.folder / "head").exists()
    owner.ok(*head, "--dp", "2,1e-6")
    assert spent(owner) == 10.0


@pytest.mark.soak
def test_a_drawn_release_is_counted_beside_an_export(owner):
    owner.ok(*ask(owner, "one", *SYNTHETIC))
    shown = owner.ok(*ask(owner, "two", *MINIMIZER, *GAUSSIAN))
    assert shown["joined_with"] == []
    assert shown["privacy"]["composed"]["exports"] == 2
    assert shown["privacy"]["composed"]["epsilon"] == pytest.approx(11.0)

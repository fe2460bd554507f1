"""Which columns, how much text and how many rows a label needs, on data made to need just that."""

import zlib
from pathlib import Path

import numpy as np
import pytest
from scan_rows import write_csv

from cipherset.app.fields.choose import (
    MARGIN,
    Verdict,
    choose_columns,
    measure_fields,
    verdict,
)
from cipherset.app.fields.rows import sample_rows
from cipherset.app.fields.trial import FOLDS, Trial, _folds, fit_plain
from cipherset.core.errors import InputError
from cipherset.core.manifest import Task
from cipherset.evidence.attack import Interval
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.pipeline.ingest import open_source
from cipherset.pipeline.sanitize import default_rules


class Bag:
    """An encoder of its own: the sum of a fixed random direction per word."""

    name, digest, dim = "bag", "bag:0", 64

    def __init__(self):
        self.encoded = []

    def encode(self, texts, *, progress=None):
        self.encoded += texts
        rows = np.stack([self._sum(text) for text in texts])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def _sum(self, text):
        total = np.full(self.dim, 1e-3)
        for word in text.split():
            total += np.random.default_rng(zlib.crc32(word.encode())).normal(size=self.dim)
        return total


def rows(n=600, *, seed=0, classes=3):
    """The topic is said by a word of ``body``, and ``noise`` and ``agent`` say nothing of it."""
    rng = np.random.default_rng(seed)
    topics = rng.integers(classes, size=n)
    return {
        "body": [f"word{rng.integers(9)} topic{t}x{rng.integers(3)}" for t in topics],
        "noise": [" ".join(f"n{k}" for k in rng.integers(40, size=3)) for _ in topics],
        "agent": [f"agent{k}" for k in rng.integers(5, size=n)],
        "label": [f"t{t}" for t in topics],
    }


def trial(path, columns, text, *, most=600, seed=0):
    source = open_source(write_csv(path / "rows.csv", columns))
    sampled = sample_rows(source, text, "label", most=most, seed=seed)
    return Trial(sampled, Bag(), default_rules(), seed, TerminalProgress())


def test_what_says_nothing_of_the_label_is_not_needed(tmp_path):
    text = ("noise", "body", "agent")
    chosen = choose_columns(trial(tmp_path, rows(), text), text)
    assert chosen.kept == ("body",)
    assert chosen.dropped == ("noise", "agent")
    assert list(chosen.without) == ["noise", "body", "agent"]
    assert chosen.without["body"].verdict is Verdict.NEEDED
    assert chosen.without["noise"].loss.high <= MARGIN


def test_halves_that_are_needed_together_stay(tmp_path):
    """The label is both words: neither column alone tells it."""
    rng = np.random.default_rng(3)
    a, b = rng.integers(2, size=600), rng.integers(2, size=600)
    columns = {
        "left": [f"left{k}" for k in a],
        "right": [f"right{k}" for k in b],
        "label": [f"{i}{j}" for i, j in zip(a, b, strict=True)],
    }
    chosen = choose_columns(trial(tmp_path, columns, ("left", "right")), ("left", "right"))
    assert chosen.kept == ("left", "right")
    assert {loss.verdict for loss in chosen.without.values()} == {Verdict.NEEDED}


def test_of_two_that_say_the_same_one_stays(tmp_path):
    columns = rows()
    columns["copy"] = columns["body"]
    chosen = choose_columns(trial(tmp_path, columns, ("body", "copy")), ("body", "copy"))
    assert len(chosen.kept) == 1
    assert len(choose_columns(trial(tmp_path, rows(), ("agent",)), ("agent",)).kept) == 1


def test_noise_alone_keeps_a_column(tmp_path):
    text = ("noise", "agent")
    chosen = choose_columns(trial(tmp_path, rows(), text), text)
    assert len(chosen.kept) >= 1


def test_how_much_text(tmp_path):
    """The word that tells comes after 77 characters, and 200 more tell nothing."""
    columns = rows()
    columns["body"] = [f"{'filler ' * 11}{text} {'rest ' * 40}" for text in columns["body"]]
    result = measure_fields(trial(tmp_path, columns, ("body",)), ("body",), "label")
    assert result.characters == 128
    assert result.lengths[64].verdict is Verdict.NEEDED
    assert set(result.lengths) == {64, 128, 256}
    shown = result.as_json()
    assert (shown["label"], shown["kept"], shown["dropped"]) == ("label", ["body"], [])
    assert (shown["characters"], shown["rows"]) == (128, 600)


def test_rows_beyond_what_the_curve_needs(tmp_path):
    easy = measure_fields(trial(tmp_path, rows(), ("body",)), ("body",), "label")
    assert easy.rows_needed in {50, 100, 200}
    assert easy.as_json()["rows_beyond"] == 600 - easy.rows_needed
    columns = rows(classes=60)
    hard = measure_fields(trial(tmp_path, columns, ("body",)), ("body",), "label")
    assert hard.rows_needed is None
    assert hard.as_json()["rows_beyond"] is None
    assert hard.curve[50].verdict is Verdict.NEEDED


def test_numbers_are_predicted_too(tmp_path):
    columns = rows()
    columns["label"] = [float(label[1:]) + 0.5 for label in columns["label"]]
    made = trial(tmp_path, columns, ("body", "agent"))
    assert made.rows.task is Task.REGRESSION
    assert choose_columns(made, ("body", "agent")).kept == ("body",)


def test_a_text_is_embedded_once(tmp_path):
    made = trial(tmp_path, rows(), ("body", "agent"))
    choose_columns(made, ("body", "agent"))
    assert len(made.encoder.encoded) == len(set(made.encoder.encoded))


def test_what_is_embedded_is_sanitized(tmp_path):
    columns = rows(60)
    columns["body"][0] = "reach me at canary@example.org topic0x0"
    made = trial(tmp_path, columns, ("body",))
    made.scores(("body",))
    assert any("[EMAIL]" in text for text in made.encoder.encoded)
    assert not any("canary" in text for text in made.encoder.encoded)
    assert "canary" not in repr(made)


@pytest.mark.parametrize(
    ("change", "most"),
    [
        ({"label": ["one"] * 60}, 600),
        ({"label": [f"l{i}" for i in range(60)]}, 600),
        ({"label": ["a", "b"] * 20 + [""] * 20}, 600),
        ({}, 40),
    ],
)
def test_too_little_to_tell(tmp_path, change, most):
    with pytest.raises(InputError) as caught:
        trial(tmp_path, {**rows(60), **change}, ("body",), most=most)
    assert caught.value.code == "fields_rows"


def test_rows_without_a_label_are_left_out(tmp_path):
    columns = rows(200)
    columns["label"][::2] = [" "] * 100
    assert len(trial(tmp_path, columns, ("body",)).rows) == 100


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-0.03, 0.019, Verdict.UNNEEDED),
        (0.001, 0.019, Verdict.UNNEEDED),
        (0.001, 0.03, Verdict.NEEDED),
        (-0.01, 0.03, Verdict.UNDECIDED),
    ],
)
def test_verdicts(low, high, expected):
    assert verdict(Interval((low + high) / 2, low, high)) is expected


def test_folds_are_even_within_each_class():
    strata = np.random.default_rng(0).integers(4, size=203)
    folds = _folds(strata, 7)
    assert np.bincount(folds, minlength=FOLDS).max() - np.bincount(folds).min() <= 1
    for each in range(4):
        counts = np.bincount(folds[strata == each], minlength=FOLDS)
        assert counts.max() - counts.min() <= 1
    assert not np.array_equal(folds, _folds(strata, 8))


def test_the_model_is_ridge_regression_on_signs(tmp_path: Path):
    """Slow oracle: the normal equations with an intercept, one class against the rest."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(40, 5)).astype(np.float32)
    y = rng.integers(3, size=40)
    centered = x - x.mean(axis=0)
    answers = []
    for target in range(3):
        signs = np.where(y == target, 1.0, -1.0)
        w = np.linalg.solve(centered.T @ centered + np.eye(5), centered.T @ (signs - signs.mean()))
        answers.append((x - x.mean(axis=0)) @ w + signs.mean())
    expected = np.argmax(np.stack(answers), axis=0)
    assert np.array_equal(fit_plain(x, y, Task.CLASSIFICATION).predict(x), expected)

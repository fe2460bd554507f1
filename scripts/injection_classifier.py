"""Train the classifier of injections on scripts/injection_texts.toml, and write its weights.

Usage: python scripts/injection_classifier.py [--cache DIR]

Nothing else is looked at: what benchmarks/injection.py measures, the classifier never saw. Texts
are taken alone, and attacks, harmless prompts and documents also in runs, for they come in long
texts. Regularization is chosen, and accuracy printed, by folds that share no line before its
braces are filled.
"""

import argparse
import json
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from cipherset.app.encoders import DEFAULT_ENCODER, open_encoder
from cipherset.core.protocols import Encoder

HERE = Path(__file__).parent
WEIGHTS = HERE.parent / "src/cipherset/guard/prompts/injection/classifier.json"
FILLED = 6  # times each line with braces is filled
RUNS = 500  # of several lines, for each kind that comes in long texts
SEED = 20261126
STRENGTHS = (0.3, 1.0, 3.0, 10.0)
HEADS = {
    "attack": (("attack",), ("benign", "document", "request")),
    "request": (("request", "attack", "benign"), ("document",)),
}


@dataclass(frozen=True)
class Text:
    """A training text; ``group`` is that of the (first) line it was made of."""

    kind: str
    group: int
    text: str


def texts(rng: np.random.Generator) -> list[Text]:
    """Every line, filled, and runs of lines."""
    asked = tomllib.loads((HERE / "injection_texts.toml").read_text(encoding="utf-8"))
    made: list[Text] = []
    group = 0
    for section in asked["texts"]:
        lines = section["lines"]
        for line in lines:
            times = FILLED if "{" in line else 1
            made += [
                Text(section["kind"], group, filled(line, asked["fillers"], rng))
                for _ in range(times)
            ]
            group += 1
        if section["kind"] != "request":
            made += runs(section["kind"], group - len(lines), lines, asked["fillers"], rng)
    return made


def runs(
    kind: str,
    first: int,
    lines: Sequence[str],
    fillers: dict[str, list[str]],
    rng: np.random.Generator,
) -> Iterator[Text]:
    """Some lines after each other, neighbors in the file: a fold takes out whole neighborhoods."""
    for _ in range(RUNS):
        start = int(rng.integers(len(lines)))
        near = (start + rng.choice(10, size=int(rng.integers(2, 7)), replace=False)) % len(lines)
        text = " ".join(filled(lines[place], fillers, rng) for place in near)
        yield Text(kind, first + start, text)


def filled(line: str, fillers: dict[str, list[str]], rng: np.random.Generator) -> str:
    """``line`` with something for each of its braces."""
    for name, values in fillers.items():
        while f"{{{name}}}" in line:
            line = line.replace(f"{{{name}}}", str(rng.choice(values)), 1)
    return line[:1].upper() + line[1:]


def head(made: Sequence[Text], x: npt.NDArray[np.float32], name: str) -> dict[str, Any]:
    """The weights of one head, and how well it does on lines that it has not seen."""
    positive, negative = HEADS[name]
    chosen = [n for n, text in enumerate(made) if text.kind in positive + negative]
    y = np.array([made[n].kind in positive for n in chosen])
    groups = np.array([made[n].group // 10 for n in chosen])
    vectors = x[chosen]
    scores = {}
    for strength in STRENGTHS:
        told = np.zeros(len(y))
        for train, test in GroupKFold(5).split(vectors, y, groups):
            told[test] = (
                model(strength).fit(vectors[train], y[train]).decision_function(vectors[test])
            )
        scores[strength] = (float(roc_auc_score(y, told)), float(((told > 0) == y).mean()))
    best = max(scores, key=lambda strength: scores[strength][0])
    print(
        f"{name}: {len(y)} texts, C {best}, AUC {scores[best][0]:.4f}, right {scores[best][1]:.4f}"
    )
    fitted = model(best).fit(vectors, y)
    return {
        "weights": [round(float(value), 4) for value in fitted.coef_[0]],
        "bias": round(float(fitted.intercept_[0]), 4),
    }


def model(strength: float) -> LogisticRegression:
    """One head, not fitted; ``strength`` is scikit-learn's C."""
    return LogisticRegression(C=strength, class_weight="balanced", max_iter=2000)


def trained(encoder: Encoder) -> dict[str, Any]:
    """What is written: the heads, and the digest of the encoder they belong to."""
    made = texts(np.random.default_rng(SEED))
    x = encoder.encode([text.text for text in made])
    return {
        "version": "1",
        "encoder": encoder.digest,
        "heads": {name: head(made, x, name) for name in HEADS},
    }


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "cipherset")
    encoder = open_encoder(DEFAULT_ENCODER, parser.parse_args().cache)
    written = json.dumps(trained(encoder), sort_keys=True)
    WEIGHTS.write_text(written.replace('"heads"', '\n"heads"') + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

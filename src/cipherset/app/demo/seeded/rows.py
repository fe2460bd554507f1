"""Invented rows: vectors about a few topics, as an encoder would give; nobody's text is in them."""

import json
from pathlib import Path
from typing import Final

import numpy as np

TOPICS: Final = ("account", "billing", "delivery", "product")
DIM: Final = 24
_SPREAD: Final = 0.24


def write_rows(target: Path, n: int, seed: int) -> None:
    """Write ``n`` rows as JSON Lines: ``vector`` of unit length, shape (24,), and ``topic``."""
    rng = np.random.default_rng(seed)
    # The topics are the same whatever the seed of the rows.
    centers = np.random.default_rng(0).normal(size=(len(TOPICS), DIM))
    centers /= np.linalg.norm(centers, axis=1, keepdims=True)
    topics = rng.integers(len(TOPICS), size=n)
    vectors = centers[topics] + _SPREAD * rng.normal(size=(n, DIM))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = (
        json.dumps({"vector": vector, "topic": TOPICS[topic]})
        for vector, topic in zip(vectors.tolist(), topics, strict=True)
    )
    target.write_text("\n".join(rows) + "\n", encoding="utf-8")

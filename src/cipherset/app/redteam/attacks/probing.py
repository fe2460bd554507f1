"""The watch over a deployed model's callers: probing replayed before it, and honest questions.

Each session is a caller of their own before a watch of its own, made as the gateway makes it.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.app.redteam.attack import Attack, Count, Ground
from cipherset.app.redteam.attacks.models import Answering, answering, no_classes
from cipherset.app.redteam.line import Line
from cipherset.app.redteam.targets import Target, What
from cipherset.core.values import Float32s, Floats
from cipherset.guard.probing import Monitor, Usual, Verdict, learn_usual
from cipherset.guard.probing.usual import MOST_ROWS

QUERIES: Final = 320
SESSIONS: Final = 20
QUICK_SESSIONS: Final = 12
STEP: Final = 16
VARIANTS: Final = 8
_NEAR: Final = 0.03
# The watch looks at no clock; all of a session is asked at once.
_NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
Codes = npt.NDArray[np.int64]
Ask = Callable[[Floats], Codes]
Replay = Callable[[Float32s, Ask, np.random.Generator], Float32s]


def random_vectors(known: Float32s, _ask: Ask, rng: np.random.Generator) -> Float32s:
    """Unit vectors of no meaning, (QUERIES, d)."""
    return _unit(rng.standard_normal((QUERIES, known.shape[1])))


def boundary_walks(known: Float32s, ask: Ask, rng: np.random.Generator) -> Float32s:
    """Between two rows of two classes halved again and again, many pairs side by side."""
    steps = QUERIES // STEP
    codes = ask(known)
    low = rng.integers(len(known), size=STEP)
    others = [np.flatnonzero(codes != codes[at]) for at in low]
    high = np.array(
        [rng.choice(some) if len(some) else at for some, at in zip(others, low, strict=True)]
    )
    ends, start = [known[low], known[high]], codes[low]
    walked = []
    for _ in range(steps):
        middle = _unit(ends[0] + ends[1])
        walked.append(middle)
        same = (ask(middle) == start)[:, None]
        ends = [np.where(same, middle, ends[0]), np.where(same, ends[1], middle)]
    return np.concatenate(walked)


def variants(known: Float32s, _ask: Ask, rng: np.random.Generator) -> Float32s:
    """Small changes of a few rows, (QUERIES, d)."""
    few = np.repeat(known[rng.integers(len(known), size=QUERIES // VARIANTS)], VARIANTS, axis=0)
    return _unit(few + _NEAR * rng.standard_normal(few.shape))


def honest(known: Float32s, _ask: Ask, rng: np.random.Generator) -> Float32s:
    """Rows of the kind that the model is for, (<= QUERIES, d)."""
    return known[rng.permutation(len(known))[:QUERIES]]


REPLAYS: Final[Mapping[str, Replay]] = MappingProxyType(
    {
        "random vectors": random_vectors,
        "walks along the boundary": boundary_walks,
        "variants of a few rows": variants,
    }
)


def _probing(ground: Ground, target: Target) -> Iterator[Line]:
    """How many sessions of each attack are not refused, and how many honest ones are."""
    n, limits = QUICK_SESSIONS if ground.is_quick else SESSIONS, ground.limits
    with answering(ground, target) as model:
        rng = np.random.default_rng([ground.seed, 0x9B])
        rows = model.opened.gateway.sample(2 * MOST_ROWS, rng)
        half = min(MOST_ROWS, len(rows) // 2)
        usual, known = _usual(model, rows[:half], rng), rows[half:]
        for name, replay in REPLAYS.items():
            refused = sum(_is_refused(model, usual, known, replay, rng) for _ in range(n))
            count = Count("not_refused", n - refused, n, limits.probing, f"{QUERIES} queries each")
            yield from ground.shares(target, f"K6 {name}", [count])
        refused = sum(_is_refused(model, usual, known, honest, rng) for _ in range(n))
        given = f"{min(QUERIES, len(known))} rows of the model's own kind each"
        count = Count("honest_refused", refused, n, limits.honest_refused, given)
        yield from ground.shares(target, "honest questions", [count])


def _usual(model: Answering, rows: Float32s, rng: np.random.Generator) -> Usual:
    """What is usual, as the gateway learns it of the sealed rows."""
    queries = model.opened.gateway.queries(rows, at_gate=True)
    return learn_usual(queries, _labels(model, rows), len(model.manifest.classes), rng=rng)


def _labels(model: Answering, x: Floats) -> Codes:
    told = model.opened.worker.run(model.queries(np.asarray(x, dtype=np.float32)))
    return np.asarray(told.labels, dtype=np.int64).reshape(-1)


def _is_refused(
    model: Answering, usual: Usual, known: Float32s, replay: Replay, rng: np.random.Generator
) -> bool:
    """Whether the watch refuses the caller before the session is over."""
    asked = replay(known, lambda x: _labels(model, x), rng)
    queries, labels = model.opened.gateway.queries(asked, at_gate=True), _labels(model, asked)
    monitor = Monitor(usual)
    for start in range(0, len(asked), STEP):
        part = slice(start, start + STEP)
        seen = monitor.observe("replay", queries[part], labels[part], _NOW)
        if seen.verdict is Verdict.REFUSE:
            return True
    return False


def _unit(x: Floats) -> Float32s:
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(x / np.maximum(lengths, np.finfo(np.float32).tiny), dtype=np.float32)


ATTACKS: Final = (
    Attack(
        "probing",
        What.MODEL,
        "whether the watch refuses who probes, and lets be who asks",
        _probing,
        no_classes,
    ),
)

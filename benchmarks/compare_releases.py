"""The ways in which the training rows of benchmarks/compare.py leave, one after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path

import numpy as np
from banking77 import Codes, Split, encoded, read, rows_of, split
from frontier_tasks import Labeled
from messages import made
from private import dataset, private_protection
from tables import MADE_UP

from cipherset.app.exports.private.draw import Drawn, draw
from cipherset.core.values import NO_NOISE, Float32s, Guarantee, NoiseLaw
from cipherset.pipeline.encrypt import VectorCipher
from cipherset.pipeline.minimize import FitSettings, FittedMinimizer, fit, parse_spec
from cipherset.pipeline.sanitize import default_policy, rules_of, sanitize_texts

KEY = bytes(range(32))
DELTA = 1e-6
N_MESSAGES = 9_000
OURS = (("loose", 4.0, 0.0), ("default", 12.0, 1.0), ("strict", 24.0, 1.0))
NOISY_EPSILONS = (8.0, 1.0)
DRAWN_EPSILONS = (1.0, 3.0, 8.0)


class Secret(StrEnum):
    """What the key hides of the space the rows lie in."""

    NOTHING = "nothing"
    ORDER = "order"
    ROTATION = "rotation"


WHOLE = ((Secret.ORDER, 4.0), (Secret.ROTATION, 4.0), (Secret.ROTATION, 8.0))


@dataclass(frozen=True)
class World:
    """Vectors (n, 384), texts and labels, what sanitizing left of both, and the split of a seed."""

    x: Float32s
    texts: Sequence[str]
    y: Codes
    source: str
    anonymized: Sequence[str] = ()
    x_anonymized: Float32s | None = None
    seed: int = 0

    @cached_property
    def rows(self) -> Split:
        return split(self.y, self.seed)

    @cached_property
    def own(self) -> FittedMinimizer:
        """The bottleneck of an attacker without the minimizer, fitted on his labeled texts."""
        return bottleneck(self, self.rows.public, 12.0, 1.0, self.seed + 1)


@dataclass(frozen=True)
class Release:
    """What leaves, and the same rows as each attacker lays them beside it.

    ``stored``: without the key, noise in it; ``candidates`` are the same training rows without
    noise, ``queries`` the held-out rows so, and ``known`` the attacker's own, key and minimizer
    stolen. ``sealed``: under the key; ``beside`` and ``learned``: training rows and his own in the
    space that he turns ``sealed`` onto. ``reads``: texts that leave as they are. ``again``:
    encrypted once more, and the key removed; None where nothing is encrypted.
    """

    name: str
    stored: Float32s
    candidates: Float32s
    queries: Float32s
    known: Float32s
    law: NoiseLaw
    secret: Secret = Secret.NOTHING
    sealed: Float32s | None = None
    beside: Float32s | None = None
    learned: Float32s | None = None
    reads: Sequence[str] | None = None
    again: Float32s | None = None
    is_whole: bool = False


def banking(data: Path, cache: Path, extras: tuple[str, ...]) -> World:
    """BANKING77 under its coarse labels."""
    found = read(data, cache)
    texts = [row["text"] for row in rows_of(data)]
    return anonymized(World(found.vectors, texts, found.coarse, found.source), cache, extras)


def office(cache: Path, extras: tuple[str, ...]) -> World:
    """Made-up messages with names and numbers in nearly each, labeled by what they ask."""
    rows = made(N_MESSAGES, 0)
    texts = [row.text for row in rows]
    y = np.unique([row.intent for row in rows], return_inverse=True)[1].astype(np.int64)
    return anonymized(World(encoded(texts, cache), texts, y, MADE_UP), cache, extras)


def anonymized(world: World, cache: Path, extras: tuple[str, ...]) -> World:
    """The world with its texts sanitized by the default rules and ``extras``, and their vectors."""
    rules = rules_of(replace(default_policy(), extras=extras))
    clean = sanitize_texts(world.texts, rules).texts
    changed = np.flatnonzero([a != b for a, b in zip(world.texts, clean, strict=True)])
    x = world.x.copy()
    if len(changed):
        x[changed] = encoded([clean[i] for i in changed], cache)
    return replace(world, anonymized=clean, x_anonymized=x)


def bottleneck(
    world: World, rows: Codes, factor: float, shrink: float, seed: int
) -> FittedMinimizer:
    settings = FitSettings(noise_radius=factor / 4, seed=seed, shrink=shrink)
    spec = parse_spec(f"bottleneck:{world.y.max()}")
    return fit(spec, world.x[rows], world.y[rows], settings=settings)


def releases(world: World) -> Iterator[Release]:
    """All whose rows are rows of the source."""
    yield from in_the_clear(world)
    for secret, factor in WHOLE:
        yield whole(world, secret, factor)
    train = world.rows.train
    for name, factor, shrink in OURS:
        minimizer = bottleneck(world, train, factor, shrink, world.seed)
        cipher = VectorCipher(KEY, dim=minimizer.dim, approximation_factor=factor)
        yield minimized(world, f"ours, {name} (beta {factor:g})", minimizer, cipher)
    for epsilon in NOISY_EPSILONS:
        kept = Guarantee(epsilon, DELTA)
        minimizer = bottleneck(world, train, 4.0, 1.0, world.seed)
        cipher = VectorCipher.with_gaussian_noise(KEY, dim=minimizer.dim, guarantee=kept)
        yield minimized(world, f"ours, Gaussian, epsilon {epsilon:g}", minimizer, cipher)
    for epsilon in NOISY_EPSILONS:
        kept = Guarantee(epsilon, DELTA)
        shield = private_protection(world.x[train], world.y[train], kept)
        name = f"ours, private minimizer, epsilon {epsilon:g} in all"
        yield minimized(world, name, shield.minimizer, shield.cipher)


def in_the_clear(world: World) -> Iterator[Release]:
    """Vectors as they are, and those of anonymized texts; and these texts themselves."""
    for name, x, reads in (
        ("plain vectors", world.x, None),
        ("anonymized text", world.x_anonymized, world.anonymized),
        ("vectors of anonymized text", world.x_anonymized, None),
    ):
        rows = world.rows
        yield Release(
            name, x[rows.train], world.x[rows.train], x[rows.test], world.x[rows.public], NO_NOISE,
            reads=reads,
        )  # fmt: skip


def whole(world: World, secret: Secret, factor: float) -> Release:
    """Every dimension of the encoder, in a secret order or rotated."""
    x, rows = world.x, world.rows
    is_order = secret is Secret.ORDER
    scheme = "sap/1" if is_order else "rsap/1"
    cipher = VectorCipher(KEY, dim=x.shape[1], scheme=scheme, approximation_factor=factor)
    sealed = cipher.encrypt(x[rows.train])
    stored = cipher.remove_key(sealed)
    again = cipher.remove_key(cipher.encrypt(x[rows.train]))
    if is_order:
        sealed = sealed[:, np.random.default_rng([world.seed, 20]).permutation(x.shape[1])]
    name = f"{'permutation' if is_order else 'rotation'}, whole vectors (beta {factor:g})"
    return Release(
        name, stored, x[rows.train], x[rows.test], x[rows.public], cipher.noise, secret,
        sealed=sealed, beside=x[rows.train], learned=x[rows.public],
        again=again, is_whole=True,
    )  # fmt: skip


def minimized(world: World, name: str, minimizer: FittedMinimizer, cipher: VectorCipher) -> Release:
    x, rows = world.x, world.rows
    clean = minimizer.transform
    sealed = cipher.encrypt(clean(x[rows.train]))
    return Release(
        name, cipher.remove_key(sealed), clean(x[rows.train]), clean(x[rows.test]),
        clean(x[rows.public]), cipher.noise, Secret.ROTATION, sealed=sealed,
        beside=world.own.transform(x[rows.train]), learned=world.own.transform(x[rows.public]),
        again=cipher.remove_key(cipher.encrypt(clean(x[rows.train]))),
    )  # fmt: skip


def drawn(world: World, epsilon: float) -> Drawn:
    """A synthetic release of the training rows."""
    task = Labeled("", world.x, world.y, ())
    found = dataset(task, world.rows.train)
    rng = np.random.default_rng([world.seed, 21])
    return draw(found, np.arange(len(world.rows.train)), Guarantee(epsilon, DELTA), rng)

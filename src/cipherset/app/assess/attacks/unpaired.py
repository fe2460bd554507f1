"""K1: whoever has public text of the same kind beside the file, and no pair; labels help him.

In the minimized space he works with a minimizer of his own, fitted on his labeled text.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np

from cipherset.app.assess.case import Case, Step
from cipherset.app.assess.lines import Aligned, Line, Scoring, Stopwatch, linked, reid
from cipherset.app.exports.codes import Codes
from cipherset.core.values import Floats, NoiseLaw
from cipherset.evidence.attack import Knowledge
from cipherset.evidence.attack.alignment.centroids import CentroidAligner
from cipherset.evidence.attack.alignment.linear_map import LinearMap
from cipherset.evidence.attack.alignment.permutation import PermutationMatcher
from cipherset.evidence.attack.alignment.rotation import RotationAligner
from cipherset.evidence.attack.alignment.translation import UnpairedTranslator

# The aligners draw rows of their own from these; more made hardly a difference.
MOST_PUBLIC: Final = 5000


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """What the attacker holds, and what he is to tell apart.

    ``c`` are ciphertexts (n, k) with labels ``y``, ``public`` his own vectors (m, k) with labels
    ``public_y``; labels are None where there are none. ``victims`` (v, k) are the ciphertexts to be
    linked to ``candidates`` (v, k), as his own map makes them. ``noise`` is what he supposes;
    ``noise_radius`` is known where the scheme's settings are, as those of an export.
    """

    c: Floats = field(repr=False)
    y: Codes | None = field(repr=False)
    public: Floats = field(repr=False)
    public_y: Codes | None = field(repr=False)
    victims: Floats = field(repr=False)
    candidates: Floats = field(repr=False)
    noise: NoiseLaw
    given: str
    noise_radius: float | None = None


Recover = Callable[[Held, int], tuple[LinearMap, ...]]


def _permutation(held: Held, seed: int) -> tuple[LinearMap, ...]:
    return (PermutationMatcher(held.c, held.public, held.noise_radius).recover(seed),)


def _rotation(held: Held, seed: int) -> tuple[LinearMap, ...]:
    return (RotationAligner(held.c, held.public, held.noise_radius).recover(seed),)


def _translation(held: Held, seed: int) -> tuple[LinearMap, ...]:
    return (UnpairedTranslator(held.c, held.public, held.noise_radius).recover(seed),)


def _centroids(held: Held, seed: int) -> tuple[LinearMap, ...]:
    if held.y is None or held.public_y is None:
        return ()
    aligner = CentroidAligner(held.c, held.y, held.public, held.public_y, held.noise_radius)
    return aligner.recover(seed)


WITHOUT_LABELS: Final[dict[str, Recover]] = {
    "coordinates matched by moments and covariance": _permutation,
    "axes aligned, mutual neighbors, Procrustes": _rotation,
    "unpaired linear translation": _translation,
}
WITH_LABELS: Final[dict[str, Recover]] = {"class centroids as pairs": _centroids}


def scored(
    name: str, guesses: Sequence[LinearMap], held: Held, scoring: Scoring, watch: Stopwatch
) -> Iterator[Line]:
    """Lines of the guess that finds most; of several, the attacker has luck with the best."""
    tried = [Aligned(guess.apply(held.victims), held.candidates, held.noise) for guess in guesses]
    several = tried if len(tried) > 1 else []
    found = [reid(one, scoring.clear).excess for one in several]
    best = int(np.argmax(found)) if found else 0
    yield from linked(
        scoring,
        tried[best],
        attack=name,
        knowledge=Knowledge.PUBLIC_TEXT,
        given=f"{held.given}; own objective {guesses[best].objective:.2f}",
        watch=watch,
    )


def holdings(case: Case) -> list[Held]:
    """What an attacker without key or pair holds of an export, with each minimizer of his own."""
    if not case.is_minimized:
        return [_held(case, case.public.x, case.victims.x)]
    return [
        _held(case, own.transform(case.public.x), own.transform(case.victims.x))
        for own in case.surrogates
    ]


def _held(case: Case, public: Floats, candidates: Floats) -> Held:
    labels = case.public.codes if case.has_classes else None
    whose = "other records of this source" if case.public.is_own else "public texts"
    return Held(
        c=np.concatenate([case.victims.c, case.others.c]),
        y=None if labels is None else np.concatenate([case.victims.codes, case.others.codes]),
        public=public[:MOST_PUBLIC],
        public_y=None if labels is None else labels[:MOST_PUBLIC],
        victims=case.victims.c,
        candidates=candidates,
        noise=case.supposed_noise,
        given=f"{len(public[:MOST_PUBLIC])} {whose}{'' if labels is None else ' and their labels'}",
        noise_radius=case.noise_length,
    )


def _of_export(name: str, recover: Recover, case: Case) -> Iterator[Line]:
    """The best of the attacker's own minimizers counts."""
    watch = Stopwatch()
    tried = [
        list(scored(name, recover(held, case.seed), held, case.scoring, watch))
        for held in holdings(case)
    ]
    return iter(max(tried, key=lambda lines: lines[0].outcome.value))


def _no_minimizer(case: Case) -> str | None:
    if case.is_minimized and not case.surrogates:
        return "needs labeled public text, to fit a minimizer in place of the owner's"
    return None


def _no_labels(case: Case) -> str | None:
    if not case.has_classes or case.public.y is None:
        return "needs classes, and public text with labels"
    return _no_minimizer(case)


STEPS: Final = (
    *(
        Step(name, partial(_of_export, name, run), _no_minimizer)
        for name, run in WITHOUT_LABELS.items()
    ),
    *(Step(name, partial(_of_export, name, run), _no_labels) for name, run in WITH_LABELS.items()),
)

"""K3 and K4: whoever can ask for encryptions, and whoever stole the key and the minimizer."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from cipherset.app.assess.case import Case, Step
from cipherset.app.assess.lines import Aligned, Line, Stopwatch, linked, rate
from cipherset.evidence.attack import Knowledge, Metric, Outcome

# Each doubling halves what is left of the noise's variance; 16 leave a quarter of its length.
REPEATS: Final = (1, 16)


def _stolen_key(case: Case) -> Iterator[Line]:
    """Nearest and joint, key and minimizer in hand: bounds every attack that aligns first."""
    watch, cipher = Stopwatch(), case.protection.cipher
    aligned = Aligned(cipher.remove_key(case.victims.c), case.victims.z, cipher.noise)
    yield from linked(
        case.scoring,
        aligned,
        attack="nearest and joint candidate",
        knowledge=Knowledge.STOLEN_KEY,
        given="file, key, minimizer",
        watch=watch,
    )


def _oracle(case: Case) -> Iterator[Line]:
    """Candidates encrypted again and again by whoever may ask: the mean is nearly without noise."""
    for repeats in REPEATS:
        watch = Stopwatch()
        asked = [
            case.protection.cipher.encrypt(case.victims.z).astype(np.float64)
            for _ in range(repeats)
        ]
        aligned = Aligned(case.victims.c, np.mean(asked, axis=0), case.supposed_noise)
        yield from linked(
            case.scoring,
            aligned,
            attack="candidates encrypted by the oracle",
            knowledge=Knowledge.ORACLE,
            given=f"{repeats} encryption{'s' if repeats > 1 else ''} of each candidate",
            watch=watch,
        )


def _joined(case: Case) -> Iterator[Line]:
    """The export and earlier ones of the same rows, as ``protect`` measured them together."""
    joined = case.joined
    if joined is None:
        return
    found = joined.reid
    outcome = Outcome(
        attack="joined with earlier exports of the same rows",
        knowledge=Knowledge.STOLEN_KEY,
        metric=Metric.REID_RANK1_IN_CLASS,
        value=found.rank1,
        ci=rate(found)[1:],
        chance=found.label_alone,
        unprotected=1.0,
        n=found.n,
        seed=case.seed,
        seconds=0.0,
        given=f"{len(joined.exports)} other exports, all keys and minimizers; measured when this "
        "one was made",
    )
    yield Line(outcome, (found.excess, found.low, found.high))


def _not_joined(case: Case) -> str | None:
    return "no other export of these rows was live" if case.joined is None else None


STEPS: Final = (
    Step("file and key stolen", _stolen_key),
    Step("encryption oracle", _oracle),
    Step("several exports joined", _joined, _not_joined),
)

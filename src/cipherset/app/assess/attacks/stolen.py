"""K3 and K4: whoever can ask for encryptions, and whoever stole the key and the minimizer."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from cipherset.app.assess.case import Case, Step
from cipherset.app.assess.lines import Aligned, Line, Stopwatch, linked
from cipherset.evidence.attack import Knowledge

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


STEPS: Final = (
    Step("file and key stolen", _stolen_key),
    Step("encryption oracle", _oracle),
)

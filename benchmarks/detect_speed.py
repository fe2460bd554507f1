"""How fast the structured detectors read: MB/s of one core, each alone and all together.

    .venv/bin/python -m benchmarks.detect_speed [FILE ...]

A FILE is text, one message a line; without one, messages are made up: one in four holds an
identifier, as support messages do. An hour of a busy machine is no measure: ``process_time`` counts
only what this process used, and the best of three rounds is shown.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from cipherset.pipeline.sanitize import Detector
from cipherset.pipeline.sanitize.detectors.structured import StructuredDetector, structured_parts

_ROUNDS: Final = 3
_N_MADE: Final = 20_000
_PLAIN: Final = (
    "I have been waiting for my card for over two weeks now and nobody seems to know where it is.",
    "Why was I charged twice for the same thing? Please send the money back, it is 3 days already.",
    "Hi, I forgot my password and the link in the mail does not work any more. What can I do?",
    "Thanks for the quick help, everything works again! Have a nice day.",
    "The app crashes as soon as I open the settings page on my phone, since the update in March.",
    "How do I change the address on my account? We moved in together last month.",
    "Can I get a refund for flight 1234? It left 5 hours late and we missed our connection.",
    "My top up was declined although there is enough money on the card, please check.",
    "Is there a limit on how many transfers I can make in one day, and what does each one cost?",
)
_HOLDING: Final = (
    "Please call me back at (212) 555-{0:04d}, the order number is {0:07d}.",
    "Write to maria.{0}@example.org or see https://example.org/help/{0} for the whole story.",
    "My account number is {0:010d} and I was born on 12 March 1985, can you check again?",
)


def main(files: Sequence[str]) -> None:
    texts = [line for name in files for line in Path(name).read_text("utf-8").splitlines()]
    texts = texts or _made_up()
    n_bytes = sum(len(text.encode()) for text in texts)
    print(f"{len(texts):,} texts, {n_bytes / 1e6:.1f} MB")
    for part in structured_parts("US"):
        print(f"{part.name:16} {n_bytes / 1e6 / _seconds(part, texts):6.1f} MB/s")
    together = _seconds(StructuredDetector("US"), texts)
    print(f"{'together':16} {n_bytes / 1e6 / together:6.1f} MB/s")


def _seconds(detector: Detector, texts: Sequence[str]) -> float:
    seconds = []
    for _ in range(_ROUNDS):
        start = time.process_time()
        detector.detect(texts)
        seconds.append(time.process_time() - start)
    return min(seconds)


def _made_up() -> list[str]:
    rng = np.random.default_rng(0)
    made = []
    for number in rng.integers(0, 9_999, _N_MADE):
        kinds = _HOLDING if number % 4 == 0 else _PLAIN
        made.append(kinds[number % len(kinds)].format(number))
    return made


if __name__ == "__main__":
    main(sys.argv[1:])

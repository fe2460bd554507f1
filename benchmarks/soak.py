"""Whether the gateway grows at saturation, and whether each request is in its ledger, once.

Usage: python benchmarks/soak.py [--minutes 10] [--clients 32]

A server process on loopback is asked for predictions from vectors by as many callers at once, each
request under a name of its own. What it holds is looked at in even pauses: anonymous memory, open
descriptors, threads. Afterwards it is told to end, the chain is verified, and each request must
have one intent and one outcome.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tables import MADE_UP, Table, arguments, hand_over

sys.path.append(str(Path(__file__).parents[1] / "tests" / "serving"))

import serving_thread
from serving_process import Load, events, outcomes, serving
from serving_soak import growth_kb, soaked

ROWS = 10
DONE = [("intended", None), ("done", None)]


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--clients", type=int, default=32)
    asked = parser.parse_args()
    hand_over(measured(asked.minutes, asked.clients), asked.tables)


def measured(minutes: float, clients: int) -> Iterator[Table]:
    with tempfile.TemporaryDirectory() as folder:
        home = serving_thread.vector_owner(Path(folder) / "owner").session.home
        with serving(home) as process:
            with Load(process.url, clients=clients) as load:
                found = soaked(process, load, minutes, looks=4 * ROWS)
            code = process.end()
        told = outcomes(events(home))
    answered = load.with_status(200)
    whole = sum(told[name] == DONE for name in answered)
    note = (
        f"{len(load.answers):,} requests, {len(answered):,} answered, of which {whole:,} have one "
        f"intent and one outcome; {len(told.keys() - load.answers.keys())} acts of nobody's "
        f"request. The chain holds; the process ended with {code}. Memory in the second half: "
        f"{growth_kb(found):+.0f} kB a thousand answers, the worker's "
        f"{growth_kb(found, 'worker_mb'):+.0f} kB."
    )
    rows = [
        (
            f"{minutes * (at + 1) / len(found):.1f}",
            f"{each.answered:,}",
            f"{each.memory_mb:.1f}",
            f"{each.worker_mb:.1f}",
            str(each.descriptors),
            str(each.threads),
        )
        for at, each in enumerate(found)
        if (at + 1) % 4 == 0
    ]
    yield Table(
        "soak/held",
        f"What the gateway holds at concurrency {clients}",
        ("minute", "answered", "MB", "MB of the worker", "descriptors", "threads"),
        rows,
        (MADE_UP,),
        note=note,
    )


if __name__ == "__main__":
    main()

"""Saturation for some minutes: what the process holds meanwhile, and what its ledger says after.

``benchmarks/soak.py`` runs it longer.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from serving_process import Load, Process

# More than the caches that fill up still (SQLite's, 2 MB each), less than any part of a request
# that would be kept: its body alone is 0.5 kB, its two events 1 kB.
MOST_KB = 400.0
# What comes and goes with the load: up to 15 connections to the ledger with their descriptors. One
# that was left by one request of a hundred would soon be more.
SLACK = 40
_PATIENCE_S = 900.0


@dataclass(frozen=True)
class Held:
    """What a process holds at one moment: megabytes of memory of its own, and counts."""

    answered: int
    memory_mb: float
    worker_mb: float
    descriptors: int
    threads: int
    workers: int


def held_by(process: Process, answered: int) -> Held:
    place = Path(f"/proc/{process.pid}")
    workers = process.workers()
    return Held(
        answered,
        _megabytes(process.pid),
        sum(map(_megabytes, workers)),
        len(list((place / "fd").iterdir())),
        len(list((place / "task").iterdir())),
        len(workers),
    )


def _megabytes(pid: int) -> float:
    """Resident and anonymous: what files are mapped is the kernel's to give up."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (found,) = (line.split()[1] for line in lines if line.startswith("RssAnon"))
    return int(found) / 1024


def soaked(
    process: Process, load: Load, minutes: float, *, looks: int = 24, least: int = 0
) -> list[Held]:
    """What it held, looked at in even pauses under ``load``.

    Longer where the machine is slow: until ``least`` are answered, evenly too.
    """
    found = []
    end = time.monotonic() + minutes * 60 + _PATIENCE_S
    for look in range(1, looks + 1):
        time.sleep(minutes * 60 / looks)
        while (answered := len(load.with_status(200))) < least * look / looks:
            assert process.popen.poll() is None
            assert time.monotonic() < end, f"{answered} were answered, of {least}"
            time.sleep(0.5)
        found.append(held_by(process, answered))
    return found


def growth_kb(found: list[Held], of: str = "memory_mb") -> float:
    """Kilobytes more for every thousand answers: the least-squares slope of the second half.

    The first half is for what fills up once: caches, pools, arenas.
    """
    late = found[len(found) // 2 :]
    answered = np.array([each.answered for each in late], dtype=float)
    memory = np.array([getattr(each, of) for each in late]) * 1024
    return float(np.polyfit(answered / 1000, memory, 1)[0])

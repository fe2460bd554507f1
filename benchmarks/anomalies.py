"""How much of what is planted the detectors find, and how often they are wrong about honest people.

Usage: python benchmarks/anomalies.py [--companies N] [--plants N] [--first-seed N]

Each company is eight weeks of twelve principals of six kinds (``traffic.py``), and each plant one
attack by one of them, in the last four weeks. The limits of the detectors were chosen on the
companies with seeds 0 to 19; these begin at 3000. A plant is found where an alert of its own kind,
of that principal, begins while it goes on or within a day, and is none without it. An honest
principal's day is disturbed by one alert or more; the first two weeks are not judged.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
from tables import MADE_UP, Table, arguments, hand_over
from traffic import DAYS, QUIET_DAYS, START, Plant, honest, planted

from cipherset.evidence.attack.statistics import clopper_pearson
from cipherset.evidence.watch import Alert, AlertKind, alerts

WARM_UP_DAYS = 14
FOUND, QUIET = 0.90, 0.01  # what is asked of the detectors


@dataclass
class Counts:
    """Over all companies: plants and those found, by kind and form; days and those disturbed."""

    plants: Counter[tuple[AlertKind, str]] = field(default_factory=Counter)
    found: Counter[tuple[AlertKind, str]] = field(default_factory=Counter)
    alerts: Counter[AlertKind] = field(default_factory=Counter)
    days: dict[str, int] = field(default_factory=lambda: {"weeks 3 and 4": 0, "weeks 5 to 8": 0})
    disturbed: Counter[str] = field(default_factory=Counter)

    def of(self, kind: AlertKind) -> tuple[int, int]:
        """Found, and planted."""
        found = sum(n for (each, _), n in self.found.items() if each is kind)
        return found, sum(n for (each, _), n in self.plants.items() if each is kind)

    def all_days(self) -> tuple[int, int]:
        """Disturbed, and judged."""
        return sum(self.disturbed.values()), sum(self.days.values())


def is_found(plant: Plant, there: list[Alert], before: set[Alert]) -> bool:
    return any(
        each.kind is plant.kind
        and each.principal == plant.principal
        and each.until > plant.since
        and each.until <= plant.until + timedelta(days=1)
        for each in there
        if each not in before
    )


def measured(companies: int, plants: int, first_seed: int) -> Counts:
    """The counts over that many companies, with that many plants of each kind in each."""
    counts = Counts()
    for seed in range(first_seed, first_seed + companies):
        rng = np.random.default_rng(seed)
        everybody, seen = honest(rng)
        clean = alerts(seen)
        counts.days["weeks 3 and 4"] += len(everybody) * (QUIET_DAYS - WARM_UP_DAYS)
        counts.days["weeks 5 to 8"] += len(everybody) * (DAYS - QUIET_DAYS)
        disturbed = {(each.principal, _day(each)) for each in clean}
        for _, day in disturbed:
            counts.disturbed["weeks 5 to 8" if day >= QUIET_DAYS else "weeks 3 and 4"] += 1
        counts.alerts.update(each.kind for each in clean)
        for kind in AlertKind:
            for _ in range(plants):
                plant = planted(kind, everybody, seen, rng)
                counts.plants[kind, plant.form] += 1
                there = alerts([*seen, *plant.sightings])
                counts.found[kind, plant.form] += is_found(plant, there, set(clean))
    return counts


def _day(alert: Alert) -> int:
    return (alert.until - timedelta(seconds=1) - START).days


def tables(counts: Counts, companies: int, first_seed: int) -> Iterator[Table]:
    seeds = (first_seed,)
    yield Table(
        "anomalies/found",
        "Planted attacks that are found",
        ("kind", "as", "planted", "found", "share", "95 % interval", "false alarms of the kind"),
        [
            (
                kind.value,
                form,
                str(n),
                str(counts.found[kind, form]),
                *_share(counts.found[kind, form], n),
                str(counts.alerts[kind]),
            )
            for (kind, form), n in sorted(counts.plants.items())
        ],
        (MADE_UP,),
        seeds,
    )
    yield Table(
        "anomalies/false",
        "Days of honest principals with a false alarm",
        ("judged", "days of principals", "with an alarm", "share", "95 % interval"),
        [
            (name, str(n), str(counts.disturbed[name]), *_share(counts.disturbed[name], n))
            for name, n in counts.days.items()
        ],
        (MADE_UP,),
        seeds,
        f"The companies have the seeds {first_seed} to {first_seed + companies - 1}.",
    )


def _share(k: int, n: int) -> tuple[str, str]:
    low, high = clopper_pearson(k, n)
    return f"{k / n:.2%}", f"{low:.2%} to {high:.2%}"


def main() -> int:
    parser: argparse.ArgumentParser = arguments(__doc__ or "")
    parser.add_argument("--companies", type=int, default=40)
    parser.add_argument("--plants", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=3000)
    asked = parser.parse_args()
    counts = measured(asked.companies, asked.plants, asked.first_seed)
    hand_over(tables(counts, asked.companies, asked.first_seed), asked.tables)
    disturbed, days = counts.all_days()
    is_fit = disturbed <= QUIET * days and all(
        found >= FOUND * n for found, n in map(counts.of, AlertKind)
    )
    return int(not is_fit)


if __name__ == "__main__":
    sys.exit(main())

"""Time to score every asset of a picture, and to compute all exposure: CPU seconds.

Usage: python benchmarks/risk.py [--assets N] [--rounds N]

The pictures are made up: a quarter of the assets are sources, the others an export of each, a model
of it and a service; one key for each twenty sources, forty people, and a grant for each hundredth
asset. ``asked`` is what the policies of the built-in team answer about each class of assets, anew
each time; ``scored`` are the facts and the scores of all, ``told`` the JSON of the ten highest;
``exposure`` is the join of grants, roles and runs with the budgets. Medians over the rounds.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median
from time import process_time
from typing import Any

from cipherset.app.sight.risk.exposure import Exposure, computed, limits_of
from cipherset.app.sight.risk.may import roles_that_may
from cipherset.core.labels import Label, Level
from cipherset.custody.policy import BuiltIn, Role, builtin
from cipherset.evidence.views.picture import Finding, Key, Permission, Person, Picture, Thing
from cipherset.evidence.views.risk.guards import Surroundings
from cipherset.evidence.views.risk.ranking import Ranked, ranked
from cipherset.evidence.views.risk.read import facts_of
from cipherset.evidence.views.risk.sorts import origins, sensed

TIME = "2026-01-01T00:00:00.000000+00:00"
LEVELS = tuple(Level)
ROLES = tuple(Role)
PEOPLE = 40
SOURCES_PER_KEY = 20


@dataclass(frozen=True)
class Ran:
    """A run."""

    id: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    parameters: dict[str, Any] = field(default_factory=dict)
    actor: str = "p1"
    started: str = TIME
    finished: str | None = TIME
    status: str = "done"


def things(n_sources: int) -> Iterator[Thing]:
    for i in range(n_sources):
        label = Label(level=LEVELS[i % 4])
        key = {"key_id": f"k{i // SOURCES_PER_KEY}", "key_version": 1}
        yield Thing(f"source-{i}", "dataset", f"source {i}", TIME, {}, label)
        yield Thing(f"export-{i}", "dataset", f"export {i}", TIME, {**key, "rows": 1000}, label)
        yield Thing(f"model-{i}", "model", f"model {i}", TIME, key, label)
        yield Thing(f"service-{i}", "service", f"service {i}", TIME, {}, label)


def steps(n_sources: int) -> Iterator[Ran]:
    for i in range(n_sources):
        key = {"key_id": f"k{i // SOURCES_PER_KEY}", "key_version": 1}
        yield Ran(f"r{i}", "protect", (f"source-{i}",), (f"export-{i}",), key)
        yield Ran(f"t{i}", "train", (f"export-{i}",), (f"model-{i}",), {"at_gate": False})


def findings(n_sources: int) -> Iterator[Finding]:
    for i in range(0, n_sources, 2):
        facts = {"reid": 0.01 + i % 7 / 100, "limit": 0.05, "pair_cap": 25, "n_star": 100}
        told = {**facts, "n_star_noise_free": None, "verdict": "within limit"}
        yield Finding(i, TIME, "p1", "assess", f"export-{i}", is_fresh=i % 5 > 0, facts=told)


def made(n_assets: int) -> Picture:
    n_sources = max(n_assets // 4, 1)
    keys = tuple(
        Key(f"key-{i}", f"k{i}", f"key {i}", 1, "active", "file:", "", TIME)
        for i in range(-(-n_sources // SOURCES_PER_KEY))
    )
    known = {each.id: each for each in things(n_sources)}
    known |= {each.id: Thing(each.id, "key", each.name, TIME) for each in keys}
    people = tuple(
        Person(f"p{i}", (ROLES[i % len(ROLES)].value,), is_active=True, has_key=False)
        for i in range(PEOPLE)
    )
    grants = tuple(
        Permission(
            f"grant-{i}",
            "export",
            f"p{i % PEOPLE}",
            "p1",
            "a study",
            "live",
            "",
            {"dataset:export": f"export-{i}"},
            TIME,
            None,
            accepts_risk=False,
        )
        for i in range(0, n_sources, 25)
    )
    return Picture(
        now=datetime(2026, 2, 1, tzinfo=UTC),
        events=len(known),
        policy="sha256:0",
        alone=False,
        things=known,
        steps=tuple(steps(n_sources)),
        keys=keys,
        findings=tuple(findings(n_sources)),
        people=people,
        grants=grants,
    )


def seconds(work: Callable[[], object]) -> float:
    start = process_time()
    work()
    return process_time() - start


def around(seen: Picture, out: Exposure) -> Surroundings:
    team = builtin.load(BuiltIn.TEAM)
    return Surroundings(
        may=roles_that_may(team, sensed(seen, origins(seen))),
        max_reid=0.05,
        keys={each.key.id: each for each in out.keys},
        models={each.id: each for each in out.models},
        datasets={each.id: each for each in out.datasets},
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--assets", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    seen = made(asked.assets)
    limits = limits_of(seen, builtin.load(BuiltIn.TEAM).limits)
    out = computed(seen, limits)
    known = around(seen, out)
    found: list[Ranked] = []

    def scored() -> None:
        found[:] = ranked(facts_of(seen, known))

    parts = {
        "exposure": lambda: computed(seen, limits),
        "asked": lambda: around(seen, out),
        "scored": scored,
        "told": lambda: [each.as_json() for each in found[:10]],
    }
    scored()
    for name, work in parts.items():
        taken = median(seconds(work) for _ in range(asked.rounds))
        print(f"{name:<9} {taken:7.3f} s for {len(seen.things)} assets")


if __name__ == "__main__":
    main()

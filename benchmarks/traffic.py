"""Traffic of several kinds of honest principals over weeks, made up, and what attackers add to it.

Nothing here is shared with the detectors but the form of a sighting: neither their windows nor
their limits. Each seed is another company.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from cipherset.evidence.watch import AlertKind, Sighting

START = datetime(2026, 8, 31, tzinfo=UTC)  # a Monday
WEEKS = 8
DAYS = 7 * WEEKS
QUIET_DAYS = 28  # nothing is planted before
OFFICE = range(9, 18)
Rng = np.random.Generator
Sightings = list[Sighting]


@dataclass(frozen=True)
class Person:
    """One principal: a name, what makes a day of theirs, and the hours at which they work."""

    name: str
    action: str
    day: Callable[["Person", int, Rng], Iterator[Sighting]]
    hours: tuple[int, ...]
    scale: float
    holiday: tuple[int, int] = (0, 0)

    def see(
        self,
        day: int,
        hour: float,
        *,
        amount: float = 1,
        asset: str | None = None,
        refused: bool = False,
        action: str = "",
    ) -> Sighting:
        at = START + timedelta(days=day, hours=hour)
        rows = max(1, round(amount))
        return Sighting(at, self.name, action or self.action, asset, refused, rows)


@dataclass(frozen=True)
class Plant:
    """What was added: of which kind, to whom, and when."""

    kind: AlertKind
    form: str
    principal: str
    since: datetime
    until: datetime
    sightings: Sightings


def weekend(day: int) -> bool:
    return day % 7 >= 5


def service(who: Person, day: int, rng: Rng) -> Iterator[Sighting]:
    """Day and night, less at weekends, growing a little, each day of its own height."""
    growth = 1 + 0.2 * day / DAYS
    height = who.scale * growth * rng.lognormal(0, 0.2) * (0.6 if weekend(day) else 1)
    for hour in range(24):
        rate = height * (1 + 0.8 * np.sin((hour - 8) * np.pi / 12))
        calls = int(rng.poisson(rate))
        for part in np.array_split(np.arange(calls), 4):
            if len(part):
                yield who.see(day, hour + rng.random(), amount=len(part), asset="router")
        if rng.random() < 0.004:  # too many within a minute
            for _ in range(int(rng.integers(1, 5))):
                yield who.see(day, hour + rng.random(), asset="router", refused=True)


def scientist(who: Person, day: int, rng: Rng) -> Iterator[Sighting]:
    """Office hours, sometimes later, now and then a Saturday; some commands are wrong."""
    if weekend(day) and rng.random() > 0.03:
        return
    last = 20.5 if rng.random() < 0.08 else who.hours[-1] + 1
    for _ in range(int(rng.poisson(12))):
        hour = rng.uniform(who.hours[0], last)
        asset = f"{who.name}-{day // 12}-{rng.integers(3)}"
        action = "evaluate" if rng.random() < 0.5 else who.action
        refused = rng.random() < 0.03
        amount = rng.lognormal(np.log(who.scale), 0.6)
        for again in range(int(rng.integers(1, 4)) if refused else 1):
            yield who.see(
                day, hour + again / 100, amount=amount, asset=asset, refused=refused, action=action
            )


def ingester(who: Person, day: int, rng: Rng) -> Iterator[Sighting]:
    """A few exports a week, of files that are never the same size."""
    if weekend(day):
        return
    for _ in range(int(rng.poisson(0.6))):
        amount = rng.lognormal(np.log(who.scale), 0.4)
        yield who.see(
            day,
            rng.uniform(who.hours[0], who.hours[-1] + 1),
            amount=amount,
            asset=f"{who.name}-{day}",
            refused=rng.random() < 0.05,
        )


def nightly(who: Person, day: int, rng: Rng) -> Iterator[Sighting]:
    """A job at the same hour each night; sometimes it runs again."""
    for again in range(2 if rng.random() < 0.05 else 1):
        yield who.see(
            day,
            who.hours[0] + 0.3 * (again + rng.random()),
            amount=who.scale * rng.normal(1, 0.1),
            asset=f"night-{day}",
        )


def reviewer(who: Person, day: int, rng: Rng) -> Iterator[Sighting]:
    """A look at this and that."""
    if weekend(day):
        return
    for _ in range(int(rng.poisson(3))):
        yield who.see(
            day,
            rng.uniform(who.hours[0], who.hours[-1] + 1),
            asset=f"asset-{rng.integers(40)}",
            refused=rng.random() < 0.02,
        )


def on_call(who: Person, day: int, rng: Rng) -> Iterator[Sighting]:
    """Office hours, and one week in four whatever hour it is."""
    is_on = (day // 7) % 4 == int(who.scale) % 4
    if weekend(day) and not is_on:
        return
    hours = (7, 24) if is_on else (who.hours[0], who.hours[-1] + 1)
    for _ in range(int(rng.poisson(5))):
        yield who.see(
            day,
            rng.uniform(*hours) % 24,
            asset=f"model-{rng.integers(6)}",
            refused=rng.random() < 0.03,
        )


def people(rng: Rng) -> list[Person]:
    """Twelve principals of six kinds."""

    def office() -> tuple[int, ...]:
        first = int(rng.integers(7, 11))
        return tuple(range(first, first + 9))

    def off() -> tuple[int, int]:
        first = int(rng.integers(7, DAYS))
        return (first, first + 7) if rng.random() < 0.4 else (0, 0)

    found = [
        Person(f"service-{i}", "query", service, tuple(range(24)), float(rng.uniform(5, 60)))
        for i in range(2)
    ]
    found += [
        Person(f"scientist-{i}", "predict", scientist, office(), float(rng.uniform(20, 200)), off())
        for i in range(4)
    ]
    found += [
        Person(
            f"ingester-{i}", "protect", ingester, office(), float(rng.uniform(1000, 9000)), off()
        )
        for i in range(2)
    ]
    found += [
        Person(
            "nightly", "protect", nightly, (int(rng.integers(1, 5)),), float(rng.uniform(500, 5000))
        )
    ]
    found += [Person(f"reviewer-{i}", "assess", reviewer, office(), 1.0, off()) for i in range(2)]
    found += [Person("on-call", "deploy", on_call, office(), float(rng.integers(4)))]
    return found


def honest(rng: Rng) -> tuple[list[Person], Sightings]:
    """Eight weeks of everybody, without any attack."""
    everybody = people(rng)
    seen = [
        each
        for who in everybody
        for day in range(DAYS)
        if not who.holiday[0] <= day < who.holiday[1]
        for each in who.day(who, day, rng)
    ]
    return everybody, seen


def planted(kind: AlertKind, everybody: list[Person], seen: Sightings, rng: Rng) -> Plant:
    """One attack of that kind, by one of the principals to whom it can be planted."""
    return _PLANTS[kind](everybody, seen, rng)


def _bulk(everybody: list[Person], seen: Sightings, rng: Rng) -> Plant:
    """8 to 30 times the amount of a usual day, within at most three of their own hours."""
    who = _one(everybody, rng, lambda each: each.action in {"query", "predict", "protect"})
    total, day = _usual_day(who, seen) * rng.uniform(8, 30), _day(who, rng, weekends=False)
    first = rng.choice(who.hours[:-2] or who.hours)
    hours = first + np.sort(rng.uniform(0, rng.uniform(0.5, 3), size=int(rng.integers(1, 40))))
    added = [who.see(day, hour, amount=total / len(hours), asset="all") for hour in hours]
    return _plant(AlertKind.BULK, "a burst", who, added)


def _drip(everybody: list[Person], seen: Sightings, rng: Rng) -> Plant:
    """Each day as much again as on a usual day, up to twice that, for 12 to 21 days."""
    who = _one(everybody, rng, lambda each: each.action in {"query", "predict", "protect"})
    share, n_days = rng.uniform(1, 2), int(rng.integers(12, 22))
    first, usual = int(rng.integers(QUIET_DAYS, DAYS - n_days + 1)), _usual_day(who, seen)
    added = []
    for day in range(first, first + n_days):
        if weekend(day) and len(who.hours) not in {1, 24}:
            continue
        hours = who.hours if len(who.hours) > 1 else who.hours * 4
        for hour in hours:
            amount = usual * share / len(hours)
            added.append(who.see(day, hour + rng.random(), amount=amount, asset="all"))
    return _plant(AlertKind.DRIP, "a slow drip", who, added)


def _probing(everybody: list[Person], seen: Sightings, rng: Rng) -> Plant:
    """10 to 60 refusals within a day, or 4 to 8 a day for a week."""
    who = _one(everybody, rng, lambda _: True)
    day = _day(who, rng, weekends=False)
    if rng.random() < 0.5:
        n_days, a_day, form = 1, int(rng.integers(10, 61)), "within a day"
    else:
        n_days, a_day, form = 7, int(rng.integers(4, 9)), "over a week"
        day = min(day, DAYS - n_days)
    added = [
        who.see(
            one,
            rng.choice(who.hours) + rng.random(),
            asset=f"other-{rng.integers(50)}",
            refused=True,
        )
        for one in range(day, day + n_days)
        for _ in range(a_day)
    ]
    return _plant(AlertKind.PROBING, form, who, added)


def _off_hours(everybody: list[Person], seen: Sightings, rng: Rng) -> Plant:
    """5 to 20 acts within two hours of a night, at least four hours from the hours they work."""
    who = _one(everybody, rng, lambda each: len(each.hours) in {1, 9} and each.name != "on-call")
    free = [hour for hour in range(24) if _distance(hour, who.hours) >= 4 and hour < 23]
    day, first = _day(who, rng, weekends=True), rng.choice(free)
    # Later evenings are usual to some: not those.
    first = 2 if first > 18 else first
    first = first if _distance(first, who.hours) >= 4 else 13
    added = [
        who.see(day, first + rng.uniform(0, 2), amount=1, asset="all")
        for _ in range(int(rng.integers(5, 21)))
    ]
    return _plant(AlertKind.OFF_HOURS, "a night", who, added)


def _first_use(everybody: list[Person], seen: Sightings, rng: Rng) -> Plant:
    """10 to 40 assets that were none of theirs, within a day."""
    who = _one(everybody, rng, lambda each: each.name != "nightly")
    day = _day(who, rng, weekends=False)
    added = [
        who.see(day, rng.choice(who.hours) + rng.random(), asset=f"strange-{number}")
        for number in range(int(rng.integers(10, 41)))
    ]
    return _plant(AlertKind.FIRST_USE, "a look around", who, added)


def _one(everybody: list[Person], rng: Rng, fits: Callable[[Person], bool]) -> Person:
    able = [each for each in everybody if fits(each)]
    return able[int(rng.integers(len(able)))]


def _day(who: Person, rng: Rng, *, weekends: bool) -> int:
    days = [
        day
        for day in range(QUIET_DAYS, DAYS)
        if (weekends or not weekend(day)) and not who.holiday[0] <= day < who.holiday[1]
    ]
    return int(rng.choice(days))


def _usual_day(who: Person, seen: Sightings) -> float:
    """The median over the days on which they did it."""
    days: dict[int, float] = {}
    for each in seen:
        if each.principal == who.name and each.action == who.action and not each.is_refused:
            day = (each.at - START).days
            days[day] = days.get(day, 0) + each.amount
    return float(np.median(list(days.values())))


def _distance(hour: int, hours: tuple[int, ...]) -> int:
    return min(min((hour - one) % 24, (one - hour) % 24) for one in hours)


def _plant(kind: AlertKind, form: str, who: Person, added: Sightings) -> Plant:
    times = [each.at for each in added]
    return Plant(kind, form, who.name, min(times), max(times), added)


_PLANTS: dict[AlertKind, Callable[[list[Person], Sightings, Rng], Plant]] = {
    AlertKind.BULK: _bulk,
    AlertKind.DRIP: _drip,
    AlertKind.PROBING: _probing,
    AlertKind.OFF_HOURS: _off_hours,
    AlertKind.FIRST_USE: _first_use,
}

"""The frontier of a calibration as points on a page: what leaks across, what it is worth up."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Any, Final

WIDTH: Final = 720
HEIGHT: Final = 420
LEFT, RIGHT, TOP, BOTTOM = 64, 20, 20, 52
# Leakage is drawn by its logarithm: a tenth of a percent and a tenth are both to be told.
_LEAST: Final = 1e-3
_TICKS: Final = (0.001, 0.01, 0.05, 0.2, 1.0)
_STEPS: Final = 4


@dataclass(frozen=True, slots=True)
class Mark:
    """A point, its number, and where it stands."""

    number: int
    point: Mapping[str, Any]
    x: float
    y: float
    says: str


@dataclass(frozen=True, slots=True)
class Plot:
    """All of it; ticks are pairs of a place and what stands there."""

    marks: tuple[Mark, ...]
    across: tuple[tuple[float, str], ...]
    up: tuple[tuple[float, str], ...]
    limit: float
    plain: float


def plotted(figures: Mapping[str, Any]) -> Plot:
    """The plot of what ``calibrate`` answered."""
    points: Sequence[Mapping[str, Any]] = figures["frontier"]
    worth = [point["utility"] for point in points] + [figures["plain"]]
    low, high = min(worth, default=0.0), max(worth, default=1.0)
    room = max((high - low) * 0.05, 0.01)
    low, high = low - room, high + room

    def up(value: float) -> float:
        return round(TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)

    ticks = [low + (high - low) * at / _STEPS for at in range(_STEPS + 1)]
    return Plot(
        marks=tuple(
            Mark(at, point, across(point["reid_ci"][1]), up(point["utility"]), says(point))
            for at, point in enumerate(points)
        ),
        across=tuple((across(tick), f"{100 * tick:g} %") for tick in _TICKS),
        up=tuple((up(tick), f"{tick:.3f}") for tick in ticks),
        limit=across(figures["max_reid"]),
        plain=up(figures["plain"]),
    )


def across(leak: float) -> float:
    """Where a share of re-identified rows stands, from left to right."""
    share = math.log(max(leak, _LEAST) / _LEAST) / math.log(1 / _LEAST)
    return round(LEFT + min(share, 1.0) * (WIDTH - LEFT - RIGHT), 1)


def says(point: Mapping[str, Any]) -> str:
    """A point in words."""
    factor = point["approximation_factor"]
    noise = "" if factor is None else f", factor {factor:g}"
    fitted = f" ({point['fitted']})" if point["fitted"] else ""
    return f"{point['minimizer']}{fitted}, {point['scheme']}{noise}"


def command(point: Mapping[str, Any], source: str, text: Sequence[str]) -> str:
    """The command that exports with the settings of a point that is offered."""
    columns = "".join(f" --text {quote(name)}" for name in text) or " --vector COL"
    return (
        f"cipherset protect {quote(source)}{columns} --label COL --key NAME --to DIR "
        f"--minimize {point['minimizer']} --approximation-factor {point['approximation_factor']:g}"
    )

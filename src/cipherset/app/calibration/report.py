"""The page of a calibration: utility against leakage, the key stolen and the key safe, and gain."""

from collections.abc import Callable
from typing import Final

from matplotlib.axes import Axes

from cipherset.app import page
from cipherset.app.calibration.frontier import Point
from cipherset.app.calibration.request import CalibrateResult
from cipherset.evidence.attack import Reidentification

KINDS: Final = (
    ("bottleneck", page.BLUE, "o"),
    ("lda", page.GREEN, "s"),
    ("pca", page.PURPLE, "D"),
    ("pls", page.SKY, "P"),
    ("none", page.ORANGE, "v"),
)
PERMUTATION: Final = ("a permutation of coordinates, for comparison", page.VERMILION, "^")
Leak = Callable[[Point], Reidentification | None]


def render(result: CalibrateResult) -> str:
    """One HTML page without scripts or addresses."""
    values = {"result": result, "picture": _picture(result), "gains": _gains(result)}
    return page.render("cipherset.app.calibration", "report.html.j2", values)


def _picture(result: CalibrateResult) -> str:
    figure = page.drawing(10.5, 4.6)
    stolen, safe = figure.subplots(1, 2, sharey=True)
    _scatter(stolen, result, lambda point: point.reid)
    stolen.set_title("the key stolen", fontsize=10)
    stolen.set_ylabel(f"{result.figure}, noise-free queries", fontsize=9)
    _scatter(safe, result, lambda point: point.reid_key_safe)
    safe.set_title("the key safe: labeled public text, no pairs", fontsize=10)
    handles, names = stolen.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    return page.data_url(figure)


def _gains(result: CalibrateResult) -> str | None:
    """What the export adds, over its leakage; None where no point has a gain."""
    points = [point for point in result.points if point.gain is not None]
    if not points:
        return None
    figure = page.drawing(10.5, 3.0)
    axes = figure.subplots()
    for point in points:
        if point.gain is None:
            continue
        _, color, marker = _kind(point)
        spread = [[point.gain.value - point.gain.low], [point.gain.high - point.gain.value]]
        axes.errorbar(
            [max(point.reid.excess, 0.0)],
            [point.gain.value],
            yerr=spread,
            fmt=marker,
            color=color,
            markersize=4,
            elinewidth=0.7,
        )
    axes.axhline(0.0, color=page.GRAY, linewidth=0.8)
    axes.set_ylabel("gain over the controls", fontsize=9)
    _leak_axis(axes, result.limit)
    return page.data_url(figure)


def _scatter(axes: Axes, result: CalibrateResult, leak: Leak) -> None:
    named: set[str] = set()
    for point in result.points:
        found = leak(point)
        if found is None:
            continue
        name, color, marker = _kind(point)
        value = max(found.excess, 0.0)
        across = [[value - max(found.low, 0.0)], [max(found.high - value, 0.0)]]
        low, high = point.utility_interval
        axes.errorbar(
            [value],
            [point.utility],
            xerr=across,
            yerr=[[point.utility - low], [high - point.utility]],
            fmt=marker,
            color=color,
            markersize=5,
            elinewidth=0.6,
            label=None if name in named else name,
        )
        named.add(name)
    axes.axhline(result.plain, color=page.GRAY, linestyle=":", linewidth=1, label="plain vectors")
    chosen = result.recommended.most_useful
    found = None if chosen is None else leak(chosen)
    if chosen is not None and found is not None:
        axes.plot(
            [max(found.excess, 0.0)],
            [chosen.utility],
            "o",
            markersize=13,
            markerfacecolor="none",
            color="#000000",
            label="recommended",
        )
    _leak_axis(axes, result.limit)


def _leak_axis(axes: Axes, limit: float) -> None:
    axes.axvline(limit, color=page.GRAY, linestyle="--", linewidth=1, label="limit")
    axes.set_xscale("symlog", linthresh=0.01)
    axes.set_xlim(-0.001, 1.1)
    ticks = (0, 0.01, 0.1, 1)
    axes.set_xticks(ticks, [f"{100 * tick:g} %" for tick in ticks])
    axes.set_xlabel("re-identified beyond the clear columns", fontsize=9)
    axes.tick_params(labelsize=8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _kind(point: Point) -> tuple[str, str, str]:
    if not point.is_ours:
        return PERMUTATION
    return next(kind for kind in KINDS if point.minimizer.startswith(kind[0]))

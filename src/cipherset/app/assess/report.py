"""The page of a finding, for a security reviewer and a data scientist; and the owner's own view."""

from collections.abc import Callable
from typing import Any, Final

from matplotlib.axes import Axes

from cipherset.app import page
from cipherset.app.assess.attacks.records import words_of
from cipherset.app.assess.case import Case
from cipherset.app.assess.finding import Finding
from cipherset.core.manifest import Manifest
from cipherset.evidence.attack import Knowledge, Metric

ROOM: Final = "cipherset.app.assess"
SAMPLES_SHOWN: Final = 40
POINTS_OF_A_CURVE: Final = 4
HOLDERS: Final = {
    Knowledge.CIPHERTEXTS: "Somebody who holds the file alone",
    Knowledge.PUBLIC_TEXT: "Somebody with the file and text of the same kind, no key and no pair",
    Knowledge.KNOWN_PAIRS: "Somebody who knows the records of some rows",
    Knowledge.ORACLE: "Somebody who may have texts of his choice encrypted",
    Knowledge.STOLEN_KEY: "A thief of file, key and minimizer",
    Knowledge.STOLEN_MODEL: "A thief of the trained model, without the key",
    Knowledge.MODEL_QUERIES: "Somebody who may ask the trained model",
}
_WORDS: Final = {
    Metric.TOKEN_F1: "words of the text (F1)",
    Metric.ENTITY_RECALL: "names, numbers and rare words of the text",
    Metric.ATTRIBUTE_ADVANTAGE: "advantage in guessing a column that did not leave",
    Metric.COSINE: "cosine of the rebuilt plain vector",
    Metric.TPR_AT_FPR_001: "members of the training set found at 1 % false alarms",
    Metric.TPR_AT_FPR_0001: "members of the training set found at 0.1 % false alarms",
    Metric.AGREEMENT: "answers of the model that a copy gives too",
    Metric.ACCURACY: "accuracy without the key",
    Metric.REID_RANK1_IN_CLASS: "records found, among those of the same clear columns",
    Metric.REID_RANK1: "records found, among all",
    Metric.REID_MRR: "mean reciprocal rank among those of the same clear columns",
    Metric.RECOVERED: "of the secret map recovered",
    Metric.PURITY: "of rows in the cluster of their clear columns",
}


def render_report(finding: Finding, manifest: Manifest) -> str:
    """One HTML page without scripts or addresses; no row, text or vector is on it."""
    values = {
        "finding": finding,
        "manifest": manifest,
        "holders": _by_holder(finding),
        "words": {metric.value: text for metric, text in _WORDS.items()},
        "bars": _picture(lambda axes: _bars(axes, finding)),
        "curve": _picture(lambda axes: _curve(axes, finding)) if _has_curve(finding) else None,
    }
    return page.render(ROOM, "report.html.j2", values)


def _has_curve(finding: Finding) -> bool:
    """Whether more than the ends of the search by halving were tried."""
    return len({point["n_pairs"] for point in finding.pair_curve}) >= POINTS_OF_A_CURVE


def render_samples(case: Case) -> str:
    """Recovered words beside the originals: private; for the owner's eyes only."""
    rows = []
    if case.victims.texts and case.public.texts:
        found = words_of(case).recovered
        shown = zip(case.victims.texts, found, strict=True)
        rows = [
            (text, [(word, word in text.lower()) for word in recovered])
            for text, recovered in list(shown)[:SAMPLES_SHOWN]
        ]
    return page.render(ROOM, "samples.html.j2", {"rows": rows})


def _by_holder(finding: Finding) -> list[dict[str, Any]]:
    """For each attacker that was tried: what he got at most, in words, and all of his lines."""
    told = []
    for knowledge, holder in HOLDERS.items():
        lines = [line for line in finding.attacks if line["knowledge"] == knowledge.value]
        if not lines:
            continue
        linked = [line for line in lines if "excess" in line]
        best = max(linked, key=lambda line: line["excess"], default=None)
        told.append({"knowledge": knowledge.value, "holder": holder, "lines": lines, "best": best})
    return told


def _picture(draw: Callable[[Axes], None]) -> str:
    figure = page.drawing(9, 3.6)
    draw(figure.subplots())
    return page.data_url(figure)


def _bars(axes: Axes, finding: Finding) -> None:
    """Re-identification of every attack with its interval, and the limit."""
    lines = [line for line in finding.attacks if "excess" in line][::-1]
    names = [_bar_name(line) for line in lines]
    values = [max(line["excess"], 0.0) for line in lines]
    spread = [
        [value - max(line["excess_ci"][0], 0.0), max(line["excess_ci"][1] - value, 0.0)]
        for value, line in zip(values, lines, strict=True)
    ]
    axes.barh(names, values, color=page.BLUE, height=0.6)
    axes.errorbar(
        values, names, xerr=list(zip(*spread, strict=True)), fmt="none", ecolor=page.GRAY, capsize=2
    )
    axes.axvline(finding.limit, color=page.VERMILION, linestyle="--", linewidth=1.2)
    axes.text(
        finding.limit, len(lines) - 0.4, " limit", color=page.VERMILION, fontsize=8, va="bottom"
    )
    axes.set_xscale("symlog", linthresh=0.01)
    axes.set_xlim(0, 1.05)
    ticks = [0, 0.01, 0.1, 1]
    axes.set_xticks(ticks, [f"{100 * tick:g} %" for tick in ticks])
    axes.set_xlabel(
        "re-identified beyond the clear columns, 95 % interval", fontsize=9, loc="right"
    )
    axes.tick_params(labelsize=8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _bar_name(line: dict[str, Any]) -> str:
    given = "" if line["knowledge"] in {"K1", "K4"} else f" ({line['given']})"
    return f"{line['knowledge']}  {line['name']}{given}"


def _curve(axes: Axes, finding: Finding) -> None:
    """Re-identification by number of known pairs, noisy and noise-free."""
    for noise_free, color, name in (
        (False, page.BLUE, "pairs as exported"),
        (True, page.GREEN, "noise-free pairs"),
    ):
        points = [point for point in finding.pair_curve if point["noise_free"] is noise_free]
        if not points:
            continue
        counts = [point["n_pairs"] for point in points]
        axes.plot(counts, [point["excess"] for point in points], "o-", color=color, label=name)
        axes.fill_between(
            counts,
            [point["low"] for point in points],
            [point["high"] for point in points],
            color=color,
            alpha=0.15,
        )
    axes.axhline(finding.limit, color=page.VERMILION, linestyle="--", linewidth=1.2, label="limit")
    axes.set_xscale("log")
    axes.set_xlabel("known pairs", fontsize=9)
    axes.set_ylabel("re-identified", fontsize=9)
    axes.legend(fontsize=8, frameon=False)
    axes.tick_params(labelsize=8)

"""The demo's page: one HTML file without scripts or addresses, and the same figures as JSON."""

import json
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from sklearn.decomposition import PCA

from cipherset.app import page
from cipherset.app.demo.result import DemoResult, Pictured
from cipherset.app.exports.codes import Codes
from cipherset.core.values import Float32s

REPORT_HTML: Final = "report.html"
REPORT_JSON: Final = "report.json"
COLORS: Final = (page.BLUE, page.VERMILION, page.GREEN, page.PURPLE)


def write_report(result: DemoResult, folder: Path) -> None:
    """Write ``report.html`` and ``report.json`` into ``folder``."""
    figures = result.as_json()
    (folder / REPORT_JSON).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    values = {
        "report": figures,
        "answers": result.answers,
        "manifest": result.protected.manifest,
        "picture": _picture(result.pictured),
        "classes": list(zip(result.pictured.class_names, COLORS, strict=False)),
    }
    text = page.render("cipherset.app.demo", "report.html.j2", values)
    (folder / REPORT_HTML).write_text(text, encoding="utf-8")


def _picture(pictured: Pictured) -> str:
    """Both clouds in their two main directions, as a data URL."""
    figure = page.drawing(9, 4.2)
    left, right = figure.subplots(1, 2)
    width = pictured.plain.shape[1]
    _scatter(left, pictured.plain, pictured.plain_classes, f"before: {width} numbers a review")
    _scatter(
        right,
        pictured.exported,
        pictured.exported_classes,
        f"what leaves: {pictured.exported.shape[1]} numbers, encrypted, with noise",
    )
    return page.data_url(figure)


def _scatter(axes: Axes, x: Float32s, classes: Codes, title: str) -> None:
    flat = PCA(n_components=2, random_state=0).fit_transform(x)
    order = np.random.default_rng(0).permutation(len(flat))
    axes.scatter(
        flat[order, 0],
        flat[order, 1],
        c=[COLORS[code % len(COLORS)] for code in classes[order]],
        s=5,
        alpha=0.55,
        linewidths=0,
    )
    axes.set_title(title, fontsize=10)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_aspect("equal")

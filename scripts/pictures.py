"""Draw the pictures of docs/pictures: boxes, arrows and curves, as SVG for light and dark pages.

Usage: python scripts/pictures.py. Each has a ground of its own, so it needs nothing of the page.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import numpy as np
from scipy import special

FOLDER: Final = Path(__file__).parents[1] / "docs" / "pictures"
INK, GROUND, OURS, THEIRS, STOP = "#1f2937", "#ffffff", "#dbeafe", "#fde68a", "#fecaca"


@dataclass(frozen=True)
class Box:
    """A box with its upper left corner, in pixels, and lines of text in its middle."""

    x: int
    y: int
    lines: Sequence[str]
    fill: str = OURS
    width: int = 130
    height: int = 52

    def drawn(self) -> str:
        """Return it as SVG."""
        middle = self.y + self.height / 2 - 8 * (len(self.lines) - 1)
        texts = [
            text(self.x + self.width / 2, middle + 16 * at, line)
            for at, line in enumerate(self.lines)
        ]
        shape = (
            f'<rect x="{self.x}" y="{self.y}" width="{self.width}" height="{self.height}" rx="6" '
            f'fill="{self.fill}" stroke="{INK}"/>'
        )
        return "\n".join([shape, *texts])


def text(x: float, y: float, words: str, anchor: str = "middle") -> str:
    """Return a line of text whose middle is at y."""
    return f'<text x="{x:g}" y="{y + 5:g}" text-anchor="{anchor}">{escape(words)}</text>'


def arrow(*points: tuple[int, int]) -> str:
    """Return a line through the points, with a head at the last."""
    through = " ".join(f"{x},{y}" for x, y in points)
    return f'<polyline points="{through}" fill="none" stroke="{INK}" marker-end="url(#head)"/>'


def divider(x: int, height: int) -> str:
    """Return the dashed line between two sides."""
    line = f'x1="{x}" y1="34" x2="{x}" y2="{height - 16}"'
    return f'<line {line} stroke="{INK}" stroke-dasharray="5 5"/>'


def picture(title: str, width: int, height: int, parts: Sequence[str]) -> str:
    """Return a whole SVG; the title is what a reader who cannot see it hears."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            'font-family="sans-serif" font-size="14">',
            f"<title>{escape(title)}</title>",
            '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" '
            f'markerHeight="8" orient="auto"><path d="M0 0L10 5L0 10z" fill="{INK}"/></marker>'
            "</defs>",
            f'<rect width="{width}" height="{height}" rx="10" fill="{GROUND}"/>',
            f'<g fill="{INK}">',
            *parts,
            "</g>",
            "</svg>",
            "",
        ]
    )


def row() -> str:
    """Draw the path of a row, from text to answer."""
    names = (
        ("sanitize",),
        ("embed",),
        ("minimize",),
        ("encrypt", "with noise"),
        ("attack it,", "measure"),
    )
    boxes = [Box(20 + 150 * at, 60, name) for at, name in enumerate(names)]
    back = [
        Box(20 + 150 * at, 220, name)
        for at, name in enumerate((("label",), ("model",), ("encrypt,", "no noise"), ("minimize",)))
    ]
    query = Box(620, 220, ("sanitize,", "embed a query"))
    lab = [Box(850, 60, ("cipherset",), THEIRS), Box(850, 220, ("train", "a model"), THEIRS)]
    refused = Box(620, 140, ("above the limit:", "refused"), STOP, height=44)
    arrows = [arrow((150 + 150 * at, 86), (168 + 150 * at, 86)) for at in range(4)]
    arrows += [arrow((750, 86), (848, 86)), arrow((915, 112), (915, 218))]
    arrows += [arrow((685, 112), (685, 138))]
    arrows += [arrow((170 + 150 * at, 246), (152 + 150 * at, 246)) for at in range(4)]
    arrows += [arrow((915, 272), (915, 304), (235, 304), (235, 274))]
    sides = [text(20, 26, "owner: rows and keys", "start"), text(850, 26, "lab: neither", "start")]
    shapes = [box.drawn() for box in (*boxes, *back, query, *lab, refused)]
    return picture(
        "A row is sanitized, embedded, minimized, encrypted with noise and attacked; if the leak "
        "is under the limit it leaves to the lab, which trains; the model answers at the owner's.",
        1000,
        324,
        [*sides, divider(800, 324), *arrows, *shapes],
    )


def sees() -> str:
    """Draw who sees what."""
    things = ("plain rows", "key", "encrypted rows", "model", "figures, events")
    who = (
        ("owner", "10000"),
        ("key custodian", "01000"),
        ("ingester", "10100"),
        ("scientist", "00110"),
        ("deployer", "00010"),
        ("reviewer", "00001"),
        ("auditor", "00001"),
    )
    parts = [text(240 + 140 * at, 30, thing) for at, thing in enumerate(things)]
    for down, (name, has) in enumerate(who):
        y = 48 + 42 * down
        parts.append(text(20, y + 17, name, "start"))
        for at, mark in enumerate(has):
            fill, word = (THEIRS, "has") if mark == "1" else (GROUND, "")
            parts.append(Box(175 + 140 * at, y, (word,), fill, height=34).drawn())
    return picture(
        "What each role of the policy team holds: nobody has plain rows and keys, or plain "
        "rows and models. Keys are used through the gate, and held by their custodian.",
        900,
        360,
        parts,
    )


def gate() -> str:
    """Draw what an act passes."""
    names = (
        ("who asks, what,", "about which digests"),
        ("policies, grants,", "budgets, figures"),
        ("intent is written", "to the ledger"),
        ("the act",),
        ("outcome is written", "to the ledger"),
    )
    fills = (THEIRS, OURS, OURS, OURS, OURS)
    boxes = [
        Box(20 + 195 * at, 40, name, fill, width=170)
        for at, (name, fill) in enumerate(zip(names, fills, strict=True))
    ]
    stops = [
        Box(215, 140, ("not allowed: refused,", "with reasons"), STOP, width=170),
        Box(410, 140, ("cannot be written:", "it does not happen"), STOP, width=170),
    ]
    arrows = [arrow((190 + 195 * at, 66), (213 + 195 * at, 66)) for at in range(4)]
    arrows += [arrow((300, 92), (300, 138)), arrow((495, 92), (495, 138))]
    return picture(
        "Every act passes the gate: policies decide, the intent is written first, then the act, "
        "then its outcome; what is not allowed or cannot be written does not happen.",
        990,
        212,
        [*arrows, *(box.drawn() for box in (*boxes, *stops))],
    )


def noise() -> str:
    """Draw the noise of two rows, along the line between them, in ever fewer dimensions."""
    apart, scale, ground = 0.5, 95, 200
    at = np.linspace(-1, 1, 201)
    parts = []
    for panel, d in enumerate((384, 32, 6)):
        middle = 130 + 290 * panel
        # How much of the ball lies beside each place of a line through it, the most being 1.
        heights = (1 - at**2) ** ((d - 1) / 2)
        for of, fill in ((0.0, OURS), (apart, THEIRS)):
            xs = middle + scale * (at + of)
            points = " ".join(
                f"{x:.1f},{ground - 110 * height:.1f}"
                for x, height in zip(xs, heights, strict=True)
            )
            parts.append(
                f'<polygon points="{points}" fill="{fill}" fill-opacity="0.75" stroke="{INK}"/>'
            )
        errs = special.betainc((d + 1) / 2, 0.5, 1 - (apart / 2) ** 2) / 2
        line = f'x1="{middle - 105}" y1="{ground}" x2="{middle + 155}" y2="{ground}"'
        half = middle + round(scale * apart / 2)
        parts += [
            f'<line {line} stroke="{INK}"/>',
            f'<line x1="{half}" y1="72" x2="{half}" y2="{ground}" stroke="{INK}" '
            'stroke-dasharray="5 5"/>',
            text(half, 30, f"{d} dimensions"),
            text(half, 52, f"the wrong row in {errs:.1%}"),
            text(middle - 12, ground + 18, "the row"),
            text(middle + round(scale * apart) + 36, ground + 18, "another"),
        ]
    return picture(
        "Noise of one radius around two rows, seen along the line between them: in 384 dimensions "
        "two thin peaks that hardly meet, in 6 dimensions two wide ones that overlap.",
        900,
        240,
        parts,
    )


PICTURES: Final = {"row.svg": row, "sees.svg": sees, "gate.svg": gate, "noise.svg": noise}


def main() -> int:
    """Write every picture."""
    FOLDER.mkdir(exist_ok=True)
    for name, draw in PICTURES.items():
        (FOLDER / name).write_text(draw(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

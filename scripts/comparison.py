"""Write the tables of docs/explanation/compare.md, each figure of them from docs/evidence.json.

    <!-- compared: NAME -->
    <!-- /compared -->

A cell is words, or the place of a figure: table, what its row begins with, and column. A place that
is not there is an error, so a figure cannot outlive its measurement. ``make evidence`` runs this.
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
FILE: Final = ROOT / "docs" / "evidence.json"
PAGE: Final = ROOT / "docs" / "explanation" / "compare.md"
MARKED: Final = re.compile(
    r"^<!-- compared: (?P<name>\S+) -->\n.*?^<!-- /compared -->$", re.DOTALL | re.MULTILINE
)
# A figure: its table, the cells that its row begins with, its column, and a word on it.
Place = tuple[str, tuple[str, ...], str, str]
Cell = str | Place

_ALL: Final = "all of it"
_LESS: Final = "at most as with the key"
_NOT: Final = "not measured"


def _minimized(export: str, column: str) -> Place:
    return ("minimize/7", (export,), column, "")


def _gaussian(noise: str, column: str) -> Place:
    return ("gaussian/7", ("bottleneck:6", noise), column, "")


def _member(model: str, query: str) -> Place:
    return ("membership/membership", ("7", f"lab, {model}", query), "AUC", "")


def _fhe(name: str, column: str, word: str = "") -> Place:
    return ("fhe/predictions", ("7", name, "in one batch"), column, word)


def _ours(label: str, export: str, words: Cell, member: Cell) -> tuple[Cell, ...]:
    accuracy, reid = "on the export", "re-id excess, %"
    return (
        label,
        _minimized(export, accuracy),
        words,
        _LESS,
        _LESS,
        _minimized(export, reid),
        member,
    )


def _private(label: str, noise: str) -> tuple[Cell, ...]:
    accuracy, reid = "on the export", "re-id excess, %"
    return (label, _gaussian(noise, accuracy), _NOT, _LESS, _LESS, _gaussian(noise, reid), _NOT)


_HEADER: Final = (
    "what leaves",
    "accuracy",
    "file alone: words read, F1",
    "file alone: re-identified",
    "and 64 known or chosen pairs",
    "file, key and minimizer: re-identified, %",
    "membership, AUC (chance 0.5)",
)
_TIGHT: Final = "bottleneck:6, shrink 1, beta 12"
_LOOSE: Final = "bottleneck:6, shrink 0, beta 4"
TABLES: Final[Mapping[str, tuple[tuple[Cell, ...], ...]]] = {
    "banking": (
        _HEADER,
        (
            "plain vectors",
            _minimized("none, beta 8", "plain"),
            ("inversion/7", ("plain",), "words, F1", ""),
            _ALL,
            _ALL,
            _ALL,
            ("membership/membership", ("7", "trained at the gate", "without noise"), "AUC", ""),
        ),
        ("anonymized text", *[_NOT] * 6),
        (
            "permutation, whole vectors",
            (
                "membership/theft",
                ("7", "none, beta 4, permutation", "2 (14)"),
                "with the key",
                "beta 4",
            ),
            ("inversion/7", ("permutation, beta 2.5, key safe",), "words, F1", "beta 2.5"),
            ("attacks/no-pairs", ("permutation", "5"), "re-id", "beta 5"),
            ("attacks/pairs", ("permutation", "5"), "64", "beta 5"),
            _NOT,
            _NOT,
        ),
        (
            "rotation, whole vectors",
            (*_minimized("none, beta 8", "on the export")[:3], "beta 8"),
            _NOT,
            ("attacks/no-pairs", ("rotation", "4"), "re-id", "beta 4"),
            ("attacks/pairs", ("rotation", "4"), "64", "beta 4"),
            (*_minimized("none, beta 8", "re-id excess, %")[:3], "beta 8"),
            (*_member("none, beta 4", "fresh encryption")[:3], "beta 4"),
        ),
        _ours(
            "ours, 6 dimensions, loose (beta 4)",
            _LOOSE,
            _NOT,
            _member(_LOOSE, "fresh encryption"),
        ),
        _ours(
            "ours, 6 dimensions (beta 12)",
            _TIGHT,
            _NOT,
            _member(_TIGHT, "fresh encryption"),
        ),
        _ours(
            "ours, 6 dimensions (beta 16)",
            "bottleneck:6, shrink 1, beta 16",
            ("inversion/7", ("ours, beta 16, key safe",), "words, F1", ""),
            _NOT,
        ),
        _private("ours, Gaussian noise, epsilon 8 a row", "epsilon 8"),
        _private("ours, Gaussian noise, epsilon 1 a row", "epsilon 1"),
        ("synthetic rows with an epsilon", *[_NOT] * 6),
        (
            "homomorphic encryption (CKKS)",
            _fhe("TenSEAL 0.3.18", "accuracy"),
            *["nothing known"] * 3,
            _ALL,
            "as the plain model",
        ),
        (
            "*the label alone*",
            "",
            ("inversion/7", ("*the label alone*",), "words, F1", ""),
            *[""] * 4,
        ),
    ),
    "reviews": (
        ("what leaves", "accuracy", "file alone: re-identified", "and 100 known pairs", _HEADER[5]),
        ("plain vectors", ("reviews/exports", ("none, beta 8",), "plain", ""), _ALL, _ALL, _ALL),
        (
            "permutation, whole vectors (beta 2.5)",
            _NOT,
            ("reviews/attacks", ("permutation", "2.5", "0"), "re-id", ""),
            "not needed",
            _NOT,
        ),
        (
            "rotation, whole vectors",
            ("reviews/exports", ("none, beta 8",), "on the export", "beta 8"),
            ("reviews/attacks", ("rotation", "2", "0"), "re-id", "beta 2"),
            ("reviews/attacks", ("rotation", "2", "100"), "re-id", "beta 2"),
            ("reviews/exports", ("none, beta 8",), "re-id excess, %", "beta 8"),
        ),
        (
            "ours, 2 dimensions (beta 12)",
            ("reviews/exports", ("bottleneck:2, shrink 1, beta 12",), "on the export", ""),
            _LESS,
            _LESS,
            ("reviews/exports", ("bottleneck:2, shrink 1, beta 12",), "re-id excess, %", ""),
        ),
    ),
    "cost": (
        ("answered with", "server's time, times ours", "query, bytes", "answer, bytes"),
        *(
            (
                label,
                *(_fhe(name, column) for column in ("times ours", "query, bytes", "answer, bytes")),
            )
            for label, name in (
                ("ours, 6 dimensions", "ours, bottleneck:6"),
                ("ours, trained at the gate", "ours, at the gate"),
                ("homomorphic encryption (CKKS, TenSEAL), one batch", "TenSEAL 0.3.18"),
            )
        ),
        (
            "homomorphic encryption (TFHE, Concrete ML), one at a time",
            *(
                ("fhe/predictions", ("7", "Concrete ML 1.9.0", "one at a time"), column, "")
                for column in ("times ours", "query, bytes", "answer, bytes")
            ),
        ),
    ),
}


def main() -> int:
    """Write the page; return 0, or 2 if a figure is not there any more."""
    evidence = json.loads(FILE.read_text(encoding="utf-8"))
    text = PAGE.read_text(encoding="utf-8")
    try:
        PAGE.write_text(page(text, evidence), encoding="utf-8")
    except LookupError as error:
        print(f"{PAGE}: {error}", file=sys.stderr)
        return 2
    return 0


def page(text: str, evidence: Mapping[str, Any]) -> str:
    """Return the page with each of its tables as the evidence has it."""

    def filled(match: re.Match[str]) -> str:
        name = match["name"]
        return f"<!-- compared: {name} -->\n\n{shown(name, evidence)}\n<!-- /compared -->"

    return MARKED.sub(filled, text)


def shown(name: str, evidence: Mapping[str, Any]) -> str:
    """Return one table, and by which commands its figures were measured."""
    header, *rows = TABLES[name]
    lines = [_line(header, evidence), f"|{'---|' * len(header)}"]
    lines += [_line(row, evidence) for row in rows]
    used = {cell[0] for row in rows for cell in row if not isinstance(cell, str)}
    commands = dict.fromkeys(evidence[table]["command"] for table in sorted(used))
    lines += ["", "Printed by " + ", ".join(f"`{command}`" for command in commands) + ".", ""]
    return "\n".join(lines)


def _line(row: tuple[Cell, ...], evidence: Mapping[str, Any]) -> str:
    return f"| {' | '.join(figure(cell, evidence) for cell in row)} |"


def figure(cell: Cell, evidence: Mapping[str, Any]) -> str:
    """Return words as they are, and a figure from its place.

    Raises:
        LookupError: There is no such table, row or column, or more than one such row.
    """
    if isinstance(cell, str):
        return cell
    table, begins, column, word = cell
    rows = [row for row in evidence[table]["rows"] if tuple(row[: len(begins)]) == begins]
    if len(rows) != 1 or column not in evidence[table]["header"]:
        raise LookupError(f"{table} has {len(rows)} rows {begins}, or no column {column!r}")
    value: str = rows[0][evidence[table]["header"].index(column)]
    return f"{value} ({word})" if word else value


if __name__ == "__main__":
    sys.exit(main())

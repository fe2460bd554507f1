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


def _fhe(name: str, column: str, word: str = "") -> Place:
    return ("fhe/predictions", ("7", name, "in one batch"), column, word)


_REID: Final = "file, key and minimizer: re-identified, %"
_COLUMNS: Final = {
    "accuracy": "accuracy",
    "file alone: words read, F1": "words, file alone",
    "file alone: names and numbers read": "names, file alone",
    "file alone: re-identified, %": "re-identified, file alone, %",
    "by 64 known pairs, %": "by 64 pairs, %",
    "all stolen: words read, F1": "words, all stolen",
    "all stolen: re-identified, %": "re-identified, all stolen, %",
    "membership, AUC (chance 0.5)": "membership, AUC",
}
_HEADER: Final = ("what leaves", *_COLUMNS)
_RELEASES: Final = (
    "plain vectors",
    "anonymized text",
    "vectors of anonymized text",
    "permutation, whole vectors (beta 4)",
    "rotation, whole vectors (beta 4)",
    "rotation, whole vectors (beta 8)",
    "ours, loose (beta 4)",
    "ours, default (beta 12)",
    "ours, strict (beta 24)",
    "ours, Gaussian, epsilon 8",
    "ours, Gaussian, epsilon 1",
    "ours, private minimizer, epsilon 8 in all",
    "ours, private minimizer, epsilon 1 in all",
    "synthetic rows, epsilon 8",
    "synthetic rows, epsilon 3",
    "synthetic rows, epsilon 1",
    "*the label alone*",
)


def _measured(table: str) -> tuple[tuple[Cell, ...], ...]:
    """A line for each release, by its name in the table."""
    return tuple(
        (name, *((table, (name,), column, "") for column in _COLUMNS.values()))
        for name in _RELEASES
    )


TABLES: Final[Mapping[str, tuple[tuple[Cell, ...], ...]]] = {
    "banking": (
        _HEADER,
        *_measured("compare/banking"),
        (
            "homomorphic encryption (CKKS)",
            _fhe("TenSEAL 0.3.18", "accuracy"),
            *["nothing known"] * 4,
            *[_ALL] * 2,
            "as the plain model",
        ),
    ),
    "messages": (_HEADER, *_measured("compare/messages")),
    "reviews": (
        ("what leaves", "accuracy", "file alone: re-identified", "and 100 known pairs", _REID),
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

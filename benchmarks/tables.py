"""A benchmark's tables: printed as Markdown, and handed over as data to benchmarks/evidence.py."""

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

REVIEWS = "the demo's film reviews, from a pinned package of the package index"
MADE_UP = "made up, by the benchmark itself"


def local(what: str) -> str:
    """What a table says of rows that are read from a folder and not handed on."""
    return f"{what}, local copy, not distributed"


@dataclass(frozen=True)
class Table:
    """Cells as they are printed.

    ``name`` is that of the benchmark, a slash and one of its own; ``data`` says where the rows come
    from, ``note`` what else a reader must know.
    """

    name: str
    title: str
    header: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    data: tuple[str, ...]
    seeds: tuple[int, ...] = (0,)
    note: str = ""

    def markdown(self) -> str:
        lines = [f"#### {self.title}", "", *markdown_rows(self.header, self.rows)]
        if self.note:
            lines += ["", self.note]
        return "\n".join(lines)


def markdown_rows(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table in Markdown."""
    return [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"] + [
        f"| {' | '.join(row)} |" for row in rows
    ]


def arguments(doc: str) -> argparse.ArgumentParser:
    """A parser with what every benchmark takes."""
    parser = argparse.ArgumentParser(description=doc.partition("\n")[0])
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "cipherset")
    parser.add_argument("--tables", type=Path, help="write the tables as JSON to this file, too")
    return parser


def hand_over(found: Iterable[Table], to: Path | None) -> None:
    """Print each as it comes; at the end write all of them to ``to``."""
    kept = []
    for table in found:
        kept.append(asdict(table))
        print(f"\n{table.markdown()}\n\nData: {'; '.join(table.data)}.", flush=True)
    if to is not None:
        to.write_text(json.dumps(kept), encoding="utf-8")

"""Results to stdout as one JSON object or as tables; progress and warnings to stderr."""

import json
import sys
from collections.abc import Mapping
from typing import Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress
from rich.table import Table

from cipherset.core.errors import CiphersetError

Result = Mapping[str, Any]


def show_json(result: Result) -> None:
    """Print one JSON object and nothing else."""
    click.echo(json.dumps(result, ensure_ascii=False, indent=2, sort_keys=False))


def show_table(title: str, rows: list[tuple[str, str]]) -> None:
    """Print a two-column table; on a terminal folded to its width, elsewhere a line per row."""
    if not sys.stdout.isatty():
        width = max((len(name) for name, _ in rows), default=0)
        click.echo(title)
        for name, value in rows:
            click.echo(f"  {name:<{width}}  {value}".rstrip())
        return
    table = Table(show_header=False, box=None, padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, value)
    console = Console(highlight=False)
    console.print(title, style="bold", markup=False, soft_wrap=True)
    console.print(table)


def promise_rows(promise: Result | None) -> list[tuple[str, str]]:
    """What is kept of each row, with its conditions; nothing where nothing is."""
    if promise is None:
        return []
    kept = f"{promise['epsilon']:g}, {promise['delta']:g} per {promise['per']}"
    return [
        ("epsilon, delta", kept),
        *(("  holds", condition) for condition in promise["conditions"]),
    ]


def privacy_rows(privacy: Result | None) -> list[tuple[str, str]]:
    """The promise of Gaussian noise with its conditions; nothing for noise in a ball."""
    if privacy is None:
        return []
    total = privacy["composed"]
    together = (
        "no finite epsilon"
        if total["epsilon"] is None
        else f"epsilon {total['epsilon']:.4g}, delta {total['delta']:.4g}"
    )
    width = f"sigma {privacy['sigma']:.4g}, sensitivity {privacy['sensitivity']:.6g}"
    return [
        ("epsilon, delta", f"{privacy['epsilon']:g}, {privacy['delta']:g} per {privacy['per']}"),
        ("  by gaussian noise", width),
        *_fitted_rows(privacy["minimizer"]),
        ("  over all its exports", f"{together} ({total['exports']} live)"),
        *(("  holds", condition) for condition in privacy["conditions"]),
    ]


def _fitted_rows(kept: Result | None) -> list[tuple[str, str]]:
    if kept is None:
        return []
    return [("  by the minimizer", f"{kept['epsilon']:g}, {kept['delta']:g} per row fitted on")]


def show_warning(message: str) -> None:
    """Print on stderr what must be known of something that was done."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print("[bold yellow]warning:[/] ", end="")
    console.print(message, markup=False)


def show_error(error: CiphersetError, *, as_json: bool) -> None:
    """Print what is wrong and what to do next; never a record, a vector or a key."""
    if as_json:
        show_json({"error": {"code": error.code, "message": error.message, "hint": error.hint}})
        return
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(f"[bold red]error[/] ({error.code}): ", end="")
    console.print(error.message, markup=False)
    if error.hint:
        console.print("[bold]  what to do:[/] ", end="")
        console.print(error.hint, markup=False)


class TerminalProgress:
    """Bars on a terminal, a line per stage otherwise; always on stderr."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._bars: RichProgress | None = None
        self._task: Any = None

    def start(self, stage: str, total: int | None) -> None:
        """A stage begins."""
        self.finish()
        if not sys.stderr.isatty():
            self._console.print(f"- {stage}", markup=False)
            return
        self._bars = RichProgress(
            TextColumn("{task.description:<34}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
        )
        self._bars.start()
        self._task = self._bars.add_task(stage, total=total)

    def advance(self, steps: int) -> None:
        """``steps`` more are done."""
        if self._bars is not None:
            self._bars.advance(self._task, steps)

    def finish(self) -> None:
        """The stage is done."""
        if self._bars is not None:
            task = self._bars.tasks[0]
            self._bars.update(self._task, total=task.total or task.completed)
            self._bars.stop()
            self._bars = None

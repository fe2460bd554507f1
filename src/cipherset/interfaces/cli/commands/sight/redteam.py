"""``cipherset redteam``: attack what there is, compare it with what was accepted, and accept it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from cipherset.app.assess.request import PublicSource
from cipherset.app.redteam.accepted import accept, due, history
from cipherset.app.redteam.attack import Attackers, DataSource
from cipherset.app.redteam.attacks.suite import SUITE
from cipherset.app.redteam.line import LineVerdict
from cipherset.app.redteam.request import RedTeamRequest, RedTeamResult
from cipherset.app.redteam.run import redteam
from cipherset.app.redteam.schedule import parse_every, repeat, stopped_by_signal
from cipherset.core.errors import UsageError
from cipherset.interfaces.cli import options, output
from cipherset.interfaces.cli.command import Command, Context
from cipherset.interfaces.cli.group import Group

EXAMPLE: Final = "cipherset redteam --quick"
_RUN: Final = "run"
_PATH: Final = click.Path(path_type=Path)
_FILE: Final = click.Path(path_type=Path, dir_okay=False)


class _Runs(Group):
    """What is no subcommand is for ``run``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments, with the command that they are for."""
        asks = args[:1] in (["--help"], ["-h"])
        if not asks and args[:1] not in [[name] for name in self.commands]:
            args = [_RUN, *args]
        return super().parse_args(ctx, args)


@click.group(name="redteam", cls=_Runs, epilog=f"Example:  {EXAMPLE}")
def command() -> None:
    """Attack exports, models and guards; exit with 3 where it is worse than what was accepted.

    Without a subcommand: run. See: cipherset redteam run --help
    """


def _data(
    _context: click.Context, option: click.Parameter, given: tuple[str, ...]
) -> tuple[DataSource, ...]:
    """``DATASET=FILE``, any number of times."""
    found = []
    for each in given:
        dataset, sign, source = each.partition("=")
        if not (dataset and sign and source):
            raise click.BadParameter(f"{each!r} is not DATASET=FILE", param=option)
        found.append(DataSource(dataset, source))
    return tuple(found)


@command.command(name=_RUN, cls=Command, epilog=f"Example:  {EXAMPLE}")
@click.argument("places", nargs=-1, type=_PATH, metavar="[DIR]...")
@click.option("--quick", is_flag=True, help="Only attacks that take seconds, for CI.")
@click.option(
    "--only", multiple=True, metavar="ATTACK", help="Only this attack; --list names them."
)
@click.option("--list", "lists", is_flag=True, help="List the attacks, and run none.")
@click.option("--public", metavar="SOURCE", help="Text that an attacker may have of the same kind.")
@click.option("--text", multiple=True, metavar="COL", help="Text of --public and of --rows.")
@options.label("Labels of --public, if named otherwise than the export's.")
@click.option(
    "--injections", type=_FILE, metavar="FILE", help="More attacks on prompts, as JSON Lines."
)
@click.option(
    "--rows",
    multiple=True,
    callback=_data,
    metavar="DATASET=SOURCE",
    help="Rows that replies must not repeat, to probe the filter with.",
)
@click.option(
    "--canary",
    "canaries",
    multiple=True,
    callback=_data,
    metavar="DATASET=MODEL.py",
    help="A model to ask for planted secrets; the file is run.",
)
@click.option(
    "--garak",
    multiple=True,
    type=_FILE,
    metavar="REPORT",
    help="Take in a report of garak (JSONL).",
)
@click.option(
    "--every", metavar="TIME", help="Run again and again, such as every 24h, until SIGTERM."
)
@click.option(
    "--if-due",
    metavar="TIME",
    help="Run only if the last run was longer ago, such as 24h; for cron.",
)
@options.seed("samples and attacks")
@click.pass_obj
def run_(  # noqa: PLR0913 -- one parameter per option
    context: Context,
    places: tuple[Path, ...],
    quick: bool,  # noqa: FBT001 -- click hands it over by name
    only: tuple[str, ...],
    lists: bool,  # noqa: FBT001 -- click hands it over by name
    public: str | None,
    text: tuple[str, ...],
    label: str | None,
    injections: Path | None,
    rows: tuple[DataSource, ...],
    canaries: tuple[DataSource, ...],
    garak: tuple[Path, ...],
    every: str | None,
    if_due: str | None,
    seed: int,
) -> None:
    """Attack what is in the workspace, and the exports and models in DIR.

    Exits with 3 where a line is worse than in the finding that was accepted, by more than chance;
    where it is over its limit; and where an attack could not be run to its end. A run that was
    killed goes on where it was.
    """
    if lists:
        _list(context)
        return
    if every is not None and if_due is not None:
        raise UsageError(
            "give --every or --if-due, not both", code="usage", hint="see: cipherset redteam --help"
        )
    if rows and not text:
        raise UsageError("--rows needs --text COL", code="usage", hint="name its column of text")
    own = None if public is None else PublicSource(public, text, label=label)
    attackers = Attackers(own, injections, rows, text, canaries)
    request = RedTeamRequest(places, only, quick, seed, attackers, garak)
    if every is not None:
        _repeat(context, request, every)
        return
    if if_due is not None and not due(context.session(), parse_every(if_due)).is_due:
        context.show({"due": False}, "the last run is young enough", [])
        return
    _once(context, request)


def _once(context: Context, request: RedTeamRequest) -> None:
    result = redteam(context.session(), request)
    if result is None:  # nobody can say stop to a single run
        return
    if not result.is_clean:
        if not context.as_json:
            context.show(result.as_json(), "NOT clean", _rows(result))
        result.check()
    context.show(result.as_json(), _title(result), _rows(result))


def _repeat(context: Context, request: RedTeamRequest, every: str) -> None:
    length = parse_every(every)
    with stopped_by_signal() as stop:
        rounds = repeat(
            lambda stops: redteam(context.session(), request, stop=stops),
            length,
            stop,
            output.show_warning,
        )
    shown = [("rounds", str(rounds.n_rounds)), ("clean", str(rounds.n_clean))]
    context.show(rounds.as_json(), "stopped", shown)


def _list(context: Context) -> None:
    told = [{"name": each.name, "against": each.what.value, "tells": each.tells} for each in SUITE]
    rows = [(each.name, f"{each.what}: {each.tells}") for each in SUITE]
    context.show({"attacks": told}, "attacks", rows)


@command.command(
    name="accept",
    cls=Command,
    epilog="Example:  cipherset redteam accept FINDING --reason 'as before'",
)
@click.argument("finding")
@click.option("--reason", required=True, metavar="WHY", help="Why it is good enough.")
@click.pass_obj
def accept_(context: Context, finding: str, reason: str) -> None:
    """Accept FINDING, the id of a run, as what later runs are compared with.

    Where duties are parted, nobody accepts a run of their own.
    """
    accepted = accept(context.session(), finding, reason)
    over = [line.key for line in accepted.lines() if line.verdict is LineVerdict.OVER_LIMIT]
    told = {"accepted": finding, "lines": len(accepted.lines()), "over_limit": over}
    context.show(told, f"accepted {finding}", [("over the limit", each) for each in over])


@command.command(name="history", cls=Command, epilog="Example:  cipherset redteam history --json")
@click.pass_obj
def history_(context: Context) -> None:
    """Show every run with its lines, what was accepted, and how each value went."""
    found = history(context.session())
    context.show(found, "runs of the red team", _past(found["runs"]) or [("none", "")])


@command.command(name="due", cls=Command, epilog="Example:  cipherset redteam due --every 24h")
@click.option("--every", required=True, metavar="TIME", help="How often, such as 24h or 7d.")
@click.pass_obj
def due_(context: Context, every: str) -> None:
    """Say whether a run is due."""
    found = due(context.session(), parse_every(every))
    rows = [("last", found.last or "never"), ("next", found.next or "now")]
    context.show(found.as_json(), "due" if found.is_due else "not due", rows)


def _title(result: RedTeamResult) -> str:
    finding = result.finding
    against = f"compared with {finding.baseline}"
    none = "nothing was accepted before, so limits alone are held"
    return f"{finding.finding_id}: clean; {against if finding.baseline else none}"


def _rows(result: RedTeamResult) -> list[tuple[str, str]]:
    finding = result.finding
    rows = [(f"{each['attack']}, {each['name']}", _value(each)) for each in finding.lines]
    rows += [("WORSE", f"{each['line']}: {each['before']:.4f} before") for each in finding.worse]
    rows += [("OVER", each) for each in finding.over]
    rows += [("NOT MEASURED", each) for each in finding.unmeasured]
    rows += [("not run", each) for each in finding.not_run]
    return [*rows, ("finding", str(result.path))]


def _value(line: dict[str, Any]) -> str:
    low, high = line["ci"]
    return f"{line['value']:.4f} ({low:.4f} to {high:.4f}) {line['metric']}, {line['verdict']}"


def _past(runs: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    rows = []
    for run in runs:
        bad = len(run["worse"]) + len(run["over"]) + len(run["unmeasured"])
        how = "clean" if not bad else f"{bad} not clean"
        accepted = f", accepted by {run['accepted']['by']}" if run["accepted"] else ""
        rows.append(
            (run["finding_id"], f"{run['created']}, {len(run['lines'])} lines, {how}{accepted}")
        )
    return rows

"""``cipherset discover``: which AI there is, by files, by agents, and by what people say."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import click

from cipherset.app.discovery.agent import write_agent
from cipherset.app.discovery.answers import QUESTIONS, read_answers, register_all
from cipherset.app.discovery.egress import EgressRequest, discover_egress
from cipherset.app.discovery.review import ask_for_reviews
from cipherset.app.discovery.scan import DiscoverRequest, discover
from cipherset.core.errors import PolicyError, UsageError
from cipherset.evidence.views.inventory.status import Review, Reviewed
from cipherset.interfaces.cli import options
from cipherset.interfaces.cli.command import Command, Context
from cipherset.interfaces.cli.commands.sight import egress as logs

_FILE = click.Path(path_type=Path, dir_okay=False)
_SHOWN = 5  # files that were not read


class Result(Protocol):
    """What was discovered, by whatever it was."""

    def as_json(self) -> dict[str, Any]: ...
    def counts(self) -> dict[str, int]: ...
    def unreviewed(self) -> dict[str, str]: ...
    def reviewed(self, stand: Mapping[str, Reviewed]) -> Self: ...


@dataclass(frozen=True, slots=True)
class After:
    """What is done with what was found; ``fails_on`` are the statuses that end it with 3."""

    review: bool
    approver: str | None
    fails_on: tuple[str, ...]


@click.command(name="discover", cls=Command, epilog="Example:  cipherset discover . --review")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option(
    "--from",
    "reports",
    multiple=True,
    type=_FILE,
    metavar="REPORT",
    help="A report that the agent wrote on another host.",
)
@click.option("--answers", type=_FILE, metavar="FILE", help="What people say they use, as TOML.")
@click.option("--questions", is_flag=True, help="Print the form for --answers, and stop.")
@click.option(
    "--agent-file",
    type=_FILE,
    metavar="FILE",
    help="Write the agent, a script for other hosts, and stop.",
)
@options.force("the agent's file")
@click.option("--catalog", type=_FILE, metavar="FILE", help="More services to look for, as TOML.")
@logs.options
@click.option(
    "--label", metavar="NAME", help="What to call this repository or host (default: the folder)."
)
@click.option("--review", is_flag=True, help="Ask for the approval of what nobody has reviewed.")
@click.option("--approver", metavar="PRINCIPAL", help="Who is to approve it (default: you).")
@click.option(
    "--fail-on",
    "fails_on",
    multiple=True,
    type=click.Choice([status.value for status in Review]),
    help="Exit with 3 where something has this status.",
)
@click.pass_obj
def command(  # noqa: PLR0913 -- one parameter per option
    context: Context,
    *,
    paths: tuple[Path, ...],
    reports: tuple[Path, ...],
    answers: Path | None,
    questions: bool,
    agent_file: Path | None,
    force: bool,
    catalog: Path | None,
    egress: EgressRequest | None,
    label: str | None,
    review: bool,
    approver: str | None,
    fails_on: tuple[str, ...],
) -> None:
    """Find AI in each PATH (a folder, a file, an archive or image); nothing is executed."""
    looks = bool(paths or reports), egress is not None, answers is not None
    _check_one(*looks, questions, agent_file is not None)
    after = After(review, approver, fails_on)
    if questions:
        _print_form(context)
    elif agent_file is not None:
        told = write_agent(agent_file, overwrite=force)
        context.show(told, "agent", [("file", told["agent"]), ("digest", told["digest"])])
    elif egress is not None:
        _show(context, discover_egress(context.session(), egress), after)
    elif answers is not None:
        _show(context, register_all(context.session(), read_answers(answers)), after)
    else:
        request = DiscoverRequest(paths, reports, catalog, label)
        _show(context, discover(context.session(), request), after)


def _check_one(*given: bool) -> None:
    """Refuse more than one thing at a time; all that there is to look at is one.

    Raises:
        UsageError: ``discover_what``.
    """
    if sum(given) != 1:
        raise UsageError(
            f"there are {sum(given)} things to do, not one",
            code="discover_what",
            hint="give PATHs or --from, or one of --egress, --answers, --questions, --agent-file",
        )


def _print_form(context: Context) -> None:
    if context.as_json:
        context.show({"questions": QUESTIONS}, "", [])
    else:
        click.echo(QUESTIONS, nl=False)


def _show(context: Context, found: Result, after: After) -> None:
    """Show it, once the reviews that are to be opened are; leave with 3 where it is to fail."""
    if after.review:
        stand = ask_for_reviews(context.session(), found.unreviewed(), approver=after.approver)
        found = found.reviewed(stand)
    counts, told = found.counts(), found.as_json()
    rows = [(each["status"], logs.told(each) or _told(each)) for each in told["findings"]]
    rows += logs.notes(told)
    title = ", ".join(f"{n} {status}" for status, n in counts.items() if n) or "no AI found"
    if told.get("n_not_read"):
        title += f"; {told['n_not_read']} not read"
        rows += _not_read(told)
    context.show(told, title, rows)
    if any(counts[status] for status in after.fails_on):
        # The one JSON object has been printed: which they are stands in it.
        sys.exit(PolicyError.exit_code)


def _not_read(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [("not read", f"{one['path']}: {one['fault']}") for one in told["not_read"][:_SHOWN]]
    left = told["n_not_read"] - len(rows)
    return rows + ([("not read", f"{left} more: see --json")] if left else [])


def _told(finding: Mapping[str, Any]) -> str:
    origin = f": {finding['origin']}" if finding.get("origin") else ""
    return f"{finding['kind']} {finding['what']}  {finding['where']}{origin}"

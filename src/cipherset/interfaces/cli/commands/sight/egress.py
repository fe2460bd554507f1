"""The options of ``cipherset discover --egress``, as one request."""

from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

from cipherset.app.discovery.egress import EgressRequest
from cipherset.app.discovery.egress.request import COLUMNS
from cipherset.core.errors import UsageError
from cipherset.evidence.discover.egress import FORMATS

_FILE: Final = click.Path(path_type=Path, dir_okay=False)
_OPTIONS: Final = (
    click.option(
        "--egress",
        "logs",
        multiple=True,
        type=_FILE,
        metavar="LOG",
        help="A log of DNS, a proxy or flows: who asked which AI service.",
    ),
    click.option(
        "--bodies",
        multiple=True,
        type=_FILE,
        metavar="FILE",
        help="What was sent to a service: is a row of yours in it?",
    ),
    click.option(
        "--format",
        "form",
        type=click.Choice(FORMATS),
        help="The form of the logs (default: found out).",
    ),
    click.option(
        "--column",
        "columns",
        multiple=True,
        metavar="ROLE=NAME",
        help=f"Which column of a log is what. ROLE is one of {', '.join(COLUMNS)}.",
    ),
    click.option(
        "--field",
        "name",
        metavar="NAME",
        help="The field of --bodies that holds the text; a.b for b within a.",
    ),
    click.option(
        "--services", multiple=True, type=_FILE, metavar="FILE", help="More AI services, as TOML."
    ),
    click.option(
        "--principal", metavar="WHO", help="Whose requests they are, of a log that does not say."
    ),
)

Command = Callable[..., None]


def options(command: Command) -> Command:
    """The options, given to ``command`` as ``egress``: a request, None where no log was named.

    With ``--egress`` or ``--bodies`` every PATH is one more log.
    """

    @wraps(command)
    def given(  # house: hands on the options that only the command knows  # noqa: PLR0913
        *context: object,
        paths: tuple[Path, ...],
        logs: tuple[Path, ...],
        bodies: tuple[Path, ...],
        form: str | None,
        columns: tuple[str, ...],
        name: str | None,
        services: tuple[Path, ...],
        principal: str | None,
        **others: object,
    ) -> None:
        egress = None
        if logs or bodies:
            parted = _parted(columns)
            egress = EgressRequest((*logs, *paths), bodies, form, parted, services, name, principal)
            paths = ()
        command(*context, paths=paths, egress=egress, **others)

    wrapped: Command = given
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def _parted(columns: tuple[str, ...]) -> dict[str, str]:
    pairs = [each.partition("=") for each in columns]
    if any(not sign or not name for _, sign, name in pairs):
        raise UsageError(
            "a column is given as ROLE=NAME",
            code="egress_asked",
            hint="for example --column host=dest_name",
        )
    return {role: name for role, _, name in pairs}


def told(finding: Mapping[str, Any]) -> str | None:
    """What logs showed, on one line for people; None for what they did not."""
    if "rows" in finding:
        to = finding["service"] or finding["host"] or "a service without a name"
        return (
            f"{finding['principal'] or 'somebody'} sent {_counted(finding['rows'], 'row')} of "
            f"{finding['what']} ({finding['level']}) to {to}"
        )
    if "principal" not in finding:
        return None
    calls = _counted(finding["count"], "call")
    sent = "" if finding["bytes_up"] is None else f", {finding['bytes_up']} bytes up"
    since = "" if finding["first_seen"] is None else f" since {finding['first_seen']}"
    return f"{finding['what']}: {finding['principal']}, {calls}{sent}{since}"


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'s' * (n != 1)}"


def notes(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What else is to be known of how logs were read, for people."""
    rows = [
        ("not read", f"{each['unreadable']} of {each['lines']} lines of {each['log']}")
        for each in found.get("logs", ())
        if each["unreadable"]
    ]
    rows += [
        (
            "read in part",
            f"{each['partly']} of {each['lines']} lines of {each['log']}: bytes unknown",
        )
        for each in found.get("logs", ())
        if each["partly"]
    ]
    rows += [
        ("look-alike", f"{each['host']} looks like {each['looks_like']}, and is not accused")
        for each in found.get("look_alikes", ())
    ]
    rows += [
        ("not compared", f"{dataset}: {why}")
        for dataset, why in found.get("not_compared", {}).items()
    ]
    return rows

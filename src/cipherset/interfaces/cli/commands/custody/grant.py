"""``cipherset grant``: ask for what policies do not allow by themselves, and vote on it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import click

from cipherset.app.access import grants
from cipherset.app.access.grants import Grant, Wish
from cipherset.core.errors import UsageError
from cipherset.custody.policy import Action, VoteKind
from cipherset.interfaces.cli.command import Command, Context
from cipherset.interfaces.cli.group import Group

_SPAN: Final = re.compile(r"(\d{1,4})([mhd])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}
EXAMPLE: Final = "cipherset grant request protect tickets.csv --for routing --until 8h --as bob"


@click.group(name="grant", cls=Group)
def command() -> None:
    """Grants: requests over exact digests, approved by those whom the label asks for."""


@command.command(cls=Command, epilog=f"Example:  {EXAMPLE}")
@click.argument("action")
@click.argument("assets", nargs=-1, metavar="ASSET...")
@click.option("--for", "purpose", required=True, metavar="PURPOSE", help="What it is for.")
@click.option(
    "--until",
    metavar="TIME",
    help="When it ends: a time (UTC) or a span such as 30m, 8h, 5d (default: a day).",
)
@click.option(
    "--from", "starts", metavar="TIME", help="When it begins, a time (UTC) (default: at once)."
)
@click.option("--to", "beneficiary", metavar="PRINCIPAL", help="Who is to have it (default: you).")
@click.option("--note", default="", help="What the approvers should know.")
@click.option(
    "--accept-risk", metavar="REASON", help="Ask that it holds above the limit of risk too; why."
)
@click.pass_obj
def request(  # noqa: PLR0913 -- one parameter per option
    context: Context,
    action: str,
    assets: tuple[str, ...],
    purpose: str,
    until: str | None,
    starts: str | None,
    beneficiary: str | None,
    note: str,
    accept_risk: str | None,
) -> None:
    """Ask to do ACTION with each ASSET: key:NAME, a path, an id, or workspace.

    For policy.activate: policies:SET. For principal.add and principal.change:
    principal:NAME=ROLE,ROLE, principal:NAME=left, principal:NAME=identity:URI,
    principal:NAME=key:HEX with their new key, or principal:NAME=stolen:HEX where the key before was
    stolen. For principal.token: principal:NAME=token:BINDING:DAYS.

    The clock starts when the last approval is given. One byte of what it is for changed, and it is
    void. A live grant that covers the same is shown instead of a new one.
    """
    begins = None if starts is None else _time(starts)
    wish = Wish(
        action=_action(action),
        assets=assets,
        purpose=purpose,
        beneficiary=beneficiary,
        starts=begins,
        until=None if until is None else _time(until, begins),
        note=note,
        accept_risk=accept_risk,
    )
    found = grants.request(context.session(), wish)
    if found.unusable is not None:
        context.warn(found.unusable)
    _show(context, found)


_comment = click.option("--comment", default="", help="Why; it stays with the vote.")


@command.command(cls=Command, epilog="Example:  cipherset grant approve grant-4f2a --as ada")
@click.argument("grant_id", metavar="ID")
@_comment
@click.pass_obj
def approve(context: Context, grant_id: str, comment: str) -> None:
    """Approve the request ID; never one's own."""
    _show(context, grants.vote(context.session(), grant_id, VoteKind.APPROVE, comment))


@command.command(cls=Command, epilog="Example:  cipherset grant deny grant-4f2a --as ada")
@click.argument("grant_id", metavar="ID")
@_comment
@click.pass_obj
def deny(context: Context, grant_id: str, comment: str) -> None:
    """Deny the request ID."""
    _show(context, grants.vote(context.session(), grant_id, VoteKind.DENY, comment))


@command.command(cls=Command, epilog="Example:  cipherset grant revoke grant-4f2a --as ada")
@click.argument("grant_id", metavar="ID")
@_comment
@click.pass_obj
def revoke(context: Context, grant_id: str, comment: str) -> None:
    """Revoke the grant ID: from this moment it allows nothing."""
    _show(context, grants.vote(context.session(), grant_id, VoteKind.REVOKE, comment))


@command.command(name="list", cls=Command, epilog="Example:  cipherset grant list")
@click.pass_obj
def list_(context: Context) -> None:
    """List every grant there ever was, and where it stands."""
    found = grants.list_grants(context.session())
    rows = [(each.request.id, _told(each)) for each in found]
    shown = {"grants": [each.as_json() for each in found]}
    context.show(shown, "grants", rows or [("none", "ask for one")])


def _show(context: Context, grant: Grant) -> None:
    shown = grant.as_json()
    rows = [
        ("grant", grant.request.id),
        ("status", shown["status"]),
        ("reason", shown["reason"]),
        ("action", shown["action"]),
        ("for", f"{grant.request.beneficiary}: {grant.request.purpose}"),
        *(("binds", name) for name in grant.request.bound),
    ]
    if shown["until"] is not None:
        rows.append(("until", shown["until"]))
    if shown["lacking"]:
        needed = ", ".join(f"{count} {role}" for role, count in shown["lacking"].items())
        rows.append(("needs", f"{needed}: cipherset grant approve {grant.request.id} --as WHO"))
    context.show(shown, "grant", rows)


def _told(grant: Grant) -> str:
    asked = grant.request
    return f"{grant.status.state}: {asked.action} for {asked.beneficiary}; {grant.status.because}"


def _action(text: str) -> Action:
    try:
        return Action(text)
    except ValueError:
        raise UsageError(
            f"there is no action {text!r}",
            code="action",
            hint=f"one of {', '.join(sorted(action.value for action in Action))}",
        ) from None


def _time(text: str, begins: datetime | None = None) -> datetime:
    """A time in UTC, or one that a span after ``begins`` or now."""
    span = _SPAN.fullmatch(text)
    if span is not None:
        length = timedelta(**{_UNITS[span.group(2)]: int(span.group(1))})
        return (begins or datetime.now(UTC)) + length
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is no time",
            code="grant_until",
            hint="give UTC, as in 2026-12-31T18:00, or a span, as in 8h",
        ) from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)

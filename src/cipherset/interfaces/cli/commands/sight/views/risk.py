"""``cipherset view risk``: what is most at risk, and what if."""

from collections.abc import Iterator

import click

from cipherset.app.sight.risk.run import Risk, Supposed, Supposing, suppose, view_risk
from cipherset.core.errors import UsageError
from cipherset.custody.policy import Action, Role
from cipherset.interfaces.cli.command import Command, Context

TOP = 10
_EXAMPLE = "cipherset view risk --if-grant export tickets.cipherset --to sam"


@click.command(name="risk", cls=Command, epilog=f"Example:  {_EXAMPLE}")
@click.option(
    "--top",
    default=TOP,
    show_default=True,
    type=click.IntRange(min=1),
    metavar="N",
    help="Show the N highest.",
)
@click.option("--all", "every", is_flag=True, help="Show every asset.")
@click.option(
    "--if-grant",
    "grant",
    nargs=2,
    metavar="ACTION ASSET",
    help="What if this were granted? Nothing is changed.",
)
@click.option("--to", "name", metavar="PRINCIPAL", help="To whom, with --if-grant.")
@click.option(
    "--if-role", "role", nargs=2, metavar="PRINCIPAL ROLE", help="What if they had that role too?"
)
@click.pass_obj
def command(  # house: one argument for each option of the command line
    context: Context,
    top: int,
    *,
    every: bool,
    grant: tuple[str, str] | None,
    name: str | None,
    role: tuple[str, str] | None,
) -> None:
    """Score every asset from 0 to 100, with the reasons and what would lower the score."""
    supposing = _supposing(grant, name, role)
    if supposing is not None:
        supposed = suppose(context.session(), supposing)
        rows = list(_supposed_rows(supposed)) or [("nothing", "would be another")]
        context.show(supposed.as_json(), "risk, if", rows)
        return
    found = view_risk(context.session())
    shown = None if every else top
    rows = list(_rows(found, shown)) or [("nothing", "is here yet")]
    context.show(found.as_json(shown), "risk", rows)


def _supposing(
    grant: tuple[str, str] | None, name: str | None, role: tuple[str, str] | None
) -> Supposing | None:
    if (grant is None) != (name is None) or (grant is not None and role is not None):
        raise UsageError(
            "what is supposed is not clear",
            code="risk_supposing",
            hint="say --if-grant ACTION ASSET --to PRINCIPAL, or --if-role PRINCIPAL ROLE",
        )
    if grant is not None and name is not None:
        return Supposing(name, action=Action(_one_of(Action, grant[0])), asset=grant[1])
    if role is not None:
        return Supposing(role[0], role=Role(_one_of(Role, role[1])))
    return None


def _one_of(words: type[Action] | type[Role], given: str) -> str:
    known = sorted(each.value for each in words)
    if given not in known:
        raise UsageError(
            f"{given!r} is no {words.__name__.lower()}",
            code="risk_word",
            hint=f"one of: {', '.join(known)}",
        )
    return given


def _rows(found: Risk, top: int | None) -> Iterator[tuple[str, str]]:
    for each in found.as_json(top)["assets"]:
        yield f"{each['score']:5.1f}", f"{each['kind']} {each['name']}"
        for because in each["because"]:
            yield "", because
        for change in each["lower"][:3]:
            yield "", f"-> {change['score']:.1f}: {change['what']}: {change['command']}"


def _supposed_rows(found: Supposed) -> Iterator[tuple[str, str]]:
    for each in found.assets:
        yield f"{each.before:.1f} -> {each.after:.1f}", f"{each.facts.kind} {each.facts.name}"
    for pairs in found.pairs:
        refused = "; the gate would refuse it" if pairs.is_refused else ""
        held = pairs.held
        yield "pairs", f"{held.principal} would hold {held.pairs} pairs of {held.key}{refused}"

"""``cipherset relabel``."""

import click

from cipherset.app.labels.relabel import RelabelRequest, relabel
from cipherset.core.labels import Label, Level, Tag, Trust
from cipherset.interfaces.cli import options
from cipherset.interfaces.cli.command import Command, Context

EXAMPLE = 'cipherset relabel tickets.csv --level restricted --tag PHI --reason "cases of a clinic"'


@click.command(name="relabel", cls=Command, epilog=f"Example:  {EXAMPLE}")
@click.argument("subject", metavar="SOURCE_OR_DIR")
@click.option(
    "--level",
    required=True,
    type=click.Choice([level.value for level in Level]),
    help="Who may see it.",
)
@click.option(
    "--tag",
    "tags",
    multiple=True,
    type=click.Choice([tag.value for tag in Tag]),
    help="What kind of sensitive.",
)
@click.option(
    "--trust",
    "trusts",
    multiple=True,
    type=click.Choice([trust.value for trust in Trust]),
    help="Who answers for its rows.",
)
@click.option("--exactly", is_flag=True, help="Take away what is not named; takes a grant.")
@click.option("--purpose", metavar="PURPOSE", help="What its rows were collected for.")
@options.home
@click.option("--reason", required=True, metavar="TEXT", help="Why; recorded.")
@click.pass_obj
def command(  # noqa: PLR0913 -- one parameter per option
    context: Context,
    subject: str,
    level: str,
    tags: tuple[str, ...],
    trusts: tuple[str, ...],
    exactly: bool,  # noqa: FBT001 -- click hands it over by name
    purpose: str | None,
    tenant: str | None,
    region: str | None,
    reason: str,
) -> None:
    """Label a source or a cipherset of this workspace; lowering a label takes a grant."""
    label = Label(level=Level(level), tags=tuple(map(Tag, tags)), trusts=tuple(map(Trust, trusts)))
    home = options.said_of_home(tenant, region)
    request = RelabelRequest(subject, label, reason, exactly, purpose, home)
    done = relabel(context.session(), request)
    result = {
        "asset": done.asset,
        "before": None if done.before is None else done.before.as_json(),
        "label": done.label.as_json(),
    }
    before = "none" if done.before is None else _told(done.before)
    context.show(result, f"labeled: {subject}", [("before", before), ("now", _told(done.label))])


def _told(label: Label) -> str:
    return " ".join([label.level, *label.tags, *label.trusts])

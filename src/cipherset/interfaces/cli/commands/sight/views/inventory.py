"""``cipherset view inventory``: every AI asset, ours and found."""

import click

from cipherset.app.sight.inventory import see_inventory_whole
from cipherset.evidence.views.inventory.rows import Row, Wanted
from cipherset.evidence.views.inventory.status import Review, counted
from cipherset.interfaces.cli.command import Command, Context


@click.command(
    name="inventory", cls=Command, epilog="Example:  cipherset view inventory --status unreviewed"
)
@click.option(
    "--kind", metavar="KIND", help="Of this kind only: model, service, sdk, endpoint, ..."
)
@click.option(
    "--status",
    type=click.Choice([status.value for status in Review]),
    help="Of this status only.",
)
@click.option("--search", metavar="TEXT", help="With this in name, place, owner, purpose or key.")
@click.pass_obj
def command(context: Context, kind: str | None, status: str | None, search: str | None) -> None:
    """List each AI asset, where it comes from, and how it was reviewed."""
    wanted = Wanted(kind, None if status is None else Review(status), search)
    found, n_not_read = see_inventory_whole(context.session(), wanted)
    counts = counted(row.review for row in found)
    told = {
        "assets": [row.as_json() for row in found],
        "statuses": counts,
        "n_not_read": n_not_read,
    }
    title = ", ".join(f"{n} {name}" for name, n in counts.items() if n) or "nothing"
    rows = [(row.review.status.value, _told(row)) for row in found]
    if n_not_read:
        rows.append(("not read", f"{n_not_read} files, by the last looks: see discover"))
    context.show(told, title, rows)


def _told(row: Row) -> str:
    place = f" at {row.seen.where[0]}" if row.seen.where else ""
    gone = "; the last look did not see it" if row.seen.is_gone else ""
    served = f", served as {', '.join(row.deployed)}" if row.deployed else ""
    return f"{row.kind} {row.what}{place}: {row.origin.told}{served}{gone}"

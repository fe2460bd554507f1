"""``cipherset search``."""

from pathlib import Path

import click

from cipherset.app.index.search import MOST_TOP, SearchRequest, search
from cipherset.interfaces.cli.command import Command, Context

EXAMPLE = 'cipherset search tickets.index --value "where is my parcel?"'


@click.command(name="search", cls=Command, epilog=f"Example:  {EXAMPLE}")
@click.argument("index", type=click.Path(path_type=Path))
@click.option("--value", required=True, metavar="TEXT", help="A text, or the path of an image.")
@click.option(
    "--top", default=10, show_default=True, type=click.IntRange(1, MOST_TOP), help="How many hits."
)
@click.option("--label", metavar="VALUE", help="Only rows with this label.")
@click.option("--tenant", metavar="VALUE", help="Only rows of this tenant.")
@click.pass_obj
def command(
    context: Context, index: Path, value: str, top: int, label: str | None, tenant: str | None
) -> None:
    """Find the rows of INDEX nearest to a text or image, where the key is; rows count from 0."""
    request = SearchRequest(index, text=value, top=top, label=label, tenant=tenant)
    hits = search(context.session(), request)
    rows = [(f"{hit.source or ''} {hit.row}".strip(), f"{hit.score:.4f}") for hit in hits]
    found = {"hits": [hit.as_json() for hit in hits]}
    context.show(found, "row, cosine", rows or [("none", "")])

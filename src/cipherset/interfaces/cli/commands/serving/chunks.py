"""``cipherset chunks``: texts that a model may be given to read."""

import click

from cipherset.app.serving.retrieval.bring import BringRequest, bring_chunks
from cipherset.interfaces.cli import options
from cipherset.interfaces.cli.command import Command, Context

EXAMPLE = 'cipherset chunks articles.csv --text body --key support --for "answer tickets"'


@click.command(name="chunks", cls=Command, epilog=f"Example:  {EXAMPLE}")
@click.argument("source")
@options.text
@click.option("--key", required=True, metavar="NAME", help="The key that they are sealed under.")
@click.option("--name", metavar="NAME", help="What hits call them (default: the source's name).")
@click.option("--for", "purpose", metavar="PURPOSE", help="What they may be read for.")
@click.option("--tenant", metavar="COL", help="A column that says whose each row is.")
@click.pass_obj
def command(  # noqa: PLR0913 -- one parameter per option
    context: Context,
    source: str,
    text: tuple[str, ...],
    key: str,
    name: str | None,
    purpose: str | None,
    tenant: str | None,
) -> None:
    """Keep the texts of SOURCE, sealed, for models to be given as context.

    Each is signed for and given only to whoever may read it for the purpose; what must not be shown
    is taken out before, by `cipherset sanitize`.
    """
    request = BringRequest(source, text, key, name=name, purpose=purpose, tenant=tenant)
    n_chunks = bring_chunks(context.session(), request)
    context.show({"chunks": n_chunks}, f"kept: {source}", [("chunks", str(n_chunks))])

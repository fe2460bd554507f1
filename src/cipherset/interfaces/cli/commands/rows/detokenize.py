"""``cipherset detokenize``."""

import click

from cipherset.app.sanitizing.detokenize import detokenize, text_or_file
from cipherset.interfaces.cli import output
from cipherset.interfaces.cli.command import Command, Context

EXAMPLE = "cipherset detokenize reply.txt --key support"


@click.command(name="detokenize", cls=Command, epilog=f"Example:  {EXAMPLE}")
@click.argument("text", metavar="TEXT_OR_FILE")
@click.option("--key", required=True, metavar="NAME", help="The key that the tokens are under.")
@click.pass_obj
def command(context: Context, text: str, key: str) -> None:
    """Print a text with each sealed token in it opened; that it was done is recorded."""
    done = detokenize(context.session(), key, text_or_file(text))
    if context.as_json:
        output.show_json({"text": done.text, "tokens": done.tokens, "key_id": done.key_id})
    else:
        click.echo(done.text, nl=not done.text.endswith("\n"))

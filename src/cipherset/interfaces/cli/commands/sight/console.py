"""``cipherset console``."""

import sys
import webbrowser
from dataclasses import asdict

import click

from cipherset.interfaces.cli.command import Command, Context
from cipherset.interfaces.console.serve import Opened, serve_console


@click.command(name="console", cls=Command, epilog="Example:  cipherset console --no-open")
@click.option(
    "--port",
    default=0,
    type=click.IntRange(0, 65_535),
    help="The port on this machine (default: a free one).",
)
@click.option("--no-open", is_flag=True, help="Print the address, and open no browser.")
@click.pass_obj
def command(context: Context, port: int, *, no_open: bool) -> None:
    """Show the workspace in a browser on this machine, until it is told to end (SIGTERM, Ctrl-C).

    The address is good once, for ten minutes: whoever opens it sees what you would, and each page
    passes the gate as your commands do.
    """

    def ready(told: Opened) -> None:
        context.show(asdict(told), "console", [("open", told.url), ("as", told.principal)])
        if not no_open and sys.stdout.isatty():
            webbrowser.open(told.url)

    serve_console(context.session(), port, ready)

"""``cipherset console``."""

import sys
import webbrowser
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict
from types import MappingProxyType
from typing import Final

import click

from cipherset.app.workspace import Session
from cipherset.interfaces.cli.command import Command, Context
from cipherset.interfaces.console.serve import Opened, leading_file, serve_console

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


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
    open_console(context, context.session(), port, opens=not no_open)


def open_console(
    context: Context, session: Session, port: int, *, opens: bool, told: Mapping[str, str] = NOTHING
) -> None:
    """Show the session's workspace, and say where; ``told`` is said beside it."""

    def ready(found: Opened, waiting: ExitStack) -> None:
        rows = [("open", found.url), ("as", found.principal), *told.items()]
        context.show({**asdict(found), **told}, "console", rows)
        if opens and sys.stdout.isatty():
            # Where no such file can be written, there is still what was printed.
            with suppress(OSError):
                webbrowser.open(leading_file(found.url, waiting).as_uri())

    serve_console(session, port, ready)

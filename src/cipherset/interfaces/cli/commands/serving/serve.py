"""``cipherset serve``."""

from dataclasses import asdict
from pathlib import Path

import click

from cipherset.interfaces.cli.command import Command, Context
from cipherset.interfaces.http.serve import HOST, PORT, Place, Ready, serve

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(name="serve", cls=Command, epilog="Example:  cipherset serve --port 8443")
@click.option("--host", default=HOST, show_default=True, help="The address to listen at.")
@click.option(
    "--port",
    default=PORT,
    show_default=True,
    type=click.IntRange(0, 65_535),
    help="The port; 0 takes a free one, and says which.",
)
@click.option("--tls-cert", type=_FILE, metavar="FILE", help="The server's certificate chain, PEM.")
@click.option("--tls-key", type=_FILE, metavar="FILE", help="Its key, PEM, without a password.")
@click.option(
    "--client-ca", type=_FILE, metavar="FILE", help="Who signs the clients' certificates."
)
@click.pass_obj
def command(
    context: Context,
    host: str,
    port: int,
    tls_cert: Path | None,
    tls_key: Path | None,
    client_ca: Path | None,
) -> None:
    """Answer over HTTP, each request through the gate, until it is told to end (SIGTERM, Ctrl-C).

    On this machine, for one person alone (the policy solo), a name is enough. Other machines reach
    it only under TLS, and only those who prove who they are: by a client certificate, or by a
    token bound to a key (serve.toml). SIGHUP loads models and rules anew.
    """
    place = Place(host, port, tls_cert, tls_key, client_ca)

    def ready(told: Ready) -> None:
        rows = [("url", told.url), ("callers are", told.identity)]
        context.show(asdict(told), "serving", rows)

    serve(context.session(), place, ready)

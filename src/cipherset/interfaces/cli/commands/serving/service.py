"""``cipherset service``: which upstream services may be asked."""

from pathlib import Path

import click

from cipherset.app.serving.relay import services
from cipherset.app.serving.relay.services import Offered, ServiceRequest
from cipherset.interfaces.cli.command import Command, Context
from cipherset.interfaces.cli.group import Group

ADD = "cipherset service add chat --url https://llm.example/v1 --model small --key-file key.txt"


@click.group(name="service", cls=Group)
def command() -> None:
    """Services of others that models are asked of, through the gateway alone."""


@command.command(cls=Command, epilog=f"Example:  {ADD}")
@click.argument("name")
@click.option("--url", required=True, metavar="URL", help="The base of its addresses, up to /v1.")
@click.option(
    "--model",
    "models",
    required=True,
    multiple=True,
    metavar="NAME",
    help="A model that may be asked.",
)
@click.option(
    "--key-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Holds the key that the service takes; sealed here, and shown to nobody.",
)
@click.pass_obj
def add(
    context: Context, name: str, url: str, models: tuple[str, ...], key_file: Path | None
) -> None:
    """Propose the service NAME; cipherset asset approve service:NAME lets it be asked."""
    found = services.add(context.session(), ServiceRequest(name, url, models, key_file))
    rows = [("asset", found.address.id), *_rows(found)]
    if found.status.value != "approved":
        rows.append(("next", f"cipherset asset approve service:{name}"))
    context.show(found.as_json(), f"service {name}", rows)


@command.command(name="list", cls=Command, epilog="Example:  cipherset service list")
@click.pass_obj
def list_(context: Context) -> None:
    """List the services, their models, and whether they are approved."""
    found = services.list_services(context.session())
    rows = [(each.address.name, _told(each)) for each in found]
    told = {"services": [each.as_json() for each in found]}
    context.show(told, "services", rows or [("none", "")])


@command.command(cls=Command, epilog="Example:  cipherset service remove chat")
@click.argument("name")
@click.pass_obj
def remove(context: Context, name: str) -> None:
    """Remove the service NAME and its key; whoever asks it is refused from now on."""
    found = services.remove(context.session(), name)
    context.show({"service": found.name, "asset": found.id}, "removed", [("service", found.name)])


def _rows(found: Offered) -> list[tuple[str, str]]:
    return [
        ("url", found.address.url),
        ("models", ", ".join(found.address.models)),
        ("key", "sealed" if found.has_key else "none"),
        ("status", found.status.value),
    ]


def _told(found: Offered) -> str:
    return f"{found.status}: {found.address.url} ({', '.join(found.address.models)})"

"""``cipherset principal``: who there is, and in which roles."""

from pathlib import Path

import click

from cipherset.app.access import principals
from cipherset.app.access.principals import Change, PrincipalResult
from cipherset.app.access.signing import make_signer, public_key_in
from cipherset.core.errors import UsageError
from cipherset.custody.policy import Role
from cipherset.interfaces.cli.command import Command, Context

_ROLES = ", ".join(sorted(role.value for role in Role))
_attribute = click.option(
    "--attribute", "attributes", multiple=True, metavar="NAME=VALUE", help="For policies to read."
)
_public_key = click.option(
    "--public-key",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Their own key, made by cipherset principal key: then the name alone is not enough.",
)


@click.group(name="principal")
def command() -> None:
    """Principals: persons, services and teams."""


@command.command(cls=Command, epilog="Example:  cipherset principal add ada --role data-owner")
@click.argument("name")
@click.option("--role", "roles", multiple=True, required=True, metavar="ROLE", help=_ROLES)
@_attribute
@_public_key
@click.pass_obj
def add(
    context: Context,
    name: str,
    roles: tuple[str, ...],
    attributes: tuple[str, ...],
    public_key: Path | None,
) -> None:
    """Add the principal NAME; roles that one person must not hold together are refused."""
    change = Change(name, roles, _pairs(attributes), _key(public_key))
    _show(context, principals.add(context.session(), change), "principal added")


@command.command(cls=Command, epilog="Example:  cipherset principal change ada --role reviewer")
@click.argument("name")
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="Instead of those held.")
@_attribute
@_public_key
@click.option(
    "--stolen",
    is_flag=True,
    help="The key that --public-key replaces is in other hands: what it signed is void.",
)
@click.option("--left", is_flag=True, help="They are gone: from now on they have no role.")
@click.pass_obj
def change(  # noqa: PLR0913 -- one parameter per option
    context: Context,
    name: str,
    roles: tuple[str, ...],
    attributes: tuple[str, ...],
    public_key: Path | None,
    stolen: bool,  # noqa: FBT001 -- click's
    left: bool,  # noqa: FBT001 -- click's
) -> None:
    """Change the roles, attributes or key of the principal NAME."""
    given = _key(public_key)
    asked = Change(name, roles or None, _pairs(attributes), given, left, stolen)
    _show(context, principals.alter(context.session(), asked), "principal changed")


@command.command(name="list", cls=Command, epilog="Example:  cipherset principal list")
@click.pass_obj
def list_(context: Context) -> None:
    """List every principal."""
    found = principals.list_principals(context.session())
    rows = [(each["principal"], _told(each)) for each in found]
    context.show({"principals": found}, "principals", rows or [("none", "add one")])


@command.command(cls=Command, epilog="Example:  cipherset principal key ada.pem")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def key(context: Context, file: Path) -> None:
    """Make a key pair: FILE has the private key, for you alone, and FILE.pub the public one.

    Sign with it from then on: CIPHERSET_PRINCIPAL_KEY=FILE.
    """
    public = make_signer(file)
    rows = [("private key", str(file)), ("public key", f"{file}.pub")]
    context.show({"file": str(file), "public_key": public}, "key made", rows)


def _pairs(texts: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for name, sign, _ in pairs:
        if not name or not sign:
            raise UsageError(
                "an attribute is NAME=VALUE",
                code="usage",
                hint="for example --attribute team=fraud",
            )
    return {name: value for name, _, value in pairs}


def _key(file: Path | None) -> str | None:
    return None if file is None else public_key_in(file)


def _show(context: Context, result: PrincipalResult, title: str) -> None:
    context.show(result, title, [(result["principal"], _told(result))])


def _told(principal: PrincipalResult) -> str:
    parts = [", ".join(principal["roles"]) or "no role"]
    parts += [f"{name}={value}" for name, value in principal["attributes"].items()]
    if principal["public_key"]:
        parts.append("has a key")
    if principal["status"] != "active":
        parts.append(principal["status"])
    return "; ".join(parts)

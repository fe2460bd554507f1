"""``cipherset principal``: who there is, and in which roles."""

from pathlib import Path

import click

from cipherset.app.access import principals, tokens
from cipherset.app.access.binding import binding_to_certificate, binding_to_key
from cipherset.app.access.principals import Change, PrincipalResult
from cipherset.app.access.signing import make_signer, public_key_in
from cipherset.app.access.tokens import USUAL_DAYS, Wanted
from cipherset.core.errors import UsageError
from cipherset.custody.policy import Role
from cipherset.interfaces.cli.command import Command, Context
from cipherset.interfaces.cli.group import Group

_ROLES = ", ".join(sorted(role.value for role in Role))
_attribute = click.option(
    "--attribute",
    "attributes",
    multiple=True,
    metavar="NAME=VALUE",
    help="What policies may ask for beside the roles.",
)
_public_key = click.option(
    "--public-key",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Their own key, made by cipherset principal key: then the name alone is not enough.",
)
_identity = click.option(
    "--identity",
    "identities",
    multiple=True,
    metavar="URI",
    help="What a verified connection proves them by: a certificate's URI, or ISSUER#SUBJECT.",
)


@click.group(name="principal", cls=Group)
def command() -> None:
    """Principals: persons, services and teams."""


@command.command(cls=Command, epilog="Example:  cipherset principal add ada --role data-owner")
@click.argument("name")
@click.option(
    "--role", "roles", multiple=True, required=True, metavar="ROLE", help=f"One of {_ROLES}."
)
@_attribute
@_public_key
@_identity
@click.pass_obj
def add(
    context: Context,
    name: str,
    roles: tuple[str, ...],
    attributes: tuple[str, ...],
    public_key: Path | None,
    identities: tuple[str, ...],
) -> None:
    """Add the principal NAME; roles that one person must not hold together are refused."""
    change = Change(
        name, roles, _pairs(attributes), _key(public_key), identities=identities or None
    )
    _show(context, principals.add(context.session(), change), "principal added")


@command.command(cls=Command, epilog="Example:  cipherset principal change ada --role reviewer")
@click.argument("name")
@click.option(
    "--role", "roles", multiple=True, metavar="ROLE", help="The role, instead of those held."
)
@_attribute
@_public_key
@click.option(
    "--stolen",
    is_flag=True,
    help="The key that --public-key replaces is in other hands: what it signed is void.",
)
@_identity
@click.option("--left", is_flag=True, help="They are gone: from now on they have no role.")
@click.pass_obj
def change(  # noqa: PLR0913 -- one parameter per option
    context: Context,
    name: str,
    roles: tuple[str, ...],
    attributes: tuple[str, ...],
    public_key: Path | None,
    stolen: bool,  # noqa: FBT001 -- click's
    identities: tuple[str, ...],
    left: bool,  # noqa: FBT001 -- click's
) -> None:
    """Change the roles, attributes, key or identities of the principal NAME."""
    asked = Change(
        name,
        roles or None,
        _pairs(attributes),
        _key(public_key),
        has_left=left,
        is_compromised=stolen,
        identities=identities or None,
    )
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


@command.command(cls=Command, epilog="Example:  cipherset principal token ada --client-key ada.pub")
@click.argument("name")
@click.option(
    "--client-key",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The client's public key: each request is proved with the private one.",
)
@click.option(
    "--client-cert",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The client's certificate: the token is good on its connections only.",
)
@click.option("--days", default=USUAL_DAYS, show_default=True, help="For how long.")
@click.pass_obj
def token(
    context: Context, name: str, client_key: Path | None, client_cert: Path | None, days: int
) -> None:
    """Make a token for the principal NAME, bound to a key of the client's; it is shown once."""
    wanted = Wanted(name, _binding(client_key, client_cert), days)
    made = tokens.issue(context.session(), wanted)
    rows = [("token", made["token"]), ("id", made["id"]), ("until", made["expires"])]
    context.show(made, "token made", rows)


@command.command(cls=Command, epilog="Example:  cipherset principal revoke token-0123456789abcdef")
@click.argument("token_id", metavar="TOKEN-ID")
@click.pass_obj
def revoke(context: Context, token_id: str) -> None:
    """Take a token away: from now on nobody can use it."""
    gone = tokens.revoke(context.session(), token_id)
    context.show(gone, "token revoked", [(gone["id"], gone["principal"])])


@command.command(name="tokens", cls=Command, epilog="Example:  cipherset principal tokens")
@click.pass_obj
def tokens_(context: Context) -> None:
    """List every token there was: whose, bound to what, until when."""
    found = tokens.list_tokens(context.session())
    rows = [(f"{each['principal']}: {each['id']}", _told_token(each)) for each in found]
    context.show({"tokens": found}, "tokens", rows or [("none", "make one")])


def _told_token(token: tokens.TokenFacts) -> str:
    return f"{token['status']}, until {token['expires']}, {token['binding']}"


def _binding(key: Path | None, certificate: Path | None) -> str:
    if key is not None and certificate is None:
        return binding_to_key(key)
    if certificate is not None and key is None:
        return binding_to_certificate(certificate)
    raise UsageError(
        "a token is bound to one key or to one certificate",
        code="usage",
        hint="give --client-key FILE or --client-cert FILE: a token that anybody can use is "
        "not made",
    )


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
    parts += principal["identities"]
    if principal["status"] != "active":
        parts.append(principal["status"])
    return "; ".join(parts)

"""``cipherset key``: create, list, show, bind, rotate, retire and destroy keys."""

import sys
from typing import Final

import click

from cipherset.app import keys
from cipherset.core.errors import UsageError
from cipherset.interfaces.cli.command import Command, Context
from cipherset.interfaces.cli.group import Group

_ONLY_IN: Final = click.option(
    "--only-in",
    multiple=True,
    metavar="CONDITION",
    help="Where it may be used: host=, machine=, package= or identity=, and a value or current.",
)


@click.group(name="key", cls=Group)
def command() -> None:
    """Keys: one secret per purpose."""


@command.command(cls=Command, epilog="Example:  cipherset key create support --purpose routing")
@click.argument("name")
@click.option(
    "--provider",
    metavar="URI",
    help="What wraps it: file:, pkcs11:, awskms: or hcvault: (default: file:).",
)
@click.option("--purpose", default="", help="What the key is for, in a few words.")
@click.option("--tenant", metavar="NAME", help="Whose rows it is for; stays with the key.")
@_ONLY_IN
@click.pass_obj
def create(
    context: Context,
    name: str,
    provider: str | None,
    purpose: str,
    tenant: str | None,
    only_in: tuple[str, ...],
) -> None:
    """Create a key named NAME."""
    info = keys.create(
        context.session(), name, purpose=purpose, provider=provider, only_in=only_in, tenant=tenant
    )
    context.show(info, "key created", _rows(info))


@command.command(cls=Command, epilog="Example:  cipherset key bind support --only-in host=current")
@click.argument("name")
@_ONLY_IN
@click.option("--anywhere", is_flag=True, help="Bind it to no place.")
@click.pass_obj
def bind(
    context: Context,
    name: str,
    only_in: tuple[str, ...],
    anywhere: bool,  # noqa: FBT001 -- click's
) -> None:
    """Bind the key NAME to where it may be used; what it was bound to before is replaced.

    Of each kind of condition that is given one must be met. A key that is bound already can be
    bound anew only where it may be used.
    """
    if anywhere == bool(only_in):
        raise UsageError(
            "say where the key may be used, or that it may be used anywhere",
            code="usage",
            hint="give --only-in CONDITION (repeat it for several), or --anywhere",
        )
    info = keys.bind(context.session(), name, only_in)
    context.show(info, "key bound", _rows(info))


@command.command(cls=Command, epilog="Example:  cipherset key environment")
@click.pass_obj
def environment(context: Context) -> None:
    """Show what a key can be bound to here."""
    known = context.session().environment.known()
    rows = [(kind, value or "not known here") for kind, value in known.items()]
    context.show(known, "environment", rows)


@command.command(name="list", cls=Command, epilog="Example:  cipherset key list --json")
@click.pass_obj
def list_(context: Context) -> None:
    """List the keys of the workspace."""
    found = keys.list_keys(context.session())
    rows = [
        (info["name"], f"{info['key_id']} v{info['version']} {info['status']}") for info in found
    ]
    context.show({"keys": found}, "keys", rows)


@command.command(cls=Command, epilog="Example:  cipherset key show support")
@click.argument("name")
@click.pass_obj
def show(context: Context, name: str) -> None:
    """Show the key NAME and its versions (never a secret)."""
    info = keys.show(context.session(), name)
    context.show(info, "key", _rows(info))


@command.command(cls=Command, epilog="Example:  cipherset key rotate support")
@click.argument("name")
@click.option(
    "--provider",
    metavar="URI",
    help="What wraps the new version (default: what wraps the old one).",
)
@click.pass_obj
def rotate(context: Context, name: str, provider: str | None) -> None:
    """Make a new version of the key NAME, which exports from now on.

    The old one still predicts and evaluates, until it is retired. What was exported under it is
    listed, to be protected and trained again.
    """
    info = keys.rotate(context.session(), name, provider=provider)
    rows = _rows(info)
    rows += [(f"export {e['cipherset_id']}", _stale(e, info["version"])) for e in info["plan"]]
    context.show(info, "key rotated", rows)


@command.command(cls=Command, epilog="Example:  cipherset key retire support --version 1")
@click.argument("name")
@click.option("--version", type=click.IntRange(min=1), help="Which (default: the retiring one).")
@click.pass_obj
def retire(context: Context, name: str, version: int | None) -> None:
    """Retire a version of the key NAME: it only measures what left under it, for its owner."""
    info = keys.retire(context.session(), name, version)
    context.show(info, "key version retired", _rows(info))


@command.command(cls=Command, epilog="Example:  cipherset key destroy support --version 1 --yes")
@click.argument("name")
@click.option("--version", type=click.IntRange(min=1), help="Which (default: the retired one).")
@click.option("--yes", is_flag=True, help="Do it: there is no way back.")
@click.option("--force", is_flag=True, help="Also where the version is not retired.")
@click.pass_obj
def destroy(
    context: Context,
    name: str,
    version: int | None,
    yes: bool,  # noqa: FBT001 -- click's
    force: bool,  # noqa: FBT001 -- click's
) -> None:
    """Destroy a version of the key NAME, for good.

    What is sealed under it can never be read again, and models trained under it never answer
    again. A tombstone stays in the key ring and in the ledger.
    """
    if not (yes or _confirmed(name, version)):
        raise UsageError(
            f"destroying a version of key {name} cannot be undone, so it must be confirmed",
            code="confirm",
            hint="add --yes, once nothing under it is needed any more",
        )
    info = keys.destroy(context.session(), name, version, force=force)
    rows = _rows(info)
    rows.append(("minimizer", "removed" if info["minimizer_removed"] else "none was there"))
    rows.append(("sealed exports", "stay where they are; nobody can read them any more"))
    context.show(info, "key version destroyed", rows)


def _confirmed(name: str, version: int | None) -> bool:
    """What the person at the terminal says; nobody is asked where there is none."""
    which = "the retired version" if version is None else f"version {version}"
    return sys.stdin.isatty() and click.confirm(
        f"Destroy {which} of key {name}, for good?", err=True
    )


def _stale(export: keys.Stale, version: int) -> str:
    rows = "" if export["rows"] is None else f", {export['rows']} rows"
    made = "" if export["made"] is None else f", made {export['made']}"
    return f"under v{export['key_version']}{rows}{made}: protect it again under v{version}"


def _rows(info: keys.KeyResult) -> list[tuple[str, str]]:
    rows = [(name, str(value)) for name, value in info.items() if name not in _APART]
    if info["tenant"] is not None:
        rows.append(("tenant", info["tenant"]))
    rows += [("only in", one) for one in info["only_in"]]
    if info["only_in"]:
        rows.append(("usable here", "yes" if info["usable_here"] else "no"))
    if len(info["versions"]) > 1:
        rows += [
            (f"version {v['version']}", f"{v['status']} {v['provider']} {v['changed']}")
            for v in info["versions"]
        ]
    return rows


_APART = {"versions", "plan", "minimizer_removed", "only_in", "usable_here", "tenant"}

"""``cipherset rounds``: an owner's part of a training with others."""

from pathlib import Path
from typing import Final

import click

from cipherset.app.access.signing import private_key_in
from cipherset.app.federated import answer_at, enroll, read_agreement
from cipherset.app.workspace import hold
from cipherset.core.errors import CiphersetError
from cipherset.interfaces.cli.command import Command, Context
from cipherset.interfaces.cli.group import Group

EXAMPLE: Final = (
    "cipherset rounds join tickets.cipherset --agreement agreement.json --name north "
    "--identity north.pem --socket north.sock"
)
_PATH: Final = click.Path(path_type=Path)


@click.group(name="rounds", cls=Group)
def command() -> None:
    """Train with other owners, showing nobody your steps."""


@command.command(cls=Command, epilog=f"Example:  {EXAMPLE}")
@click.argument("cipherset", type=_PATH, metavar="DIR")
@click.option(
    "--agreement",
    required=True,
    type=_PATH,
    metavar="FILE",
    help="What all owners agreed on, the same file for all.",
)
@click.option("--name", required=True, metavar="NAME", help="Which member you are.")
@click.option(
    "--identity",
    required=True,
    type=_PATH,
    metavar="FILE",
    help="Your private key, made by cipherset principal key.",
)
@click.option(
    "--socket",
    "door",
    required=True,
    type=_PATH,
    metavar="PATH",
    help="Answer there, to this user alone, until asked to leave.",
)
@click.pass_obj
def join(
    context: Context, cipherset: Path, agreement: Path, name: str, identity: Path, door: Path
) -> None:
    """Take part with the training rows in DIR: what carries messages asks at the socket.

    Each step is an act at your gate: train.together.
    """
    agreed = read_agreement(agreement)
    private = private_key_in(identity)
    with hold(context.session()) as session:
        owner = enroll(session, cipherset, name, private, agreed)
        before = owner.left
        answer_at(owner, door, lambda error: context.warn(_told(error)))
        left = owner.left
    result = {"name": name, "agreement": agreed.digest, "steps": before - left, "left": left}
    rows = [("steps sealed", str(before - left)), ("may still be sealed", str(left))]
    context.show(result, f"{name} has left", rows)


def _told(error: CiphersetError) -> str:
    return f"refused ({error.code}): {error.message}"

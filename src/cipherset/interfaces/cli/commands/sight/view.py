"""``cipherset view``: what the ledger knows, computed at each look."""

from importlib import import_module
from typing import Final

import click

from cipherset.interfaces.cli.group import Group

# One module each in ``views``.
VIEWS: Final[dict[str, str]] = {
    "bom": "The bill of materials: CycloneDX 1.6, or SPDX 3.",
    "inventory": "Every AI asset, ours and found, with its origin and its review.",
    "exposure": "What is out of each key, model and dataset, and what is left.",
    "risk": "What is most at risk, why, and what would lower it.",
    "threats": "Who could come to what, and what is known of it.",
    "lineage": "What an asset was made of, and what was made of it.",
}


class Views(Group):
    """Loads a view's module when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, sorted."""
        return sorted(VIEWS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The view, or None where there is none of that name."""
        if cmd_name not in VIEWS:
            return None
        module = f"cipherset.interfaces.cli.commands.sight.views.{cmd_name}"
        found = import_module(module).command
        return found if isinstance(found, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the views without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(VIEWS.items()))


@click.group(name="view", cls=Views)
def command() -> None:
    """What there is, where it came from, and how exposed it is; computed, never stored."""

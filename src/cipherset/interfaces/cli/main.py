"""The entry point: one group, one file per command."""

import sys
from importlib import import_module
from typing import Final

import click

from cipherset.core.errors import CiphersetError, UsageError
from cipherset.interfaces.cli import output

COMMANDS: Final = {
    "demo": "demo",
    "encoder": "encoder",
    "evaluate": "evaluate",
    "inspect": "inspect_",
    "key": "key",
    "predict": "predict",
    "protect": "protect",
    "train": "train",
}


class Commands(click.Group):
    """Loads a command's module when it is asked for, so that ``--help`` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or None where there is none of that name."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        found = import_module(f"cipherset.interfaces.cli.{module}").command
        return found if isinstance(found, click.Command) else None


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cipherset")
def cli() -> None:
    """Train models on data nobody can read."""


def main() -> None:
    """Run the command line; usage errors keep the JSON promise too."""
    sys.excepthook = _show_defect
    try:
        code = cli.main(prog_name="cipherset", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        context = error.ctx if isinstance(error, click.UsageError) else None
        hint = f"see: {context.command_path} --help" if context else "see: cipherset --help"
        usage = UsageError(error.format_message(), code="usage", hint=hint)
        output.show_error(usage, as_json="--json" in sys.argv)
        sys.exit(usage.exit_code)
    sys.exit(code if isinstance(code, int) else 0)


def _show_defect(kind: type[BaseException], error: BaseException, trace: object) -> None:
    """A defect of ours, without its text and its traceback: they could hold a row."""
    if issubclass(kind, KeyboardInterrupt):
        return
    defect = CiphersetError(
        f"an unexpected {kind.__name__} (its text is not shown: it could hold data)",
        code="internal",
        hint="this is a defect of cipherset; please report the command and this message",
    )
    output.show_error(defect, as_json="--json" in sys.argv)

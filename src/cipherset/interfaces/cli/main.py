"""The entry point: one group, one file per command."""

import os
import sys
from importlib import import_module
from typing import Final

import click

from cipherset.core.errors import CiphersetError, UsageError
from cipherset.interfaces.cli import output
from cipherset.interfaces.cli.group import Group

# In the order of the work; ``cipherset --help`` lists them so.
_PARTS: Final = {
    "To begin": {
        "demo": "Run the whole main job on real reviews.",
        "init": "Make a workspace, with policies.",
        "doctor": "Say what is well here, and what to do where it is not.",
        "encoder": "List encoders and fetch their weights.",
    },
    "Rows and exports": {
        "scan": "Find and label what is sensitive in a source.",
        "relabel": "Say how sensitive a source or a cipherset is.",
        "sanitize": "Write rows with what must not leave taken out.",
        "calibrate": "Draw what exports would be worth, and would give away.",
        "protect": "Make an encrypted training set.",
        "inspect": "Verify a cipherset and show what it says of itself.",
        "assess": "Attack an export, and sign what it gives away.",
        "forget": "Take a person's rows out, and name what held them.",
        "canary": "Plant made-up secrets, and measure what a model knows of them.",
        "copies": "Find what was copied from training rows in a text.",
    },
    "Models and search": {
        "train": "Train a model on a cipherset; needs no key.",
        "bundle": "Bind any library's model to the key of its rows.",
        "evaluate": "Score a model where the key is.",
        "predict": "Predict where the key is; labels only.",
        "rounds": "Train with other owners, showing nobody your steps.",
        "mlflow": "Log bundles to MLflow, and promote them if the gate allows it.",
        "index": "Build an encrypted index, and keep it up to date.",
        "search": "Find the nearest rows of an encrypted index.",
    },
    "Keys, people and the record": {
        "key": "Create, list, rotate, retire and destroy keys.",
        "principal": "Say who there is, and in which roles.",
        "grant": "Ask for what takes an approval, and vote on it.",
        "asset": "Approve what may be used, and stop what may not.",
        "policy": "Show, check, try and explain policies.",
        "audit": "Verify, list and export the record of what was done.",
        "backup": "Copy the workspace as of one moment, while others work in it.",
    },
    "The gateway": {
        "serve": "Answer over HTTP, each request through the gate.",
        "deploy": "Put an approved model where it is served from.",
        "service": "Say which AI services of others may be asked.",
        "chunks": "Keep texts, sealed, for models to be given as context.",
        "detokenize": "Open the sealed tokens of a text.",
        "review": "Look at replies of models that were held back.",
    },
    "Oversight": {
        "console": "Show the workspace in a browser on this machine.",
        "view": "Look at what there is: inventory, lineage, risk, threats.",
        "discover": "Find the AI that is used, and put it into the inventory.",
        "redteam": "Attack what there is, and fail where it got worse.",
        "report": "Write what an auditor asks for, over a period.",
    },
}
COMMANDS: Final = {name: said for part in _PARTS.values() for name, said in part.items()}
_MAIN_JOB: Final = """\
The main job:
  cipherset key create support
  cipherset protect tickets.csv --text body --label topic --key support --to tickets.cipherset
  cipherset train tickets.cipherset --to router.bundle       # where no key is
  cipherset predict router.bundle --value "where is my parcel?"

A command's options: cipherset COMMAND --help
"""
# Where each command's module is.
_ROOMS: Final = {
    "custody": (
        "asset",
        "audit",
        "backup",
        "doctor",
        "grant",
        "init",
        "key",
        "policy",
        "principal",
    ),
    "models": (
        "bundle",
        "demo",
        "deploy",
        "encoder",
        "evaluate",
        "mlflow",
        "predict",
        "rounds",
        "train",
    ),
    "rows": (
        "assess",
        "calibrate",
        "canary",
        "copies",
        "detokenize",
        "forget",
        "inspect",
        "protect",
        "relabel",
        "sanitize",
        "scan",
    ),
    "serving": ("chunks", "review", "serve", "service"),
    "sight": ("console", "discover", "redteam", "report", "view"),
    "vectors": ("index", "search"),
}
# A module named after a command would shadow the standard library's ``inspect``.
_MODULES: Final = {"inspect": "inspect_"}


def module_of(name: str) -> str:
    """The module of a command."""
    room = next(room for room, names in _ROOMS.items() if name in names)
    return f"cipherset.interfaces.cli.commands.{room}.{_MODULES.get(name, name)}"


class Commands(Group):
    """Loads a command's module when it is asked for, so that ``--help`` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        found = import_module(module_of(cmd_name)).command
        return found if isinstance(found, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by the work they are for, without loading any."""
        width = max(map(len, COMMANDS))
        for title, part in _PARTS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:<{width}}", said) for name, said in part.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The main job in commands, as they are typed."""
        del ctx
        formatter.write(f"\n{_MAIN_JOB}")


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cipherset")
def cli() -> None:
    """Train models on data nobody can read.

    Private rows become an encrypted training set (a cipherset). Models are trained on it without a
    key, and answer where the key is. What it gives away is measured before it may leave.
    """


def main() -> None:
    """Run the command line; usage errors keep the JSON promise too."""
    sys.excepthook = _show_defect
    try:
        code = cli.main(prog_name="cipherset", standalone_mode=False)
    except BrokenPipeError:
        # Whoever read our output has gone; the interpreter must not try to write the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
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

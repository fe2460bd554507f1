"""Write docs/reference/cli.md: every command with its options, as the commands state them."""

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from cipherset.interfaces.cli.command import SHARED
from cipherset.interfaces.cli.main import cli

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "reference" / "cli.md"
EXAMPLE: Final = "Example:"
# Where each command is shown at work.
GUIDES: Final = {
    "explanation/evidence.md": ("demo",),
    "how-to/as-operator.md": ("doctor",),
    "how-to/assess-an-export.md": ("assess",),
    "how-to/audit.md": ("audit",),
    "how-to/back-up.md": ("backup",),
    "how-to/calibrate-first.md": ("calibrate",),
    "how-to/clean-training-data.md": ("canary", "copies"),
    "how-to/console.md": ("console",),
    "how-to/guard-outputs.md": ("chunks", "review"),
    "how-to/inventory.md": ("discover",),
    "how-to/keep-keys.md": ("key",),
    "how-to/policies.md": ("policy",),
    "how-to/proxy.md": ("service",),
    "how-to/red-team.md": ("redteam",),
    "how-to/report.md": ("report",),
    "how-to/respond.md": ("forget",),
    "how-to/sanitize.md": ("detokenize", "sanitize"),
    "how-to/scan.md": ("relabel", "scan"),
    "how-to/search.md": ("index", "search"),
    "how-to/serve.md": ("deploy", "serve"),
    "how-to/track-models-in-mlflow.md": ("mlflow",),
    "how-to/train-together.md": ("rounds",),
    "how-to/train-with-your-stack.md": ("bundle",),
    "how-to/use-another-encoder.md": ("encoder",),
    "how-to/views.md": ("view",),
    "how-to/work-as-a-team.md": ("asset", "grant", "init", "principal"),
    "tutorial/first-cipherset.md": ("evaluate", "inspect", "predict", "protect", "train"),
}
HEAD: Final = """\
# The command line

Every option of every command. This page is made from the commands by `make reference`;
`cipherset COMMAND --help` says the same.

## What all commands share

| option | meaning |
|---|---|
"""
TAIL: Final = """
Results go to stdout, progress and errors to stderr. With `--json` there is one JSON object on
stdout and nothing else there, for an error too:
`{"error": {"code": "...", "message": "...", "hint": "..."}}`. Nothing asks a question.

`CIPHERSET_HOME` names the workspace where `--home` does not; `CIPHERSET_CACHE` names the folder of
downloaded weights (default: `cipherset` in `XDG_CACHE_HOME` or `~/.cache`). `CIPHERSET_LEDGER`,
`CIPHERSET_LEDGER_PASSWORD_FILE` and `CIPHERSET_LEDGER_PASSWORD` say where the ledger is, if not in
the workspace: [how](../how-to/audit.md#several-gateways-one-ledger).
`CIPHERSET_MILVUS_PASSWORD_FILE` and `CIPHERSET_MILVUS_PASSWORD` open
[an index's store](../how-to/search.md#in-another-store). `CIPHERSET_PRINCIPAL_KEY` names the file
of the principal's own private key, and `CIPHERSET_REGION` says where this machine stands.

## Exit codes

| code | meaning |
|---|---|
| 0 | done |
| 1 | a failure of Cipherset's own |
| 2 | usage: the command contradicts itself, or what it would write is there already |
| 3 | refused: by a limit, a rule, or because there is too little to measure |
| 4 | bad input: the message names file, row or column |
| 5 | integrity: tampered, corrupt, not the right key, or a sealed part is missing |
| 6 | out of reach: a disk, a provider or an encoder; the hint says what mends it |

[Error codes](errors.md) lists each `code` with its exit code.
"""


def main() -> int:
    """Write the page; return 0."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
    return 0


def page() -> str:
    """Return the page as the commands of today make it."""
    commands = list(_commands(cli, "cipherset"))
    parts = [HEAD + "".join(_row(option) for option in [*SHARED, _help()]) + TAIL]
    parts += [_section(name, command) for name, command in commands]
    return "\n".join(parts)


def _commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group, info_name=path)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")
        elif command is not None:
            yield f"{path} {name}", command


def _help() -> click.Option:
    return click.Option(["-h", "--help"], is_flag=True, help="Show this and leave.")


def _section(path: str, command: click.Command) -> str:
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    options = [each for each in command.params if isinstance(each, click.Option)]
    usage = [
        path,
        *(_argument(each) for each in arguments),
        *([] if not options else ["[OPTIONS]"]),
    ]
    lines = [
        f"## {path}",
        "",
        inspect.cleandoc(command.help or ""),
        "",
        _guide(path.split()[1]),
        "",
        "```text",
        " ".join(usage),
        "```",
    ]
    if options:
        lines += ["", "| option | meaning |", "|---|---|"]
        lines += [_row(option).rstrip("\n") for option in options]
    example = (command.epilog or "").removeprefix(EXAMPLE).strip()
    return "\n".join([*lines, "", EXAMPLE, "", "```text", example, "```", ""])


def _guide(name: str) -> str:
    page = next(page for page, names in GUIDES.items() if name in names)
    title = (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
    return f"Guide: [{title}](../{page})"


def _argument(argument: click.Argument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    return name if argument.required or name.startswith("[") else f"[{name}]"


def _row(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in option.opts)
    if not option.is_flag:
        names = names.removesuffix("`") + f" {_value(option)}`"
    meaning = [(option.help or "").replace("|", "\\|")]
    if option.required:
        meaning.append("Required.")
    if option.multiple:
        meaning.append("May be given several times.")
    if option.show_default and not option.is_flag:
        meaning.append(f"Default: `{option.default}`.")
    return f"| {names} | {' '.join(part for part in meaning if part)} |\n"


def _value(option: click.Option) -> str:
    if option.metavar:
        return option.metavar
    if isinstance(option.type, click.Choice):
        return " or ".join(str(choice) for choice in option.type.choices)
    return str(option.type.name).upper()


if __name__ == "__main__":
    sys.exit(main())

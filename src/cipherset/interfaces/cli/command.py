"""What every command shares: its four options, its context and its error boundary."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final, Never

import click

from cipherset.app.access.signing import signer_in
from cipherset.app.workspace import Session
from cipherset.core.errors import CiphersetError
from cipherset.core.files import disk_error
from cipherset.interfaces.cli import output, settings
from cipherset.interfaces.cli.group import write_example
from cipherset.interfaces.environment import look_around


@dataclass(frozen=True, slots=True)
class Context:
    """What a command needs to know beside its own options."""

    home: Path
    cache: Path
    actor: str
    as_json: bool
    emergency: str | None
    warnings: list[str] = field(default_factory=list)

    def show(self, result: output.Result, title: str, rows: list[tuple[str, str]]) -> None:
        """``result`` as JSON where asked for, with the warnings, else ``rows`` as a table."""
        if self.as_json:
            told = {"warnings": self.warnings} if self.warnings else {}
            output.show_json({**result, **told})
        else:
            output.show_table(title, rows)

    def session(self) -> Session:
        """The same, for the operations."""
        # No identity: nobody has verified who is at the terminal.
        key = settings.principal_key()
        return Session(
            home=self.home,
            actor=self.actor,
            cache=self.cache,
            progress=self.progress(),
            environment=look_around(region=settings.region()),
            ledger=settings.ledger(self.home),
            store_password=settings.store_password(self.home),
            signer=None if key is None else signer_in(key),
            emergency=self.emergency,
            warn=self.warn,
        )

    def warn(self, message: str) -> None:
        """Say at once, on stderr, what must be known; the JSON has it too."""
        self.warnings.append(message)
        output.show_warning(message)

    def progress(self) -> output.TerminalProgress:
        """Progress on stderr."""
        return output.TerminalProgress()


SHARED: Final = (
    click.Option(["--json", "as_json"], is_flag=True, help="One JSON object on stdout."),
    click.Option(
        ["--home"],
        type=click.Path(path_type=Path, file_okay=False),
        help="The workspace (default: CIPHERSET_HOME or ./.cipherset).",
    ),
    click.Option(
        ["--as", "actor"], metavar="PRINCIPAL", help="Who acts (default: your user name)."
    ),
    click.Option(
        ["--break-glass", "emergency"],
        metavar="REASON",
        help="Do in an emergency what policies allow only then; it is reviewed after.",
    ),
)


class Command(click.Command):
    """A click command with the shared options; its function finds the ``Context`` as ``obj``.

    ``PARTS`` lists, under headings, options that are many; the others come before them.
    """

    PARTS: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own parameters, then the shared ones."""
        return [*super().get_params(ctx), *SHARED]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own options, then those of every command."""
        own = [each for each in self.params if isinstance(each, click.Option)]
        parted = {name for names in self.PARTS.values() for name in names}
        parts = {"Options": [each for each in own if each.opts[0] not in parted]}
        for title, names in self.PARTS.items():
            parts[title] = [each for each in own if each.opts[0] in names]
        asked = self.get_help_option(ctx)
        parts["Options of every command"] = [*SHARED, *([] if asked is None else [asked])]
        for title, options in parts.items():
            if lines := [_record(each, ctx) for each in options]:
                with formatter.section(title):
                    formatter.write_dl(lines)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The example, on a line of its own."""
        del ctx
        write_example(self, formatter)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 -- click's own signature
        """Run the command within the error boundary."""
        as_json = bool(ctx.params.pop("as_json"))
        ctx.obj = Context(
            home=(ctx.params.pop("home") or settings.home()).resolve(),
            cache=settings.cache(),
            actor=ctx.params.pop("actor") or settings.principal(),
            as_json=as_json,
            emergency=ctx.params.pop("emergency"),
        )
        try:
            return super().invoke(ctx)
        except CiphersetError as error:
            fail(error, as_json=as_json)
        except BrokenPipeError:
            raise
        except OSError as error:
            fail(disk_error(error, Path(error.filename or os.curdir)), as_json=as_json)


def _record(option: click.Option, ctx: click.Context) -> tuple[str, str]:
    """An option's line of help, which also says where it may be given more than once."""
    names, said = option.get_help_record(ctx) or (option.opts[0], "")
    return names, f"{said}  [repeatable]" if option.multiple else said


def fail(error: CiphersetError, *, as_json: bool) -> Never:
    """Show ``error`` and leave with its exit code."""
    output.show_error(error, as_json=as_json)
    sys.exit(error.exit_code)

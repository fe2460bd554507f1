"""A group of commands, and what a help page ends with; loads none of the commands.

A shell that completes a line parses what there is of it, resiliently: it is told nothing.
"""

from difflib import get_close_matches

import click

from cipherset.core.errors import UsageError


class Group(click.Group):
    """A click group that helps whoever does not know its commands."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Without any argument the help, which is no error's text, and the code of usage."""
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help(), err=True)
            ctx.exit(UsageError.exit_code)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is asked for, or a refusal that names the one nearest to it."""
        name, known = args[0], self.list_commands(ctx)
        if name not in known and not name.startswith("-") and not ctx.resilient_parsing:
            close = get_close_matches(name, known, n=1)
            nearest = f"; did you mean {close[0]!r}?" if close else ""
            ctx.fail(f"there is no command {name!r}{nearest}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Click would cut the sentences to one line."""
        found = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        said = [(name, _first_words(each)) for name, each in found if each is not None]
        with formatter.section("Commands"):
            formatter.write_dl(said)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The example, on a line of its own."""
        del ctx
        write_example(self, formatter)


def _first_words(command: click.Command) -> str:
    """The first paragraph of a command's help."""
    return " ".join((command.help or "").split("\n\n", 1)[0].split())


def write_example(command: click.Command, formatter: click.HelpFormatter) -> None:
    """Not folded, however long: it is there to be copied."""
    if command.epilog:
        formatter.write_paragraph()
        formatter.write(f"  {command.epilog}\n")

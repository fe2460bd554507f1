"""``cipherset view lineage``: what an asset was made of, and what was made of it."""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path

import click

from cipherset.app.sight.lineage.documents import Document, Form, write_lineage
from cipherset.app.sight.lineage.view import LineageRequest, LineageResult, view_lineage
from cipherset.core.errors import IntegrityError, UsageError
from cipherset.interfaces.cli import options, output
from cipherset.interfaces.cli.command import Command, Context


def _request(given: Callable[..., None]) -> Callable[..., None]:
    """What is asked of which asset, given to the command as ``request``."""

    @wraps(given)
    def with_request(  # house: hands on the options that only the command knows
        *context: object,
        asset: str,
        if_gone: bool,
        verify: bool,
        paths: tuple[Path, ...],
        **others: object,
    ) -> None:
        request = LineageRequest(asset, if_gone=if_gone, verify=verify or bool(paths), paths=paths)
        given(*context, request=request, **others)

    return with_request


@click.command(cls=Command, epilog="Example:  cipherset view lineage router.bundle --verify")
@click.argument("asset")
@click.option(
    "--if-gone", is_flag=True, help="Show what would have to be made again without it, in order."
)
@click.option("--verify", is_flag=True, help="Hold what is on disk against what its run made.")
@click.option(
    "--path",
    "paths",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Verify an artifact that is kept elsewhere, too.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice([each.value for each in Form]),
    help="Write it in the form of other tools: OpenLineage, PROV-JSON, Croissant of a cipherset.",
)
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="With --format: the file to write (default: stdout).",
)
@options.force("FILE, if it is")
@click.pass_obj
@_request
def command(
    context: Context,
    request: LineageRequest,
    *,
    form: str | None,
    target: Path | None,
    force: bool,
) -> None:
    """Show what ASSET (key:NAME, a path or an id) was made of, and what was made of it.

    With --verify it exits with 5 where an artifact is not what its run made, and names the run.
    """
    if form is not None:
        _write(context, request, Form(form), (target, force))
        return
    if target is not None:
        raise UsageError(
            "--to goes with --format",
            code="usage",
            hint="say in which: --format openlineage, prov or croissant",
        )
    found = view_lineage(context.session(), request)
    _warn(found)
    if found.verified is None or found.verified.is_valid:
        context.show(found.as_json(), f"lineage of {found.lineage.asset.name}", _rows(found))
        return
    error = _invalid(found.verified.first_bad)
    told = {"code": error.code, "message": error.message, "hint": error.hint}
    title = "the lineage is NOT what was recorded"
    context.show({**found.as_json(), "error": told}, title, _rows(found))
    sys.exit(error.exit_code)


def _write(
    context: Context, request: LineageRequest, form: Form, to: tuple[Path | None, bool]
) -> None:
    target, force = to
    if request.if_gone or request.verify:
        raise UsageError(
            "--format writes the lineage, and verifies nothing",
            code="usage",
            hint="leave out --verify, --path and --if-gone, or --format",
        )
    document = write_lineage(context.session(), request.asset, form, target, overwrite=force)
    if target is None:
        _show(context, document)
        return
    rows = [("file", str(target)), ("parts", str(len(document.parts)))]
    context.show({"file": str(target), "format": form.value}, f"lineage as {form.value}", rows)


def _show(context: Context, document: Document) -> None:
    if context.as_json:
        context.show(document.as_json(), document.form.value, [])
    else:
        click.echo(document.text, nl=False)


def _warn(found: LineageResult) -> None:
    """Say of what was not there that nothing is known of it."""
    missing = () if found.verified is None else found.verified.missing
    for check in missing:
        output.show_warning(f"not verified: {check.what} {check.path}: {check.because}")


def _invalid(run: str | None) -> IntegrityError:
    where = "no run here says which it was" if run is None else f"the first is of {run}"
    return IntegrityError(
        f"an artifact or a record is not what was recorded: {where}",
        code="lineage_altered",
        hint="restore it from a copy, or make it and what came of it again: --if-gone lists that",
    )


def _rows(found: LineageResult) -> list[tuple[str, str]]:
    lineage = found.lineage
    rows = [("asset", f"{lineage.asset.kind} {lineage.asset.name}: {lineage.asset.id}")]
    for what, nodes in (("above", lineage.upstream), ("below", lineage.downstream)):
        rows += [(what, f"{each.kind} {each.name} ({each.status or 'as is'})") for each in nodes]
    rows += [
        ("run", f"{each.step.id} {each.step.kind} by {each.step.actor}, {each.step.started[:19]}")
        for each in lineage.runs
    ]
    rows += [
        ("make again", f"{each.what} {each.node.name}: {each.how}") for each in found.again or ()
    ]
    if found.verified is None:
        return rows
    for check, run in found.verified.checks:
        because = f": {check.because} ({run or 'no run'})" if check.because else ""
        rows.append((check.state.value, f"{check.what} {check.path}{because}"))
    return [*rows, *(("doubtful", each) for each in found.verified.doubtful)]

"""``cipherset policy``: show, check, try and explain policies."""

import sys
from pathlib import Path
from typing import Final

import click

from cipherset.app.access import permissions
from cipherset.app.access.activation import activate_set
from cipherset.app.policies import sets, trials
from cipherset.core.errors import PolicyError
from cipherset.custody.policy import Policies
from cipherset.interfaces.cli.command import Command, Context
from cipherset.interfaces.cli.group import Group

_POLICIES: Final = click.option(
    "--policies",
    "source",
    metavar="SET",
    help="solo, team, or a folder of *.cedar and limits.toml (default: what holds here).",
)


@click.group(name="policy", cls=Group)
def command() -> None:
    """Policies: who may do what, under which conditions."""


@command.command(cls=Command, epilog="Example:  cipherset policy show team --to policies")
@click.argument("source", metavar="SET")
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write the files there, to be changed.",
)
@click.pass_obj
def show(context: Context, source: str, target: Path | None) -> None:
    """Show the policies of SET: solo, team, or a folder."""
    texts, limits = sets.read_texts(source)
    policies = sets.read_set(source)
    written = [str(path) for path in sets.write_set(source, target)] if target else []
    result = {
        "digest": policies.digest,
        "files": texts | {sets.LIMITS: limits},
        "written": written,
    }
    if written or context.as_json:
        context.show(result, "policies", [("written", path) for path in written])
    else:
        click.echo("\n".join([*texts.values(), f"// {sets.LIMITS}\n{limits}"]))


@command.command(name="schema", cls=Command, epilog="Example:  cipherset policy schema")
@click.pass_obj
def schema_(context: Context) -> None:
    """Show every name that a policy may use, as a Cedar schema."""
    found = sets.schema_json()
    if context.as_json:
        context.show(found, "schema", [])
    else:
        click.echo(found["schema"])


@command.command(cls=Command, epilog="Example:  cipherset policy check policies")
@click.argument("source", metavar="SET")
@click.pass_obj
def check(context: Context, source: str) -> None:
    """Check the policies of SET against the schema, and show their digest."""
    policies = sets.read_set(source)
    result = {
        "digest": policies.digest,
        "policies": [
            {"id": rule.id, "effect": rule.effect, "why": rule.why, "where": rule.where}
            for rule in policies.rules
        ],
    }
    rows = [(f"{rule.effect} {rule.id}", rule.why) for rule in policies.rules]
    context.show(result, f"{len(rows)} policies, {policies.digest}", rows)


@command.command(
    name="test", cls=Command, epilog="Example:  cipherset policy test cases.toml --policies team"
)
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
@_POLICIES
@click.pass_obj
def test_(context: Context, files: tuple[Path, ...], source: str | None) -> None:
    """Run the cases of each FILE; one that is not met ends with exit code 3."""
    policies = _set(context, source)
    tried = trials.try_cases(policies, files)
    result = trials.as_json(policies, tried)
    rows = [
        (
            "met" if each.is_met else "NOT MET",
            f"{tries.file}: {each.case.name or each.case.action}: {each.found}",
        )
        for tries in tried
        for each in tries.results
    ]
    context.show(result, f"{result['passed']} met, {result['failed']} not met", rows)
    if result["failed"]:
        # The one JSON object has been printed: which cases they are stands in it.
        sys.exit(PolicyError.exit_code)


@command.command(
    cls=Command,
    epilog="Example:  cipherset policy explain deploy model --role deployer "
    "--fact resource.label=internal --policies team",
)
@click.argument("action")
@click.argument("kind")
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="A role of whoever asks.")
@click.option(
    "--principal", "name", default="someone", show_default=True, metavar="NAME", help="Who asks."
)
@click.option(
    "--fact",
    "facts",
    multiple=True,
    metavar="NAME=VALUE",
    help="What is known, such as resource.label=internal or context.granted=true.",
)
@_POLICIES
@click.pass_obj
def explain(  # noqa: PLR0913 -- one parameter per option
    context: Context,
    action: str,
    kind: str,
    roles: tuple[str, ...],
    name: str,
    facts: tuple[str, ...],
    source: str | None,
) -> None:
    """Say whether ACTION on something of KIND is allowed, by which policies, and what is missing.

    KIND is dataset, key, model, service or workspace.
    """
    policies = _set(context, source)
    request = trials.request_of(trials.Question(action, kind, name, roles, facts))
    rows = trials.explain(policies, request)
    context.show(dict(trials.explained(policies, request)), f"{action} of a {kind}", rows)


@command.command(cls=Command, epilog="Example:  cipherset policy activate policies --as root")
@click.argument("source", metavar="SET")
@click.pass_obj
def activate(context: Context, source: str) -> None:
    """Let the policies of SET hold from now on.

    Under team it takes a grant over exactly this set: cipherset grant request policy.activate
    policies:SET --for WHY.
    """
    result = activate_set(context.session(), source)
    rows = [("digest", result["digest"]), ("before", result["before"])]
    context.show(result, "policies hold", rows)


@command.command(cls=Command, epilog="Example:  cipherset policy unused --as eve")
@click.pass_obj
def unused(context: Context) -> None:
    """List what each principal may do and has not done in 30 days."""
    found = permissions.unused_permissions(context.session())
    rows = [(each.principal, f"{each.action} of a {each.kind}") for each in found.unused]
    shown = {
        "since": found.since,
        "unused": [
            {"principal": each.principal, "action": each.action.value, "kind": each.kind.value}
            for each in found.unused
        ],
    }
    context.show(shown, f"not used since {found.since}", rows or [("none", "all was used")])


def _set(context: Context, source: str | None) -> Policies:
    """The set that is named, or the one that holds in the workspace."""
    return permissions.active(context.session()) if source is None else sets.read_set(source)

"""``cipherset mlflow``: bundles in MLflow, and its pointers by leave of the gate."""

from collections.abc import Callable, Mapping
from pathlib import Path

import click

from cipherset.app.assets.promote import PromoteRequest, promote
from cipherset.interfaces.cli.command import Command, Context
from cipherset.interfaces.cli.group import Group
from cipherset.interfaces.mlflow.registry import MlflowRegistry

LOG = "cipherset mlflow log router.bundle --model router"
PROMOTE = "cipherset mlflow promote router.bundle --model router --version 1 --alias champion"


def _tracking(command: Callable[..., None]) -> Callable[..., None]:
    told = "Where MLflow is (default: MLFLOW_TRACKING_URI)."
    return click.option("--tracking", metavar="URI", help=told)(command)


@click.group(name="mlflow", cls=Group)
def command() -> None:
    """Log bundles to MLflow, and promote what the gate would deploy."""


@command.command(cls=Command, epilog=f"Example:  {LOG}")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--model", required=True, metavar="NAME", help="The registered model.")
@click.option("--experiment", default="cipherset", show_default=True, help="The run's experiment.")
@_tracking
@click.pass_obj
def log(context: Context, bundle: Path, model: str, experiment: str, tracking: str | None) -> None:
    """Make BUNDLE a new version of a registered model; needs no key."""
    done = MlflowRegistry(tracking).log(bundle, model, experiment=experiment)
    title = f"logged: version {done.version} of {done.model}"
    context.show(done.as_json(), title, [("run", done.run_id), *_rows(done.tags)])


@command.command(name="promote", cls=Command, epilog=f"Example:  {PROMOTE}")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--model", required=True, metavar="NAME", help="The registered model.")
@click.option("--version", required=True, metavar="N", help="The version that is BUNDLE.")
@click.option("--alias", required=True, metavar="NAME", help="What is to name that version.")
@click.option("--accept-risk", metavar="REASON", help="Under a grant that accepts it; recorded.")
@_tracking
@click.pass_obj
def promote_(  # noqa: PLR0913 -- one parameter per option
    context: Context,
    bundle: Path,
    model: str,
    version: str,
    alias: str,
    accept_risk: str | None,
    tracking: str | None,
) -> None:
    """Let an alias name BUNDLE's version, if the gate would let it be deployed."""
    request = PromoteRequest(bundle, model, version, alias, accept_risk)
    done = promote(context.session(), MlflowRegistry(tracking), request)
    title = f"{done.model}@{done.alias} is version {done.version}"
    context.show(done.as_json(), title, _rows(done.tags))


def _rows(tags: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name.removeprefix("cipherset."), value) for name, value in sorted(tags.items())]

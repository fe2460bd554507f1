"""``cipherset deploy``."""

from pathlib import Path

import click

from cipherset.app.assets.deploy import DeployRequest, deploy
from cipherset.interfaces.cli.command import Command, Context

EXAMPLE = "cipherset deploy router.bundle --as dora"


@click.command(name="deploy", cls=Command, epilog=f"Example:  {EXAMPLE}")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--name", help="The name it is asked for by (default: the folder's).")
@click.option("--accept-risk", metavar="REASON", help="Under a grant that accepts it; recorded.")
@click.option("--force", is_flag=True, help="Replace the model that is deployed by that name.")
@click.pass_obj
def command(
    context: Context,
    bundle: Path,
    name: str | None,
    accept_risk: str | None,
    force: bool,  # noqa: FBT001 -- click's
) -> None:
    """Deploy the model in BUNDLE, after approval: see cipherset asset and cipherset grant."""
    result = deploy(context.session(), DeployRequest(bundle, name, accept_risk, overwrite=force))
    rows = [("model", result.model), ("name", result.name), ("key", result.key_id)]
    reid = "not measured" if result.reid is None else f"{result.reid:.4f} ({result.verdict})"
    context.show(result.as_json(), "deployed", [*rows, ("re-identified", reid)])

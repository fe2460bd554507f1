"""``cipherset demo``."""

from pathlib import Path

import click

from cipherset.app.demo.run import run_demo
from cipherset.interfaces.cli.command import Command, Context


@click.command(name="demo", cls=Command, epilog="Example:  cipherset demo --to demo")
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), metavar="DIR")
@click.option("--force", is_flag=True, help="Overwrite an earlier demo.")
@click.pass_obj
def command(
    context: Context,
    target: Path,
    force: bool,  # noqa: FBT001 -- click hands it over by name
) -> None:
    """Run the whole main job on real reviews, ending in DIR/report.html."""
    result = run_demo(context.session(), target, overwrite=force).as_json()
    accuracy, reid = result["accuracy"], result["reidentification"]
    names = ("plain", "owner_head", "anchor_control", "encrypted", "at_gate", "wrong_key", "chance")
    rows = [("reviews", f"{result['rows']:,}")]
    rows += [(f"accuracy, {name}", f"{accuracy[name]:.3f}") for name in names]
    rows += [
        (f"re-identification, {name}", f"{reid[name]:.4f}")
        for name in ("unprotected", "exported", "chance")
    ]
    rows += [
        ("in words", result["verdict"]),
        ("seconds", f"{result['seconds']:.0f}"),
        ("read", str((target / "report.html").resolve())),
    ]
    context.show(result, "demo finished", rows)

"""``cipherset demo``."""

from dataclasses import replace
from pathlib import Path

import click

from cipherset.app.demo.run import run_demo
from cipherset.app.demo.seeded.seed import seed_demo
from cipherset.interfaces.cli.command import Command, Context
from cipherset.interfaces.cli.commands.sight.console import open_console


@click.command(name="demo", cls=Command, epilog="Example:  cipherset demo --to demo")
@click.option(
    "--to",
    "target",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder to write; new, or an earlier demo with --force.",
)
@click.option("--force", is_flag=True, help="Overwrite an earlier demo.")
@click.option("--console", is_flag=True, help="Seed a team's workspace instead, and show it.")
@click.option(
    "--port",
    default=0,
    type=click.IntRange(0, 65_535),
    help="The console's port on this machine (default: a free one).",
)
@click.option("--no-open", is_flag=True, help="Print the console's address, and open no browser.")
@click.pass_obj
def command(
    context: Context, target: Path, port: int, *, force: bool, console: bool, no_open: bool
) -> None:
    """Run the whole main job on real reviews, ending in DIR/report.html.

    With --console: seed DIR/workspace with invented rows, an export, people, requests and
    sightings, and show it in a browser until it is told to end. Nothing is fetched.
    """
    if console:
        _show(context, target, port, opens=not no_open)
        return
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


def _show(context: Context, target: Path, port: int, *, opens: bool) -> None:
    session = context.session()
    made = seed_demo(session, target)
    shown = replace(session, home=made.home, actor=made.principal, signer=None, ledger=None)
    told = {
        "home": str(made.home),
        "others": f"cipherset console --home {made.home} --as {'|'.join(made.people)}",
    }
    open_console(context, shown, port, opens=opens, told=told)

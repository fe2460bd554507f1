"""``cipherset canary``: plant made-up secrets, and measure what a model knows of them."""

from pathlib import Path

import click

from cipherset.app.training.measure import CanaryReport
from cipherset.app.training.run import PlantRequest, measure_canaries, plant_canaries
from cipherset.interfaces.cli import options
from cipherset.interfaces.cli.command import Command, Context
from cipherset.interfaces.cli.group import Group
from cipherset.pipeline.sanitize.canaries import CanaryFormat

PLANT = "cipherset canary plant tickets-2026 --key tickets --to canaries.jsonl"
MEASURE = "cipherset canary measure tickets-2026 --key tickets --model model.py"


@click.group(name="canary", cls=Group)
def command() -> None:
    """Made-up secrets in the training rows, and whether a model learned them by heart."""


@command.command(name="plant", cls=Command, epilog=f"Example:  {PLANT}")
@click.argument("dataset", metavar="NAME")
@click.option("--key", required=True, metavar="KEY", help="The key that they are kept under.")
@click.option(
    "--to",
    "target",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="JSON Lines: the rows to mix into the training rows.",
)
@click.option("--number", default=20, show_default=True, metavar="N", help="How many canaries.")
@click.option(
    "--repeats", default=4, show_default=True, metavar="N", help="How many rows each canary has."
)
@click.option("--template", metavar="TEXT", help="A row in the manner of yours; {} is the secret.")
@click.option(
    "--digits", default=9, show_default=True, metavar="N", help="How many digits each secret has."
)
@click.option(
    "--column",
    default="text",
    show_default=True,
    metavar="COL",
    help="The column that they are written to.",
)
@options.force("a file that is")
@click.pass_obj
def plant_(  # noqa: PLR0913 -- one parameter per option
    context: Context,
    dataset: str,
    key: str,
    target: Path,
    number: int,
    repeats: int,
    template: str | None,
    digits: int,
    column: str,
    force: bool,  # noqa: FBT001 -- click hands it over by name
) -> None:
    """Make canaries for the data set NAME, keep them sealed, and write their rows."""
    form = CanaryFormat(template or CanaryFormat().template, length=digits)
    request = PlantRequest(dataset, key, target, number, repeats, form, column, force)
    rows = plant_canaries(context.session(), request)
    result = {"dataset": dataset, "canaries": number, "rows": rows, "to": str(target)}
    shown = [("canaries", str(number)), ("rows", f"{rows} in {target}"), ("next", "mix them in")]
    context.show(result, f"canaries of {dataset}", shown)


@command.command(name="measure", cls=Command, epilog=f"Example:  {MEASURE}")
@click.argument("dataset", metavar="NAME")
@click.option("--key", required=True, metavar="KEY", help="The key that they are kept under.")
@click.option(
    "--model",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Python that defines log_probability(texts) or complete(prompt); it is run.",
)
@click.option(
    "--given",
    default=0,
    show_default=True,
    metavar="N",
    help="How many digits of the secret the model is shown first.",
)
@click.pass_obj
def measure_(context: Context, dataset: str, key: str, model: Path, given: int) -> None:
    """Measure how well a model knows the canaries of the data set NAME."""
    report = measure_canaries(context.session(), dataset, key, model, given=given)
    context.show(report.as_json(), f"canaries of {dataset} in {model.name}", _rows(report))


def _rows(report: CanaryReport) -> list[tuple[str, str]]:
    rows = [
        ("canaries", f"{report.n_canaries}, {report.repeats} times each"),
        ("memorized", "yes" if report.memorized else "not shown"),
    ]
    exposed, completed = report.exposure, report.completions
    if exposed is not None:
        mean = f"{exposed.mean:.1f} bits of {exposed.most_bits:.1f}; 1.4 where nothing is known"
        rows += [("exposure", mean), ("  by luck", f"once in {1 / max(exposed.chance, 1e-99):.3g}")]
    if completed is not None:
        rows.append(("read out", f"{completed.n_read_out} whole"))
    return rows

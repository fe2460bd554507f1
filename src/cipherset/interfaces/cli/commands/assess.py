"""``cipherset assess``."""

from pathlib import Path

import click

from cipherset.app.assess.request import AssessRequest, AssessResult, PublicSource
from cipherset.app.assess.run import assess
from cipherset.core.errors import UsageError
from cipherset.interfaces.cli.command import Command, Context

EXAMPLE = "cipherset assess tickets.cipherset --records tickets.csv"


@click.command(name="assess", cls=Command, epilog=f"Example:  {EXAMPLE}")
@click.argument("cipherset", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--public", metavar="SOURCE", help="Text that an attacker may have of the same kind.")
@click.option("--text", multiple=True, metavar="COL", help="Its text, if named otherwise.")
@click.option("--label", metavar="COL", help="Its labels, if named otherwise.")
@click.option("--records", metavar="SOURCE", help="What was protected; words are attacked too.")
@click.option(
    "--attribute",
    multiple=True,
    metavar="COL",
    help="A column of --records that did not leave: can it be guessed?",
)
@click.option(
    "--pairs",
    default=10_000,
    show_default=True,
    type=click.IntRange(min=2),
    metavar="N",
    help="At most so many known pairs.",
)
@click.option("--full", is_flag=True, help="Everything, also what takes minutes.")
@click.option("--samples", is_flag=True, help="Recovered words beside records, for you only.")
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    metavar="N",
    help="Of samples and attacks.",
)
@click.pass_obj
def command(  # noqa: PLR0913 -- one parameter per option
    context: Context,
    cipherset: Path,
    public: str | None,
    text: tuple[str, ...],
    label: str | None,
    records: str | None,
    attribute: tuple[str, ...],
    pairs: int,
    full: bool,  # noqa: FBT001 -- click hands it over by name
    samples: bool,  # noqa: FBT001 -- click hands it over by name
    seed: int,
) -> None:
    """Attack the export in DIR with all we have, and sign what it got; on the owner's side."""
    if (attribute or samples) and records is None:
        raise UsageError(
            "--attribute and --samples read the records",
            code="records_needed",
            hint="give --records SOURCE, the very file that was protected",
        )
    request = AssessRequest(
        cipherset=cipherset,
        public=None if public is None else PublicSource(public, text, label=label),
        records=records,
        attributes=attribute,
        pairs=pairs,
        full=full,
        samples=samples,
        seed=seed,
    )
    result = assess(context.session(), request)
    context.show(result.as_json(), f"{result.finding.verdict.value}: {cipherset}", _rows(result))


def _rows(result: AssessResult) -> list[tuple[str, str]]:
    finding = result.finding
    rows = [("why", reason) for reason in finding.reasons[:3]]
    for line in finding.attacks:
        if "excess" in line:
            low, high = line["excess_ci"]
            found = f"{line['excess']:.4f} ({max(low, 0):.4f} to {high:.4f})"
            rows.append((f"{line['knowledge']} {line['name']}", found))
        elif not line["metric"].startswith("reid"):
            found = f"{line['value']:.4f}, chance {line['chance']:.4f}  ({line['metric']})"
            rows.append((f"{line['knowledge']} {line['name']}", found))
    most = f"no count up to {finding.pairs_tested} passes the limit"
    rows.append(("known pairs", most if finding.n_star is None else f"{finding.n_star} pass it"))
    rows += [("not run", missing) for missing in finding.not_run]
    rows.append(("report", str(result.folder / "report.html")))
    return rows

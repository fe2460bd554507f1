"""``cipherset assess``: of an export of ours, or of any file of vectors."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from cipherset.app.assess.foreign.request import ForeignRequest, ForeignResult
from cipherset.app.assess.foreign.run import assess_foreign
from cipherset.app.assess.request import AssessRequest, AssessResult, PublicSource
from cipherset.app.assess.run import assess
from cipherset.app.encoders import DEFAULT_ENCODER
from cipherset.app.serving.probing.measure import measure_copies
from cipherset.core.errors import UsageError
from cipherset.interfaces.cli import options
from cipherset.interfaces.cli.command import Command, Context
from cipherset.pipeline.ingest import open_source

EXAMPLE = "cipherset assess tickets.cipherset --records tickets.csv"
PAIRS: Final = 10_000
LIMIT: Final = 0.05
BUNDLE: Final = "bundle.json"


@click.command(name="assess", cls=Command, epilog=f"Example:  {EXAMPLE}")
@click.argument("there", type=click.Path(path_type=Path), metavar="DIR_OR_FILE")
@click.option("--public", metavar="SOURCE", help="Text that an attacker may have of the same kind.")
@click.option("--text", multiple=True, metavar="COL", help="Text of --public, if named otherwise.")
@options.label("Its labels, if named otherwise; of a FILE its own.")
@click.option(
    "--records",
    metavar="SOURCE",
    help="The rows that were protected, so that their words are attacked too.",
)
@click.option(
    "--attribute",
    multiple=True,
    metavar="COL",
    help="A column of --records that did not leave: can it be guessed?",
)
@click.option(
    "--pairs",
    type=click.IntRange(min=2),
    metavar="N",
    help=f"At most so many known pairs (default: {PAIRS}).",
)
@click.option("--full", is_flag=True, help="Run every attack, also those that take minutes.")
@click.option(
    "--samples", is_flag=True, help="Write recovered words beside the records, for you only."
)
@click.option("--vector", metavar="COL", help="Of a FILE: its vectors (default: vector).")
@click.option(
    "--encoder", metavar="NAME", help=f"Of a FILE: what made them (default: {DEFAULT_ENCODER})."
)
@click.option(
    "--max-reid",
    type=click.FloatRange(0.0, 1.0),
    metavar="R",
    help=f"Of a FILE: limit of measured re-identification (default: {LIMIT}).",
)
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Of a FILE: a folder for the page and the figures.",
)
@options.force("an assessment that is")
@options.seed("samples and attacks")
@click.pass_obj
def command(  # noqa: PLR0913 -- one parameter per option
    context: Context,
    there: Path,
    public: str | None,
    text: tuple[str, ...],
    label: str | None,
    records: str | None,
    attribute: tuple[str, ...],
    pairs: int | None,
    full: bool,  # noqa: FBT001 -- click hands it over by name
    samples: bool,  # noqa: FBT001 -- click hands it over by name
    vector: str | None,
    encoder: str | None,
    max_reid: float | None,
    target: Path | None,
    force: bool,  # noqa: FBT001 -- click hands it over by name
    seed: int,
) -> None:
    """Attack the export in DIR with all we have, and sign what it got; on the owner's side.

    A FILE of vectors that were encrypted elsewhere takes neither its key nor its scheme: only
    the name of its encoder, --public with --text, and, for guesses to be scored, --records.
    Of a model's bundle it measures how many answers make how good a copy of it.
    """
    ours = {"--attribute": attribute, "--pairs": pairs, "--full": full, "--samples": samples}
    files = {"--vector": vector, "--encoder": encoder, "--max-reid": max_reid, "--to": target}
    if (there / BUNDLE).is_file():
        _assess_bundle(context, there, ours | files | {"--force": force}, seed)
        return
    if _is_file(there):
        _refuse(ours, f"{there} is a file", "a cipherset's folder")
        limit, name = LIMIT if max_reid is None else max_reid, encoder or DEFAULT_ENCODER
        columns = (_public(public, text), text, vector or "vector", label)
        foreign = ForeignRequest(str(there), *columns, records, name, limit, seed, target, force)
        _show_foreign(context, assess_foreign(context.session(), foreign))
        return
    _refuse(files | {"--force": force}, f"{there} is no file", "a file of vectors")
    if (attribute or samples) and records is None:
        raise UsageError(
            "--attribute and --samples read the records",
            code="records_needed",
            hint="give --records SOURCE, the very file that was protected",
        )
    own = None if public is None else PublicSource(public, text, label=label)
    request = AssessRequest(there, own, records, attribute, pairs or PAIRS, full, samples, seed)
    _show(context, assess(context.session(), request))


def _assess_bundle(context: Context, there: Path, others: Mapping[str, object], seed: int) -> None:
    _refuse(others, f"{there} is a model", "rows or vectors")
    result = measure_copies(context.session(), there, seed=seed)
    rows = [
        (
            f"{point.answers}, {point.n_queries} queries",
            f"{point.agreement.value:.4f} ({point.agreement.low:.4f} to "
            f"{point.agreement.high:.4f}), chance {point.chance:.4f}; {point.source}",
        )
        for point in result.points
    ]
    context.show(result.as_json(), f"copies of {result.name} agree", rows)


def _is_file(there: Path) -> bool:
    """Whether it is a source and not an export.

    Raises:
        InputError: ``source_missing``: it would be, and is not there; first of all that is said.
    """
    if there.exists():
        return not there.is_dir()
    if there.suffix not in {"", ".cipherset"}:
        open_source(there)
    return False


def _public(public: str | None, text: tuple[str, ...]) -> str:
    """The source of public text, without which there is no attack on a file."""
    if public is None or not text:
        raise UsageError(
            "ciphertexts made elsewhere are attacked with public text",
            code="public_needed",
            hint="give --public SOURCE and --text COL, its column of text",
        )
    return public


def _refuse(options: Mapping[str, object], found: str, expected: str) -> None:
    """Refuse options of the other form; one that was not given is None, () or False."""
    given = [
        name for name, value in options.items() if not any(value is no for no in (None, (), False))
    ]
    if given:
        raise UsageError(
            f"{found}, and {', '.join(given)} is for {expected}",
            code="assess_option",
            hint="leave the option out; see: cipherset assess --help",
        )


_LEGEND: Final = (
    ("figures", "rows told beyond what the clear columns tell (95 %), unless the line says else"),
    (
        "attackers hold",
        "the file, and K0 nothing, K1 texts of the kind, K2 known pairs, K3 encryption of texts, "
        "K4 key and minimizer, K5 the model, K6 its answers",
    ),
)


def _show(context: Context, result: AssessResult) -> None:
    title = f"{result.finding.verdict.value}: {result.finding.bound.cipherset_id}"
    context.show(result.as_json(), title, _rows(result))


def _rows(result: AssessResult) -> list[tuple[str, str]]:
    finding = result.finding
    rows = [("why", reason) for reason in finding.reasons[:3]]
    rows += _LEGEND
    told = [a for a in finding.attacks if "excess" in a or not a["metric"].startswith("reid")]
    names = Counter(line["name"] for line in told)
    for line in told:
        name, found = _excess(line) if "excess" in line else _other(line)
        # The same attack with more pairs, or asked in another way: say which.
        more = f", {line['given'].partition(';')[0]}" if names[line["name"]] > 1 else ""
        rows.append((name + more, found))
    most = f"no count up to {finding.pairs_tested} passes the limit"
    rows.append(("known pairs", most if finding.n_star is None else f"{finding.n_star} pass it"))
    rows += [("not run", missing) for missing in finding.not_run]
    rows.append(("report", str(result.folder / "report.html")))
    return rows


def _other(line: Mapping[str, Any]) -> tuple[str, str]:
    found = f"{line['value']:.4f}, chance {line['chance']:.4f}  ({line['metric']})"
    return f"{line['knowledge']} {line['name']}", found


def _excess(line: Mapping[str, Any]) -> tuple[str, str]:
    low, high = line["excess_ci"]
    found = f"{line['excess']:.4f} ({max(low, 0):.4f} to {high:.4f})"
    return f"{line['knowledge']} {line['name']}", found


def _show_foreign(context: Context, result: ForeignResult) -> None:
    shown = result.as_json()
    rows = [("why", reason) for reason in shown["reasons"][:3]]
    rows += [
        (name, f"the attacker's own objective: {value:.2f}")
        for name, value in shown["objectives"].items()
    ]
    for line in shown["attacks"]:
        if "excess" in line:
            name, found = _excess(line)
            rows.append((name, f"{found}, {line['given'].partition(';')[0]}"))
    if result.facts.pairs:
        most = f"no count up to {result.facts.pairs} passes the limit"
        rows.append(("known pairs", most if result.n_star is None else f"{result.n_star} pass it"))
    rows += [
        ("control failed", control["name"]) for control in shown["controls"] if not control["holds"]
    ]
    if "report" in shown:
        rows.append(("report", shown["report"]))
    context.show(shown, f"{shown['verdict']}: {shown['ciphertexts']}", rows)

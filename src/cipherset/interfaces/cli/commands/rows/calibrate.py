"""``cipherset calibrate``."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import click

from cipherset.app.calibration.frontier import Point
from cipherset.app.calibration.request import TOLERATED, CalibrateRequest, CalibrateResult
from cipherset.app.calibration.run import calibrate
from cipherset.app.sanitizing.rules import asked_policy
from cipherset.core.values import ColumnRoles
from cipherset.interfaces.cli import options
from cipherset.interfaces.cli.command import Command, Context
from cipherset.pipeline.ingest import Consent

EXAMPLE = "cipherset calibrate tickets.csv --text body --label topic --to frontier"


class _Calibrate(Command):
    """Has too many options for one list."""

    PARTS: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "Which columns": (
            *("--text", "--vector", "--image", "--columns", "--label", "--labels-sep"),
            *("--rank-by", "--group", "--pool", "--keep", "--all-fields"),
        ),
        "Which rows": ("--consent", "--for", "--seed"),
        "The limit": ("--max-reid", "--tolerate"),
        "How (usual, if absent)": ("--encoder", "--rules"),
    }


@click.command(name="calibrate", cls=_Calibrate, epilog=f"Example:  {EXAMPLE}")
@click.argument("source")
@options.text
@options.vector
@options.image
@options.columns
@options.label("What the model is to predict.", required=True)
@options.labels_sep
@options.rank_by
@options.group
@options.pool
@options.keep
@options.max_reid
@click.option(
    "--tolerate",
    "tolerated",
    default=TOLERATED,
    show_default=True,
    metavar="A",
    help="Accuracy that may be given up for a safer setting.",
)
@options.target("The folder for the page and the figures.")
@options.seed("splits, fits and attacks")
@options.encoder
@options.all_fields
@options.rules
@options.force("a calibration that is")
@click.pass_obj
@options.consent
@options.as_roles
def command(  # noqa: PLR0913 -- one parameter per option
    context: Context,
    source: str,
    roles: ColumnRoles,
    max_reid: float,
    tolerated: float,
    target: Path,
    seed: int,
    encoder: str,
    all_fields: bool,  # noqa: FBT001 -- click hands it over by name
    rules: Path | None,
    consent: Consent | None,
    force: bool,  # noqa: FBT001 -- click hands it over by name
) -> None:
    """Draw what an export of SOURCE would be worth against what it would give away."""
    request = CalibrateRequest(
        source=source,
        roles=roles,
        target=target,
        max_reid=max_reid,
        tolerated=tolerated,
        seed=seed,
        encoder=encoder,
        all_fields=all_fields,
        rules=asked_policy(rules),
        consent=consent,
        overwrite=force,
    )
    result = calibrate(context.session(), request)
    context.show(result.as_json(), f"calibrated: {source}", _rows(result))


def _rows(result: CalibrateResult) -> list[tuple[str, str]]:
    chosen = result.recommended
    columns = [("text columns", ", ".join(result.text))] if result.text else []
    rows = [*columns, ("in words", result.in_words), ("plain vectors", f"{result.plain:.3f}")]
    for name, point in (
        ("most useful", chosen.most_useful),
        ("safest", chosen.safest),
        ("knee", chosen.knee),
    ):
        rows.append((name, "none" if point is None else _line(point)))
    rows += [("", _line(point)) for point in result.points]
    rows.append(("page", str(result.target / "report.html")))
    return rows


def _line(point: Point) -> str:
    safe = point.reid_key_safe
    without = "" if safe is None else f", key safe {safe.excess:.4f}"
    return f"{point.name}: {point.utility:.3f} at {point.reid.excess:.4f}{without}"

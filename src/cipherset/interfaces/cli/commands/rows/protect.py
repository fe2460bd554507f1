"""``cipherset protect``."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

import click

from cipherset.app.engine.engine import Engine
from cipherset.app.exports.private.release import SyntheticResult, release_synthetic
from cipherset.app.exports.protect import protect
from cipherset.app.exports.request import AUTO, ProtectRequest, ProtectResult
from cipherset.app.exports.sent.sent import place_for
from cipherset.app.exports.utility import Utility
from cipherset.app.sanitizing.rules import asked_policy
from cipherset.core.envelope import fingerprint
from cipherset.core.manifest import Manifest, Task
from cipherset.core.objects import ObjectFolder
from cipherset.core.values import ColumnRoles, Guarantee
from cipherset.interfaces.cli import options
from cipherset.interfaces.cli.command import Command, Context
from cipherset.interfaces.cli.output import privacy_rows, promise_rows
from cipherset.pipeline.ingest import Consent

EXAMPLE = (
    "cipherset protect tickets.csv --text body --label topic --key support --to tickets.cipherset"
)


class _Protect(Command):
    """Has too many options for one list."""

    PARTS: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "Which columns": (
            *("--text", "--vector", "--image", "--columns", "--label", "--labels-sep"),
            *("--rank-by", "--group", "--pool", "--keep", "--all-fields"),
        ),
        "Which rows": ("--consent", "--for", "--drop-suspects", "--test-share", "--seed"),
        "The limit": ("--max-reid", "--accept-risk", "--accept-mixing"),
        "How (chosen, or usual, if absent)": (
            *("--minimize", "--approximation-factor", "--scheme", "--noise", "--fit-share"),
            *("--encoder", "--rules"),
        ),
        "Drawn rows instead of encrypted ones": ("--release", "--epsilon", "--delta"),
        "On many machines": ("--engine", "--address", "--answers"),
    }


@click.command(name="protect", cls=_Protect, epilog=f"Example:  {EXAMPLE}")
@click.argument("source")
@options.text
@options.vector
@options.image
@options.columns
@options.label("What the model is to predict; leaves in the clear.")
@options.labels_sep
@options.rank_by
@options.group
@options.pool
@options.keep
@click.option("--key", required=True, metavar="NAME", help="The key, one per purpose.")
@options.target_or_store("The cipherset to write: a directory, or s3://BUCKET/PREFIX.")
@click.option(
    "--minimize",
    default=AUTO,
    show_default=True,
    metavar="SPEC",
    help="Minimizer: auto, bottleneck:K, dp-bottleneck:K,EPS,DELTA, lda:K, pls:K, pca:K or none.",
)
@options.approximation_factor
@click.option(
    "--scheme",
    default="rsap/1",
    show_default=True,
    metavar="NAME",
    help="How vectors are encrypted: rsap/1 or sap/1.",
)
@click.option(
    "--noise",
    default="ball",
    show_default=True,
    metavar="LAW",
    help="The noise: ball, or gaussian:EPS,DELTA to keep these per row, on printed conditions.",
)
@click.option(
    "--fit-share",
    default=1.0,
    show_default=True,
    metavar="F",
    help="Fit the minimizer on this share of the training rows, which is then not exported.",
)
@options.max_reid
@click.option(
    "--test-share",
    default=0.25,
    show_default=True,
    metavar="F",
    help="Share of the rows that is held out for testing.",
)
@options.seed("split and fit; never of noise, shuffle, ids or keys")
@options.encoder
@options.rules
@click.option("--accept-risk", metavar="REASON", help="Export in spite of the limit; recorded.")
@click.option(
    "--accept-mixing",
    metavar="REASON",
    help="Mix restricted rows and rows from outside under one key; recorded.",
)
@options.all_fields
@click.option(
    "--drop-suspects",
    is_flag=True,
    help="Leave out rows that stand out: unlike all others, or labeled unlike their neighbors.",
)
@options.force("a cipherset that is")
@click.pass_obj
@options.engine
@options.consent_and_purpose
@options.as_release
@options.as_roles
def command(  # noqa: PLR0913 -- one parameter per option
    context: Context,
    source: str,
    roles: ColumnRoles,
    key: str,
    target: Path | ObjectFolder,
    minimize: str,
    approximation_factor: float | None,
    scheme: str,
    noise: str,
    fit_share: float,
    max_reid: float,
    test_share: float,
    seed: int,
    encoder: str,
    rules: Path | None,
    accept_risk: str | None,
    accept_mixing: str | None,
    all_fields: bool,  # noqa: FBT001 -- click hands it over by name
    drop_suspects: bool,  # noqa: FBT001 -- click hands it over by name
    consent: Consent | None,
    purpose: str | None,
    synthetic: Guarantee | None,
    engine: Engine,
    force: bool,  # noqa: FBT001 -- click hands it over by name
) -> None:
    """Make an encrypted training set of SOURCE (.csv, .tsv, .jsonl, .parquet; .gz too).

    SOURCE may be a folder of images with one subfolder per label: --image image --label label.
    """
    of_rows = partial(_into(context, target, source, roles, key), consent=consent, engine=engine)
    request = of_rows(
        *(minimize, approximation_factor, noise, scheme, fit_share, max_reid, test_share, seed),
        encoder=encoder,
        rules=asked_policy(rules),
        accept_risk=accept_risk,
        accept_mixing=accept_mixing,
        all_fields=all_fields,
        drop_suspects=drop_suspects,
        synthetic=synthetic,
        purpose=purpose,
        overwrite=force,
    )
    _run(context, request)


def _into(
    context: Context, target: Path | ObjectFolder, source: str, roles: ColumnRoles, key: str
) -> partial[ProtectRequest]:
    """What is asked for, with the directory and the store that ``target`` stands for."""
    place, store = place_for(context.home, target)
    return partial(ProtectRequest, source, roles, key, place, store=store)


def _run(context: Context, request: ProtectRequest) -> None:
    if request.synthetic is None:
        _show(context, protect(context.session(), request))
    else:
        _show_synthetic(context, release_synthetic(context.session(), request))


def _show_synthetic(context: Context, result: SyntheticResult) -> None:
    shown = result.as_json()
    manifest, figures = result.manifest, result.figures
    splits = manifest.splits
    rows = [
        ("key", f"{manifest.key_id} v{manifest.key_version}"),
        ("rows", f"{splits.train.rows} to train on, {splits.test.rows} held out, all drawn"),
        ("settings", f"{manifest.minimizer}, {manifest.scheme}, no row of the source"),
        ("signed by", fingerprint(manifest.signer.public_key)),
        *promise_rows(shown["synthetic"]),
        ("for you alone", "the figures below are computed from the rows, and are not in it"),
        ("accuracy, plain", f"{figures.plain:.3f}"),
        ("accuracy, owner's head", f"{figures.owner_head:.3f}"),
        ("accuracy, synthetic", f"{figures.synthetic:.3f}"),
        ("who was in it, AUC", _within(figures.membership_auc, figures.membership_auc_ci)),
        ("  at 1 % false", _within(figures.membership_at_1pct, figures.membership_at_1pct_ci)),
    ]
    context.show(shown, f"synthetic cipherset written: {result.target}", rows)


def _within(value: float, interval: tuple[float, float]) -> str:
    return f"{value:.3f} ({interval[0]:.3f} to {interval[1]:.3f})"


def _show(context: Context, result: ProtectResult) -> None:
    shown = result.as_json()
    rows = _rows(result) + _joined_rows(result) + privacy_rows(shown["privacy"])
    context.show(shown, _title(result), rows)


def _title(result: ProtectResult) -> str:
    done = "made before, not again" if result.repeated else "written"
    return f"cipherset {done}: {result.place}"


def _rows(result: ProtectResult) -> list[tuple[str, str]]:
    manifest, leak, utility = result.manifest, result.leak, result.utility
    worst = leak.worst
    found = ", ".join(f"{count} {entity}" for entity, count in manifest.sanitizer.items())
    factor = manifest.approximation_factor
    noise = "gaussian noise" if factor is None else f"factor {factor:g}"
    settings = (manifest.minimizer, manifest.scheme, noise)
    rows = [
        ("key", f"{manifest.key_id} v{manifest.key_version}"),
        *_row_counts(manifest),
        ("settings", ", ".join(settings)),
        ("taken out of the text", found or "nothing found"),
        ("attacker holds", f"file, key, minimizer and {worst.candidates} candidate texts"),
        ("re-identified", f"{worst.excess:.4f} (95 %: up to {worst.high:.4f})"),
        ("  without protection", f"{leak.unprotected.excess:.4f}"),
        ("  by clear columns alone", f"{worst.label_alone:.4f}, not counted above"),
        (
            "  most exposed 1 %",
            f"{leak.exposure.top:.4f}, {leak.exposure.top_excess:.4f} beyond these",
        ),
        ("  smallest class", f"{leak.exposure.smallest_group:.4f}, not an excess"),
        ("  with one candidate only", f"{worst.single_candidate:.4f} of the rows"),
        ("signed by", fingerprint(manifest.signer.public_key)),
    ]
    if result.fields is not None:
        left = ", ".join(result.fields.dropped) or "none: the label needs them all, or may"
        rows.insert(1, ("text columns left out", left))
    if leak.exposure.marked is not None:
        rows.insert(-1, ("  misclassified rows", f"{leak.exposure.marked:.4f}, not an excess"))
    if manifest.encoder.digest is None or manifest.settings.get("images"):
        rows.remove(("taken out of the text", "nothing found"))
    if worst.few_rows:
        rows.append(("note", "fewer than 2,000 candidates: each is easier to find than usual"))
    if manifest.label is not None:
        rows.append(("label", " ".join([manifest.label.level, *manifest.label.tags])))
    return rows if utility is None else rows + _utility_rows(manifest.task, utility)


def _row_counts(manifest: Manifest) -> list[tuple[str, str]]:
    splits, settings = manifest.splits, manifest.settings
    rows = [("rows", f"{splits.train.rows} to train on, {splits.test.rows} held out")]
    for title, count in (
        ("  without consent", settings.get("rows_without_consent")),
        ("  standing out", settings.get("rows_suspect")),
    ):
        rows += [] if count is None else [(title, f"{count} others were dropped")]
    if moved := settings["rows_anchored"]:
        rows.append(("  moved to the anchor", f"{moved} of them: only their class is left"))
    return rows


def _joined_rows(result: ProtectResult) -> list[tuple[str, str]]:
    joined = result.leak.joined
    if joined is None:
        return []
    reid = joined.reid
    return [
        ("rows exported before", f"{joined.rows}, in {len(joined.exports)} other exports"),
        ("  joined, re-identified", f"{reid.excess:.4f} (95 %: up to {reid.high:.4f})"),
        ("  by all clear columns", f"{reid.label_alone:.4f}, not counted above"),
    ]


def _utility_rows(task: Task | None, utility: Utility) -> list[tuple[str, str]]:
    figures = {Task.REGRESSION: "R2", Task.MULTILABEL: "balanced accuracy"}
    figure = "accuracy" if task is None else figures.get(task, "accuracy")
    return [
        (f"{figure}, plain", f"{utility.plain:.3f}"),
        (f"{figure}, owner's head", f"{utility.owner_head:.3f}"),
        (f"{figure}, label anchors", f"{utility.anchor_control:.3f}"),
        (f"{figure}, encrypted", f"{utility.encrypted:.3f}"),
        ("in words", utility.verdict),
    ]

"""``cipherset inspect``."""

from pathlib import Path

import click

from cipherset.app.inspection import inspect
from cipherset.core.objects import ObjectFolder
from cipherset.interfaces.cli import options
from cipherset.interfaces.cli.command import Command, Context
from cipherset.interfaces.cli.output import privacy_rows, promise_rows

EXAMPLE = "cipherset inspect tickets.cipherset --signer 3f9a..."
SHOWN = (
    "cipherset_id",
    "created",
    "key_id",
    "key_version",
    "scheme",
    "noise",
    "approximation_factor",
    "dim",
    "minimizer",
    "task",
    "label_column",
    "clear_columns",
)


@click.command(name="inspect", cls=Command, epilog=f"Example:  {EXAMPLE}")
@click.argument("cipherset", type=options.FOLDER_PLACE, metavar="PLACE")
@click.option("--signer", metavar="FINGERPRINT", help="The only key that may have signed it.")
@click.pass_obj
def command(context: Context, cipherset: Path | ObjectFolder, signer: str | None) -> None:
    """Verify every byte of the cipherset in PLACE, and show what it says of itself.

    PLACE is a directory, or s3://BUCKET/PREFIX.
    """
    found = inspect(cipherset, signer)
    manifest = found["manifest"]
    rows = [(name, str(manifest[name])) for name in SHOWN]
    rows += [(f"rows, {name}", str(part["rows"])) for name, part in manifest["splits"].items()]
    for table in ("assessment", "utility"):
        rows += [(table, "")] if manifest[table] else []
        rows += [(f"  {name}", f"{value:.4g}") for name, value in manifest[table].items()]
    rows += privacy_rows(manifest["privacy"]) + promise_rows(manifest["synthetic"])
    checked = "" if signer else " (whoever that is: compare it, or pass --signer)"
    rows.append(("signed by", f"{found['signer']}{checked}"))
    context.show(found, f"valid: {cipherset}", rows)

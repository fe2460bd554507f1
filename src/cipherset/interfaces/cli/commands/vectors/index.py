"""``cipherset index``: build, add, delete, reencrypt, show."""

from pathlib import Path

import click

from cipherset.app.index import change
from cipherset.app.index.build import build as build_index
from cipherset.app.index.reencrypt import reencrypt as reencrypt_index
from cipherset.app.index.request import BuildRequest, Columns, IndexResult
from cipherset.app.sanitizing.rules import asked_policy
from cipherset.interfaces.cli import options
from cipherset.interfaces.cli.command import Command, Context
from cipherset.interfaces.cli.group import Group

_BUILD = "cipherset index build tickets.csv --text body --key support --to tickets.index"


@click.group(name="index", cls=Group)
def command() -> None:
    """Encrypted similarity search: the index; see also: cipherset search."""


@command.command(cls=Command, epilog=f"Example:  {_BUILD}")
@click.argument("source")
@options.text
@options.vector
@options.image
@click.option("--label", metavar="COL", help="Search can ask for one label; kept as a token.")
@click.option("--tenant", metavar="COL", help="Search can ask for one tenant; kept as a token.")
@click.option("--key", required=True, metavar="NAME", help="The key, one per purpose.")
@click.option(
    "--to",
    "target",
    required=True,
    type=click.Path(path_type=Path),
    metavar="INDEX",
    help="The folder of the index.",
)
@options.approximation_factor
@click.option(
    "--max-reid",
    default=0.05,
    show_default=True,
    metavar="R",
    help="Limit of measured re-identification, index stolen, key safe.",
)
@click.option("--accept-risk", metavar="REASON", help="Build in spite of the limit; recorded.")
@options.encoder
@options.rules
@click.option(
    "--store",
    metavar="STORE",
    help="files (default), faiss, lancedb, qdrant, or the URL#TABLE of PostgreSQL or Milvus.",
)
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Seed of the attacks."
)
@click.option("--force", is_flag=True, help="Overwrite an index that is there.")
@click.pass_obj
def build(  # noqa: PLR0913 -- one parameter per option
    context: Context,
    source: str,
    text: tuple[str, ...],
    vector: str | None,
    image: str | None,
    label: str | None,
    tenant: str | None,
    key: str,
    target: Path,
    approximation_factor: float | None,
    max_reid: float,
    accept_risk: str | None,
    encoder: str,
    rules: Path | None,
    store: str | None,
    seed: int,
    force: bool,  # noqa: FBT001 -- click hands it over by name
) -> None:
    """Build an encrypted index of SOURCE: rows, a folder of images, or a cipherset made here."""
    request = BuildRequest(
        source,
        key,
        target,
        columns=Columns(text, vector, label, tenant, image),
        approximation_factor=approximation_factor,
        max_reid=max_reid,
        accept_risk=accept_risk,
        encoder=encoder,
        rules=asked_policy(rules),
        store=store,
        seed=seed,
        overwrite=force,
    )
    _show(context, build_index(context.session(), request), "index built")


@command.command(cls=Command, epilog="Example:  cipherset index add tickets.index new.csv")
@click.argument("index", type=click.Path(path_type=Path))
@click.argument("source")
@click.pass_obj
def add(context: Context, index: Path, source: str) -> None:
    """Add the rows of SOURCE to INDEX, under the version of its key that is active now."""
    _show(context, change.add(context.session(), index, source), "rows added")


@command.command(cls=Command, epilog="Example:  cipherset index delete tickets.index --row 17")
@click.argument("index", type=click.Path(path_type=Path))
@click.option("--row", "rows", type=int, multiple=True, metavar="N", help="A row of the source.")
@click.option(
    "--source", metavar="NAME", help="Which source --row counts in, where there are several."
)
@click.option("--id", "ids", multiple=True, metavar="ID", help="A row by its id in the index.")
@click.pass_obj
def delete(
    context: Context, index: Path, rows: tuple[int, ...], source: str | None, ids: tuple[str, ...]
) -> None:
    """Delete rows from INDEX for good."""
    result = change.delete(context.session(), index, ids=ids, rows=rows, source=source)
    _show(context, result, "rows deleted")


@command.command(cls=Command, epilog="Example:  cipherset index reencrypt tickets.index")
@click.argument("index", type=click.Path(path_type=Path))
@click.pass_obj
def reencrypt(context: Context, index: Path) -> None:
    """Encrypt INDEX anew, in place, under the version of its key that is active now."""
    _show(context, reencrypt_index(context.session(), index), "index reencrypted")


@command.command(cls=Command, epilog="Example:  cipherset index show tickets.index")
@click.argument("index", type=click.Path(path_type=Path))
@click.pass_obj
def show(context: Context, index: Path) -> None:
    """Verify INDEX, and show what it says of itself."""
    _show(context, change.status(context.session(), index), "index")


def _show(context: Context, result: IndexResult, what: str) -> None:
    manifest = result.manifest
    measured = manifest.assessment
    versions = ", ".join(f"v{key.version}" for key in manifest.keys)
    rows = [
        ("key", f"{manifest.key_id} {versions}"),
        ("rows", f"{manifest.rows}, {result.changed} of them changed now"),
        ("settings", f"{manifest.scheme}, factor {manifest.approximation_factor:g}"),
        ("encoder", manifest.encoder.name),
        ("kept in", manifest.address or str(result.target)),
        ("attacker holds", "the index and vectors of other rows of its source; not the key"),
        (
            "re-identified",
            f"{measured['reid']:.4f} (95 %: up to {measured['reid_high']:.4f})",
        ),
    ]
    rows += [
        (f"  with {name.split('_')[1]} known pairs", f"{value:.4f}")
        for name, value in sorted(measured.items(), key=lambda item: (len(item[0]), item[0]))
        if name.endswith("_pairs")
    ]
    rows.append(("with the key", "every row, exactly: an index is made to be read with it"))
    context.show(result.as_json(), f"{what}: {result.target}", rows)

"""``cipherset view exposure``: the budgets, what is used of them and what is left."""

from collections.abc import Iterator

import click

from cipherset.app.sight.risk.exposure import Exposure, view_exposure
from cipherset.custody.ledger.budgets import told
from cipherset.evidence.views.exposure.budgets import AssetUse, KeyUse, Use
from cipherset.interfaces.cli.command import Command, Context


@click.command(name="exposure", cls=Command, epilog="Example:  cipherset view exposure support")
@click.argument("key", required=False)
@click.pass_obj
def command(context: Context, key: str | None) -> None:
    """Show the pairs that are out of each key (or of KEY alone), queries, exports and epsilon."""
    found = view_exposure(context.session(), key)
    context.show(found.as_json(), "exposure", list(_rows(found)) or [("nothing", "is out")])


def _rows(found: Exposure) -> Iterator[tuple[str, str]]:
    for each in found.keys:
        yield from _key_rows(each)
    for asset in (*found.models, *found.datasets):
        yield from _asset_rows(asset)
    for times, rows in found.rows:
        yield "different rows", f"{rows} left {'once' if times == 1 else f'{times} times'}"
    if found.alone and found.keys:
        yield "note", "one person does everything here, and so may read both sides of each key"


def _key_rows(found: KeyUse) -> Iterator[tuple[str, str]]:
    key = found.key
    named = f"{key.name} v{key.version}"
    yield named, f"{key.status}; {found.exports} exports, {found.rows} rows"
    yield "  noisy pairs", _use(found.noisy)
    yield "  noise-free", _use(found.noise_free)
    for held in found.held:
        yield "  both sides", f"{held.principal}: {held.pairs} pairs ({', '.join(held.through)})"
    if found.coalition:
        yield "  everybody", f"{found.coalition} pairs together"


def _asset_rows(asset: AssetUse) -> Iterator[tuple[str, str]]:
    for name, use in asset.uses.items():
        yield asset.name, f"{name}: {_use(use, name)}"


def _use(use: Use, kind: str = "") -> str:
    because = f" ({use.because})" if use.because else ""
    used = told(kind, use.used)
    if use.cap is None:
        return f"{used} used{because}"
    return f"{used} of {told(kind, use.cap)} used, {told(kind, use.left)} left{because}"

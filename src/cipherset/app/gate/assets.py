"""What the ledger knows of an asset: its label, where it came from, its standing and its makers."""

from typing import Final

from cipherset.app.gate.about import About
from cipherset.core.labels import Label, Level
from cipherset.custody.ledger import Run, Transaction
from cipherset.custody.ledger.records import find_asset, runs_of
from cipherset.custody.policy import Resource, Standing, Trust
from cipherset.evidence.views.labels import label_of

# Runs that say something of an asset; every other kind makes one.
BROUGHT: Final = "brought"
APPROVE: Final = "approve"
SUSPEND: Final = "suspend"
FORGET: Final = "forget"
RETIRE: Final = "retire"
PURPOSE: Final = "purpose"
TENANT: Final = "tenant"
REGION: Final = "region"
_STANDINGS: Final = {
    APPROVE: Standing.APPROVED,
    SUSPEND: Standing.SUSPENDED,
    RETIRE: Standing.RETIRED,
}
_REMARKS: Final = frozenset(
    {APPROVE, SUSPEND, FORGET, RETIRE, PURPOSE, TENANT, REGION, "classify", "relabel"}
)


def described(transaction: Transaction, about: About) -> Resource:
    """The asset of ``about`` as policies see it; restricted and proposed where nothing is known."""
    key = described, about.kind, about.id, about.name, about.purpose, about.tenant, about.region
    return transaction.recall(key, lambda _: _described(transaction, about))


def _described(transaction: Transaction, about: About) -> Resource:
    runs = history(transaction, about.id)
    label = label_of(about.id, runs)
    asset = find_asset(transaction.connection, about.id)
    attributes = {} if asset is None else asset.attributes
    return Resource(
        kind=about.kind,
        id=about.id,
        name=about.name,
        owner=attributes.get("owner"),
        label=Level.RESTRICTED if label is None else label.level,
        tags=frozenset(() if label is None else map(str, label.tags)),
        trust=_trust(label),
        purpose=about.purpose or attributes.get(PURPOSE) or purpose_of(about.id, runs),
        tenant=about.tenant or home_of(about.id, runs, TENANT),
        region=about.region or home_of(about.id, runs, REGION),
        status=_standing(about.id, runs),
        made_by=frozenset(run.actor for run in runs if _makes(run)),
        stale=any(run.kind == FORGET for run in runs),
    )


def history(transaction: Transaction, asset_id: str) -> list[Run]:
    """Every run on the asset and on what it was made of, the oldest first."""
    found: dict[str, Run] = {}
    seen: set[str] = set()
    waiting = [asset_id]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        for run in runs_of(transaction.connection, one):
            if one in run.outputs or run.kind in _REMARKS:
                found[run.id] = run
                waiting += run.inputs if one in run.outputs else ()
    return sorted(found.values(), key=lambda run: (run.started, run.id))


def purpose_of(asset_id: str, runs: list[Run]) -> str | None:
    """What an asset's rows were collected for, as was said last of it, or of what it was made of.

    ``runs`` are its ``history``.
    """
    said = [run for run in runs if run.kind == PURPOSE and run.status == "done"]
    own = [run for run in said if asset_id in run.inputs]
    return str((own or said)[-1].parameters[PURPOSE]) if said else None


def home_of(asset_id: str, runs: list[Run], what: str) -> str | None:
    """Whose rows an asset holds (``TENANT``), or where they are to stay (``REGION``).

    As was said last of it; else of all that it was made of, where that is several in one text.
    ``runs`` are its ``history``.
    """
    said = {
        asset: str(run.parameters[what])
        for run in runs
        if run.kind == what and run.status == "done"
        for asset in run.inputs
    }
    if asset_id in said:
        return said[asset_id]
    return ", ".join(sorted(set(said.values()))) or None


def _makes(run: Run) -> bool:
    """Whether its actor made something: not a remark, nor a model that somebody only brought."""
    return run.kind not in _REMARKS and bool(run.outputs) and BROUGHT not in run.parameters


def _trust(label: Label | None) -> Trust | None:
    return label.trusts[0] if label is not None and len(label.trusts) == 1 else None


def _standing(asset_id: str, runs: list[Run]) -> Standing:
    said = [
        _STANDINGS[run.kind]
        for run in runs
        if run.kind in _STANDINGS and asset_id in run.inputs and run.status == "done"
    ]
    return said[-1] if said else Standing.PROPOSED

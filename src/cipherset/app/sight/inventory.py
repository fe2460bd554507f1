"""``view inventory`` and ``view bom``: the ledger's assets for people, and for other tools."""

import json
from collections.abc import Sequence
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import Any

from cipherset.app.audit.files import check_free, put
from cipherset.app.gate.subjects import named
from cipherset.app.sight.gather import picture
from cipherset.app.sight.look import looked
from cipherset.app.workspace import Session
from cipherset.core.errors import UsageError
from cipherset.evidence.views.inventory.cyclonedx import bom
from cipherset.evidence.views.inventory.rows import EVERYTHING, Row, Wanted, inventory
from cipherset.evidence.views.inventory.sightings import files_not_read
from cipherset.evidence.views.inventory.spdx import spdx
from cipherset.evidence.views.lineage import upstream
from cipherset.evidence.views.picture import Picture


def see_inventory(session: Session, wanted: Wanted = EVERYTHING) -> tuple[Row, ...]:
    """The rows of the inventory that are wanted.

    Raises:
        PolicyError, BackendError, IntegrityError: as ``see_inventory_whole``.
    """
    return see_inventory_whole(session, wanted)[0]


def see_inventory_whole(
    session: Session, wanted: Wanted = EVERYTHING
) -> tuple[tuple[Row, ...], int]:
    """The rows that are wanted, and how many files the last looks did not read.

    Raises:
        PolicyError: ``not_allowed``.
        BackendError: the look cannot be written down, or the ledger not read.
        IntegrityError: ``ledger_corrupt``.
    """
    with looked(session, "inventory") as (workspace, act):
        taken = picture(workspace)
        rows = inventory(taken, wanted)
        act.facts["assets"] = len(rows)
    return rows, files_not_read(taken.steps)


class Form(StrEnum):
    """In whose words a bill is written."""

    CYCLONEDX = "cyclonedx"
    SPDX = "spdx"


def see_bom(
    session: Session, asset: str | None = None, form: Form = Form.CYCLONEDX
) -> dict[str, Any]:
    """The bill of materials: of all there is, or of one asset and what it was made of.

    Raises:
        UsageError: ``asset_named``, ``asset_unknown``.
        PolicyError, BackendError, IntegrityError: as ``see_inventory``.
    """
    with looked(session, "bom") as (workspace, act):
        about = None if asset is None else named(workspace, asset).id
        taken = picture(workspace)
        rows = inventory(taken)
        if about is not None:
            rows = _made_of(about, rows, taken)
        act.facts["assets"] = len(rows)
    write = bom if form is Form.CYCLONEDX else spdx
    return write(taken, rows, version=metadata.version("cipherset"))


def write_bom(
    session: Session, asset: str | None, form: Form, target: Path, *, overwrite: bool
) -> None:
    """The same, into a file.

    Raises:
        UsageError: ``target_exists``, ``target_parent``; and as ``see_bom``.
        PolicyError, BackendError, IntegrityError: as ``see_inventory``.
    """
    check_free(target, overwrite=overwrite)
    told = json.dumps(see_bom(session, asset, form), ensure_ascii=False, indent=2)
    put(target, f"{told}\n".encode(), overwrite=overwrite)


def _made_of(asset: str, rows: Sequence[Row], taken: Picture) -> tuple[Row, ...]:
    """The rows of one asset, of everything that went into it, and of their keys.

    Raises:
        UsageError: ``asset_unknown``.
    """
    if asset not in taken.things:
        raise UsageError(
            f"the ledger has no asset {asset}",
            code="asset_unknown",
            hint="see which there are: cipherset view inventory",
        )
    ids = {asset, *upstream([asset], taken.steps)}
    used = {row.key for row in rows if row.thing.id in ids}
    return tuple(
        row for row in rows if row.thing.id in ids or (row.thing.kind == "key" and row.key in used)
    )

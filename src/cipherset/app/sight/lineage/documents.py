"""A lineage for other people's tools: OpenLineage events, W3C PROV, Croissant."""

import json
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from cipherset.app.audit.files import check_free, put
from cipherset.app.sight.lineage.view import LINEAGE, Opened
from cipherset.app.sight.look import looked
from cipherset.app.workspace import Session
from cipherset.core.errors import UsageError
from cipherset.evidence.views.lineage.croissant import TEXT, croissant
from cipherset.evidence.views.lineage.links import Node
from cipherset.evidence.views.lineage.openlineage import openlineage
from cipherset.evidence.views.lineage.prov import prov_json
from cipherset.evidence.views.lineage.trace import Lineage, trace
from cipherset.pipeline.export import Cipherset, open_cipherset


class Form(StrEnum):
    """In whose words."""

    OPENLINEAGE = "openlineage"
    PROV = "prov"
    CROISSANT = "croissant"


@dataclass(frozen=True, slots=True)
class Document:
    """A lineage in that form; ``parts`` are its events, or the one document."""

    form: Form
    parts: tuple[dict[str, Any], ...] = field(repr=False)

    @property
    def text(self) -> str:
        """As a file has it: one event a line, or the document."""
        if self.form is Form.OPENLINEAGE:
            return "".join(_json(each) + "\n" for each in self.parts)
        return json.dumps(self.parts[0], ensure_ascii=False, indent=2, sort_keys=True) + "\n"

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        if self.form is Form.OPENLINEAGE:
            return {"events": list(self.parts)}
        return self.parts[0]


def write_lineage(
    session: Session, asset: str, form: Form, target: Path | None, *, overwrite: bool
) -> Document:
    """The lineage of an asset in other words, and in the file ``target`` where there is one.

    Leaks: names of sources and of people, digests and settings, to whoever gets the file.

    Raises:
        UsageError: ``asset_named``; ``lineage_form``: Croissant is for ciphersets;
            ``target_exists``, ``target_parent``.
        PolicyError: ``not_allowed``.
        IntegrityError, InputError, BackendError: as ``view_lineage``.
    """
    if target is not None:
        check_free(target, overwrite=overwrite)
    with looked(session, LINEAGE) as (workspace, act):
        opened = Opened.of(workspace)
        node = opened.node(asset)
        act.facts.update(asset=node.id, form=form.value)
        found = trace(opened.links, node)
        if form is Form.OPENLINEAGE:
            namespace = f"cipherset://{workspace.fingerprint[:16]}"
            producer = f"urn:cipherset:{version('cipherset')}"
            parts = tuple(openlineage(found, namespace=namespace, producer=producer))
        elif form is Form.PROV:
            parts = (prov_json(found),)
        else:
            parts = (_croissant(opened, Path(asset), node, found),)
        document = Document(form, parts)
        if target is not None:
            put(target, document.text.encode(), overwrite=overwrite)
    return document


def _croissant(opened: Opened, path: Path, node: Node, found: Lineage) -> dict[str, Any]:
    """Of the cipherset in ``path``, or where it was put."""
    there = opened.export_at(path, node)
    if there is None:
        raise UsageError(
            "Croissant describes a cipherset; this is none, or it is not where it was put",
            code="lineage_form",
            hint="give the path of the cipherset, or another --format",
        )
    cipherset = open_cipherset(there, signer=opened.workspace.fingerprint)
    folder = there.resolve().name
    types = _types(cipherset)
    return croissant(cipherset.manifest, found, folder=folder, clear_types=types)


def _types(cipherset: Cipherset) -> dict[str, str]:
    schema, clear = next(cipherset.batches("train")).schema, cipherset.manifest.clear_columns
    return {one.name: _type(one.type) for one in schema if one.name in clear}


def _type(kind: pa.DataType) -> str:
    for is_kind, name in _TYPES:
        if is_kind(kind):
            return name
    return TEXT


_TYPES: Final = (
    (pa.types.is_boolean, "sc:Boolean"),
    (pa.types.is_integer, "sc:Integer"),
    (pa.types.is_floating, "sc:Float"),
    (pa.types.is_date, "sc:Date"),
    (pa.types.is_timestamp, "sc:DateTime"),
)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)

"""Sources and runs in the ledger, and the labels they carry; no values, no names of columns."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final

from cipherset.app.gate.assets import (
    BROUGHT,
    PURPOSE,
    history,
    home_of,
    purpose_of,
)
from cipherset.app.labels.code import code_digest
from cipherset.app.labels.made import of_model
from cipherset.app.workspace import Workspace
from cipherset.core.errors import PolicyError
from cipherset.core.labels import Label, Trust
from cipherset.custody.keys.identity import source_identity
from cipherset.custody.ledger import RunStatus
from cipherset.evidence.views.labels import CLASSIFY, LABEL, label_of
from cipherset.pipeline.ingest import Source
from cipherset.pipeline.train import Bundle

DATASET: Final = "dataset"
MODEL: Final = "model"
TRAIN: Final = "train"
CODE: Final = "code"
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


def record_model(workspace: Workspace, bundle: Bundle, *, made_here: bool = False) -> None:
    """Write down a model and the export that it names, if it is new.

    One that was trained elsewhere was made by nobody here, with nobody knows which code.

    Raises:
        BackendError: the ledger cannot be written.
    """
    ledger, actor = workspace.gate.ledger, workspace.gate.actor
    trained_on = bundle.manifest.trained_on.manifest
    if ledger.asset(bundle.digest) is not None:
        return
    manifest = bundle.manifest
    attributes = of_model(manifest)
    export = ledger.asset(trained_on)
    if export is not None and PURPOSE in export.attributes:
        attributes[PURPOSE] = export.attributes[PURPOSE]
    ledger.record_asset(
        bundle.digest,
        actor=actor,
        kind=MODEL,
        name=f"model {bundle.digest[:23]}",
        attributes=attributes,
    )
    known = [] if export is None else [trained_on]
    told: dict[str, Any] = {"at_gate": manifest.at_gate}
    if not made_here:
        told |= {BROUGHT: True, CODE: None}  # whose, the bundle says
    told |= {"key_id": manifest.key_id, "key_version": manifest.key_version}
    with recorded_run(workspace, TRAIN, known, told) as outputs:
        outputs.append(bundle.digest)


def record_source(workspace: Workspace, source: Source, told: Mapping[str, Any] = NOTHING) -> str:
    """The id of a source in the ledger, the keyed digest of its bytes; written if it is new.

    ``told`` is what is to be known of how it was made.

    Raises:
        InputError: the source cannot be read.
        BackendError: the ledger cannot be written.
    """
    gate = workspace.gate
    asset_id = source_identity(workspace.ring.signer(), source.read_bytes_chunks())
    gate.ledger.record_asset(
        asset_id, actor=gate.actor, kind=DATASET, name=source.name, attributes=told
    )
    return asset_id


@contextmanager
def recorded_run(
    workspace: Workspace, kind: str, inputs: list[str], parameters: Mapping[str, Any]
) -> Iterator[list[str]]:
    """A run written down around the body, which adds the ids of what it made to the list.

    The digest of the code is among its parameters, unless they say another.

    Raises:
        BackendError: the run cannot be written; then the body does not run.
    """
    gate = workspace.gate
    told = {CODE: code_digest(), **parameters}
    run = gate.ledger.start_run(kind, actor=gate.actor, inputs=inputs, parameters=told)
    outputs: list[str] = []
    try:
        yield outputs
    except BaseException:
        gate.ledger.finish_run(run.id, status=RunStatus.FAILED)
        raise
    gate.ledger.finish_run(run.id, status=RunStatus.DONE, outputs=outputs)


def record_label(
    workspace: Workspace, asset_id: str, label: Label, parameters: Mapping[str, Any]
) -> None:
    """Write down what a look at an asset said of it.

    Raises:
        BackendError: the ledger cannot be written.
    """
    with recorded_run(workspace, CLASSIFY, [asset_id], {**parameters, LABEL: label.as_json()}):
        pass


def record_purpose(workspace: Workspace, asset_id: str, purpose: str) -> None:
    """Write down what an asset's rows were collected for.

    Raises:
        PolicyError: ``purpose_known``: something else was said before.
        BackendError: the ledger cannot be written.
    """
    known = known_purpose(workspace, asset_id)
    if known == purpose:
        return
    if known is not None:
        raise PolicyError(
            f"these rows were collected for {known!r}, and not for {purpose!r}",
            code="purpose_known",
            hint="another purpose takes a grant: cipherset grant request relabel ASSET --for WHY, "
            "then cipherset relabel ASSET --purpose PURPOSE",
        )
    with recorded_run(workspace, PURPOSE, [asset_id], {PURPOSE: purpose}):
        pass


def record_home(workspace: Workspace, asset_id: str, said: Mapping[str, str]) -> None:
    """Write down whose an asset's rows are (``TENANT``), and where they are to stay (``REGION``).

    Raises:
        PolicyError: ``home_known``: something else was said before.
        BackendError: the ledger cannot be written.
    """
    for what, value in said.items():
        known = known_home(workspace, asset_id, what)
        if known == value:
            continue
        if known is not None:
            raise PolicyError(
                f"the {what} of these rows is {known}, and not {value}",
                code="home_known",
                hint="another one takes a grant: cipherset grant request relabel ASSET --for WHY, "
                f"then cipherset relabel ASSET --{what} {value}",
            )
        with recorded_run(workspace, what, [asset_id], {what: value}):
            pass


def known_home(workspace: Workspace, asset_id: str, what: str) -> str | None:
    """Whose an asset's rows are, or where they are to stay; None where nobody has said.

    Raises:
        BackendError: the ledger cannot be read.
    """
    return workspace.gate.ledger.transact(
        lambda transaction: home_of(asset_id, history(transaction, asset_id), what)
    )


def known_purpose(workspace: Workspace, asset_id: str) -> str | None:
    """What an asset's rows were collected for; None where nobody has said.

    Raises:
        BackendError: the ledger cannot be read.
    """
    return workspace.gate.ledger.transact(
        lambda transaction: purpose_of(asset_id, history(transaction, asset_id))
    )


def known_label(workspace: Workspace, asset_id: str) -> Label | None:
    """The label of an asset by everything in the ledger; None where nothing is known of it.

    Raises:
        BackendError: the ledger cannot be read.
    """
    return workspace.gate.ledger.transact(
        lambda transaction: label_of(asset_id, history(transaction, asset_id))
    )


def known_trust(label: Label | None) -> Trust | None:
    """The one trust that is known of a source, None where there is none or more than one."""
    return label.trusts[0] if label is not None and len(label.trusts) == 1 else None

"""Sources and runs in the ledger, and the labels they carry; no values, no names of columns."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from cipherset.app.gate.assets import BROUGHT, PURPOSE, history, purpose_of
from cipherset.app.workspace import Workspace
from cipherset.core.errors import PolicyError
from cipherset.core.labels import Label, Trust
from cipherset.core.manifest import BundleManifest
from cipherset.custody.keys.identity import source_identity
from cipherset.custody.ledger import RunStatus
from cipherset.evidence.views.labels import CLASSIFY, LABEL, label_of
from cipherset.pipeline.ingest import Source
from cipherset.pipeline.train import Bundle

DATASET: Final = "dataset"
MODEL: Final = "model"
# The digest of the ONNX file in a bundle: a copy of it alone is known again.
ONNX: Final = "onnx"
TRAIN: Final = "train"


def record_model(workspace: Workspace, bundle: Bundle) -> None:
    """Write down a model that was trained elsewhere, and the export that it names, if it is new.

    Raises:
        BackendError: the ledger cannot be written.
    """
    trained_on = bundle.manifest.trained_on.manifest
    ledger = workspace.gate.ledger
    if ledger.asset(bundle.digest) is not None:
        return
    export = ledger.asset(trained_on)
    attributes = model_attributes(bundle.manifest)
    if export is not None and PURPOSE in export.attributes:
        attributes[PURPOSE] = export.attributes[PURPOSE]
    known = [] if export is None else [trained_on]
    told = {"at_gate": bundle.manifest.at_gate, BROUGHT: True}
    _record_trained(workspace, bundle.digest, attributes, known, told)


def record_trained(workspace: Workspace, bundle: Bundle, export: str) -> None:
    """Write down a model that was trained here on ``export``, by whoever asked.

    Raises:
        BackendError: the ledger cannot be written.
    """
    attributes = model_attributes(bundle.manifest)
    _record_trained(workspace, bundle.digest, attributes, [export], {"at_gate": True})


def _record_trained(
    workspace: Workspace,
    digest: str,
    attributes: Mapping[str, Any],
    trained_on: list[str],
    told: Mapping[str, Any],
) -> None:
    gate = workspace.gate
    name = f"model {digest[:23]}"
    gate.ledger.record_asset(digest, actor=gate.actor, kind=MODEL, name=name, attributes=attributes)
    with recorded_run(workspace, TRAIN, trained_on, told) as outputs:
        outputs.append(digest)


def model_attributes(manifest: BundleManifest) -> dict[str, Any]:
    """What the ledger keeps of a model beside its digest: all of it is in the bundle too."""
    return {
        "key_id": manifest.key_id,
        "key_version": manifest.key_version,
        ONNX: manifest.onnx,
        "model": manifest.model.value,
        "task": manifest.task.value,
        "dim": manifest.dim,
        "metrics": dict(manifest.metrics),
    }


def record_source(workspace: Workspace, source: Source) -> str:
    """The id of a source in the ledger, the keyed digest of its bytes; written if it is new.

    Raises:
        InputError: the source cannot be read.
        BackendError: the ledger cannot be written.
    """
    gate = workspace.gate
    asset_id = source_identity(workspace.ring.signer(), source.read_bytes_chunks())
    gate.ledger.record_asset(
        asset_id, actor=gate.actor, kind=DATASET, name=source.name, attributes={}
    )
    return asset_id


@contextmanager
def recorded_run(
    workspace: Workspace, kind: str, inputs: list[str], parameters: Mapping[str, Any]
) -> Iterator[list[str]]:
    """A run written down around the body, which adds the ids of what it made to the list.

    Raises:
        BackendError: the run cannot be written; then the body does not run.
    """
    gate = workspace.gate
    run = gate.ledger.start_run(kind, actor=gate.actor, inputs=inputs, parameters=parameters)
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

"""What an export is made of, as the ledger knows it: its source, its label, its company.

Exports under one version of a key fit together: a lab can train on all of them at once. So their
sources are what may be mixed or not. A run is written down before it is checked against the
others, so of two at once at least one sees the other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from cipherset.app.gate import About
from cipherset.app.gate.assets import PURPOSE
from cipherset.app.labels.made import of_export
from cipherset.app.labels.record import DATASET, known_label, record_source, recorded_run
from cipherset.app.workspace import Workspace
from cipherset.core.labels import Label, check_mixing
from cipherset.core.manifest import Manifest
from cipherset.core.secret import KeyHandle
from cipherset.custody.ledger import RunStatus
from cipherset.custody.policy import Kind
from cipherset.pipeline.ingest import Source

PROTECT: Final = "protect"


@dataclass(frozen=True, slots=True)
class Origin:
    """The source of an export, and its label in the ledger, None where nobody has looked.

    ``purpose`` is what the key was made for, and so the export.
    """

    workspace: Workspace
    about: About
    label: Label | None
    is_mixed: bool
    purpose: str | None
    outputs: list[str] = field(repr=False)

    def made(self, digest: str, manifest: Manifest) -> None:
        """Write down the export that was made; ``digest`` is its manifest's.

        Raises:
            BackendError: the ledger cannot be written.
        """
        gate = self.workspace.gate
        attributes = of_export(manifest, self.workspace.minimizers)
        if self.purpose is not None:
            attributes[PURPOSE] = self.purpose
        gate.ledger.record_asset(
            digest,
            actor=gate.actor,
            kind=DATASET,
            name=f"cipherset {manifest.cipherset_id}",
            attributes=attributes,
        )
        self.outputs.append(digest)


@contextmanager
def exporting(
    workspace: Workspace, source: Source, key: KeyHandle, accept_mixing: str | None
) -> Iterator[Origin]:
    """The origin of an export of ``source`` under ``key``; a run of the ledger around the body.

    Raises:
        PolicyError: ``mixing``.
        BackendError: the ledger cannot be written.
    """
    asset = record_source(workspace, source)
    parameters = {"key_id": key.key_id, "key_version": key.version, "mixing": accept_mixing}
    with recorded_run(workspace, PROTECT, [asset], parameters) as outputs:
        label = known_label(workspace, asset)
        others = _others(workspace, asset, key) if label is not None else []
        labels = [each for each in (label, *others) if each is not None]
        is_mixed = check_mixing(labels, accepted=accept_mixing)
        about = About(Kind.DATASET, asset, source.name)
        purpose = workspace.ring.get(key.key_id).purpose or None
        yield Origin(workspace, about, label, is_mixed, purpose, outputs)


def _others(workspace: Workspace, asset: str, key: KeyHandle) -> list[Label | None]:
    """The labels of the other sources that went, or may have gone, under the same key version."""
    sources = {
        source
        for run in workspace.gate.ledger.runs()
        if run.kind == PROTECT
        and run.status is not RunStatus.FAILED
        and run.parameters.get("key_id") == key.key_id
        and run.parameters.get("key_version") == key.version
        for source in run.inputs
    }
    return [known_label(workspace, source) for source in sorted(sources - {asset})]

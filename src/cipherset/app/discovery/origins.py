"""Which of our own models a model file is, by its digest or by the bundle that it lies in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cipherset.app.labels.made import ONNX
from cipherset.app.labels.record import MODEL, record_model
from cipherset.app.workspace import Workspace
from cipherset.core.errors import CiphersetError
from cipherset.evidence.discover.code import Found
from cipherset.evidence.discover.code import Kind as Seen
from cipherset.evidence.views.inventory.rows import Origin, made
from cipherset.evidence.views.picture import Step
from cipherset.pipeline.train import load_bundle


@dataclass(frozen=True, slots=True)
class Ours:
    """The models of the ledger: their ids, and the id by the digest of the ONNX file in each."""

    ids: frozenset[str]
    by_file: dict[str, str]

    def id_of(self, found: Found) -> str | None:
        """The asset that the file is: ours where it is one of ours, else its own digest."""
        if found.kind is not Seen.MODEL_FILE:
            return None
        if found.bundle in self.ids:
            return found.bundle
        return self.by_file.get(found.digest, found.digest) or None


def ours(workspace: Workspace) -> Ours:
    """The models that the ledger knows."""
    known = [each for each in workspace.gate.ledger.assets() if each.kind == MODEL]
    files = {str(each.attributes[ONNX]): each.id for each in known if ONNX in each.attributes}
    return Ours(frozenset(each.id for each in known), files)


def origin_of(found: Found, asset: str, makers: Mapping[str, Step]) -> Origin | None:
    """Where a file of weights comes from; None of anything else."""
    return made(makers.get(asset)) if found.kind is Seen.MODEL_FILE else None


def take_in(workspace: Workspace, findings: Sequence[Found]) -> None:
    """Record the bundles among what was found that learned from one of our exports.

    A bundle that a scientist trained elsewhere is first known here when it is used, or found: what
    it was trained on it says itself, and the run says that somebody only brought it.

    Raises:
        BackendError: the ledger cannot be written.
    """
    known = {each.id for each in workspace.gate.ledger.assets()}
    for each in findings:
        if not each.bundle or each.bundle in known:
            continue
        try:
            bundle = load_bundle(Path(each.path).parent)
        except CiphersetError:
            continue  # not one of ours, or in an image: then it is its file
        if bundle.digest == each.bundle and bundle.manifest.trained_on.manifest in known:
            record_model(workspace, bundle)

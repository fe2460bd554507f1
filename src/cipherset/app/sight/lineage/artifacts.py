"""What is in a place, held against what its run had made: signatures, digests, no key needed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from cipherset.app.assess.finding import REPORT, read_finding
from cipherset.app.audit.files import read_signed as read_checkpoint
from cipherset.app.gate.subjects import about_source
from cipherset.app.sight.lineage.places import Place, Spot, What
from cipherset.app.workspace import Workspace
from cipherset.core.canonical import digest_bytes
from cipherset.core.errors import BackendError, InputError, IntegrityError, UsageError
from cipherset.evidence.views.lineage.links import Links
from cipherset.evidence.views.lineage.located import Check, State
from cipherset.evidence.views.picture import Finding
from cipherset.pipeline.export import open_cipherset
from cipherset.pipeline.index import IN_FILES, FileIndex, read_signed
from cipherset.pipeline.ingest import open_source
from cipherset.pipeline.train import load_bundle


@dataclass(frozen=True, slots=True)
class Inspector:
    """Verifies artifacts of a workspace.

    ``findings`` are those of the ledger by their id; ``last`` what was put in each place last.
    """

    workspace: Workspace = field(repr=False)
    links: Links = field(repr=False)
    findings: Mapping[str, Finding] = field(repr=False)
    last: Mapping[Spot, str] = field(repr=False)

    def check(self, place: Place) -> Check:
        """What is there: never an error, whatever is."""
        if not place.path.exists():
            return _check(place, State.MISSING, "it is not there")
        try:
            found = _LOOKS[place.what](self, place)
        except (IntegrityError, InputError) as error:
            return _check(place, State.ALTERED, error.message)
        except (UsageError, BackendError) as error:
            return _check(place, State.MISSING, error.message)
        return found

    def export(self, place: Place) -> Check:
        """Its signature, its digests, and that it is the one that was made."""
        there = open_cipherset(place.path, signer=self.workspace.fingerprint)
        return self._same(place, there.manifest_digest)

    def index(self, place: Place) -> Check:
        """Its signature and, where the rows are in files, theirs."""
        manifest, _ = read_signed(place.path, signer=self.workspace.fingerprint)
        if manifest.store in IN_FILES:
            FileIndex(place.path, self.workspace.ring.signer())
        return self._same(place, manifest.asset_id)

    def model(self, place: Place) -> Check:
        """That its two files belong together, and are the model that was recorded."""
        return self._same(place, load_bundle(place.path).digest)

    def deployment(self, place: Place) -> Check:
        """That what is served is the model that was deployed last by that name."""
        digest = load_bundle(place.path).digest
        made = self.links.makers.get(str(place.asset), ())
        if made and digest in made[-1].inputs:
            return _check(place, State.VERIFIED)
        return _check(place, State.ALTERED, "another model is served than was deployed")

    def finding(self, place: Place) -> Check:
        """Its signature, and that the page beside it is the one that was written with it."""
        found = read_finding(place.path, signer=self.workspace.fingerprint)
        if place.asset is not None and not place.asset.endswith(f":{found.finding_id}"):
            return _check(place, State.ALTERED, "it is another finding")
        known = self.findings.get(found.finding_id)
        if known is None:
            return _check(place, State.FOREIGN, "no event of the ledger speaks of it")
        page = place.path.parent / REPORT
        for path, name in ((place.path, "finding_digest"), (page, "report_digest")):
            written = known.facts.get(name)
            if written is not None and path.is_file() and _digest(path) != written:
                return _check(place, State.ALTERED, f"{path.name} is not what was written")
        return _check(place, State.VERIFIED)

    def minimizer(self, place: Place) -> Check:
        """That the sealed file is the one under which the export was made."""
        written = self.links.nodes[str(place.asset)].facts["minimizer_digest"]
        if _digest(place.path) == written:
            return _check(place, State.VERIFIED)
        return _check(place, State.ALTERED, "the sealed minimizer is not the one it was made with")

    def rows(self, place: Place) -> Check:
        """That a source has the bytes that were read or written."""
        found = about_source(self.workspace, open_source(str(place.path)))
        return self._same(place, found.id)

    def checkpoint(self, place: Place) -> Check:
        """That it was signed here, and that the ledger still holds all that it vouches for."""
        signed = read_checkpoint(place.path, self.workspace.fingerprint)
        found = self.workspace.gate.ledger.verify(checkpoint=signed.checkpoint)
        if found.valid:
            return _check(place, State.VERIFIED)
        return _check(
            place, State.ALTERED, f"the ledger is not what it vouches for: {found.because}"
        )

    def _same(self, place: Place, found: str) -> Check:
        """Whether what is there, whole, is the asset that ought to be: that which came there last.

        An older one that is put back is one that runs here made, too, and is not what it should be.
        """
        last = self.last.get(place.spot, place.asset)
        if found == place.asset == last:
            return _check(place, State.VERIFIED)
        if found == last:
            return _check(place, State.MISSING, f"a later run wrote another there: {found}")
        if last is not None and found in self.links.nodes:
            ought = replace(place, asset=last)
            return _check(ought, State.REPLACED, f"another of ours is there: {found}")
        if place.asset is not None and place.what is What.ROWS:
            return _check(place, State.ALTERED, "its bytes are others")
        return _check(place, State.FOREIGN, "it is whole, and no run here made it")


_LOOKS: Final[Mapping[What, Callable[[Inspector, Place], Check]]] = {
    What.EXPORT: Inspector.export,
    What.INDEX: Inspector.index,
    What.MODEL: Inspector.model,
    What.DEPLOYMENT: Inspector.deployment,
    What.FINDING: Inspector.finding,
    What.MINIMIZER: Inspector.minimizer,
    What.ROWS: Inspector.rows,
    What.CHECKPOINT: Inspector.checkpoint,
}


def _check(place: Place, state: State, because: str = "") -> Check:
    return Check(place.asset, place.what.value, str(place.path), state, because)


def _digest(path: Path) -> str:
    return digest_bytes(path.read_bytes())

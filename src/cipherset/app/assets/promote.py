"""``mlflow promote``: a registry of models points at a version only where the gate would deploy it.

A registry holds what anybody may have put there, so the version is fetched and held against the
bundle that the gate is asked about. What the owner's side knows of that, its evidence and its
lineage, goes to the registry as tags with the same step.

Whoever may write to the registry can move its pointers without asking: who that is, the registry
decides. The tags name digests, so whoever loads a model can hold it against them.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cipherset.app.assets.deploy import deploying
from cipherset.app.assets.measured import Measured
from cipherset.app.gate.subjects import about_bundle
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core import canonical
from cipherset.core.errors import IntegrityError
from cipherset.evidence.views.lineage import upstream
from cipherset.pipeline.train import Bundle, load_bundle


class Registry(Protocol):
    """Where versions of models are kept, and pointed at by aliases."""

    @property
    def name(self) -> str: ...
    def fetch(self, model: str, version: str, folder: Path) -> Path: ...
    def mark(self, model: str, version: str, alias: str, tags: Mapping[str, str]) -> None: ...


@dataclass(frozen=True, slots=True)
class PromoteRequest:
    """``alias`` is to name ``version`` of ``model``, if that is the bundle in ``path``.

    ``accept_risk`` says why, if so.
    """

    path: Path
    model: str
    version: str
    alias: str
    accept_risk: str | None = None


@dataclass(frozen=True, slots=True)
class Promoted:
    """A version that an alias names now, and what the registry was told of it."""

    model: str
    version: str
    alias: str
    bundle: str
    tags: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        return {
            "model": self.model,
            "version": self.version,
            "alias": self.alias,
            "bundle": self.bundle,
            "tags": dict(self.tags),
        }


def promote(session: Session, registry: Registry, request: PromoteRequest) -> Promoted:
    """Let an alias name a version, if the gate would let it be deployed.

    Raises:
        IntegrityError: ``registry_bundle``: the version holds another bundle.
        InputError, IntegrityError: the bundle cannot be read, or the registry has no such version.
        PolicyError: ``not_allowed``: not approved, not measured, above the limit, or no grant.
        BackendError: the registry cannot be reached.
    """
    bundle = load_bundle(request.path)
    with tempfile.TemporaryDirectory(prefix="cipherset-") as folder:
        there = load_bundle(registry.fetch(request.model, request.version, Path(folder)))
    if there.digest != bundle.digest:
        raise IntegrityError(
            f"version {request.version} of {request.model} holds another bundle",
            code="registry_bundle",
            hint="log this one: cipherset mlflow log BUNDLE --model NAME",
        )
    called = f"{registry.name}/{request.model}@{request.alias}"
    about = about_bundle(bundle, request.path)
    with (
        open_workspace(session) as workspace,
        deploying(workspace, bundle, about, called, request.accept_risk) as found,
    ):
        lineage = lineage_digest(workspace, bundle.digest)
        tags = tags_of(bundle) | _evidence(found) | {"cipherset.lineage": lineage}
        registry.mark(request.model, request.version, request.alias, tags)
    return Promoted(request.model, request.version, request.alias, bundle.digest, tags)


def lineage_digest(workspace: Workspace, asset: str) -> str:
    """One digest over the ids of everything that the ledger knows went into the asset."""
    return canonical.digest(sorted(upstream([asset], workspace.gate.ledger.runs())))


def _evidence(found: Measured) -> dict[str, str]:
    if found.reid is None or found.verdict is None:
        return {"cipherset.evidence": "not measured"}
    told = {
        "cipherset.evidence": "measured" if found.is_fresh else "stale",
        "cipherset.reid": f"{found.reid:.4f}",
        "cipherset.verdict": found.verdict.value,
    }
    return told | ({} if found.finding is None else {"cipherset.finding": found.finding})


def tags_of(bundle: Bundle) -> dict[str, str]:
    """What a bundle says of its key and of where it comes from; no name of a class or column."""
    manifest = bundle.manifest
    return {
        "cipherset.bundle": bundle.digest,
        "cipherset.key_id": manifest.key_id,
        "cipherset.key_version": str(manifest.key_version),
        "cipherset.scheme": manifest.scheme,
        "cipherset.cipherset_id": manifest.trained_on.cipherset_id,
        "cipherset.trained_on": manifest.trained_on.manifest,
        "cipherset.onnx": manifest.onnx,
        "cipherset.model": manifest.model.value,
        "cipherset.at_gate": str(manifest.at_gate).lower(),
    }

"""``deploy``: an approved, measured model is put where the gateway serves from.

models/NAME/    a copy of the bundle, by the name it is asked for
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cipherset.app.assets.measured import Measured, measured
from cipherset.app.gate import About, Action, Fact, Moment
from cipherset.app.gate.subjects import about_bundle
from cipherset.app.labels.record import record_model, recorded_run
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.errors import UsageError
from cipherset.core.files import disk_errors
from cipherset.pipeline.train import Bundle, load_bundle, write_bundle

MODELS: Final = "models"
DEPLOY: Final = "deploy"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Deployed:
    """A model in its place."""

    model: str
    name: str
    key_id: str
    reid: float | None
    verdict: str | None

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        return {
            "model": self.model,
            "name": self.name,
            "key_id": self.key_id,
            "reid": self.reid,
            "verdict": self.verdict,
        }


@dataclass(frozen=True, slots=True)
class DeployRequest:
    """The bundle in ``path`` under ``name``, or its folder's; ``accept_risk`` says why, if so."""

    path: Path
    name: str | None = None
    accept_risk: str | None = None
    overwrite: bool = False


def deploy(session: Session, request: DeployRequest) -> Deployed:
    """Put a bundle where the gateway serves from.

    Raises:
        UsageError: ``model_name``, ``target_exists``.
        PolicyError: ``not_allowed``: not approved, not measured, above the limit, or no grant.
        IntegrityError, InputError: the bundle is not fit.
    """
    bundle = load_bundle(request.path)
    called = model_name(request.name or request.path.resolve().stem)
    about = about_bundle(bundle, request.path)
    with (
        open_workspace(session) as workspace,
        deploying(workspace, bundle, about, called, request.accept_risk) as found,
    ):
        place(workspace, bundle, called, overwrite=request.overwrite)
    verdict = None if found.verdict is None else found.verdict.value
    return Deployed(bundle.digest, called, bundle.manifest.key_id, found.reid, verdict)


@contextmanager
def deploying(
    workspace: Workspace, bundle: Bundle, about: About, called: str, accepted: str | None
) -> Iterator[Measured]:
    """What is known of a model's rows, while it is put where it is asked for as ``called``.

    Raises:
        PolicyError: ``not_allowed``: not approved, not measured, above the limit, or no grant.
    """
    record_model(workspace, bundle)
    found = measured(workspace, bundle.manifest.trained_on.manifest)
    moment = Moment(
        reid=found.reid,
        verdict=found.verdict,
        is_fresh=found.is_fresh,
        accepted_risk=accepted is not None,
    )
    facts: dict[str, Fact] = {
        "bundle": bundle.digest,
        "reid": found.reid,
        "accepted_risk": accepted,
    }
    with (
        workspace.gate.act(Action.DEPLOY, called, facts, about=about, moment=moment),
        recorded_run(workspace, DEPLOY, [bundle.digest], _told(bundle, called)),
    ):
        yield found


def _told(bundle: Bundle, called: str) -> dict[str, Any]:
    manifest = bundle.manifest
    return {"name": called, "key_id": manifest.key_id, "key_version": manifest.key_version}


def place(workspace: Workspace, bundle: Bundle, name: str, *, overwrite: bool) -> Path:
    """Copy the bundle to where deployed models are.

    Raises:
        UsageError: ``target_exists``.
        BackendError: the disk is full or not writable.
    """
    folder = workspace.home / MODELS
    with disk_errors(folder):
        folder.mkdir(exist_ok=True, mode=0o700)
    write_bundle(folder / name, bundle.onnx, bundle.manifest, overwrite=overwrite)
    return folder / name


def model_name(name: str) -> str:
    """``name``, if a model can be called so.

    Raises:
        UsageError: ``model_name``.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a model's name",
            code="model_name",
            hint="give one with --name: small letters, digits and . _ -",
        )
    return name

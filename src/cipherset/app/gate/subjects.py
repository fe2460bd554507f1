"""From what a person names to the asset that it is."""

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cipherset.app.gate.about import WORKSPACE, About, about_key
from cipherset.app.policies.sets import read_set
from cipherset.app.serving.relay import registry
from cipherset.core.errors import UsageError
from cipherset.core.objects import ObjectFolder
from cipherset.custody.keys.identity import source_identity
from cipherset.custody.policy import Kind, Policies
from cipherset.pipeline.export import Cipherset, open_cipherset
from cipherset.pipeline.index import INDEX_FILE, read_signed
from cipherset.pipeline.ingest import Source, holds_images, open_source
from cipherset.pipeline.train import Bundle, load_bundle

if TYPE_CHECKING:
    from cipherset.app.workspace import Workspace

MANIFEST: Final = "manifest.json"
MODEL: Final = "model.onnx"
_KEY: Final = "key:"
_POLICIES: Final = "policies:"
_SERVICE: Final = "service:"
_ID: Final = re.compile(r"(hmac-)?sha256:[0-9a-f]{64}")


def about_policies(policies: Policies, source: str) -> About:
    """A set of policies that is to hold in the workspace, by its digest."""
    name = Path(source).name
    return replace(WORKSPACE, also={f"{_POLICIES}{name}": policies.digest})


def about_source(workspace: "Workspace", source: Source) -> About:
    """A source by the keyed digest of its bytes.

    Raises:
        InputError: it cannot be read.
    """
    digest = source_identity(workspace.ring.signer(), source.read_bytes_chunks())
    return About(Kind.DATASET, digest, source.name)


def about_cipherset(there: Cipherset, path: Path | ObjectFolder) -> About:
    """An export by the digest of its manifest."""
    name = path.name if isinstance(path, ObjectFolder) else path.resolve().name
    return About(Kind.DATASET, there.manifest_digest, name)


def about_bundle(bundle: Bundle, path: Path) -> About:
    """A model by the digest of its bundle."""
    return About(Kind.MODEL, bundle.digest, path.resolve().name)


def named(workspace: "Workspace", text: str) -> About:
    """The asset that ``text`` names.

    ``key:NAME``, ``service:NAME``, ``policies:SET``, ``workspace``, a folder with a cipherset, an
    index or a bundle, a file with rows, or the id of an asset in the ledger.

    Raises:
        UsageError: ``asset_named``: none of these.
        KeyAccessError, InputError, IntegrityError: it is one, and cannot be read.
    """
    if text == WORKSPACE.name:
        return WORKSPACE
    if text.startswith(_POLICIES):
        source = text.removeprefix(_POLICIES)
        return about_policies(read_set(source), source)
    if text.startswith(_KEY):
        return about_key(workspace.ring.get(text.removeprefix(_KEY)))
    if text.startswith(_SERVICE):
        return _service(workspace, text.removeprefix(_SERVICE))
    known = workspace.gate.ledger.asset(text) if _ID.fullmatch(text) else None
    if known is not None:
        return About(Kind(known.kind), known.id, known.name)
    return _at(workspace, Path(text))


def _service(workspace: "Workspace", name: str) -> About:
    kept = registry.find(workspace.home, name)
    if kept is None:
        raise registry.unknown(name)
    return kept.address.about


def _at(workspace: "Workspace", path: Path) -> About:
    """What is in that place."""
    if (path / MODEL).is_file():
        return about_bundle(load_bundle(path), path)
    if (path / INDEX_FILE).is_file():
        manifest, _ = read_signed(path, signer=workspace.fingerprint)
        return About(Kind.DATASET, manifest.asset_id, path.resolve().name)
    if (path / MANIFEST).is_file():
        return about_cipherset(open_cipherset(path), path)
    if path.is_file() or (path.is_dir() and holds_images(path)):
        return about_source(workspace, open_source(str(path)))
    raise UsageError(
        f"{path} is no key, file, cipherset, index, model or known id here",
        code="asset_named",
        hint="name it as key:NAME or service:NAME, by its path, or by its id in the ledger",
    )

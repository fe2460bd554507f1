"""Which asset an artifact is, by whatever of it is still whole; for files that somebody names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cipherset.app.assess.finding import FINDING as FINDING_FILE
from cipherset.app.gate.subjects import MANIFEST, MODEL, about_source
from cipherset.app.labels.made import digest_of_files
from cipherset.app.sight.lineage.places import Place, What
from cipherset.app.workspace import Workspace
from cipherset.core.canonical import digest_bytes
from cipherset.core.errors import CiphersetError, UsageError
from cipherset.core.files import disk_errors
from cipherset.custody.ledger.proofs.checkpoint import CHECKPOINT_TYPE
from cipherset.evidence.views.lineage.links import FINDING, Links, Node
from cipherset.pipeline.index import INDEX_FILE, read_signed
from cipherset.pipeline.ingest import open_source
from cipherset.pipeline.train.bundle import BUNDLE

_DATASET: Final = "dataset"
_HEAD_BYTES: Final = 100_000
_SPLITS: Final = ("train", "test")


@dataclass(frozen=True, slots=True)
class Identifier:
    """Finds the asset of an artifact among ``links``; ``known`` are the places of all of them."""

    workspace: Workspace = field(repr=False)
    links: Links = field(repr=False)
    known: tuple[Place, ...] = field(repr=False)

    def place(self, path: Path) -> Place:
        """What ``path`` is and which asset it was, as far as anything says so.

        Raises:
            UsageError: ``file_missing``.
            BackendError: it cannot be read.
        """
        if not path.exists():
            raise UsageError(f"there is no file {path}", code="file_missing", hint="check its name")
        with disk_errors(path):
            what = _what(path)
            asset = self._asset(what, path) or self._put_there(path)
        if what is What.FINDING and path.is_dir():
            path = path / FINDING_FILE
        return Place(what, asset, path)

    def _asset(self, what: What, path: Path) -> str | None:
        if what is What.EXPORT:
            return self._export(path)
        if what is What.MODEL:
            return self._model(path)
        if what is What.FINDING:
            folder = path if path.is_dir() else path.parent
            return self._node(f"{FINDING}:{folder.name}")
        if what is What.CHECKPOINT:
            return None
        return self._index(path) if what is What.INDEX else self._rows(path)

    def _export(self, path: Path) -> str | None:
        """By its manifest or, where that is another, by its rows."""
        manifest = path / MANIFEST
        named = self._node(digest_bytes(manifest.read_bytes())) if manifest.is_file() else None
        if named is not None:
            return named
        parts = {
            f"{one.parent.name}/{one.name}": digest_bytes(one.read_bytes()) for one in _parts(path)
        }
        return self._with("parts", digest_of_files(parts))

    def _model(self, path: Path) -> str | None:
        """By what it says of itself or, where that is another, by the model."""
        bundle, onnx = path / BUNDLE, path / MODEL
        named = self._node(digest_bytes(bundle.read_bytes())) if bundle.is_file() else None
        if named is not None or not onnx.is_file():
            return named
        return self._with("onnx", digest_bytes(onnx.read_bytes()))

    def _index(self, path: Path) -> str | None:
        try:
            return read_signed(path, signer=None)[0].asset_id
        except CiphersetError:
            return None

    def _rows(self, path: Path) -> str | None:
        """By its bytes or, where they are others, by its name."""
        try:
            found = about_source(self.workspace, open_source(str(path))).id
        except CiphersetError:
            found = ""
        named = [
            each.id
            for each in self.links.nodes.values()
            if each.kind == _DATASET and each.name == path.name and _is_rows(each)
        ]
        return self._node(found) or (named[-1] if named else None)

    def _put_there(self, path: Path) -> str | None:
        here = path.resolve()
        there = [each for each in self.known if each.path.resolve() == here]
        return there[-1].asset if there else None

    def _with(self, name: str, value: str) -> str | None:
        found = (each.id for each in self.links.nodes.values() if each.facts.get(name) == value)
        return next(found, None)

    def _node(self, asset: str) -> str | None:
        return asset if asset in self.links.nodes else None


def _what(path: Path) -> What:
    """What it looks like: by the names of its files, for their bytes may be others."""
    if path.is_file():
        if path.name == FINDING_FILE:
            return What.FINDING
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        return What.CHECKPOINT if CHECKPOINT_TYPE.encode() in head else What.ROWS
    for name, what in _FILES.items():
        if (path / name).exists():
            return what
    return What.ROWS


_FILES: Final[Mapping[str, What]] = {
    INDEX_FILE: What.INDEX,
    MODEL: What.MODEL,
    BUNDLE: What.MODEL,
    FINDING_FILE: What.FINDING,
    MANIFEST: What.EXPORT,
    "train": What.EXPORT,
}


def _parts(path: Path) -> Iterator[Path]:
    for split in _SPLITS:
        folder = path / split
        if folder.is_dir():
            yield from sorted(folder.iterdir())


def _is_rows(node: Node) -> bool:
    return "cipherset_id" not in node.facts and "index_id" not in node.facts

"""A model on disk: ``model.onnx`` beside ``bundle.json``, which binds its digest; no pickle.

The bundle says which key its vectors were made with and which cipherset it learned from. It is
not signed by the owner: the lab writes it, and the gate checks the model itself before it runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final, Protocol

import numpy.typing as npt

from cipherset.core import canonical
from cipherset.core.errors import InputError, IntegrityError
from cipherset.core.files import disk_errors, read_regular, replace_directory, stage_directory
from cipherset.core.manifest import (
    BundleManifest,
    CiphersetRef,
    Manifest,
    ModelKind,
    Task,
    ValueRange,
    manifest_bytes,
    read_bundle_manifest,
)
from cipherset.core.values import Float32s
from cipherset.pipeline.train.check import MOST_BYTES, check_model

MODEL: Final = "model.onnx"
BUNDLE: Final = "bundle.json"
_BUNDLE_BYTES: Final = 4_000_000
_PACKAGES: Final = ("cipherset", "numpy", "onnx", "scikit-learn")
_FRESH: Final = "get a fresh copy of the bundle"


class Exported(Protocol):
    """A cipherset, as far as a bundle speaks of it."""

    @property
    def manifest(self) -> Manifest: ...
    @property
    def manifest_digest(self) -> str: ...
    def to_numpy(self, split: str) -> tuple[Float32s, npt.NDArray[Any]]: ...


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that is what its bundle.json says; its model is still nobody's word."""

    manifest: BundleManifest
    digest: str
    onnx: bytes = field(repr=False)


def describe(
    onnx_model: bytes,
    trained_on: Exported,
    metrics: Mapping[str, float],
    *,
    kind: ModelKind = ModelKind.EXTERNAL,
    gate_dim: int | None = None,
    created: datetime | None = None,
) -> BundleManifest:
    """What bundle.json will say of a model.

    Args:
        onnx_model: The model's ONNX bytes.
        trained_on: The cipherset whose rows or labels it learned from.
        metrics: Figures measured where it was trained.
        kind: The family; external if it was not trained here.
        gate_dim: For a model trained at the gate, the width of the vectors it takes.
        created: Now, unless given.

    Raises:
        InputError: the cipherset has no labels.
    """
    facts = trained_on.manifest
    if facts.task is None:
        raise InputError(
            "the cipherset has no labels", code="no_label", hint="export it with --label"
        )
    return BundleManifest(
        created=(created or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        model=kind,
        task=facts.task,
        classes=facts.classes,
        value_range=_range(trained_on) if facts.task is Task.REGRESSION else None,
        scheme=facts.scheme,
        key_id=facts.key_id,
        key_version=facts.key_version,
        key_check=facts.key_check,
        dim=facts.dim if gate_dim is None else gate_dim,
        trained_on=CiphersetRef(
            cipherset_id=facts.cipherset_id, manifest=trained_on.manifest_digest
        ),
        at_gate=gate_dim is not None,
        metrics={name: float(value) for name, value in metrics.items()},
        label=facts.label,
        onnx=canonical.digest_bytes(onnx_model),
        packages={name: metadata.version(name) for name in _PACKAGES},
    )


def save_bundle(
    path: Path | str,
    onnx_model: bytes,
    cipherset: Exported,
    metrics: Mapping[str, float],
    *,
    kind: ModelKind = ModelKind.EXTERNAL,
    overwrite: bool = False,
) -> Bundle:
    """Write the bundle of a model that was trained on ``cipherset``.

    The model takes float32 (n, dim) and answers, as its first output, the class (its name, or
    its position in ``cipherset.manifest.classes``) or the number.

    Raises:
        InputError: not ONNX, or not for vectors of this width.
        PolicyError: a model that the gate would refuse to run.
        UsageError: ``path`` is there already.
        BackendError: disk full, no permission.
    """
    return write_bundle(
        path, onnx_model, describe(onnx_model, cipherset, metrics, kind=kind), overwrite=overwrite
    )


def write_bundle(
    path: Path | str, onnx_model: bytes, manifest: BundleManifest, *, overwrite: bool = False
) -> Bundle:
    """Write ``onnx_model`` and ``manifest`` as the directory ``path``, wholly or not at all.

    Raises:
        InputError: not ONNX, or not for vectors of this width.
        PolicyError: a model that the gate would refuse to run.
        UsageError: ``path`` is there already.
        BackendError: disk full, no permission.
    """
    check_model(onnx_model, dim=manifest.dim, task=manifest.task)
    raw = manifest_bytes(manifest)
    target = Path(path)
    with stage_directory(target, mode=0o755) as staged:
        with disk_errors(target):
            (staged / MODEL).write_bytes(onnx_model)
            (staged / BUNDLE).write_bytes(raw)
        replace_directory(staged, target, overwrite=overwrite)
    return Bundle(manifest, canonical.digest_bytes(raw), onnx_model)


def load_bundle(path: Path | str) -> Bundle:
    """The bundle in the directory ``path``: exactly two files that belong together.

    Raises:
        InputError: there is no such directory.
        IntegrityError: another model than bundle.json names, a file extra or missing.
        BackendError: no permission.
    """
    root = Path(path)
    if not root.is_dir():
        raise InputError(
            f"there is no bundle {root}",
            code="no_directory",
            hint="name the directory that cipherset train or cipherset bundle wrote",
        )
    with disk_errors(root):
        found = {entry.name for entry in root.iterdir()}
    if found != {MODEL, BUNDLE}:
        raise IntegrityError(
            f"{root.absolute().name} is no bundle: {len(found)} files, "
            f"not just {MODEL} and {BUNDLE}",
            code="bundle_files",
            hint=f"{_FRESH}, or name one: a cipherset is what bundles are trained on",
        )
    raw = _read(root / BUNDLE, _BUNDLE_BYTES)
    manifest = read_bundle_manifest(raw)
    onnx_model = _read(root / MODEL, MOST_BYTES)
    if canonical.digest_bytes(onnx_model) != manifest.onnx:
        raise IntegrityError(
            f"{MODEL} is not the model that {BUNDLE} names", code="bundle_digest", hint=_FRESH
        )
    return Bundle(manifest, canonical.digest_bytes(raw), onnx_model)


def _range(trained_on: Exported) -> ValueRange:
    _, numbers = trained_on.to_numpy("train")
    return ValueRange(low=float(numbers.min()), high=float(numbers.max()))


def _read(path: Path, most_bytes: int) -> bytes:
    """All bytes of a regular file, not through a link, at most ``most_bytes``."""
    with disk_errors(path):
        raw = read_regular(path, most_bytes=most_bytes + 1)
    if raw is None or len(raw) > most_bytes:
        raise _bad_file(path, most_bytes)
    return raw


def _bad_file(path: Path, most_bytes: int) -> IntegrityError:
    return IntegrityError(
        f"{path.name} is not a regular file of at most {most_bytes} bytes",
        code="bundle_files",
        hint=_FRESH,
    )

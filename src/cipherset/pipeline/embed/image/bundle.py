"""An image encoder on disk: its graph, built once, and the digest of it, as sha256sum writes it.

What is read is verified first; see ``pipeline.embed.bundle`` on what that is good for.
"""

from pathlib import Path
from typing import Final

from cipherset.core.canonical import digest_bytes
from cipherset.core.errors import BackendError, IntegrityError
from cipherset.core.files import disk_errors, replace_directory, stage_directory
from cipherset.pipeline.embed.image.encoder import PixelEncoder
from cipherset.pipeline.embed.image.network import ImageNetwork
from cipherset.pipeline.embed.image.pixels import FORMAT

GRAPH: Final = f"pixels-{FORMAT}.onnx"
GRAPH_DIGEST: Final = f"{GRAPH}.sha256"


def is_image_built(folder: Path) -> bool:
    """Whether ``folder`` holds a graph of today's construction; not whether it is whole."""
    return (folder / GRAPH).is_file()


def write_image_bundle(folder: Path, network: ImageNetwork, weights: bytes) -> None:
    """``folder`` holds the encoder of these weights, in the place of whatever it held.

    Raises:
        InputError: ``encoder_unsupported``, the weights are not those.
        BackendError: ``disk_full``, ``no_permission`` or ``disk``.
    """
    graph = network.build(weights)
    with disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    with stage_directory(folder) as staged:
        with disk_errors(folder):
            (staged / GRAPH).write_bytes(graph)
            (staged / GRAPH_DIGEST).write_text(_line(graph), encoding="ascii")
        replace_directory(staged, folder, overwrite=True)


def read_image_bundle(folder: Path, *, name: str, digest: str, mend: str) -> PixelEncoder:
    """The encoder in ``folder``; ``mend`` is what to do when it is not there or not whole.

    Raises:
        BackendError: ``encoder_missing``.
        IntegrityError: ``encoder_digest``, a byte differs from what was written.
    """
    with disk_errors(folder):
        try:
            graph, line = (folder / GRAPH).read_bytes(), (folder / GRAPH_DIGEST).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise BackendError(
                f"the weights of encoder {name} are not in the cache ({folder})",
                code="encoder_missing",
                hint=mend,
            ) from None
    if line != _line(graph).encode():
        raise IntegrityError(
            f"the files of encoder {name} are damaged ({folder})",
            code="encoder_digest",
            hint=mend,
        )
    return PixelEncoder(name, digest, graph=graph)


def _line(graph: bytes) -> str:
    return f"{digest_bytes(graph).removeprefix('sha256:')}  {GRAPH}\n"

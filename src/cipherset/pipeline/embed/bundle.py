"""An encoder on disk: its graph, built once, and its tokenizer.

    graph-1.onnx             the number is that of the graph's construction
    graph-1.onnx.sha256      as sha256sum writes it
    tokenizer.json

What is read is verified first, against the encoder's identity (tokenizer) and the digest beside it
(graph). That finds damage. It does not stop somebody who may write to the folder: he could as well
replace the program.
"""

from pathlib import Path
from typing import Final

from cipherset.core.canonical import digest_bytes
from cipherset.core.errors import BackendError, IntegrityError
from cipherset.core.files import disk_errors, replace_directory, stage_directory
from cipherset.pipeline.embed.directory import ModelFiles
from cipherset.pipeline.embed.encoder import TextEncoder
from cipherset.pipeline.embed.graph import FORMAT, build_graph
from cipherset.pipeline.embed.identity import EncoderIdentity
from cipherset.pipeline.embed.quantized import quantize_graph
from cipherset.pipeline.embed.weights import read_tensors

GRAPH: Final = f"graph-{FORMAT}.onnx"
GRAPH_DIGEST: Final = f"{GRAPH}.sha256"
TOKENIZER: Final = "tokenizer.json"
# Of the texts that the ranges were seen on. Known weights have .994 where whole sums are kept; a
# processor that cuts the sums of two products at 16 bits falls below, whatever the weights.
LEAST_COSINE: Final = 0.98


def is_built(folder: Path) -> bool:
    """Whether ``folder`` holds a graph of today's construction; not whether it is whole."""
    return (folder / GRAPH).is_file()


def write_bundle(folder: Path, files: ModelFiles) -> None:
    """``folder`` holds the encoder that ``files`` describe, in the place of whatever it held.

    Raises:
        InputError: ``encoder_unsupported``, the weights are not those of a BERT.
        BackendError: ``disk_full``, ``no_permission`` or ``disk``.
    """
    tensors = read_tensors(files.weights, files.weights_format)
    _write(folder, build_graph(tensors, files.identity.settings), files.tokenizer)


def write_quantized(folder: Path, exact: Path, *, max_tokens: int) -> None:
    """``folder`` holds the encoder of ``exact``, which was verified, in 8-bit integers.

    Raises:
        BackendError: ``encoder_inexact``; ``disk_full``, ``no_permission`` or ``disk``.
    """
    with disk_errors(exact):
        graph, tokenizer = (exact / GRAPH).read_bytes(), (exact / TOKENIZER).read_bytes()
    made = quantize_graph(graph, tokenizer=tokenizer, max_tokens=max_tokens)
    if made.lowest_cosine < LEAST_COSINE:
        raise BackendError(
            f"in 8-bit integers this encoder gives other vectors here: a cosine of "
            f"{made.lowest_cosine:.3f} to the exact one, at least {LEAST_COSINE} is expected",
            code="encoder_inexact",
            hint="use the exact encoder: this processor rounds too coarsely, or the weights do not"
            " bear it",
        )
    _write(folder, made.graph, tokenizer)


def _write(folder: Path, graph: bytes, tokenizer: bytes) -> None:
    with disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    with stage_directory(folder) as staged:
        with disk_errors(folder):
            (staged / GRAPH).write_bytes(graph)
            (staged / GRAPH_DIGEST).write_text(_line(graph), encoding="ascii")
            (staged / TOKENIZER).write_bytes(tokenizer)
        replace_directory(staged, folder, overwrite=True)


def read_bundle(
    folder: Path, *, name: str, identity: EncoderIdentity, mend: str, workers: int | None = None
) -> TextEncoder:
    """The encoder in ``folder``; ``mend`` is what to do when it is not there or not whole.

    Without ``workers`` it takes all cores that this process may use.

    Raises:
        BackendError: ``encoder_missing``.
        IntegrityError: ``encoder_digest``, a byte differs from what was written.
    """
    with disk_errors(folder):
        try:
            graph, tokenizer, line = (
                (folder / file).read_bytes() for file in (GRAPH, TOKENIZER, GRAPH_DIGEST)
            )
        except (FileNotFoundError, NotADirectoryError):
            raise BackendError(
                f"the weights of encoder {name} are not in the cache ({folder})",
                code="encoder_missing",
                hint=mend,
            ) from None
    if line != _line(graph).encode() or digest_bytes(tokenizer) != identity.tokenizer:
        raise IntegrityError(
            f"the files of encoder {name} are damaged ({folder})",
            code="encoder_digest",
            hint=mend,
        )
    return TextEncoder(name, identity, graph=graph, tokenizer=tokenizer, workers=workers)


def _line(graph: bytes) -> str:
    return f"{digest_bytes(graph).removeprefix('sha256:')}  {GRAPH}\n"

"""Texts to unit vectors with onnxruntime and the tokenizers library: no torch, no network.

One thread per core, each with its own batch: the same work split inside every matrix product
costs almost twice the CPU time (docs/adr/0002-encoder-runtime.md). Where the runtime was built for
a GPU and finds one, that is taken, with larger batches and one thread.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Final

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from cipherset.core.errors import InputError, IntegrityError
from cipherset.core.protocols import Progress
from cipherset.core.values import Float32s
from cipherset.pipeline.embed.batches import Batch, batches, windows
from cipherset.pipeline.embed.graph import IDS, MASK, POOLED
from cipherset.pipeline.embed.identity import EncoderIdentity, unsupported

BATCH_TOKENS: Final = 512  # the activations of a layer then fit a core's second-level cache
GPU_BATCH_TOKENS: Final = 16384
_CPU: Final = "CPUExecutionProvider"
# In order of preference. TF32 keeps 10 bits of a product's mantissa: not the same vectors.
_GPUS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {"CUDAExecutionProvider": {"use_tf32": "0"}, "MIGraphXExecutionProvider": {}}
)
_ERRORS_ONLY: Final = 3  # onnxruntime's severity levels: 0 verbose, 3 error


class OpenGraph:
    """A graph that is ready to run, and what each encoder says of itself."""

    def __init__(self, name: str, digest: str, graph: bytes) -> None:
        """Open what was verified before."""
        self._name = name
        self._digest = digest
        self._session = open_session(graph)
        self._dim = int(self._session.get_outputs()[0].shape[1])

    @property
    def name(self) -> str:
        """What the catalog or the owner calls it."""
        return self._name

    @property
    def digest(self) -> str:
        """``sha256:`` and hex over the weights and all else that decides the vectors."""
        return self._digest

    @property
    def dim(self) -> int:
        """The width of the vectors."""
        return self._dim


class TextEncoder(OpenGraph):
    """Implements ``core.protocols.Encoder``; may be used from several threads."""

    def __init__(
        self,
        name: str,
        identity: EncoderIdentity,
        *,
        graph: bytes,
        tokenizer: bytes,
        batch_tokens: int | None = None,
        workers: int | None = None,
    ) -> None:
        """Open what was verified before; without ``workers``, all cores this process may use.

        Without ``batch_tokens``, as many as suit the processor.

        Raises:
            InputError: ``encoder_unsupported``, the tokenizer cannot be read or marks no text.
        """
        self._tokenizer = _open_tokenizer(tokenizer, identity.settings.max_tokens)
        super().__init__(name, identity.digest, graph)
        # What is named first is what the runtime took, where it could.
        on_cpu = self._session.get_providers()[0] == _CPU
        self._batch_tokens = batch_tokens or (BATCH_TOKENS if on_cpu else GPU_BATCH_TOKENS)
        self._workers = workers or (len(os.sched_getaffinity(0)) if on_cpu else 1)

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Float32s:
        """Unit-norm rows, shape (len(texts), dim), in the order of ``texts``.

        The stage is the caller's: ``progress`` is only told of rows that are done. Beyond the
        result, memory does not grow with ``texts``.

        Raises:
            InputError: ``text_expected`` or ``text_not_unicode``; the message names the row.
            IntegrityError: ``encoder_output``, the weights hold values that are no numbers.
        """
        if isinstance(texts, str):
            raise InputError(
                "one text was given where a list of texts is expected",
                code="texts_expected",
                hint="put the text in a list",
            )
        vectors = np.empty((len(texts), self._dim), dtype=np.float32)
        with ThreadPoolExecutor(self._workers) as threads:
            for window in windows(texts):
                made = batches(texts, window, self._tokenizer, self._batch_tokens)
                for batch, pooled in threads.map(self._run, made):
                    vectors[batch.rows] = unit_rows(pooled)
                    if progress is not None:
                        progress.advance(len(batch.rows))
        return vectors

    def _run(self, batch: Batch) -> tuple[Batch, Float32s]:
        pooled = self._session.run([POOLED], {IDS: batch.ids, MASK: batch.mask})[0]
        return batch, pooled


def unit_rows(pooled: Float32s) -> Float32s:
    """Rows of ``pooled``, shape (n, dim), divided by their 2-norm.

    Raises:
        IntegrityError: ``encoder_output``: a row is zero or holds what is no number.
    """
    norms = np.linalg.norm(pooled.astype(np.float64), axis=1, keepdims=True)
    if not (np.isfinite(norms).all() and (norms > 0).all()):
        raise IntegrityError(
            "the encoder gave a vector without a direction",
            code="encoder_output",
            hint="its weights are damaged; use another encoder",
        )
    unit: Float32s = (pooled / norms).astype(np.float32)
    return unit


def _open_tokenizer(raw: bytes, max_tokens: int) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_str(raw.decode())
    except UnicodeDecodeError:
        raise unsupported("tokenizer.json is not UTF-8") from None
    except Exception as error:
        # For a file it cannot read the library raises Exception itself, not a kind of it.
        if type(error) is Exception:
            raise unsupported("tokenizer.json cannot be read") from None
        raise
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    if not tokenizer.encode("").ids:
        raise unsupported("its tokenizer adds no token to mark an empty text")
    return tokenizer


def open_session(graph: bytes) -> onnxruntime.InferenceSession:
    """The model, to be run by one thread at a time on its own core."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    providers = chosen_providers(onnxruntime.get_available_providers())
    return onnxruntime.InferenceSession(graph, options, providers=providers)


def chosen_providers(available: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """The GPU's provider, if one is ``available``, with its options; then the processor's.

    A runtime that was built for a GPU and finds none goes on with the next by itself.
    """
    found = [(name, dict(options)) for name, options in _GPUS.items() if name in available]
    return [*found[:1], (_CPU, {})]

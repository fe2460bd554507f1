"""Texts to unit vectors with a runtime of ONNX and the tokenizers library: no torch, no network.

One thread per core, each with its own batch: the same work split inside every matrix product
costs almost twice the CPU time (docs/adr/0002-encoder-runtime.md). Where the runtime was built for
a GPU and finds one, that is taken, with larger batches and one thread.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from tokenizers import Tokenizer

from cipherset.core.errors import InputError, IntegrityError
from cipherset.core.protocols import Progress
from cipherset.core.values import Float32s
from cipherset.pipeline.embed.batches import Batch, batches, windows
from cipherset.pipeline.embed.identity import EncoderIdentity, unsupported
from cipherset.pipeline.embed.runtime import open_runtime


class OpenGraph:
    """What each encoder whose graph is ready to run says of itself."""

    def __init__(self, name: str, digest: str, dim: int) -> None:
        """The digest is that of the encoder, not of the graph alone."""
        self._name = name
        self._digest = digest
        self._dim = dim

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
        cores = workers or len(os.sched_getaffinity(0))
        self._runtime = open_runtime(graph, identity.quantization, cores)
        super().__init__(name, identity.digest, self._runtime.dim)
        self._batch_tokens = batch_tokens or self._runtime.batch_tokens
        self._workers = workers or (cores if self._runtime.is_parallel else 1)

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
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)
        with ThreadPoolExecutor(self._workers) as threads:
            for window in windows(texts):
                made = batches(
                    texts, window, self._tokenizer, self._batch_tokens, self._runtime.span
                )
                for batch, pooled in threads.map(self._run, made):
                    vectors[batch.rows] = unit_rows(pooled)
                    if progress is not None:
                        progress.advance(len(batch.rows))
        return vectors

    def _run(self, batch: Batch) -> tuple[Batch, Float32s]:
        return batch, self._runtime.run(batch.ids, batch.mask)


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

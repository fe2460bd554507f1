"""The small interfaces through which rooms meet; ``app`` injects the implementations."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from cipherset.core.values import Float32s, Floats, Pixels, Span


class Progress(Protocol):
    """Told how far a stage has come; never told what is in the rows."""

    def start(self, stage: str, total: int | None) -> None:
        """A stage begins; ``total`` counts its rows or steps where that is known."""

    def advance(self, steps: int) -> None:
        """``steps`` more rows or steps of the current stage are done."""

    def finish(self) -> None:
        """The current stage is done."""


class Encoder(Protocol):
    """Texts to unit-norm vectors; pinned by ``digest``, which is recorded in every export."""

    @property
    def name(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def dim(self) -> int: ...
    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Float32s:
        """Unit-norm rows, shape (len(texts), dim), in the order of ``texts``."""


class ImageEncoder(Protocol):
    """Images to unit-norm vectors; pinned by ``digest``, which is recorded in every export."""

    @property
    def name(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def dim(self) -> int: ...
    @property
    def side(self) -> int:
        """How many pixels wide and high the images are."""

    def encode(self, pixels: Pixels, *, progress: Progress | None = None) -> Float32s:
        """Unit-norm rows, shape (n, dim), of RGB images (n, side, side, 3), in their order."""


class Minimizer(Protocol):
    """A fitted map from unit-norm vectors (n, dim_in) to unit-norm vectors (n, dim)."""

    @property
    def spec(self) -> str: ...
    @property
    def dim_in(self) -> int: ...
    @property
    def dim(self) -> int: ...
    def transform(self, x: Floats) -> Float32s: ...
    def arrays(self) -> Mapping[str, Floats]:
        """The fitted parameters by name, to be sealed; data-derived, so never in the clear."""


class Sealer(Protocol):
    """Authenticated encryption of owner-side state, bound to a context."""

    def seal(self, plaintext: bytes, *, context: str) -> bytes: ...
    def unseal(self, sealed: bytes, *, context: str) -> bytes:
        """The plaintext; IntegrityError where key, context or one bit differs."""


class KeyedHash(Protocol):
    """Short hashes that confirm a guess to nobody without the key."""

    def of(self, inputs: Iterable[bytes]) -> npt.NDArray[np.uint64]:
        """The 64-bit hashes of ``inputs`` in order, shape (n,)."""


class Pseudonymizer(Protocol):
    """Keyed stand-ins for values: without the key they tell which are equal, and no more."""

    def token(self, entity: str, value: str) -> bytes:
        """32 bytes that are the same for the same entity and value, and for no other."""

    def surrogate(self, entity: str, value: str) -> bytes:
        """32 bytes to choose a surrogate by; nothing links them to the token's."""

    def seal(self, entity: str, value: str) -> bytes:
        """``value``, readable again with the key; the same bytes for the same value."""

    def unseal(self, entity: str, sealed: bytes) -> str:
        """The value; IntegrityError where entity, key or one bit differs."""

    @property
    def version(self) -> int:
        """Of the key: what was sealed under one version opens under that one."""


class KeyVersion(Protocol):
    """A version of a key, by its names: a handle on it, or what is known of it."""

    @property
    def key_id(self) -> str: ...
    @property
    def version(self) -> int: ...


class Detector(Protocol):
    """Finds some kinds of entity in a batch of texts."""

    @property
    def name(self) -> str:
        """What it is called in labels and reports."""

    @property
    def version(self) -> str:
        """Changes when what it finds changes: a measured recall is one version's."""

    @property
    def entities(self) -> frozenset[str]:
        """The kinds it can report: capital letters, digits and underscores."""

    def detect(self, texts: Sequence[str]) -> list[list[Span]]:
        """The spans of each text, in any order; they may overlap."""

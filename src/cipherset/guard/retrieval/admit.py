"""Which of the pieces that a search found may stand in a model's context, and why the others not.

In this order: may the caller read the data set for this purpose, and is the piece his tenant's; is
it word for word what came in; is there room; does it speak to the model. So what is not the
caller's costs no look at its words and takes nobody's room. What is not admitted says nothing to
the caller: a piece that is not there, one that is another's and one that is not for this purpose
are all the same nothing. Why is for the owner's eyes.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cipherset.core.labels import Label, Level, joined
from cipherset.guard.retrieval.chunks import Chunk, ChunkList

Judge = Callable[[Sequence[str]], Sequence[bool]]

# What carries no label counts as restricted.
_UNLABELED: Final = Label(level=Level.RESTRICTED)


class Reason(StrEnum):
    """Why a piece was not admitted."""

    UNREADABLE = "unreadable"
    TENANT = "tenant"
    UNLISTED = "unlisted"
    ALTERED = "altered"
    REPEATED = "repeated"
    NO_ROOM = "no room"
    INJECTION = "injection"


@dataclass(frozen=True, slots=True)
class Readable:
    """A data set that the caller may read for his purpose: its label, and what came in of it."""

    label: Label | None
    chunks: ChunkList


@dataclass(frozen=True, slots=True)
class Admitted:
    """A piece that may be put before the model, to be fenced as data."""

    dataset: str
    id: str
    text: str = field(repr=False)
    label: Label


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A piece that may not, by what it said it was."""

    dataset: str
    id: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Context:
    """What may be put before the model, in the order of the search; and what may not.

    ``label`` is that of all that was admitted together: what a reply is made of. None where
    nothing was. Only ``parts`` and ``label`` are for the caller.
    """

    parts: tuple[Admitted, ...] = ()
    label: Label | None = None
    quarantined: tuple[Quarantined, ...] = field(default=(), repr=False)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many were not admitted, by reason."""
        return dict(sorted(Counter(one.reason.value for one in self.quarantined).items()))


@dataclass(frozen=True, slots=True)
class Room:
    """How much is admitted at most, and how many pieces the judge looks at for it."""

    most_chunks: int = 20
    most_characters: int = 32_000
    most_judged: int = 64

    def filled(self, parts: Iterable[Admitted], refused: Sequence[Quarantined]) -> Context:
        """The context of ``parts``, best first, as far as there is room; the rest is refused."""
        kept: list[Admitted] = []
        left: list[Quarantined] = []
        n_characters = 0
        for part in parts:
            length = n_characters + len(part.text)
            if len(kept) >= self.most_chunks or length > self.most_characters:
                left.append(Quarantined(part.dataset, part.id, Reason.NO_ROOM))
                continue
            kept.append(part)
            n_characters = length
        return Context(tuple(kept), joined(part.label for part in kept), (*refused, *left))


@dataclass(frozen=True, slots=True)
class Admission:
    """For one caller and purpose.

    ``readable`` has the data sets that he may read; what is not in it is not there for him.
    ``tenant`` is the caller's: a piece of another tenant, or of one where he has none, is not his.
    ``judge`` says of each text whether it speaks to the model.
    """

    readable: Mapping[str, Readable]
    judge: Judge = field(repr=False)
    tenant: str | None = None
    room: Room = field(default_factory=Room)

    def context(self, chunks: Sequence[Chunk]) -> Context:
        """What of ``chunks``, best first, may be used."""
        seen: set[tuple[str, str]] = set()
        refused: list[Quarantined] = []
        good: list[Chunk] = []
        for chunk in chunks:
            reason = self._against(chunk, seen, len(good))
            if reason is None:
                good.append(chunk)
            else:
                refused.append(Quarantined(chunk.dataset, chunk.id, reason))
        verdicts = self.judge([chunk.text for chunk in good]) if good else ()
        clean: list[Admitted] = []
        for chunk, is_injected in zip(good, verdicts, strict=True):
            if is_injected:
                refused.append(Quarantined(chunk.dataset, chunk.id, Reason.INJECTION))
            else:
                label = self.readable[chunk.dataset].label or _UNLABELED
                clean.append(Admitted(chunk.dataset, chunk.id, chunk.text, label))
        return self.room.filled(clean, refused)

    def _against(self, chunk: Chunk, seen: set[tuple[str, str]], n_good: int) -> Reason | None:
        """Why it is not to be judged."""
        readable = self.readable.get(chunk.dataset)
        if readable is None:
            return Reason.UNREADABLE
        listed = readable.chunks.chunks.get(chunk.id)
        if listed is None or readable.chunks.dataset != chunk.dataset:
            return Reason.UNLISTED
        if listed.tenant is not None and listed.tenant != self.tenant:
            return Reason.TENANT
        if not readable.chunks.holds(chunk):
            return Reason.ALTERED
        if (chunk.dataset, chunk.id) in seen:
            return Reason.REPEATED
        if n_good >= self.room.most_judged or len(chunk.text) > self.room.most_characters:
            return Reason.NO_ROOM
        seen.add((chunk.dataset, chunk.id))
        return None

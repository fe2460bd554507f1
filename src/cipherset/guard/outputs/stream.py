"""The filter of one reply, while it is being written: nothing that a finding covers is released.

A window of some segments (``segments``) is judged when they are complete; then all but its last
one, with which the next window begins, is released as far as no finding reaches beyond it. At the
end the last window is judged, whatever its length. Cuts depend on the text alone, so the released
text is the same however the reply arrives, and the filter of a whole text is the stream that is
given all of it at once.

A finding of a detector that reaches the end of its window may go on: the next window begins where
it began, until it has grown beyond ``Pace.carried`` characters, which ends the reply.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cipherset.core.labels import Label
from cipherset.guard.outputs.finders import Finders, found
from cipherset.guard.outputs.findings import Finding, Kind, Remedy, joined
from cipherset.guard.outputs.rules import OutputRules, Ruled
from cipherset.guard.outputs.segments import DEFAULT_PACE, Pace, Squeeze, last_drawn, next_cut
from cipherset.guard.outputs.sent import Sent

BLOCKED: Final = "[the reply ends here: blocked by policy]"
HELD: Final = "[the reply ends here: held for review]"
_MAY_GO_ON: Final = frozenset({Kind.PERSONAL, Kind.SECRET})


class Finish(StrEnum):
    """Why a reply ended, in the words of the OpenAI-compatible protocols."""

    STOP = "stop"
    CONTENT_FILTER = "content_filter"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found in a reply and what became of it: counts and names, never what stood there.

    ``findings`` are disjoint and in order, up to the one that ended the reply if one did.
    """

    finish: Finish
    findings: tuple[Finding, ...] = ()

    @property
    def is_for_review(self) -> bool:
        """Whether a person is to look at it."""
        return any(finding.remedy is Remedy.REVIEW for finding in self.findings)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many findings: by ``kind``, and by ``kind:name``."""
        counted: Counter[str] = Counter()
        for finding in self.findings:
            counted.update((finding.kind.value, f"{finding.kind}:{finding.name}"))
        return dict(sorted(counted.items()))


@dataclass(frozen=True, slots=True)
class Filtered:
    """A whole reply as it may leave."""

    text: str = field(repr=False)
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class OutputFilter:
    """Filters replies by ``rules`` with what ``finders`` know; may be shared by threads."""

    finders: Finders = field(repr=False)
    rules: OutputRules = field(default_factory=OutputRules)
    pace: Pace = DEFAULT_PACE

    def reply(self, prompt: Sequence[str] = (), *, context: Label | None = None) -> "StreamFilter":
        """The filter of one reply.

        Args:
            prompt: What the caller wrote, without retrieved context and without what others did.
            context: The label of the retrieved context; None where nothing was retrieved.
        """
        sent = Sent(prompt, self.finders.detectors)
        return StreamFilter(self.finders, self.rules.under(context), sent, self.pace)

    def apply(
        self, text: str, prompt: Sequence[str] = (), *, context: Label | None = None
    ) -> Filtered:
        """The whole reply ``text``, filtered."""
        stream = self.reply(prompt, context=context)
        released = stream.feed(text) + stream.finish()
        return Filtered(released, stream.verdict)


class StreamFilter:
    """One reply; ``feed`` it piece by piece, ``finish`` it once."""

    def __init__(self, finders: Finders, ruled: Ruled, sent: Sent, pace: Pace) -> None:
        """Made by ``OutputFilter.reply``."""
        self._finders, self._ruled, self._sent, self._pace = finders, ruled, sent, pace
        self._squeeze = Squeeze()
        self._text = ""  # from place ``_base`` of the reply on
        self._base = 0
        self._cuts = [0]  # where the segments of the window begin that is not judged yet
        self._judged_to = 0
        self._released_to = 0
        self._carried: int | None = None
        self._findings: list[Finding] = []
        self._treated: list[Finding] = []
        self._finish: Finish | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be released: what feeds it may be stopped."""
        return self._finish is not None

    @property
    def n_held(self) -> int:
        """How many characters are held back now."""
        return 0 if self.is_over else self._base + len(self._text) - self._released_to

    @property
    def verdict(self) -> Verdict:
        """What was found and treated so far."""
        return Verdict(self._finish or Finish.STOP, tuple(self._treated))

    def feed(self, piece: str) -> str:
        """What may be released now that ``piece`` has arrived; empty once it is over."""
        if self.is_over:
            return ""
        self._text += self._squeeze.feed(piece)
        released = []
        while not self.is_over:
            cut = next_cut(self._text, self._cuts[-1] - self._base, self._pace)
            if cut is None:
                break
            self._cuts.append(self._base + cut)
            if len(self._cuts) > self._pace.segments:
                self._judge(self._cuts[0], self._cuts[-1])
                self._cuts = self._cuts[-2:]
                released.append(self._release(self._cuts[0]))
                self._forget()
        return "".join(released)

    def finish(self) -> str:
        """What is left to be released; the reply is over."""
        if self.is_over:
            return ""
        end = self._base + len(self._text)
        if end > self._judged_to:
            self._judge(self._cuts[0], end)
        released = self._release(end)
        self._finish = self._finish or Finish.STOP
        self._text = ""
        return released

    def _judge(self, start: int, end: int) -> None:
        """Look at one window, or from where a finding began that may go on."""
        if self._carried is not None:
            start = min(start, self._carried)
        text = self._text[start - self._base : end - self._base]
        moved = [
            Finding(one.start + start, one.end + start, one.kind, one.name, one.remedy)
            for one in found(text, self._finders, self._ruled, self._sent)
        ]
        self._findings = sorted({*self._findings, *moved})
        self._judged_to = end
        last = start + last_drawn(text)
        open_ones = [one.start for one in moved if one.kind in _MAY_GO_ON and one.end >= last]
        self._carried = min(open_ones, default=None)
        if self._carried is not None and end - self._carried > self._pace.carried:
            endless = Finding(self._carried, end, Kind.ENDLESS, "ENDLESS", Remedy.BLOCK)
            self._findings.append(endless)

    def _release(self, limit: int) -> str:
        """The text up to ``limit``, but from where a finding begins that reaches beyond it."""
        pieces = []
        for group in joined(self._findings):
            ends = group.remedy is not Remedy.REPLACE
            pieces.append(self._upto(min(group.start, limit)))
            # What is blocked stays so whatever is found beyond the limit.
            if group.end > limit and not (group.remedy is Remedy.BLOCK and group.start <= limit):
                self._findings = [one for one in self._findings if one.start >= group.start]
                return "".join(pieces)
            self._treated.append(group)
            self._released_to = group.end
            if ends:
                self._end()
                return "".join([*pieces, HELD if group.remedy is Remedy.REVIEW else BLOCKED])
            pieces.append(f"[{'COPY' if group.kind is Kind.COPY else group.name}]")
        self._findings = []
        pieces.append(self._upto(limit))
        return "".join(pieces)

    def _upto(self, place: int) -> str:
        piece = self._text[self._released_to - self._base : place - self._base]
        self._released_to = max(self._released_to, place)
        return piece

    def _end(self) -> None:
        self._finish = Finish.CONTENT_FILTER
        self._text, self._findings = "", []

    def _forget(self) -> None:
        """Drop what is released and will not be looked at again."""
        keep = min(self._released_to, self._cuts[0])
        if self._carried is not None:
            keep = min(keep, self._carried)
        if keep > self._base:
            self._text = self._text[keep - self._base :]
            self._base = keep

"""One request on its way: admitted, guarded, asked, and written down when it is over."""

import asyncio
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from cipherset.app.gate import Act
from cipherset.app.serving.outputs.review import hold_reply
from cipherset.app.serving.relay.budget import TokenBudget, estimated
from cipherset.app.serving.relay.protocol.answers import Usage
from cipherset.app.serving.relay.protocol.asked import Asked
from cipherset.app.serving.relay.reply import Guard, Told
from cipherset.app.serving.relay.wire.upstream import Question
from cipherset.app.workspace import Workspace
from cipherset.custody.keys import TextDigests
from cipherset.guard.prompts import Finding

MOST_DIGESTS: Final = 64


class Stream(Protocol):
    """Makes events for the caller of those of the service."""

    usage: Usage | None
    n_fed: int

    @property
    def is_stopped(self) -> bool:
        """Whether it is over by the filter's word."""

    def feed(self, event: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What may be told after ``event``."""

    def finish(self) -> list[dict[str, Any]]:
        """The last of it, once the service is done."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is written of a request, and where."""

    workspace: Workspace
    act: Act
    budget: TokenBudget
    digests: TextDigests

    def ask(self, asked: Asked, findings: Sequence[Finding]) -> None:
        """Note what was asked: digests and lengths, and what was found in it."""
        texts = [part.text for part in asked.texts.parts][-MOST_DIGESTS:]
        self.act.facts["inputs"] = ",".join(self.digests.of(text.encode()) for text in texts)
        self.act.facts["lengths"] = ",".join(str(len(text)) for text in texts)
        counts: Counter[str] = Counter()
        for one in findings:
            counts[f"prompt:{one.kind}:{one.action}"] += one.count
        self.act.facts.update(sorted(counts.items()))

    def answer(self, told: Told) -> None:
        """Note what was told, and keep what a person is to look at.

        Raises:
            BackendError: it cannot be kept.
        """
        text = "".join(told.text)
        self.act.facts["answer"] = self.digests.of(text.encode())
        self.act.facts["answer_length"] = len(text)
        self.act.facts["filtered"] = told.is_filtered
        self.act.facts.update({f"reply:{name}": n for name, n in sorted(told.found.items())})
        for text, verdict in told.held:
            hold_reply(self.workspace, self.act, text, verdict)


@dataclass(slots=True)
class Turn:
    """A request that may be asked upstream; ends once, by ``done`` or ``failed``."""

    asked: Asked
    question: Question
    guard: Guard = field(repr=False)
    warnings: tuple[str, ...]
    record: Record = field(repr=False)
    stack: ExitStack = field(repr=False)
    told: Told = field(default_factory=Told)
    _is_over: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def shown_model(self) -> str:
        """The model as the caller knows it."""
        return f"{self.asked.service}/{self.asked.model}"

    def done(self, usage: Usage | None, n_characters: int) -> None:
        """It was answered: settle, and write it down.

        Raises:
            BackendError: it cannot be written; then nothing more is told.
        """
        if self._ends():
            with self.stack:
                self._settle(usage, n_characters)

    def failed(self, error: BaseException, usage: Usage | None, n_characters: int) -> None:
        """It was not, or not to its end; what was told until then is written down too.

        Raises:
            BackendError: it cannot be written.
        """
        if not self._ends():
            return
        if isinstance(error, asyncio.CancelledError | GeneratorExit):
            self.record.act.facts["ended"] = "client gone"
        try:
            self._settle(usage, n_characters)
        finally:
            self.stack.__exit__(type(error), error, None)

    def _settle(self, usage: Usage | None, n_characters: int) -> None:
        self.record.answer(self.told)
        counted = usage.prompt + usage.completion if usage is not None else None
        guessed = self.record.budget.estimate + (estimated(n_characters) if n_characters else 0)
        self.record.act.facts["tokens"] = guessed if counted is None else counted
        self.record.act.facts["tokens_counted"] = counted is not None
        # A service that counts too little is not believed below what was seen of it.
        self.record.budget.settle(self.record.act, max(counted or 0, guessed))

    def _ends(self) -> bool:
        """Whether this is the end, which comes once."""
        with self._lock:
            was, self._is_over = self._is_over, True
        return not was

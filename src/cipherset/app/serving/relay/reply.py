"""What a model says on its way to whoever asked: filtered first, and then restored.

The order matters. The filter sees what the service wrote, tokens and all; what it takes out never
meets the vault. Then the tokens of this one request become the caller's own values again; no other
token is known. Arguments of calls are held until they are whole, and looked at string by string.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cipherset.core.labels import Label
from cipherset.guard.outputs import Finish, OutputFilter, Verdict
from cipherset.guard.prompts import Vault

MOST_ARGUMENTS: Final = 1 << 18  # characters
_MOST_DEPTH: Final = 64


@dataclass(frozen=True, slots=True)
class Guard:
    """What one reply is judged by: the filter, what was sent, of what label, and the vault."""

    outputs: OutputFilter = field(repr=False)
    sent: Sequence[str] = field(repr=False)
    label: Label | None
    vault: Vault = field(repr=False)

    def channel(self) -> "Channel":
        """That of one text, as it comes."""
        return Channel(self)


@dataclass(slots=True)
class Told:
    """What was let through, for the ledger: the text in memory until it is digested, counts."""

    text: list[str] = field(default_factory=list, repr=False)
    found: Counter[str] = field(default_factory=Counter)
    is_filtered: bool = False
    held: list[tuple[str, Verdict]] = field(default_factory=list, repr=False)

    def note(self, channel: "Channel") -> None:
        """Add what was found in a text, and the text itself where a person is to look at it."""
        verdict = channel.verdict
        self.found.update(verdict.counts)
        self.is_filtered = self.is_filtered or verdict.finish is Finish.CONTENT_FILTER
        if verdict.is_for_review:
            self.held.append((channel.written, verdict))


class Channel:
    """One text of a reply, piece by piece."""

    def __init__(self, guard: Guard) -> None:
        """Made by ``Guard.channel``."""
        self._filter = guard.outputs.reply(guard.sent, context=guard.label)
        self._restorer = guard.vault.restorer()
        self._fed: list[str] = []
        self.n_fed = 0

    @property
    def written(self) -> str:
        """The text as the service wrote it, as far as it came."""
        return "".join(self._fed)

    @property
    def is_over(self) -> bool:
        """Whether nothing more of it will be let through."""
        return self._filter.is_over

    @property
    def verdict(self) -> Verdict:
        """What was found so far."""
        return self._filter.verdict

    def feed(self, piece: str) -> str:
        """What may be told now."""
        self.n_fed += len(piece)
        self._fed.append(piece)
        return self._restorer.feed(self._filter.feed(piece))

    def finish(self) -> str:
        """What is left."""
        rest = self._restorer.feed(self._filter.finish())
        return rest + self._restorer.finish()


def whole(text: str, guard: Guard, told: Told) -> str:
    """A text that came at once, as it may be told."""
    channel = guard.channel()
    done = channel.feed(text) + channel.finish()
    told.note(channel)
    told.text.append(done)
    return done


def arguments(text: str, guard: Guard, told: Told) -> str:
    """Arguments of a call: JSON stays JSON, and each of its strings is a text of its own."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return whole(text, guard, told)
    done = _mapped(value, lambda each: whole(each, guard, told), 0)
    return json.dumps(done, ensure_ascii=False)


def _mapped(value: object, each: Callable[[str], str], depth: int) -> Any:  # noqa: ANN401 -- JSON
    if depth > _MOST_DEPTH:
        return None
    if isinstance(value, str):
        return each(value)
    if isinstance(value, dict):
        return {each(key): _mapped(one, each, depth + 1) for key, one in value.items()}
    if isinstance(value, list):
        return [_mapped(one, each, depth + 1) for one in value]
    # A long number may be an account: it is looked at as it is written.
    if isinstance(value, int | float) and not isinstance(value, bool):
        written = json.dumps(value)
        shown = each(written)
        return value if shown == written else shown
    return value

"""Values that must not go upstream, the tokens that stand for them, and the way back.

A vault belongs to one conversation of one caller: what it restores, that caller sent. The same
value has the same token. What in the text already looks like a token that the vault might issue is
a value too (``[LITERAL_1]``): whoever writes ``[PERSON_1]`` gets nobody's name for it, and
restoring a text that was tokenized gives the text. Not to be used from several threads at once.
"""

import base64
import json
import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from cipherset.core.values import Span
from cipherset.guard.prompts.conversation import Form
from cipherset.guard.prompts.tokens import (
    ENTITY,
    LITERAL,
    OTHER,
    TOKEN,
    Names,
    name_of,
    openings,
)

_TAG_BYTES: Final = 5


class Vault:
    """Issues tokens and restores them; shows none of its values."""

    def __init__(self, kinds: Iterable[str] = (), *, tag: str = "") -> None:
        """For the entities ``kinds``; any other is called ``VALUE``.

        ``tag``: what tokens of this vault have, and no other's. Nobody who has not seen a token
        can then write one: for where a reply might be restored by another conversation's vault.
        """
        named = (kind for kind in kinds if ENTITY.fullmatch(kind))
        self._kinds = frozenset(named) | {LITERAL, OTHER}
        self._tag = f"_{tag}" if tag else ""
        self._values: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._counts: Counter[str] = Counter()

    @classmethod
    def tagged(cls, kinds: Iterable[str] = ()) -> "Vault":
        """One whose tokens have a random tag of 40 bits."""
        return cls(kinds, tag=base64.b32encode(secrets.token_bytes(_TAG_BYTES)).decode())

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Vault({len(self)} values)"

    def tokenize(
        self, text: str, spans: Iterable[Span], *, redacted: Collection[str] = frozenset()
    ) -> str:
        """``text`` with a token for each of ``spans``; those that overlap get one for all.

        Entities in ``redacted`` leave ``[ENTITY]`` instead, which nothing restores.
        """
        pieces = []
        position = 0
        for group in _groups([*_within(text, spans), *self._literals(text)]):
            start, end = group[0].start, max(span.end for span in group)
            lost = next((span.entity for span in group if span.entity in redacted), None)
            longest = max(group, key=lambda span: span.end - span.start).entity
            token = f"[{lost}]" if lost else self._token(longest, text[start:end])
            pieces += [text[position:start], token]
            position = end
        pieces.append(text[position:])
        return "".join(pieces)

    def restore(self, text: str, form: Form = Form.TEXT) -> str:
        """``text`` with the value of each token that was issued; all others stay as they are.

        In JSON the values are escaped as in its strings.
        """
        restorer = self.restorer(form)
        return restorer.feed(text) + restorer.finish()

    def restorer(self, form: Form = Form.TEXT) -> "StreamRestorer":
        """The same for a text that comes in chunks, with the tokens issued until now."""
        return StreamRestorer(dict(self._values), form)

    def known(self) -> dict[str, str]:
        """The entity of each value that was given a token; as private as the text."""
        return {
            value: name.rsplit("_", 2 if self._tag else 1)[0]
            for value, name in self._names.items()
            if not name.startswith(f"{LITERAL}_")
        }

    def _token(self, entity: str, value: str) -> str:
        name = self._names.get(value)
        if name is None:
            kind = entity if entity in self._kinds else OTHER
            self._counts[kind] += 1
            name = f"{kind}_{self._counts[kind]}{self._tag}"
            self._names[value] = name
            self._values[name] = value
        return f"[{name}]"

    def _literals(self, text: str) -> Iterator[Span]:
        """What looks like a token that this vault might issue, however it is written."""
        for match in TOKEN.finditer(text):
            parts = name_of(match).split("_")
            if any("_".join(parts[:n]) in self._kinds for n in range(1, len(parts))):
                yield Span(*match.span(), LITERAL)


class StreamRestorer:
    """Restores a reply as it comes; a token may be split over chunks anywhere.

    No more is held back than could still become a token that was issued: at most ``MOST_HELD``
    characters.
    """

    def __init__(self, values: Mapping[str, str], form: Form) -> None:
        """``values`` by the names of their tokens."""
        self._values = values
        self._names = Names(values)
        self._form = form
        self._held = ""

    def __repr__(self) -> str:
        return f"StreamRestorer({len(self._values)} values, {len(self._held)} characters held)"

    def feed(self, chunk: str) -> str:
        """What of the reply can be told now that ``chunk`` has come."""
        text = self._held + chunk
        pieces = []
        told = after = 0
        self._held = ""
        for start in openings(text, 0):
            if start < after:
                continue
            match = TOKEN.match(text, start)
            if match is not None:
                after = match.end()
                value = self._values.get(name_of(match))
                if value is not None:
                    pieces += [text[told:start], self._written(value, match[0])]
                    told = after
            elif self._names.may_begin(text, start):
                self._held = text[start:]
                return "".join([*pieces, text[told:start]])
        return "".join([*pieces, text[told:]])

    def finish(self) -> str:
        """What is still held back, for no more comes."""
        rest, self._held = self._held, ""
        return rest

    def _written(self, value: str, token: str) -> str:
        """A token with brackets escaped as in JSON stands in JSON, whatever the form."""
        if self._form is Form.JSON or token.startswith(("\\u", "\\\\")):
            return json.dumps(value)[1:-1]
        return value


def everywhere(text: str, values: Mapping[str, str], least: int = 4) -> list[Span]:
    """Where the ``values``, by entity, of ``least`` characters or more stand in ``text``.

    As whole words: a name that a detector knew in one place it may have missed in another.
    """
    found = []
    for value, entity in values.items():
        start = text.find(value) if len(value) >= least else -1
        while start >= 0:
            end = start + len(value)
            before, after = text[start - 1 : start], text[end : end + 1]
            if not (before.isalnum() and value[0].isalnum()) and not (
                after.isalnum() and value[-1].isalnum()
            ):
                found.append(Span(start, end, entity))
            start = text.find(value, end)
    return found


def _within(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    for span in spans:
        start, end = max(0, span.start), min(len(text), span.end)
        if start < end:
            yield Span(start, end, span.entity)


def _groups(spans: Iterable[Span]) -> Iterator[list[Span]]:
    """Spans in order; those that overlap together."""
    group: list[Span] = []
    end = 0
    for span in sorted(spans):
        if group and span.start >= end:
            yield group
            group = []
        group.append(span)
        end = max(end, span.end)
    if group:
        yield group

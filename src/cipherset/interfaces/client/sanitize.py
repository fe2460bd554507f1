"""Texts sanitized by the gateway's rules, called from Python."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import TypeAdapter

from cipherset.interfaces.client.connection import Connection


@dataclass(frozen=True, slots=True)
class SanitizedTexts:
    """The texts in their order; ``found`` counts by kind, ``withheld`` says which and why."""

    texts: Sequence[str] = field(repr=False)
    found: Sequence[Mapping[str, int]]
    withheld: Mapping[int, str]
    rules: str


_TEXTS: Final = TypeAdapter(SanitizedTexts)


class SanitizeCalls:
    """``/v1/sanitize``."""

    _connection: Connection

    def sanitize(self, texts: Sequence[str], *, key: str | None = None) -> SanitizedTexts:
        """The texts with what must not leave taken out; ``key`` is the name of the stand-ins' key.

        Raises:
            PolicyError: ``not_allowed``.
            UsageError: ``rules_need_key``.
        """
        body = {"texts": list(texts), "key": key}
        answer = self._connection.ask("POST", "/v1/sanitize", body=body)
        return self._connection.told(_TEXTS, answer)

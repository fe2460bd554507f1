"""Detector of what opens doors: private keys, and tokens that begin with what they are.

A password has no form; it is not found here.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from cipherset.pipeline.sanitize.spans import Span

_TOKEN: Final = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])"  # AWS
    r"|gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{22,255}"  # GitHub
    r"|glpat-[A-Za-z0-9_-]{20,255}"  # GitLab
    r"|sk-[A-Za-z0-9_-]{20,255}"  # language model providers
    r"|[sr]k_(?:live|test)_[A-Za-z0-9]{16,255}"  # Stripe
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,255}"  # Slack
    r"|AIza[A-Za-z0-9_-]{35}"  # Google
    r"|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,255}|hf_[A-Za-z0-9]{30,255}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,3}"  # JWT, RFC 7519
    r")"
)
_PEM_BEGIN: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----")
_PEM_END: Final = re.compile(r"-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----")


class CredentialDetector:
    """``SECRET``: well-known tokens, and PEM private keys with or without their end."""

    name: Final = "credentials"
    version: Final = "1"
    entities: Final = frozenset({"SECRET"})

    def detect(self, texts: Sequence[str]) -> list[list[Span]]:
        return [[*self._tokens(text), *self._keys(text)] for text in texts]

    def _tokens(self, text: str) -> Iterator[Span]:
        for match in _TOKEN.finditer(text):
            yield Span(match.start(), match.end(), "SECRET")

    def _keys(self, text: str) -> Iterator[Span]:
        position = 0
        while begin := _PEM_BEGIN.search(text, position):
            end = _PEM_END.search(text, begin.end())
            position = end.end() if end else len(text)
            yield Span(begin.start(), position, "SECRET")

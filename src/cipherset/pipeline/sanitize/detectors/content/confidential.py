"""Detector of what must not leave: marks that are stamped on a text, and secrets of a trade."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from cipherset.pipeline.sanitize.spans import Span, merged

# Said anywhere, these are marks: nobody says them of anything else.
_ANYWHERE: Final = re.compile(
    r"\b(?:strictly|highly|company|commercially|business|commercial)[ -](?:and )?confidential\b"
    r"|\bconfidential (?:and|&) proprietary\b|\bproprietary (?:and|&) confidential\b"
    r"|\b(?:private|privileged) (?:and|&) confidential\b|\bconfidential (?:and|&) privileged\b"
    r"|\b(?:for )?internal (?:use|eyes|distribution) only\b|\binternal[ -]only\b"
    r"|\btrade secrets?\b|\battorney[ -]client privileged?\b|\battorney[ -]work[ -]product\b"
    r"|\b(?:under|subject to|covered by|protected by) (?:an? |our |the )?"
    r"(?:NDA|non-?disclosure agreement)\b"
    r"|\b(?:do )?not (?:to be )?(?:for )?(?:distribut(?:e|ed|ion)|redistribute|disseminate)\b"
    r"(?: outside| externally| without| to third)"
    r"|\bnot for (?:public|external) (?:distribution|release|disclosure|use)\b"
    r"|\bTLP:(?:RED|AMBER(?:\+STRICT)?|GREEN)\b|\bdo not (?:distribute|forward|disclose) outside\b"
    r"|\b(?:company|internal|need-to-know|eyes) (?:secret|eyes only|basis only)\b"
    r"|\bcontains? (?:confidential|proprietary|privileged)(?: (?:and|or|and/or) \w{1,20})? "
    r"(?:information|material|data)\b"
    r"|\b(?:document|e-?mail|message|memo|report|presentation|communication|information|file) "
    r"(?:is|are) (?:strictly |highly |legally )?(?:confidential|proprietary|privileged)\b",
    re.IGNORECASE,
)
# Words that are marks only where a mark stands: on a line of their own, in brackets, in capitals
# at a line's beginning, or after a label.
_MARK: Final = (
    r"(?:strictly |highly |top |company |most )?"
    r"(?:confidential|proprietary|privileged|restricted|classified|secret|sensitive|internal"
    r"|embargoed|unpublished|nda|noforn"
    r"|do not (?:distribute|forward|share|copy|circulate|disclose))"
    r"(?: information| material| data| document| draft| memo| only| use only)?"
)
_EDGE: Final = r"[ \t*#=_~>|/\-\u2013\u2014\u2022]{0,40}"
_OWN_LINE: Final = re.compile(
    rf"^{_EDGE}({_MARK}(?:[ \t]*(?:[-\u2013\u2014|,&+]|//?)[ \t]*{_MARK}){{0,3}})"
    rf"{_EDGE}[.!]?{_EDGE}$",
    re.IGNORECASE | re.MULTILINE,
)
_BRACKETED: Final = re.compile(rf"[\[(\u3010]({_MARK})[\])\u3011]", re.IGNORECASE)
_LABELED: Final = re.compile(
    r"\b(?:classification|sensitivity|security(?: level| marking)?|confidentiality|marking"
    rf"|data class|handling|distribution)[ \t]{{0,3}}[:=][ \t]{{0,3}}[\"']?({_MARK})\b",
    re.IGNORECASE,
)
_CAPITAL: Final = re.compile(
    rf"^{_EDGE}((?:STRICTLY |HIGHLY |TOP |COMPANY )?"
    r"(?:CONFIDENTIAL|PROPRIETARY|PRIVILEGED|RESTRICTED|CLASSIFIED|SECRET|EMBARGOED))"
    r"(?=[ \t]{0,3}[:\-\u2013\u2014|/.!])",
    re.MULTILINE,
)
_SHOUTED: Final = re.compile(r"\bDO NOT (?:DISTRIBUTE|FORWARD|SHARE|COPY|CIRCULATE|DISCLOSE)\b")
# What is said of a secret of the trade: the rest of its sentence goes too, for that is the secret.
_THING: Final = (
    r"(?:formulas?|formulae|formulations?|recipes?|process(?:es)?|algorithms?|methods?|techniques?"
    r"|know-how|compounds?|designs?|blueprints?|schematics?|ingredients?|alloy|composition)"
)
_COMING: Final = (
    r"(?:roadmap|product|launch|feature|prototype|patent|design|chip|model|merger|acquisition"
    r"|takeover|deal|partnership|earnings|layoffs|restructuring|pricing)"
)
_TRADE: Final = re.compile(
    rf"(?:\btrade secrets?\b|\bproprietary (?:\w{{1,20}} ){{0,2}}{_THING}\b"
    r"|\b(?:our|the company's|company|in-house) (?:secret |own |original |\w{1,12}'s )?"
    r"(?:formula|formulation|recipe|blend|secret sauce|know-how)\b(?= (?:for|of|is|uses|has|calls))"
    rf"|\bsecret (?:sauce|{_THING})\b"
    rf"|\b{_THING}(?: (?:for|of) (?:\w{{1,20}} ){{1,3}}| )(?:is|are|stays?|remains?) "
    r"(?:strictly |highly |a |our |kept |still |closely ){0,2}"
    r"(?:proprietary|secret|confidential|trade secret|guarded|known only|not public)\b"
    r"|\b(?:leak(?:ed|s|ing)?|stolen|stole|exfiltrated|copied) (?:\w{1,15} ){0,3}source code\b"
    r"|\bsource code (?:\w{1,15} ){0,8}(?:leak(?:ed|s)?|stolen|exfiltrated|got out|was posted)\b"
    rf"|\b(?:unreleased|unannounced|unpublished|undisclosed|internal|secret) (?:\w{{1,15}} ){{0,2}}"
    rf"{_COMING}\b"
    rf"|\b{_COMING}s? (?:\w{{1,20}} ){{0,8}}"
    r"(?:(?:isn't|not)(?: yet)? (?:public|announced)|unannounced|under embargo)\b"
    r"|(?<!customer )(?<!user )\b(?:acquisition|takeover|merger) "
    r"(?:target|candidate|bid|talks|offer|plan)s?\b(?= ?(?:is|are|:|with|for|remain|must|by|at|\())"
    r"|\b(?:(?:plan|planning|intend|agreed|secretly) (?:to )?|in talks to |about to )"
    r"(?:acquire|take over|buy out|merge with)\b)"
    r"(?:[^.!?\n]|\.(?=\d)){0,240}",
    re.IGNORECASE,
)
_TRADE_HINTS: Final = (
    "secret",
    "propriet",
    "source",
    "recipe",
    "formula",
    "know-how",
    "unreleased",
    "unannounced",
    "unpublished",
    "undisclosed",
    "internal",
    "public",
    "announced",
    "embargo",
    "acqui",
    "takeover",
    "take over",
    "buy out",
    "merge",
    "blend",
    "guarded",
    "known",
)
_LONGEST_LINE: Final = 200  # characters; a mark's own line is short
_HINTS: Final = re.compile(
    "confiden|propriet|privileg|restrict|classif|secret|sensitive|internal|embargo|unpublish|nda"
    "|tlp:|work.product|distribut|disclos|disseminat|eyes.only|non-?disclosure"
    "|not for|do not|noforn",
    re.IGNORECASE,
)


class ConfidentialDetector:
    """``CONFIDENTIAL``: marks such as "Company Confidential" and "TLP:RED".

    The word "confidential" within a sentence is no mark. ``TRADE_SECRET`` is a sentence from the
    words on that say so: "our proprietary formula", "leaked source code", "merger talks with".
    """

    name: Final = "confidentiality marks"
    version: Final = "2"
    entities: Final = frozenset({"CONFIDENTIAL", "TRADE_SECRET"})

    def detect(self, texts: Sequence[str]) -> list[list[Span]]:
        return [[*self._marks(text), *_trade_secrets(text)] for text in texts]

    def _marks(self, text: str) -> list[Span]:
        return merged(self._spans(text)) if _HINTS.search(text) else []

    def _spans(self, text: str) -> Iterator[Span]:
        for pattern in (_ANYWHERE, _SHOUTED):
            for match in pattern.finditer(text):
                yield Span(match.start(), match.end(), "CONFIDENTIAL")
        for pattern in (_BRACKETED, _LABELED):
            for match in pattern.finditer(text):
                yield Span(match.start(1), match.end(1), "CONFIDENTIAL")
        position = 0
        for line in text.splitlines(keepends=True):
            if len(line) <= _LONGEST_LINE and _HINTS.search(line):
                yield from _in_line(line, position)
            position += len(line)


def _trade_secrets(text: str) -> Iterator[Span]:
    small = text.lower()
    if any(hint in small for hint in _TRADE_HINTS):
        for match in _TRADE.finditer(text):
            yield Span(match.start(), match.end(), "TRADE_SECRET")


def _in_line(line: str, position: int) -> Iterator[Span]:
    for pattern in (_OWN_LINE, _CAPITAL):
        match = pattern.search(line.rstrip("\r\n"))
        if match:
            yield Span(position + match.start(1), position + match.end(1), "CONFIDENTIAL")

"""What the name of a column says it holds, in English and the larger languages of Europe.

A hint, and treated as one: it is told apart from what detectors found, and a name that speaks
about the thing (``email_count``, ``is_phone_verified``) is none.
"""

import re
import unicodedata
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

_SCORES: Final = frozenset({"FINANCIAL"})  # "credit score" is the thing itself
_WORD: Final = re.compile(r"[a-z]+|\d+")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def _words(text: str) -> list[str]:
    """Lower-case words without accents: ``clientIP``, ``client-ip`` and ``Client IP`` are one."""
    parted = unicodedata.normalize("NFKD", _CAMEL.sub(" ", text).replace("ß", "ss"))
    plain = "".join(letter for letter in parted if not unicodedata.combining(letter))
    return _WORD.findall(plain.lower())


def _read() -> dict[str, list[str]]:
    """By entity, the phrases of ``names.txt``."""
    text = files("cipherset.pipeline.sanitize.label").joinpath("names.txt").read_text("utf-8")
    entries = re.findall(r"^(\w+):((?:.+\n(?: {3,}.+\n)*))", text, re.MULTILINE)
    return {entity: [each.strip() for each in listed.split(";")] for entity, listed in entries}


def _entries(phrases: Mapping[str, list[str]]) -> list[tuple[tuple[str, ...], bool, str]]:
    """Words, whether they must be the whole name, and the entity; the longest phrase first."""
    entries = [
        (tuple(_words(phrase)), phrase.startswith("="), entity)
        for entity, listed in phrases.items()
        for phrase in listed
    ]
    return sorted(entries, key=lambda entry: len(entry[0]), reverse=True)


_PHRASES: Final = _read()
_ABOUT: Final = frozenset(_PHRASES.pop("ABOUT"))
_ENTRIES: Final = _entries(_PHRASES)


def named(column: str, *, flags: frozenset[str] = frozenset()) -> str | None:
    """The entity that a column's name speaks of, None where it speaks of none.

    Args:
        column: The name, in any casing.
        flags: Entities that even a column *about* them tells (``has_diabetes``).

    >>> named("customerEmail"), named("email_count"), named("fecha_nacimiento")
    ('EMAIL', None, 'DATE_OF_BIRTH')
    """
    words = _words(column)
    for phrase, is_whole, entity in _ENTRIES:
        rest = _without(words, phrase, is_whole=is_whole)
        if rest is None:
            continue
        about = not _ABOUT.isdisjoint(rest)
        if about and entity not in flags and entity not in _SCORES:
            return None
        return entity
    return None


def _without(words: list[str], phrase: tuple[str, ...], *, is_whole: bool) -> list[str] | None:
    """The words beside ``phrase``, which may be one (``dateofbirth``); None if it is not there."""
    if is_whole:
        return [] if words == list(phrase) else None
    squeezed = "".join(phrase)
    if len(phrase) > 1 and squeezed in words:
        return [word for word in words if word != squeezed]
    for start in range(len(words) - len(phrase) + 1):
        if tuple(words[start : start + len(phrase)]) == phrase:
            return words[:start] + words[start + len(phrase) :]
    return None

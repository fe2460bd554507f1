"""What the name lists say of a word. ``data/`` holds them, each with its source and license."""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from cipherset.pipeline.sanitize.detectors import shipped
from cipherset.pipeline.sanitize.detectors.names import cues
from cipherset.pipeline.sanitize.detectors.names.words import folded

# Above these ranks a name needs less beside it, and above the first nothing: not even a capital.
_FAMILIAR_GIVEN: Final = 1100
_COMMON_GIVEN: Final = 1500
_COMMON_SURNAME: Final = 2500

# Grammar, greetings, days, titles and relatives: never a name, whatever a list says.
_NEVER: Final = shipped.cues("never")

# Towns that are called what many more people are.
_PEOPLE_FIRST: Final = shipped.cues("people_first")


@dataclass(frozen=True, slots=True)
class Known:
    """What a word is known as; several at once, or nothing."""

    is_given: bool = False
    is_surname: bool = False
    is_word: bool = False
    is_place: bool = False
    is_never: bool = False
    is_common_given: bool = False
    is_common_surname: bool = False
    is_familiar: bool = False
    is_name: bool = False
    """Whether a list of names has it."""
    is_plain: bool = False
    """Whether it is also something other than a name."""


@lru_cache(maxsize=65_536)
def known(key: str) -> Known:
    """What the lists say of ``key``; of one with hyphens, what they say of all its parts."""
    if key in _NEVER:
        return Known(is_word=True, is_never=True, is_plain=True)
    said = _of_whole(key)
    if said != _NOTHING or "-" not in key:
        return said
    parts = [_of_whole(part) for part in key.split("-") if len(part) > 1]
    if any(part.is_name and not part.is_plain for part in parts):
        given = parts[0].is_given
        return Known(is_given=given, is_surname=not given, is_name=True)
    word = all(part.is_word for part in parts)
    return Known(is_word=word, is_plain=word)


def _of_whole(key: str) -> Known:
    given = _ranks("given_names.txt").get(key)
    surname = _ranks("surnames.txt").get(key)
    word = key in _ranks("words.txt") or key in cues.WORDS
    place = (key,) in places() and key not in _PEOPLE_FIRST
    return Known(
        is_given=given is not None,
        is_surname=surname is not None,
        is_word=word,
        is_place=place,
        is_common_given=given is not None and given < _COMMON_GIVEN,
        is_common_surname=surname is not None and surname < _COMMON_SURNAME,
        is_familiar=given is not None and given < _FAMILIAR_GIVEN,
        is_name=given is not None or surname is not None,
        is_plain=word or place,
    )


_NOTHING: Final = Known()


@cache
def _ranks(name: str) -> dict[str, int]:
    """Each name or word of a list, by its place there."""
    return {
        word: rank
        for rank, word in enumerate(word for line in shipped.lines(name) for word in line.split())
    }


@cache
def places() -> frozenset[tuple[str, ...]]:
    """Countries, regions and cities, each as its words."""
    return countries() | _as_words(shipped.lines("places.txt"))


@cache
def countries() -> frozenset[tuple[str, ...]]:
    """Countries and parts of the world."""
    return _as_words(shipped.lines("countries.txt"))


@cache
def place_beginnings() -> frozenset[str]:
    """The first words of places."""
    return frozenset(words[0] for words in places())


def _as_words(written: list[str]) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(folded(line).replace(".", "").split()) for line in written)

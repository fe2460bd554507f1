"""Names that their place in a text tells of: below a closing, in an address, before a verb.

Each function is given a word and yields the ranges of words that are a name there.
"""

import re
from collections.abc import Iterator
from typing import Final

from cipherset.pipeline.sanitize.detectors import shipped
from cipherset.pipeline.sanitize.detectors.names import cues
from cipherset.pipeline.sanitize.detectors.names.lists import known
from cipherset.pipeline.sanitize.detectors.names.naming import Reading
from cipherset.pipeline.sanitize.detectors.names.words import Case

_ADDRESSING: Final = shipped.cues("addressing")
_CLOSINGS: Final = shipped.cues("closings")
_DOING: Final = shipped.cues("doing")
_HUMAN: Final = shipped.cues("human")
_STRANGE_DOING: Final = _HUMAN | shipped.cues("strange_doing")
_ALL_DOING: Final = _DOING | _HUMAN
_ENDINGS: Final = tuple(shipped.cues("endings"))
_FAMOUS: Final = frozenset(tuple(name.split()) for name in shipped.cues("famous"))
_FAMOUS_FIRST: Final = frozenset(name[0] for name in _FAMOUS)
_COMMON: Final = shipped.cues("famous_words")
_NO_FORM: Final = shipped.cues("no_form")
_OBJECTS: Final = shipped.cues("no_addressee")
_PLACE_OR_THING_BEFORE: Final = shipped.cues("thing_before")
_PERSON_BEFORE: Final = shipped.cues("person_before")
PRODUCTS: Final = shipped.cues("products")
_LAST_WORDS: Final = ("thank you", "thanks", "regards", "sincerely")
_HERE: Final = frozenset({"this is", "i am", "it is"})
_HAILS: Final = frozenset({"hi", "hey", "hello", "dear", "hiya"})
_GAPS: Final = frozenset({" ", ", ", "  "})
_WORD: Final = re.compile(r"[^\W\d_]+")
_SIZES: Final = (3, 2, 1)  # words of a famous name
_PAIR: Final = 2
_LOOKED_AT: Final = 60  # characters beside a word
_KIN: Final = cues.RELATIVES - shipped.cues("no_kin")
_OWNERS: Final = frozenset({"my", "his", "her", "our", "their", "your"})
_CALLING: Final = frozenset({"from", "at", "in", "here", "calling", "speaking", "again"})
_LINE_END: Final = re.compile(r"[ \t,.!]{0,4}(?:\r?\n|\Z|[|(<])")
_PAUSE: Final = re.compile(r"[ \t]{0,2}(?:[,.!?:;)\u2013-]|\r?\n|\Z)")
_DASHES: Final = re.compile(
    r"(?:^|\n)[ \t]{0,3}(?:-{1,3}|\u2014|\u2013|_{2,40}|~)[ \t]{0,3}\r?\n?[ \t]{0,3}\Z"
)
_TAIL: Final = re.compile(
    r"(?:^|\n)[ \t>]{0,4}([^\n]{1,40}?)[ \t]{0,3}[,.!]?[ \t]{0,3}(?:\r?\n){1,3}[ \t>]{0,4}\Z"
)
_PRONOUNS: Final = re.compile(
    r" ?[(\[](?:she|he|they|ze|xe)/(?:her|hers|him|his|them|theirs)", re.IGNORECASE
)
FORE: Final = frozenset({"van", "von", "bin", "ibn"})
_BY_FORM: Final = re.compile(r"(?:O['\u2019]|Mc|D['\u2019]|Fitz)[A-Z][a-z]{2,}\Z")
# What is said of a thing: "is a tool", "has been", "was added".
_DEFINING: Final = re.compile(
    r" (?:is|was|has|had|made|makes|took|called|should|just|always|never)"
    r" (?:an?|the|not|now|also|been|no|be"
    r"|\w{2,14}ed|used|down|available|free|open|built|support\w*|slow|fast|broken|currently)\b"
)
_POSSESSED: Final = re.compile(r" ?['\u2019] ?s\b")
_LONGEST: Final = 4  # words of a signature
_SHORT: Final = 3  # letters; shorter ones in small letters are other words too


def by_context(reading: Reading, index: int) -> Iterator[tuple[int, int]]:
    """The names that begin at word ``index`` and that what stands around them tells of."""
    word = reading.words[index]
    if word.key in _FAMOUS_FIRST:
        yield from _famous(reading, index)
    if not reading.said[index].is_never and reading.is_apart(index):
        if _begins_line(reading, index):
            yield from _signed(reading, index)
        yield from _addressed(reading, index)
        if word.key in FORE and word.case is Case.LOWER:
            yield from _particled(reading, index)
        if word.case is Case.TITLE:
            yield from _strange(reading, index)
            yield from _doing(reading, index)
            yield from _formed(reading, index)
            yield from _kin(reading, index)


def _famous(reading: Reading, index: int) -> Iterator[tuple[int, int]]:
    """Those who are known by one name, in any case if the name is no other word."""
    if not reading.is_apart(index) or reading.is_of_other(index, index + 1):
        return
    for size in _SIZES:
        end = index + size
        keys = tuple(word.key for word in reading.words[index:end])
        if keys not in _FAMOUS or not all(map(reading.is_joined, range(index, end - 1))):
            continue
        plain = size == 1 and (reading.said[index].is_plain or keys[0] in _COMMON)
        if not plain or reading.words[index].case is Case.TITLE:
            yield index, end
        return


def _begins_line(reading: Reading, index: int) -> bool:
    start = reading.words[index].start
    before = reading.text[max(0, start - 4) : start].rstrip(" \t>")
    return not before or before[-1] in "\n\r-\u2014\u2013~"


def _signed(reading: Reading, index: int) -> Iterator[tuple[int, int]]:
    """The words of a line below "Regards," or dashes, if all may be a name."""
    text, start = reading.text, reading.words[index].start
    before = text[max(0, start - _LOOKED_AT) : start]
    if not start or not (_DASHES.search(before) or _is_closing(before)):
        return
    end = index
    while end < len(reading) and end - index < _LONGEST and _may_sign(reading, end):
        end += 1
        if not reading.is_joined(end - 1):
            break
    if end == index or not _LINE_END.match(text, reading.words[end - 1].end):
        return
    said = reading.said[index:end]
    named = any(each.is_name for each in said)
    strange = all(not each.is_word for each in said) and len(reading.words[index].key) > 1
    upper = all(word.case is Case.UPPER for word in reading.words[index:end])
    if named or (strange and not upper and reading.words[index].is_capital):
        yield index, end


def _is_closing(before: str) -> bool:
    match = _TAIL.search(before)
    if match is None:
        return False
    said = " ".join(_WORD.findall(match[1].lower()))
    return said in _CLOSINGS or any(said.endswith(" " + closing) for closing in _LAST_WORDS)


def _may_sign(reading: Reading, index: int) -> bool:
    word, said = reading.words[index], reading.said[index]
    if word.key in cues.PARTICLES or word.case is Case.INITIAL:
        return True
    if said.is_never or (said.is_word and not said.is_name):
        return False
    if word.key.endswith(_ENDINGS) and not said.is_name:
        return False
    return word.is_capital or (said.is_given and not said.is_word)


def _addressed(reading: Reading, index: int) -> Iterator[tuple[int, int]]:
    """A given name behind "hi", "thanks", "ask", "spoke with", in small letters too."""
    word, said = reading.words[index], reading.said[index]
    if not index or not said.is_given or word.case not in {Case.LOWER, Case.TITLE}:
        return
    before = reading.words[index - 1].key
    pair = f"{reading.words[index - 2].key} {before}" if index > 1 else before
    if reading.gap(index - 1) not in _GAPS or not {before, pair} & _ADDRESSING:
        return
    if len(word.key) < _SHORT or word.key in _OBJECTS:
        return
    hailed = before in cues.GREETINGS or pair == "thank you"
    hailed = hailed and _PAUSE.match(reading.text, word.end) is not None
    if _is_sure(reading, index) or (hailed and not said.is_place and _is_hailed(reading, index)):
        yield index, index + 1


def _is_sure(reading: Reading, index: int) -> bool:
    """Whether a given name that is addressed is no other word."""
    word, said = reading.words[index], reading.said[index]
    if said.is_plain or word.key in cues.NOT_ALONE:
        return False
    return word.case is Case.TITLE or said.is_common_given or len(word.key) > _SHORT


def _is_hailed(reading: Reading, index: int) -> bool:
    """Whether a given name that is a word too stands as a name where a greeting ends with it."""
    if reading.words[index].case is Case.TITLE:
        return True
    return reading.said[index].is_common_given and reading.words[index - 1].key in _HAILS


def _doing(reading: Reading, index: int) -> Iterator[tuple[int, int]]:
    """A given name, or a word on no list, that has something or does something."""
    said, key = reading.said[index], reading.words[index].key
    end = reading.run(index)
    verb = _verb(reading, end)
    if verb not in _ALL_DOING or said.is_place or not _is_free(reading, index, end):
        return
    if said.is_given:
        sure = key not in cues.NOT_ALONE
    else:
        sure = may_be_strange(reading, index) and verb in _STRANGE_DOING
        sure = sure and not _DEFINING.match(reading.text, reading.words[end - 1].end)
    if sure:
        yield index, end


def _is_free(reading: Reading, index: int, end: int) -> bool:
    """Whether words ``index:end`` may be one name, of two words at most."""
    said = reading.said[index:end]
    if not 1 <= len(said) <= _PAIR or reading.is_of_other(index, end) or said[-1].is_never:
        return False
    if said[0].is_plain and not said[0].is_common_given:
        return False
    return not any(each.is_plain and not each.is_name for each in said)


def _verb(reading: Reading, end: int) -> str:
    """The small word at ``end``; "is" for a possessive; nothing if there is none."""
    if not end:
        return ""
    if _POSSESSED.match(reading.text, reading.words[end - 1].end):
        return "is"
    if end == len(reading) or reading.gap(end - 1) != " ":
        return ""
    return reading.words[end].key if reading.words[end].case is Case.LOWER else ""


def _formed(reading: Reading, index: int) -> Iterator[tuple[int, int]]:
    """``O'Shaughnessy``, ``McAllister``, and capital words before ``(she/her)``."""
    word = reading.words[index]
    if reading.is_of_other(index, index + 1):
        return
    written = reading.text[word.start : word.end]
    if _BY_FORM.match(written) and not reading.said[index].is_word and word.key not in _NO_FORM:
        yield index, index + 1
    if "/" in reading.text[word.end : word.end + _LOOKED_AT]:
        end = reading.run(index)
        if _PRONOUNS.match(reading.text, reading.words[end - 1].end):
            yield index, end


def _kin(reading: Reading, index: int) -> Iterator[tuple[int, int]]:
    """A capital word on no list behind "my manager", or between "this is" and "from"."""
    said = reading.said[index]
    if index < _PAIR or said.is_plain:
        return
    first, before = reading.words[index - 2].key, reading.words[index - 1].key
    end = reading.run(index)
    told = first in _OWNERS and before in _KIN and reading.gap(index - 1) in {" ", ", "}
    after = reading.words[end].key if end < len(reading) and reading.is_joined(end - 1) else ""
    here = f"{first} {before}" in _HERE or before == "i'm"
    if not told and not (here and after in _CALLING):
        return
    if reading.is_of_other(index, end) or any(each.is_word for each in reading.said[index:end]):
        return
    yield index, end


def _particled(reading: Reading, index: int) -> Iterator[tuple[int, int]]:
    """``van der Berg`` without a first name; ``van`` alone may be a car."""
    end = index + 1
    while end < min(index + _LONGEST, len(reading)) and reading.words[end].key in cues.PARTICLES:
        if not reading.is_joined(end - 1) or reading.words[end].case is not Case.LOWER:
            return
        end += 1
    lone = end == index + 1 and reading.words[index].key == "van"
    if end >= len(reading) or not reading.is_joined(end - 1) or lone:
        return
    if reading.words[end].case is Case.TITLE and not reading.said[end].is_never:
        yield index, end + 1


def _strange(reading: Reading, index: int) -> Iterator[tuple[int, int]]:
    """A capital word on no list amid small ones, where a person would stand."""
    if not index or not may_be_strange(reading, index):
        return
    end = reading.run(index)
    if end - index > _PAIR or reading.is_of_other(index, end):
        return
    if any(reading.said[at].is_plain for at in range(index, end)) or not reading.is_apart(end - 1):
        return
    before = reading.words[index - 1]
    if not reading.is_joined(index - 1) or before.case is not Case.LOWER:
        return
    listed = reading.said[index].is_name and before.key not in _PLACE_OR_THING_BEFORE
    if listed or before.key in _PERSON_BEFORE:
        yield index, end


def may_be_strange(reading: Reading, index: int) -> bool:
    """Whether a capital word may be a name on no list; a product or a language's word is none."""
    if reading.words[index].case is not Case.TITLE or reading.said[index].is_plain:
        return False
    key = reading.words[index].key
    singular = key.removesuffix("s")
    written = reading.text[reading.words[index].start :][:2]
    parts = [singular, *(key.split("-") if "-" in key else ())]
    ending = key.endswith(_ENDINGS) or not written[1:].islower()
    ending = ending or any(known(part).is_word for part in parts)
    return len(key) > _SHORT and not ending and key not in PRODUCTS and singular not in PRODUCTS

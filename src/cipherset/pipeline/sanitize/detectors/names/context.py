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
_ENDINGS: Final = tuple(shipped.cues("endings"))
_FAMOUS: Final = frozenset(tuple(name.split()) for name in shipped.cues("famous"))
_FAMOUS_FIRST: Final = frozenset(name[0] for name in _FAMOUS)
_KIN: Final = cues.RELATIVES - shipped.cues("no_kin")
_OWNERS: Final = frozenset({"my", "his", "her", "our", "their", "your"})
_CALLING: Final = frozenset({"from", "at", "in", "here", "calling", "speaking", "again"})
_LINE_END: Final = re.compile(r"[ \t,.!]{0,4}(?:\r?\n|\Z|[|(<])")
_PAUSE: Final = re.compile(r"[ \t]{0,2}(?:[,.!?:;)\u2013-]|\r?\n|\Z)")
_DASHES: Final = re.compile(r"(?:^|\n)[ \t]{0,3}(?:-{1,3}|\u2014|\u2013|_{2,40}|~)[ \t]{0,3}\r?\n?[ \t]{0,3}\Z")
_TAIL: Final = re.compile(r"(?:^|\n)[ \t>]{0,4}([^\n]{1,40}?)[ \t]{0,3}[,.!]?[ \t]{0,3}(?:\r?\n){1,3}[ \t>]{0,4}\Z")
_PRONOUNS: Final = re.compile(r" ?[(\[](?:she|he|they|ze|xe)/(?:her|hers|him|his|them|theirs)", re.IGNORECASE)
FORE: Final = frozenset({"van", "von", "bin", "ibn"})
_BY_FORM: Final = re.compile(r"(?:O['\u2019]|Mc|D['\u2019]|Fitz)[A-Z][a-z]{2,}\Z")
# What is said of a thing: "is a tool", "has been", "was added".
_DEFINING: Final = re.compile(
    r" (?:is|was|has|had|made|makes|took|called|should|just|always|never) (?:an?|the|not|now|also|been|no|be"
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
    for size in (3, 2, 1):
        end = index + size
        keys = tuple(word.key for word in reading.words[index:end])
        if keys not in _FAMOUS or not all(map(reading.is_joined, range(index, end - 1))):
            continue
        plain = size == 1 and (reading.said[index].is_plain or keys[0] in _COMMON)
        if not plain or reading.words[index].case is Case.TITLE:
            yield index, end
        return


_COMMON: Final = shipped.cues("famous_words")


def _begins_line(reading: Reading, index: int) -> bool:
    start = reading.words[index].start
    before = reading.text[max(0, start - 4) : start].rstrip(" \t>")
    return not before or before[-1] in "\n\r-\u2014\u2013~"


def _signed(reading: Reading, index: int) -> Iterator[tuple[int, int]]:
    """The words of a line below "Regards," or dashes, if all may be a name."""
    text, start = reading.text, reading.words[index].start
    before = text[max(0, start - 60) : start]
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
    said = " ".join(re.findall(r"[^\W\d_]+", match[1].lower()))
    return said in _CLOSINGS or any(said.endswith(" " + closing) for closing in _LAST_WORDS)


_LAST_WORDS: Final = ("thank you", "thanks", "regards", "sincerely")


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
    if not index or word.case not in {Case.LOWER, Case.TITLE}:
        return
    gap = reading.gap(index - 1)
    before = reading.words[index - 1].key
    pair = f"{reading.words[index - 2].key} {before}" if index > 1 else before
    if gap not in {" ", ", ", "  "} or not (before in _ADDRESSING or pair in _ADDRESSING):
        return
    listed = said.is_given and len(word.key) >= _SHORT and word.key not in _OBJECTS
    if not listed:
        return
    pause = _PAUSE.match(reading.text, word.end) is not None
    opens = before in cues.GREETINGS or pair == "thank you"
    if said.is_plain:
        small = word.case is Case.LOWER and not (said.is_common_given and before in _HAILS)
        if small or not (opens and pause) or said.is_place:
            return
    elif word.case is Case.LOWER and not (said.is_common_given or opens or len(word.key) > _SHORT):
        return
    elif word.case is Case.LOWER and word.key in cues.NOT_ALONE and not (opens and pause):
        return
    yield index, index + 1


_HAILS: Final = frozenset({"hi", "hey", "hello", "dear", "hiya"})
_OBJECTS: Final = shipped.cues("no_addressee")


def _doing(reading: Reading, index: int) -> Iterator[tuple[int, int]]:
    """A given name, or a word on no list, that begins a sentence and does something."""
    said = reading.said[index]
    end = reading.run(index)
    if said.is_plain and not said.is_common_given:
        return
    last = reading.said[end - 1] if end > index else said
    if end - index > 2 or last.is_never or reading.is_of_other(index, end):
        return
    if any(each.is_plain and not each.is_name for each in reading.said[index:end]):
        return
    if reading.text[reading.words[end - 1].end :][:8] and _POSSESSED.match(
        reading.text, reading.words[end - 1].end
    ):
        verb = "is"
    elif end < len(reading) and reading.gap(end - 1) == " ":
        if reading.words[end].case is not Case.LOWER:
            return
        verb = reading.words[end].key
    else:
        return
    key = reading.words[index].key
    if said.is_given:
        if verb in _DOING | _HUMAN and not said.is_place and key not in cues.NOT_ALONE:
            yield index, end
    elif verb in _HUMAN and may_be_strange(reading, index) and not said.is_plain:
        yield index, end
    elif verb in _STRANGE_DOING and may_be_strange(reading, index) and not said.is_plain:
        if not _DEFINING.match(reading.text, reading.words[end - 1].end):
            yield index, end


def _formed(reading: Reading, index: int) -> Iterator[tuple[int, int]]:
    """``O'Shaughnessy``, ``McAllister``, and capital words before ``(she/her)``."""
    word = reading.words[index]
    if reading.is_of_other(index, index + 1):
        return
    written = reading.text[word.start : word.end]
    if _BY_FORM.match(written) and not reading.said[index].is_word and word.key not in _NO_FORM:
        yield index, index + 1
    if "/" in reading.text[word.end : word.end + 60]:
        end = reading.run(index)
        if _PRONOUNS.match(reading.text, reading.words[end - 1].end):
            yield index, end


_NO_FORM: Final = shipped.cues("no_form")


def _kin(reading: Reading, index: int) -> Iterator[tuple[int, int]]:
    """A capital word on no list behind "my manager", or between "this is" and "from"."""
    said = reading.said[index]
    if index < 2 or said.is_plain:
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


_HERE: Final = frozenset({"this is", "i am", "it is"})


def _particled(reading: Reading, index: int) -> Iterator[tuple[int, int]]:
    """``van der Berg`` without a first name; ``van`` alone may be a car."""
    end = index + 1
    while end < len(reading) and reading.words[end].key in cues.PARTICLES:
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
    word, said = reading.words[index], reading.said[index]
    if said.is_plain or not may_be_strange(reading, index):
        return
    end = reading.run(index)
    if end - index > 2 or reading.is_of_other(index, end) or not index:
        return
    if any(reading.said[at].is_plain for at in range(index, end)) or not reading.is_apart(end - 1):
        return
    before = reading.words[index - 1]
    if not reading.is_joined(index - 1) or before.case is not Case.LOWER:
        return
    if before.key in _PERSON_BEFORE:
        yield index, end


_PERSON_BEFORE: Final = shipped.cues("person_before")
PRODUCTS: Final = shipped.cues("products")


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

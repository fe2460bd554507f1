"""Detector of people's names: cues that tell of one, and lists of names. No model.

A name that a cue or a second name tells of is found again wherever it stands alone in the text.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from cipherset.pipeline.sanitize.detectors.names import cues
from cipherset.pipeline.sanitize.detectors.names.context import FORE, by_context
from cipherset.pipeline.sanitize.detectors.names.naming import Cue, Reading
from cipherset.pipeline.sanitize.detectors.names.tables import below
from cipherset.pipeline.sanitize.detectors.names.words import Case, word_at
from cipherset.pipeline.sanitize.spans import Span, merged

_AGAIN: Final = 3  # letters that a name needs to be looked for again
_SEPARATOR: Final = re.compile(
    r"[\"'\u201d\u2019*\])]{0,4}[ \t]{0,8}(?:[:=|>\uff1a]|&gt;)[ \t*\"'\u201c\u2018\[(]{0,8}"
)
_TAG: Final = re.compile(
    r"[\"']{0,2}[ \t]{0,8}[:=|][ \t\"'\[]{0,8}|(?:[ \t][^<>]{0,120})?(?:>|&gt;)\s{0,8}"
)
_TAG_STARTS: Final = frozenset("<:")
_CLOSING: Final = re.compile(r"[,.!\u2013-]{0,2}\s{0,6}[\u2013-]{0,2} ?")
_AFTER_GREETING: Final = re.compile(r"[ \t]{0,3}(?:[,!:.;\u2013-]|\r?\n|\Z)")
_WITHIN: Final = frozenset({" ", "_", "-", "."})
_PARTS: Final = frozenset({"given", "family"})  # keys of JSON; as words they are others
_QUOTES: Final = frozenset("\"'")
_QUALIFIED: Final = frozenset({"name", "names"})
_LONGEST_HEADING: Final = 4  # words
_IS: Final = frozenset({"'s ", "\u2019s "})
_AFTER_RELATIVE: Final = frozenset({" ", ", "})
_ARTICLES: Final = frozenset({"the", "a", "an"})
_ENTRY_END: Final = re.compile(r"\.?[ \t]{0,4}(?:[\r\n;|(<)\t]|\d|\Z)")
_LAST_FIRST: Final = frozenset({", ", ","})


class NameDetector:
    """``PERSON``: names told by a title, a greeting, a label or a verb, or found on lists.

    The lists are of the US, Europe and romanized names of some other countries; a name on no list
    and without a cue is not found.
    """

    name: Final = "name lists and cues"
    version: Final = "2"
    entities: Final = frozenset({"PERSON"})

    def detect(self, texts: Sequence[str]) -> list[list[Span]]:
        return [_people(text) for text in texts]


def _people(text: str) -> list[Span]:
    reading = Reading(text)
    told: list[tuple[int, int]] = []
    for index in range(len(reading)):
        told += _at(reading, index)
    told += _in_tables(reading)
    told += _again(reading, told)
    words = reading.words
    return merged(Span(words[start].start, words[end - 1].end, "PERSON") for start, end in told)


def _at(reading: Reading, index: int) -> Iterator[tuple[int, int]]:
    """The names that word ``index`` begins or tells of, as ranges of words."""
    word = reading.words[index]
    if word.case is Case.LOWER and not reading.said[index].is_name and not _may_tell(word.key):
        return
    end = reading.listed(index)
    if end > index:
        yield index, end
    elif _stands_alone(reading, index):
        yield index, index + 1
    for after, cue in _cued(reading, index):
        if after < len(reading):
            start, end = reading.told(after, cue)
            if end > start:
                yield start, end
    yield from by_context(reading, index)
    yield from _labeled(reading, index)
    yield from _before_verb(reading, index)
    yield from _versus(reading, index)
    yield from _last_first(reading, index)


def _may_tell(key: str) -> bool:
    return key in _TELLING or key.endswith("name") or "-" in key


def _stands_alone(reading: Reading, index: int) -> bool:
    """Whether the word is a given name that needs no other beside it."""
    word, said = reading.words[index], reading.said[index]
    if not said.is_given or word.case is Case.INITIAL:
        return False
    if not reading.is_apart(index) or reading.is_of_other(index, index + 1):
        return False
    if word.case is Case.TITLE and reading.is_of_other(index, reading.run(index)):
        return False
    if word.case in {Case.LOWER, Case.UPPER}:
        free = word.key not in cues.NOT_ALONE and not said.is_plain
        return said.is_familiar and free and len(word.key) > _AGAIN
    if word.key in cues.NOT_ALONE or (index and reading.words[index - 1].key in _ARTICLES):
        return False
    if said.is_plain:
        return said.is_common_given and _is_amid_small(reading, index)
    rare = len(word.key) > _AGAIN and not said.is_common_surname
    return said.is_common_given or (rare and not reading.is_first(index))


def _is_amid_small(reading: Reading, index: int) -> bool:
    """Whether the capital letter of a word is the only one around: it says something then."""
    if reading.is_first(index) or reading.said[index].is_place or reading.said[index].is_never:
        return False
    near = [reading.words[at] for at in (index - 1, index + 1) if 0 <= at < len(reading)]
    return all(word.case is Case.LOWER for word in near)


def _cued(reading: Reading, index: int) -> Iterator[tuple[int, Cue]]:
    """Where a name may begin that word ``index`` tells of, and how surely."""
    word = reading.words[index]
    if index + 1 == len(reading):
        return
    if word.key in cues.TITLES and _follows_title(reading, index):
        yield index + 1, Cue.CLEAR
    if word.key in _BY_LAST:
        yield from _introduced(reading, index)
    relative = word.key in cues.RELATIVES and reading.gap(index) in _AFTER_RELATIVE
    if relative and reading.words[index + 1].case is Case.TITLE:
        yield index + 1, Cue.LOOSE
    if word.key in cues.GREETINGS:
        yield from _greeted(reading, index)


def _introduced(reading: Reading, index: int) -> Iterator[tuple[int, Cue]]:
    """Behind "my name is" and its like, of which ``index`` is the last word."""
    word = reading.words[index]
    if word.key == "name" and reading.text[word.end : word.end + 3] in _IS:
        yield index + 1, Cue.OUTRIGHT
    if not reading.is_joined(index):
        return
    for phrase in _BY_LAST[word.key]:
        first = index - len(phrase) + 1
        if first >= 0 and tuple(each.key for each in reading.words[first : index + 1]) == phrase:
            yield index + 1, _how_surely(" ".join(phrase))


def _how_surely(phrase: str) -> Cue:
    if phrase in cues.LOOSE_INTRODUCTIONS:
        return Cue.LOOSE
    return Cue.OUTRIGHT if phrase in cues.OUTRIGHT_INTRODUCTIONS else Cue.CLEAR


def _follows_title(reading: Reading, index: int) -> bool:
    word = reading.words[index]
    if word.key in cues.CAPITAL_TITLES and word.case is not Case.TITLE:
        return False
    return reading.gap(index) in {" ", ". ", ".", "  ", "\u00a0"}


def _greeted(reading: Reading, index: int) -> Iterator[tuple[int, Cue]]:
    """A single word on no list counts if the greeting ends with it, as in "Dear Xu,"."""
    gap = reading.gap(index)
    match = _CLOSING.fullmatch(gap)
    if match is None or not gap:
        return
    start = index + 1
    end = reading.run(start)
    if end == start:
        yield start, Cue.LOOSE
        return
    ends = _AFTER_GREETING.match(reading.text, reading.words[end - 1].end)
    opens = reading.is_first(index) and end - start < _AGAIN
    formal = reading.words[index].key not in cues.LOOSE_GREETINGS or "\n" in gap
    yield start, Cue.CLEAR if ends and opens and formal else Cue.LOOSE


def _labeled(reading: Reading, index: int) -> Iterator[tuple[int, int]]:
    word = reading.words[index]
    label = word.key.rpartition("-")[2]
    of_person = label.endswith("name") and label.removesuffix("name") in cues.NAME_PARTS
    if label not in cues.LABELS and not of_person:
        return
    tag = reading.text[word.start - 1 : word.start] in _TAG_STARTS
    match = (_TAG if tag else _SEPARATOR).match(reading.text, word.end)
    if match is None:
        return
    start = word_at(reading.words, match.end())
    if start == len(reading) or reading.words[start].start != match.end():
        return
    qualified = index and reading.gap(index - 1) in _WITHIN and label in _QUALIFIED
    exact = qualified and reading.words[index - 1].key in cues.NAME_PARTS
    exact = exact or (label in _PARTS and (tag or reading.text[word.end] in _QUOTES))
    loose = not exact and label in cues.LOOSE_LABELS
    start, end = reading.told(start, Cue.LOOSE if loose else Cue.CLEAR)
    sure = label in cues.LABELS and label not in cues.FIRM_LABELS
    if end == start and (sure or reading.words[start].case is Case.UNCASED):
        end = reading.fills(start)
    if end > start:
        yield start, end


def _in_tables(reading: Reading) -> Iterator[tuple[int, int]]:
    """The fields below a heading such as ``name`` that hold nothing but what may be a name."""
    for low, high in below(reading.text, _is_heading):
        start = word_at(reading.words, low)
        end = word_at(reading.words, high)
        rest = reading.text[low:high].strip(" \t\"'")
        if start < end and rest[:1].isalpha() and reading.fills(start) == end:
            yield start, end


def _is_heading(heading: str) -> bool:
    """Whether people's names stand below a heading."""
    parts = heading.replace("_", " ").replace("-", " ").split()
    own = cues.LABELS - cues.FIRM_LABELS
    return len(parts) < _LONGEST_HEADING and bool(parts) and parts[-1] in own


def _before_verb(reading: Reading, index: int) -> Iterator[tuple[int, int]]:
    """A capital word on no list before "said", "wrote" and their like."""
    verb = reading.words[index]
    if verb.key not in cues.SPEECH or verb.case is not Case.LOWER or not index:
        return
    last = index - 1
    if not reading.is_joined(last) or not _is_free(reading, last):
        return
    first = last
    while first and reading.is_joined(first - 1) and _is_free(reading, first - 1):
        first -= 1
    if not reading.is_apart(first):
        return
    known = any(reading.said[at].is_name for at in range(first, index))
    if (known or not reading.is_first(first)) and not reading.is_of_other(first, index):
        yield first, index


def _versus(reading: Reading, index: int) -> Iterator[tuple[int, int]]:
    """Both sides of ``Marbury v. Madison``, where a side may be a person."""
    word = reading.words[index]
    dot = reading.text[word.end : word.end + 2] == ". "
    if word.key != "v" or word.case is not Case.LOWER or not dot or not index:
        return
    first = index - 1
    while first and reading.words[first - 1].case is Case.TITLE and reading.is_joined(first - 1):
        if reading.said[first - 1].is_plain:
            break
        first -= 1
    before = reading.gap(index - 1) == " " and reading.words[index - 1].is_capital
    if before and not reading.said[index - 1].is_never:
        start, end = reading.told(first, Cue.CLEAR)
        if end == index:
            yield start, end
    if index + 1 < len(reading):
        start, end = reading.told(index + 1, Cue.CLEAR)
        if end > start:
            yield start, end


def _is_free(reading: Reading, index: int) -> bool:
    return reading.words[index].case is Case.TITLE and not reading.said[index].is_plain


def _last_first(reading: Reading, index: int) -> Iterator[tuple[int, int]]:
    """``Kowalski, Anna``."""
    after = index + 1
    if after >= len(reading) or reading.gap(index) not in _LAST_FIRST:
        return
    said, next_said = reading.said[index], reading.said[after]
    capital = reading.words[index].is_capital and reading.words[after].is_capital
    if not capital or said.is_plain or next_said.is_plain or said.is_common_given:
        return
    end = after + 1
    if reading.is_joined(after) and reading.words[end].case is Case.INITIAL:
        end += 1
    known = said.is_surname and next_said.is_given
    if not known and not _is_entry(reading, index, end):
        return
    if index and reading.said[index - 1].is_name and reading.is_joined(index - 1):
        return
    yield index, end


def _is_entry(reading: Reading, index: int, end: int) -> bool:
    """Whether ``OYELARAN, TEMI`` or ``Whitcombe, Julian`` is all that a line or a field holds."""
    words, after = reading.words, index + 1
    if not reading.is_first(index) or not _ENTRY_END.match(reading.text, words[end - 1].end):
        return False
    if any(len(words[at].key) < _AGAIN for at in (index, after)):
        return False
    upper = all(words[at].case is Case.UPPER for at in (index, after))
    listed = reading.said[after].is_given or reading.said[index].is_surname
    return listed or (upper and reading.is_first(index) and index > 0)


def _again(reading: Reading, told: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Each word of a name that was told, where it stands without the rest."""
    parts = {
        reading.words[at].key: reading.said[at]
        for start, end in told
        for at in range(start, end)
        if reading.words[at].end - reading.words[at].start >= _AGAIN
        and not reading.said[at].is_never
    }
    if not parts:
        return
    for index, word in enumerate(reading.words):
        said = parts.get(word.key)
        if said is None or not reading.is_apart(index) or reading.is_of_other(index, index + 1):
            continue
        small = word.case is Case.LOWER and not (said.is_name and not said.is_plain)
        if not small and (not said.is_plain or _is_amid_small(reading, index)):
            yield index, index + 1


def _by_last() -> dict[str, list[tuple[str, ...]]]:
    table: dict[str, list[tuple[str, ...]]] = {"name": []}
    for phrase in cues.INTRODUCTIONS:
        parts = tuple(phrase.split())
        table.setdefault(parts[-1], []).append(parts)
    return table


_BY_LAST: Final = _by_last()
_TELLING: Final = (
    cues.TITLES
    | cues.RELATIVES
    | cues.GREETINGS
    | cues.LABELS
    | cues.SPEECH
    | FORE
    | {"v", *_BY_LAST}
)

"""Detector of organizations: legal forms, kinds, a short list, and words that tell. No model."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from cipherset.pipeline.sanitize.detectors.names.cues import OTHER_AFTER
from cipherset.pipeline.sanitize.detectors.names.lists import Known
from cipherset.pipeline.sanitize.detectors.names.naming import Reading
from cipherset.pipeline.sanitize.detectors.names.words import Case, word_at
from cipherset.pipeline.sanitize.detectors.shipped import cues
from cipherset.pipeline.sanitize.spans import Span, merged

# After a name these make it a firm's, whatever the name is.
_FORMS: Final = cues("legal_forms")
# Of these, the ones that are other words too count only as they are written in a firm's name.
_LOUD_FORMS: Final = cues("loud_forms")
# After capital words these say what kind of organization it is.
_KINDS: Final = cues("kinds")
_OF: Final = cues("kinds_of")
# Kinds that the word before them makes an organization even if it is an ordinary one.
_FIRM: Final = cues("firm_kinds")
_KNOWN: Final = cues("organizations")
_KNOWN_LONGEST: Final = 3  # words
_KNOWN_SIZE: Final = 30  # characters
_BEFORE: Final = cues("organization_before")
_OWNERS: Final = cues("owners")
_SUPPLIERS: Final = cues("suppliers")
_DEALINGS: Final = cues("dealings")
_LOOKS: Final = cues("looks")
_DOTTED_HINT: Final = re.compile(r"[A-Za-z]\.[A-Za-z]|[AS]/S\b|& Co|Pty|Pvt|Sp\.")
_DOTTED: Final = re.compile(
    r"\b(?:S\. ?p\. ?A|S\. ?r\. ?l|S\.A\.S|S\.A\.R\.L|S\.A\. de C\.V|S\.A|B\.V|N\.V|A\.G|S\.L|K\.K"
    r"|L\.L\.C"
    r"|L\.L\.P|P\.L\.C|G\.m\.b\.H|s\.r\.o|d\.o\.o|Sp\. z o\.o|a\.s|e\.K|e\.V)\.?(?!\w)"
    r"|\b(?:A/S|GmbH & Co\. KG(?:aA)?|(?:Pty|Pvt)\.? Ltd\.?|Co\., Ltd\.?)(?!\w)"
)
_LABELS: Final = cues("organization_labels")
_PHRASES: Final = cues("organization_phrases")
_INNER: Final = frozenset({"of", "and", "for"})
_JOINTS: Final = frozenset({" ", " & ", " and ", "&", ", ", "-"})
_LABEL_GAP: Final = re.compile(r"[\"']?[ \t]{0,4}[:=|>][ \t]{0,4}[\"']?")
_FIELD_END: Final = re.compile(r"[ \t.]{0,3}(?:[\n\r|<\"',;]|\Z)")
_LONGEST: Final = 6  # words
_LOUD: Final = 4  # letters: what is all capital letters and longer is a heading
_STOP: Final = cues("determiners")


class OrganizationDetector:
    """``ORGANIZATION``: names with a legal form or a kind, and cued ones.

    Well-known firms and brands count beside a cue only: who pays with one tells little.
    """

    name: Final = "organization lists and cues"
    version: Final = "2"
    entities: Final = frozenset({"ORGANIZATION"})

    def detect(self, texts: Sequence[str]) -> list[list[Span]]:
        return [_in_text(text) for text in texts]


_TELLING: Final = _LABELS | _FORMS | _KINDS | _OF


def _in_text(text: str) -> list[Span]:
    reading = Reading(text)
    words = reading.words
    found = list(_dotted(reading))
    for index in range(len(reading)):
        if words[index].case is Case.LOWER and words[index].key not in _TELLING:
            continue  # each of the rest begins or ends with a capital, or is a label
        for start, end in _at(reading, index):
            stop = words[end - 1].end
            dotted = words[end - 1].key in _FORMS and text[stop : stop + 1] == "."
            found.append(Span(words[start].start, stop + dotted, "ORGANIZATION"))
    return merged(found)


def _at(reading: Reading, index: int) -> Iterator[tuple[int, int]]:
    word = reading.words[index]
    if word.key in _FORMS and word.is_capital:
        yield from _before(reading, index, form=True)
    elif word.key in _KINDS and word.case is Case.TITLE:
        yield from _before(reading, index, form=False)
    if word.key in _OF and word.case is Case.TITLE:
        yield from _of(reading, index)
    yield from _known(reading, index)
    yield from _supplied(reading, index)
    if word.key in _LABELS:
        yield from _labeled(reading, index)
    yield from _cued(reading, index)


def _before(reading: Reading, index: int, *, form: bool) -> Iterator[tuple[int, int]]:
    """The capital words before a legal form or a kind, and that with them."""
    key = reading.words[index].key
    loud = form and key in _LOUD_FORMS
    if loud and not (index and reading.words[index - 1].case is Case.TITLE):
        return
    start = index
    while start and index - start < _LONGEST and _is_part(reading, start - 1, form=form):
        start -= 1
    while start < index and reading.words[start].key in _STOP:
        start += 1
    if start == index - 1 and reading.words[start].case is Case.INITIAL:
        return
    if start == index or _is_ordinary(reading, start, index, form=form):
        return
    yield start, index + 1


def _is_part(reading: Reading, index: int, *, form: bool) -> bool:
    word = reading.words[index]
    gap = reading.gap(index)
    if word.case is Case.UPPER and reading.said[index].is_never:
        return False  # "INCLUDING BUT NOT LIMITED"
    if not word.is_capital and word.case is not Case.MIXED:
        return word.key in _INNER and gap == " " and _is_capital_before(reading, index)
    if gap == ", ":
        return form and reading.words[index + 1].key in _FORMS
    return gap in _JOINTS


def _is_capital_before(reading: Reading, index: int) -> bool:
    if not index or not reading.is_joined(index - 1):
        return False
    before = reading.words[index - 1]
    return before.case is Case.TITLE and before.key not in _STOP | _KINDS


def _is_ordinary(reading: Reading, start: int, index: int, *, form: bool) -> bool:
    """Whether the words before a kind are no name, as in "My Bank" and "Customer Support Group"."""
    if form or reading.words[index].key in _FIRM:
        return all(reading.said[at].is_never for at in range(start, index))
    if not any(_is_own_name(reading.said[at]) for at in range(start, index)):
        return True
    return index - start == 1 and reading.is_first(start) and reading.said[start].is_word


def _is_own_name(said: Known) -> bool:
    return not said.is_word or said.is_place or said.is_surname


def _of(reading: Reading, index: int) -> Iterator[tuple[int, int]]:
    """``University of Leeds``, ``Department of Veterans Affairs``."""
    if index + 2 >= len(reading) or reading.words[index + 1].key != "of":
        return
    start = index + 2
    if reading.words[start].key == "the" and start + 1 < len(reading):
        start += 1
    if not (reading.is_joined(index) and reading.is_joined(index + 1)):
        return
    end = reading.run(start)
    if end > start and reading.words[start].case is not Case.INITIAL:
        yield index, end


def _dotted(reading: Reading) -> Iterator[Span]:
    """Capital words before a form that is written with dots, as ``S.p.A.`` is."""
    if not _DOTTED_HINT.search(reading.text):
        return
    for match in _DOTTED.finditer(reading.text):
        index = word_at(reading.words, match.start())
        if not index or index >= len(reading):
            continue
        start = index
        while start and index - start < _LONGEST and _is_part(reading, start - 1, form=True):
            start -= 1
        while start < index and reading.words[start].key in _STOP:
            start += 1
        if start < index and not all(reading.said[at].is_never for at in range(start, index)):
            yield Span(reading.words[start].start, match.end(), "ORGANIZATION")


def _known(reading: Reading, index: int) -> Iterator[tuple[int, int]]:
    """A well-known one of several words or a person's employer, behind a word that tells."""
    if not index or not reading.is_apart(index) or reading.words[index - 1].key not in _BEFORE:
        return
    last = min(index + _KNOWN_LONGEST, len(reading))
    for end in range(last, index, -1):
        start, stop = reading.words[index].start, reading.words[end - 1].end
        capital = reading.words[index].is_capital or reading.words[index].case is Case.MIXED
        if capital and stop - start < _KNOWN_SIZE and _key(reading, index, end) in _KNOWN:
            yield index, end
            return


def _supplied(reading: Reading, index: int) -> Iterator[tuple[int, int]]:
    """A capital word on no list behind "our supplier", "invoice from", or "engineer at"."""
    if index < 2 or not reading.words[index].is_capital or not reading.is_apart(index):
        return
    before, first = reading.words[index - 1].key, reading.words[index - 2].key
    joined = reading.is_joined(index - 2)
    owned = first in _OWNERS and before in _SUPPLIERS and reading.gap(index - 1) in {" ", ", "}
    dealt = joined and reading.is_joined(index - 1) and f"{first} {before}" in _DEALINGS
    at = before == "at" and reading.is_joined(index - 1) and first not in _LOOKS
    if not (owned or dealt or at):
        return
    end = index
    while end < len(reading) and end - index < _LONGEST and _is_free(reading, end):
        end += 1
        if end == len(reading) or reading.gap(end - 1) not in _JOINTS - {", ", "-", " and "}:
            break
    facility = at and end > index and reading.words[end - 1].key in OTHER_AFTER
    if facility:  # a stadium or a street is a place
        return
    sure = any(not said.is_word and not said.is_name for said in reading.said[index:end])
    if sure and not reading.said[index].is_given and not reading.said[index].is_place:
        yield index, end


def _is_free(reading: Reading, index: int) -> bool:
    word, said = reading.words[index], reading.said[index]
    return word.case in {Case.TITLE, Case.MIXED} and not said.is_never


def _key(reading: Reading, start: int, end: int) -> str:
    parts = [reading.words[start].key]
    for index in range(start + 1, end):
        parts += [reading.gap(index - 1), reading.words[index].key]
    return "".join(parts)


def _labeled(reading: Reading, index: int) -> Iterator[tuple[int, int]]:
    """What fills the field behind ``employer:``."""
    match = _LABEL_GAP.match(reading.text, reading.words[index].end)
    if match is None:
        return
    start = word_at(reading.words, match.end())
    if start == len(reading) or reading.words[start].start != match.end():
        return
    end = start
    while end < len(reading) and end - start < _LONGEST and _is_own(reading, end):
        end += 1
        if end == len(reading) or reading.gap(end - 1) not in _JOINTS - {", "}:
            break
    if end > start and _FIELD_END.match(reading.text, reading.words[end - 1].end):
        said = reading.said[start:end]
        person = said[0].is_given or (len(said) == 1 and said[0].is_name)
        ordinary = said[0].is_never or (len(said) == 1 and said[0].is_word)
        if not person and not ordinary:
            yield start, end


def _cued(reading: Reading, index: int) -> Iterator[tuple[int, int]]:
    """Capital words after "works at" and its like."""
    if index < 2 or not reading.is_joined(index - 1):
        return
    if f"{reading.words[index - 2].key} {reading.words[index - 1].key}" not in _PHRASES:
        return
    end = index
    while end < len(reading) and end - index < _LONGEST and _is_own(reading, end):
        end += 1
        if not reading.is_joined(end - 1):
            break
    if end == index + 1 and reading.said[index].is_word:
        return
    place = all(reading.said[at].is_place for at in range(index, end))
    if end > index and not reading.said[index].is_never and not place:
        yield index, end


def _is_own(reading: Reading, index: int) -> bool:
    return reading.words[index].is_capital or reading.words[index].case is Case.MIXED

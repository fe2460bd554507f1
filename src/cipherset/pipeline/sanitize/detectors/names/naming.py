"""Where a name that begins at some word ends, and whether it is one.

Evidence is counted in points: a word that is on a list of names and on no other is worth two, one
that is also an ordinary word or a place is worth one, and three points make a name.
"""

from enum import Enum
from typing import Final

from cipherset.pipeline.sanitize.detectors.names import cues
from cipherset.pipeline.sanitize.detectors.names.lists import known, places
from cipherset.pipeline.sanitize.detectors.names.words import Case, words

_LONGEST: Final = 5  # words: "Maria de la Cruz Hernandez"
_BLANKS: Final = frozenset({" ", "  ", "\u00a0"})
_DOTTED: Final = frozenset({".", ". ", ".\u00a0"})
_ENCODED: Final = frozenset({"%20", "+", "_"})  # blanks within a URL
_SENTENCE_ENDS: Final = frozenset(".!?:;\n\r\t\u2022\"'\u201c(|>*-")
_ADDRESS: Final = frozenset("@#_/\\")
_INNER: Final = frozenset(".-=&@_")
_FIELD_ENDS: Final = frozenset("\n\r\t<|,;&\"'\u201d])}/")
_LINKS: Final = frozenset({" ", " & ", ", "})
_FORMS: Final = frozenset({"inc", "llc", "ltd", "llp", "corp", "gmbh", "plc"})
_TITLES: Final = 3  # that may stand before a name: "Herr Prof. Dr."
_FEW: Final = 3  # words in small letters: after so many a sentence goes on
_PAIR: Final = 2  # words
_ENOUGH: Final = 3.0


class Cue(Enum):
    """What it takes for the words beside a cue to be a name."""

    OUTRIGHT = "no ordinary word among them"
    CLEAR = "capital letters too, or names that are on a list"
    LOOSE = "names that are on a list"


class Reading:
    """A text, its words, and what the lists say of each."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = words(text)
        self.said = [known(word.key) for word in self.words]

    def __len__(self) -> int:
        return len(self.words)

    def gap(self, index: int) -> str:
        """What stands between a word and the next."""
        return self.text[self.words[index].end : self.words[index + 1].start]

    def is_joined(self, index: int) -> bool:
        """Whether a word and the next may be parts of one name."""
        if index + 1 >= len(self.words):
            return False
        gap = self.gap(index)
        if gap in _BLANKS:
            return True
        word = self.words[index]
        dotted = word.case is Case.INITIAL or word.key in cues.ABBREVIATED
        return (dotted and gap in _DOTTED) or gap in _ENCODED

    def is_first(self, index: int) -> bool:
        """Whether a word begins a sentence, a line or a quotation, where each has a capital."""
        start = self.words[index].start
        before = self.text[max(0, start - 3) : start].rstrip(" \u00a0")
        return not before or before[-1] in _SENTENCE_ENDS

    def is_apart(self, index: int) -> bool:
        """Whether a word stands by itself, not in an address, an identifier or a hashtag."""
        word = self.words[index]
        before = self.text[word.start - 1 : word.start]
        after = self.text[word.end : word.end + 2]
        if before and (before in _ADDRESS or before in _INNER or before.isdigit()):
            return False
        if not after:
            return True
        inner = after[0] in _INNER and after[1:].isalnum() and word.case is not Case.INITIAL
        return not (inner or after[0] in _ADDRESS or after[0].isdigit())

    def is_of_other(self, start: int, end: int) -> bool:
        """Whether words ``start:end`` belong to the name of a place, a firm or an illness."""
        return (
            self._is_behind_place(start)
            or self._ends_as_other(start, end)
            or (end < len(self.words) and self._is_before_other(start, end))
        )

    def _is_behind_place(self, start: int) -> bool:
        word = self.words[start]
        if word.key in cues.PLACE_BEFORE and self.said[start].is_plain:
            return True
        if not start:
            return False
        before = self.words[start - 1]
        if before.is_capital and self.is_joined(start - 1):
            pair = (before.key, word.key)
            return before.key in cues.PLACE_BEFORE or pair in cues.BRANDS or pair in places()
        of = start > 1 and before.key == "of" and self.words[start - 2].is_capital
        return of and self.words[start - 2].key in cues.PLACE_BEFORE

    def _ends_as_other(self, start: int, end: int) -> bool:
        key = self.words[end - 1].key
        before = self.text[max(0, self.words[start].start - 2) : self.words[start].start]
        if key in cues.STREETS and before[:1].isdigit() and before.endswith(" "):
            return True
        if key in cues.STATES and self.words[end - 1].case is Case.UPPER and end - start == 2:
            return any(word.case is Case.TITLE for word in self.words[start:end])
        if key not in cues.OTHER_AFTER or end - start == 1:
            return False
        return end - start > 2 or key not in cues.SURNAMES_TOO or self.said[start].is_plain

    def _is_before_other(self, start: int, end: int) -> bool:
        last, after = self.words[end - 1], self.words[end]
        pair = (last.key, after.key)
        if pair in cues.BRANDS or pair in places():
            return True
        gap = self.text[last.end : after.start].removeprefix("'s").removeprefix("\u2019s")
        if gap == ", " and after.key in cues.STATES and after.case is Case.UPPER:
            return end - start == 1
        return gap in _LINKS and after.key in cues.OTHER_AFTER and self._is_title(end, gap)

    def _is_title(self, index: int, gap: str) -> bool:
        """An illness is written small; after a comma only a firm's form counts."""
        if gap == ", ":
            return self.words[index].key in _FORMS
        return self.words[index].is_capital or self.words[index].key in cues.ILLNESSES

    def run(self, start: int, *, particle: bool = False) -> int:
        """The end of the capital words that stand together from ``start`` on, particles too.

        ``particle``: the first may be one.
        """
        end = start
        while end < len(self.words) and end - start < _LONGEST:
            word = self.words[end]
            if not word.is_capital:
                small = word.case is Case.LOWER and word.key in cues.PARTICLES
                if not (small and (particle or end > start) and self._is_followed(end)):
                    break
            end += 1
            if not self.is_joined(end - 1):
                break
        return end

    def _is_followed(self, index: int) -> bool:
        """Whether a capital word comes within the next two, as after "de la"."""
        for after in range(index + 1, min(index + 3, len(self.words))):
            if not self.is_joined(after - 1):
                return False
            if self.words[after].is_capital:
                return True
        return False

    def listed(self, start: int) -> int:
        """The end of the name of two words or more that begins at ``start``; ``start`` if none."""
        word = self.words[start]
        if word.case is Case.LOWER:
            return self._small_pair(start)
        if not word.is_capital or not self.is_apart(start):
            return start
        for end in range(self.run(start), start + 1, -1):
            if self._points(start, end) >= _ENOUGH and not self._is_place(start, end):
                return start if self.is_of_other(start, end) else end
        return start

    def _is_place(self, start: int, end: int) -> bool:
        return tuple(word.key for word in self.words[start:end]) in places()

    def _small_pair(self, start: int) -> int:
        """``start + 2`` for two names in small letters that are names only."""
        if not self.is_joined(start) or self.words[start + 1].case is not Case.LOWER:
            return start
        first, last = self.said[start], self.said[start + 1]
        sure = first.is_given and last.is_surname
        if sure and not first.is_plain and not last.is_plain:
            return start + 2 if self.is_apart(start) and self.is_apart(start + 1) else start
        return start

    def _points(self, start: int, end: int) -> float:
        """How much speaks for words ``start:end`` being one person's name; 0 if much speaks not."""
        last, first_said, last_said = self.words[end - 1], self.said[start], self.said[end - 1]
        if last.case is Case.INITIAL or last_said.is_never:
            return 0
        if (self.words[start].key, last.key) in cues.BRANDS:
            return 0
        upper = all(word.case is not Case.TITLE for word in self.words[start:end])
        if upper and first_said.is_plain and not first_said.is_common_given:
            return 0
        inner = self._inner(start, end, upper=upper or not first_said.is_given)
        first, final = self._first(start, upper=upper), self._last(end - 1, upper=upper)
        if self._is_initialed(start, end):
            first += 1
        if min([first, final, *inner]) == 0:
            return 0
        if self._is_stranger(start) and last_said.is_common_surname:
            first += final / 4  # half a point for a surname that is nothing else
        common = first_said.is_common_given and last_said.is_common_surname and not upper
        return first + max(inner, default=0) / 2 + final + common

    def _is_initialed(self, start: int, end: int) -> bool:
        """Whether words are a dotted initial and a word on no list: ``M. Fahrenkrug``."""
        dot = self.text[self.words[start].end : self.words[start].end + 1] == "."
        if self.words[start].case is not Case.INITIAL or not dot or end - start != _PAIR:
            return False
        if start and self.words[start - 1].key in cues.NO_INITIAL_BEFORE:
            return False
        last = self.said[end - 1]
        strange = self.words[end - 1].case is Case.TITLE and not last.is_plain
        return strange and len(self.words[end - 1].key) > _PAIR + 1

    def _inner(self, start: int, end: int, *, upper: bool) -> list[float]:
        """The points of the words between the first and the last, but for particles."""
        return [
            self._worth(index, upper=upper)
            for index in range(start + 1, end - 1)
            if self.words[index].key not in cues.PARTICLES
        ]

    def _is_stranger(self, index: int) -> bool:
        """Whether a word is on no list and has its capital letter for no other reason."""
        said = self.said[index]
        title = self.words[index].case is Case.TITLE and not self.is_first(index)
        return title and not said.is_name and not said.is_plain

    def _first(self, index: int, *, upper: bool) -> float:
        word, said = self.words[index], self.said[index]
        if word.case is Case.INITIAL:
            dotted = self.text[word.end : word.end + 1] == "."
            second = self.words[index + 1]
            if dotted and second.case is Case.INITIAL:
                return 0 if (word.key, second.key) in cues.NO_INITIALS else 2
            return 1 if dotted or not said.is_never else 0
        if said.is_given:
            sure = said.is_familiar and word.key not in cues.NOT_ALONE and not self.is_first(index)
            return 2 if sure or not said.is_plain else 1
        return self._worth(index, upper=upper) / 2

    def _last(self, index: int, *, upper: bool) -> float:
        said = self.said[index]
        if said.is_surname:
            return 1 if said.is_plain else 2
        return self._worth(index, upper=upper)

    def _worth(self, index: int, *, upper: bool) -> float:
        """A word's points where its place in the name says nothing."""
        word, said = self.words[index], self.said[index]
        if word.case is Case.INITIAL:
            return 1
        if said.is_name:
            return 1 if said.is_plain else 1.5
        return 1 if word.case is Case.TITLE and not said.is_plain and not upper else 0

    def told(self, start: int, cue: Cue) -> tuple[int, int]:
        """The words of the name that ``cue`` tells of, before ``start``; two equal ones if none."""
        for _ in range(_TITLES):
            start += self._is_no_start(start)
        return start, self._told_end(start, cue)

    def fills(self, start: int) -> int:
        """The end of the words from ``start`` on, if they are all there is in a field."""
        end = self._told_run(start)
        if end == start or end - start == _LONGEST:
            return start
        after = self.text[self.words[end - 1].end : self.words[end - 1].end + 2].strip(" \u00a0")
        if (after and after[0] not in _FIELD_ENDS) or self.is_of_other(start, end):
            return start
        said = self.said[start:end]
        if any(each.is_plain and not each.is_name for each in said):
            return start
        if end - start == 1 and self.words[start].case is not Case.UNCASED:
            return start
        return end

    def _is_no_start(self, index: int) -> bool:
        """Whether a title, or a word that is no name, stands before another capital word."""
        if index + 1 >= len(self.words) or not self.is_joined(index):
            return False
        said = self.said[index]
        both = self.words[index].is_capital and self.words[index + 1].is_capital
        return both and said.is_word and not said.is_name

    def _told_end(self, start: int, cue: Cue) -> int:
        end = self._told_run(start)
        while end > start and self._is_no_ending(start, end):
            end -= 1
        if end == start or self.said[start].is_never or self.is_of_other(start, end):
            return start
        cases = {word.case for word in self.words[start:end]}
        if cases & {Case.LOWER, Case.UNCASED} and not cases & {Case.TITLE, Case.UPPER}:
            return end if self._is_told_small(start, end, cue) else start
        return end if self._is_told(start, end, cue, cases) else start

    def _is_told(self, start: int, end: int, cue: Cue, cases: set[Case]) -> bool:
        said = self.said[start:end]
        if any(each.is_name and not each.is_plain for each in said):
            return True
        if Case.TITLE not in cases:
            return False
        if all(each.is_name for each in said) and (end - start > 1 or cue is not Cue.LOOSE):
            return True
        free = self.words[start].key in cues.PARTICLES or not said[0].is_word
        return free and cue is not Cue.LOOSE

    def _is_told_small(self, start: int, end: int, cue: Cue) -> bool:
        """Names in small letters, or in letters that have no others."""
        if cue is Cue.OUTRIGHT:
            return True
        return cue is Cue.CLEAR and any(each.is_name for each in self.said[start:end])

    def _told_run(self, start: int) -> int:
        """Capital words, or words in small letters as long as none of them is an ordinary one."""
        if start < len(self.words) and self.words[start].case is not Case.LOWER:
            return self._names(start) if self.words[start].is_capital else self._uncased(start)
        particle = start < len(self.words) and self.words[start].key in cues.PARTICLES
        if particle and self._is_followed(start):
            return self.run(start, particle=True)
        end = start
        while end < len(self.words) and end - start < _FEW:
            word, said = self.words[end], self.said[end]
            if said.is_plain or word.case is not Case.LOWER or len(word.key) == 1:
                break
            end += 1
            if not self.is_joined(end - 1):
                break
        return end

    def _names(self, start: int) -> int:
        """The end of the capital words from ``start`` on, up to one that is no name at all."""
        end = self.run(start)
        for index in range(start + 1, end):
            word, said = self.words[index], self.said[index]
            ordinary = said.is_word and not said.is_name and len(word.key) > 1
            if ordinary and word.is_capital and word.key not in cues.PARTICLES:
                return index
        return end

    def _uncased(self, start: int) -> int:
        end = start
        while end < len(self.words) and self.words[end].case is Case.UNCASED:
            end += 1
            if not self.is_joined(end - 1) or end - start == _LONGEST:
                break
        return end

    def _is_no_ending(self, start: int, end: int) -> bool:
        word, said = self.words[end - 1], self.said[end - 1]
        letters = word.case is Case.UPPER and self.words[start].case is Case.TITLE
        return (
            word.case is Case.INITIAL
            or said.is_never
            or ((said.is_plain or letters) and not said.is_name)
        )

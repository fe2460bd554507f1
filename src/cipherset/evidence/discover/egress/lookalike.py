"""Hosts that imitate a service: told apart from the services, so that nobody is accused of them.

openai.com.evil.example    a listed domain that others stand behind
openai-com.net             a brand inside a label
xn--penai-iye.com          letters that look like those of a brand
"""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from cipherset.evidence.discover.egress.names import labels_of, shown

# Letters and digits that are drawn like a Latin letter: those of Cyrillic and Greek that names use.
# Source: Unicode Technical Standard 39, confusables.txt.
_DRAWN: Final = (
    ("а", "a"), ("е", "e"), ("о", "o"), ("р", "p"), ("с", "c"), ("у", "y"), ("х", "x"), ("і", "i"),
    ("ј", "j"), ("ѕ", "s"), ("ԁ", "d"), ("һ", "h"), ("ӏ", "l"), ("ԛ", "q"), ("ԝ", "w"), ("т", "t"),
    ("ɡ", "g"), ("ɑ", "a"), ("ο", "o"), ("α", "a"), ("ν", "v"), ("ι", "i"), ("ρ", "p"), ("τ", "t"),
    ("υ", "u"), ("κ", "k"), ("ı", "i"), ("ł", "l"), ("0", "o"), ("1", "i"), ("3", "e"), ("5", "s"),
)  # fmt: skip
_LIKE: Final = str.maketrans(dict(_DRAWN))
_MOST_LISTED: Final = 6  # labels of a listed domain


class Lookalikes:
    """Tells what a host that belongs to no service looks like."""

    def __init__(self, brands: Iterable[str], domains: Sequence[str]) -> None:
        """Of ``brands`` and of ``domains``; those with a wildcard are not looked for."""
        self._brands = sorted(brands, key=len, reverse=True)
        self._domains = {
            labels_of(domain.removeprefix("=")) for domain in domains if "*" not in domain
        }

    def of(self, host: str) -> str | None:
        """The brand or domain that it looks like, None where it looks like none."""
        labels = labels_of(host)
        return self._inside(labels) or self._brand(labels)

    def _inside(self, labels: tuple[str, ...]) -> str | None:
        """A listed domain that stands in it, with other labels behind."""
        for start in range(len(labels)):
            for end in range(start + 2, min(start + _MOST_LISTED, len(labels) - 1) + 1):
                if labels[start:end] in self._domains:
                    return ".".join(labels[start:end])
        return None

    def _brand(self, labels: tuple[str, ...]) -> str | None:
        for label in labels[:-1]:
            drawn = skeleton(label)
            for brand in self._brands:
                if brand in drawn:
                    return brand
        return None


def skeleton(label: str) -> str:
    """The label as it is drawn, in small Latin letters; accents are left out."""
    # Folded between: of letters that NFKD takes apart, some become capitals.
    folded = unicodedata.normalize("NFKD", shown(label)).casefold()
    parted = unicodedata.normalize("NFKD", folded)
    letters = "".join(each for each in parted if not _is_unseen(each))
    return letters.translate(_LIKE)


def _is_unseen(letter: str) -> bool:
    """Whether it is an accent, or not drawn at all."""
    return bool(unicodedata.combining(letter)) or unicodedata.category(letter) == "Cf"

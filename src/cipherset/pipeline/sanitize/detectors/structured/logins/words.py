"""Lists of words, and the common ones, which a user name after a loose cue is not."""

from functools import cache

from cipherset.pipeline.sanitize.detectors.shipped import lines


def listed(words: str) -> frozenset[str]:
    """The words between the blanks of ``words``."""
    return frozenset(words.split())


def phrases(said: str) -> frozenset[str]:
    """The phrases between the commas of ``said``."""
    return frozenset(" ".join(phrase.split()) for phrase in said.split(","))


def is_common(word: str) -> bool:
    """Whether ``word`` is one of the language: "log in as usual"."""
    return word.lower() in _common()


@cache
def _common() -> frozenset[str]:
    return frozenset(word for line in lines("words.txt") for word in line.split())

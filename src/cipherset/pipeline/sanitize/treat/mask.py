"""Masks: asterisks where characters were; blanks and separators stay, so the shape shows."""

from typing import Final

MASK: Final = "*"
SEPARATORS: Final = " .-/()+@:,_"
_LEAST_HIDDEN: Final = 4


def masked(value: str, keep_last: int) -> str:
    """``value`` with ``*`` for each character but separators and the last ``keep_last`` others.

    Where fewer than four would be hidden, nothing is kept. Leaks: the length, and what is kept.
    """
    places = [i for i, character in enumerate(value) if character not in SEPARATORS]
    hidden = len(places) - keep_last
    places = places[:hidden] if hidden >= _LEAST_HIDDEN else places
    characters = list(value)
    for place in places:
        characters[place] = MASK
    return "".join(characters)


def mask_form(keep_last: int) -> str:
    """The pattern of a mask in a text."""
    inner = r"[(+]?\*(?:[ .\-/()+@:,_]{0,3}\*)*"
    if not keep_last:
        return inner
    return rf"{inner}(?:[ .\-/()+@:,_]{{0,3}}[0-9A-Z](?![a-z])){{0,{keep_last}}}"

"""Texts that speak to a model: what was written like attacks were written before.

Patterns over the text as it is seen and over what is hidden or encoded in it (``views``). They
find what was written like what was written before; a request in ordinary words inside somebody
else's text ("translate this") looks like one, and passes. What is found where, and what is not,
``benchmarks/injection.py`` measures.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from cipherset.guard.prompts.injection.kinds import Kind
from cipherset.guard.prompts.injection.views import View, views

ENOUGH: Final = 1.0
_HIDDEN_FACTOR: Final = 2.0  # nobody disguises "ignore your instructions" by accident
_BIDI: Final = re.compile("[\u202d\u202e]|[\u202a\u202b\u2066-\u2068]{2}")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One row of ``patterns.toml``."""

    name: str
    kind: Kind
    weight: float
    find: re.Pattern[str]
    together: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Hint:
    """A pattern that was found in a view, with the weight it had there; never the text."""

    pattern: str
    kind: Kind
    view: str
    weight: float
    is_disguised: bool = False


@cache
def patterns() -> tuple[str, tuple[Pattern, ...]]:
    """The version of the shipped patterns, and the patterns."""
    raw = files(__package__).joinpath("patterns.toml").read_text(encoding="utf-8")
    table = tomllib.loads(raw)
    return table["version"], tuple(
        Pattern(
            row["name"],
            Kind(row.get("kind", Kind.INJECTION)),
            row["weight"],
            re.compile(row["find"]),
            re.compile(row["together"]) if "together" in row else None,
        )
        for row in table["pattern"]
    )


def hints(text: str) -> list[Hint]:
    """What in ``text`` speaks to a model: each pattern once, in the view where it weighs most."""
    found: dict[str, Hint] = {}
    for view in views(text):
        for pattern in patterns()[1]:
            known = found.get(pattern.name)
            weight = pattern.weight * (_HIDDEN_FACTOR if view.hidden or view.disguise else 1.0)
            if known is not None and (view.disguise or known.weight >= weight):
                continue
            if _is_in(pattern, view):
                found[pattern.name] = Hint(
                    pattern.name, pattern.kind, view.name, weight, view.hidden or view.disguise
                )
    return list(found.values())


def score(text: str) -> float:
    """The sum of the weights of what was found; from 1 on a text is refused."""
    return sum(hint.weight for hint in hints(text))


def _is_in(pattern: Pattern, view: View) -> bool:
    if view.name == "apart":
        return pattern.together is not None and pattern.together.search(view.text) is not None
    return pattern.find.search(view.text) is not None


def is_hiding(text: str) -> bool:
    """Whether characters in ``text`` spell what is not drawn, or show it in another order."""
    return _BIDI.search(text) is not None or any(view.name == "tags" for view in views(text))

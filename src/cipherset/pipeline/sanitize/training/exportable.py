"""Rows that are labeled too high to be written out."""

from typing import Final

from cipherset.core.errors import PolicyError, UsageError

LEVELS: Final = ("public", "internal", "confidential", "restricted")


def check_exportable(level: str, allowed: str = "confidential") -> None:
    """Nothing, where rows labeled ``level`` may leave: ``allowed`` or lower in ``LEVELS``.

    ``allowed`` is ``restricted`` where a grant says so.

    Raises:
        PolicyError: ``restricted_rows``: the label is above what is allowed.
        UsageError: ``label_level``: no such level.
    """
    if _rank(level) > _rank(allowed):
        raise PolicyError(
            f"the rows are labeled {level}, and without a grant none above {allowed} is written",
            code="restricted_rows",
            hint="take out what makes them so, or ask for a grant",
        )


def _rank(level: str) -> int:
    if level not in LEVELS:
        raise UsageError(
            f"no level {level!r}", code="label_level", hint=f"one of {', '.join(LEVELS)}"
        )
    return LEVELS.index(level)

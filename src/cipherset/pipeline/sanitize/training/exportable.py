"""Rows that are labeled too high to be written out."""

from cipherset.core.errors import PolicyError
from cipherset.core.labels import Level


def check_exportable(level: Level, allowed: Level = Level.CONFIDENTIAL) -> None:
    """Nothing, where rows labeled ``level`` may leave: ``allowed`` or lower.

    ``allowed`` is ``restricted`` where a grant says so.

    Raises:
        PolicyError: ``restricted_rows``: the label is above what is allowed.
    """
    if level.rank > allowed.rank:
        raise PolicyError(
            f"the rows are labeled {level}, and without a grant none above {allowed} is written",
            code="restricted_rows",
            hint="ask for one: cipherset grant request sanitize SOURCE --for PURPOSE; where one "
            "person does everything, --accept-risk REASON does, and is recorded",
        )
